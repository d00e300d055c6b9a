r"""How well an oracle does that knows where the structures are, but not which localization came from which.

    .venv/bin/snakemake --cores all results/demo/composites/test.arrow
    .venv/bin/python benchmarks/oracle.py results/demo/composites/test.arrow

For each simulated acquisition the geometry is made again, and all its epitopes are drawn many times through linker and
localization error: the density of localizations that the geometry predicts. Placed where the composite has the
acquisition, these densities give the probability of each structure in each pixel: the most that knowing every shape
exactly can give. What remains wrong lies where structures are closer than the precision. Only a method that also knows
which localizations come from one emitter could do better.
"""

import argparse
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import table
from lusco.evaluate.assignment import ALL, accepted_counts, assignment_table, crosstalk_at, rejected_at
from lusco.evaluate.distances import distance, prepare, structure_scale
from lusco.render import pixel_index
from lusco.simulate.description import read_description
from lusco.simulate.draws import generator
from lusco.superpose.composites import Composites, open_composites

DRAWS = 40  # of each epitope
SMOOTHING_NM = 12.0


@cache
def predicted(path: str) -> tuple[table.Localizations, np.ndarray]:
    """An acquisition, and positions drawn from its geometry, shape (n, 2) in nm."""
    acquisition = table.read(path)
    source = acquisition.source
    description = read_description(source["path"])
    x0, x1, y0, y1 = acquisition.field_nm
    described = description.structures[source["structure"]]
    rng = generator(source["seed"], source["acquisition"], source["structure"])
    epitopes = described.epitopes(described.geometry, (x1 - x0, y1 - y0), rng)
    sigma_nm = acquisition.table["uncertainty_nm"].to_numpy()
    positions = []
    for _ in range(DRAWS):
        direction = rng.normal(size=epitopes.outward.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        direction[np.sum(direction * epitopes.outward, axis=1) < 0] *= -1
        place = (epitopes.position_nm + described.labelling.linker_nm * direction)[:, :2]
        positions.append(place + rng.normal(size=place.shape) * rng.choice(sigma_nm, len(place))[:, None])
    return acquisition, np.concatenate(positions)


def turned(acquisition: table.Localizations, part: pd.DataFrame) -> np.ndarray:
    """The map from an acquisition to its place in a composite, shape (3, 2), from localizations that both have."""
    own = acquisition.table.iloc[part["row"]]
    known = np.column_stack([own["x_nm"], own["y_nm"], np.ones(len(own))])
    return np.linalg.lstsq(known, part[["x_nm", "y_nm"]].to_numpy(), rcond=None)[0]


def densities(composites: Composites, index: int, files: dict[str, str]) -> np.ndarray:
    """Localizations expected per pixel, shape (structures, rows, columns), as many as the composite has."""
    parts, side = composites.table(index), composites.side_px
    expected = np.zeros((len(composites.structures), side * side))
    for channel, structure in enumerate(composites.structures):
        part = parts[parts["structure"] == channel]
        acquisition, position = predicted(files[composites.sources[index][structure]])
        place = np.column_stack([position, np.ones(len(position))]) @ turned(acquisition, part)
        place = place[np.all((place >= 0) & (place < side * composites.pixel_nm), axis=1)]
        pixel = pixel_index(place[:, 0], place[:, 1], (0.0, 0.0), composites.pixel_nm, (side, side))
        drawn = np.bincount(pixel, minlength=side * side)
        unspecific = part["unspecific"].sum()
        expected[channel] = (len(part) - unspecific) * drawn / max(drawn.sum(), 1) + unspecific / side**2
    return expected.reshape(-1, side, side)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("composites", type=Path)
    composites = open_composites(parser.parse_args().composites)
    structures = composites.structures
    names = {name for sources in composites.sources for name in sources.values()}
    files = {n: max(map(str, Path("results/acquisitions", n).glob("*/localizations.parquet"))) for n in names}
    accepted, loss, images = 0, 0.0, []
    for index in range(len(composites)):
        expected = densities(composites, index, files)
        shares = expected / expected.sum(0)
        counts, bound = composites.counts(index), composites.bound(index)
        probabilities = np.repeat(shares.reshape(len(structures), -1).T, len(structures), axis=0)
        truth = np.tile(np.arange(len(structures)), bound[0].size)
        accepted = accepted + accepted_counts(probabilities, truth, bound.reshape(len(structures), -1).T.ravel())
        loss -= float((counts * np.log(shares + 1e-12)).sum())
        images.append((counts, shares * counts.sum(0)))
    curves = assignment_table(accepted, structures)
    for channel, structure in enumerate([*structures, ALL]):
        curve = curves[curves["structure"] == structure]
        line = (
            f"{structure:16s} accuracy {curve['recall'].iloc[0]:.3f}  crosstalk at 30 % rejected"
            f" {crosstalk_at(curve, 0.3):.4f}  rejected at 1 % crosstalk {rejected_at(curve, 0.01):.2f}"
        )
        if structure != ALL:
            scale = structure_scale([truth[channel] for truth, _ in images], SMOOTHING_NM, composites.pixel_nm)
            pairs = [[prepare(x[channel], scale, SMOOTHING_NM, composites.pixel_nm) for x in both] for both in images]
            others = pairs[1:] + pairs[:1]
            for name in ("mse", "dssim"):
                model = np.median([distance(name, image, truth) for truth, image in pairs])
                chance = np.median([distance(name, a[0], b[0]) for a, b in zip(pairs, others, strict=True)])
                line += f"  gap {name} {1 - model / chance:.3f}"
        print(line)
    print(f"cross-entropy {loss / sum(counts.sum() for counts, _ in images):.3f}")


if __name__ == "__main__":
    main()
