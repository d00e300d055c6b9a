"""The figures of an experiment and its composites for the report's viewer, from what the stages before wrote."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import figures, image, table
from lusco.answer import of_pixels
from lusco.figures.examples import given_wrong
from lusco.figures.style import Drawing
from lusco.figures.viewer import described, write_images
from lusco.files import read_array, read_csv, read_json
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.render import render
from lusco.superpose.composites import Composites

SAME = 1e-6  # relative
MODELS_SIDE_BY_SIDE = 4  # of more, figures that show each model show the chosen one; all meet in `peers`


def drawings(
    composites: Composites,
    applied: Path,
    model: ModelDescription,
    evaluation: Path,
    histories: Mapping[str, Path],
    mixed: tuple[Path, Path] | None,
    sweeps: Sequence[Path],
    chosen: str,
    crosstalk: float,
) -> Iterator[tuple[str, Callable[[], Drawing]]]:
    """Every figure but those of single acquisitions, to be drawn.

    Parameters
    ----------
    composites : Composites
        Test composites.
    applied : Path
        Folder of the chosen model's recoloured composites.
    model : ModelDescription
        The chosen model.
    evaluation : Path
        Folder of the evaluation's tables.
    histories : mapping
        Training history of each model that was trained here.
    mixed : tuple of Path, optional
        Localizations and recoloured image of an acquisition the model was applied to, as an example.
    sweeps : sequence of Path
        Table of each sweep.
    chosen : str
        Name of the chosen model.
    crosstalk : float
        The fraction of crosstalk that the rejection threshold is chosen for.

    Yields
    ------
    str, callable
        Name of a figure, and what draws it.
    """
    channels = read_array(applied / CHANNELS)
    names = ("distances", "overlap", "coupling", "shapes", "assignment", "calibration", "summary")
    tables = {name: read_csv(evaluation / f"{name}.csv") for name in names}
    summary = tables.pop("summary")
    tables = {name: side_by_side(table, chosen) for name, table in tables.items()}
    structures, pixel_nm = list(model.structures), model.pixel_nm
    scales = dict(zip(structures, model.scale_counts, strict=True))
    ranked = ranked_composites(composites, channels)
    middle = composites.names.index(ranked[len(ranked) // 2])

    truth = composites.counts(middle)
    measured, recolored = _example(*mixed, composites.side_px, pixel_nm) if mixed else (None, None)
    images = list(truth), truth.sum(0), channels[middle], measured, recolored
    yield "schematic", partial(figures.schematic, *images, structures, pixel_nm)
    some = chosen_examples(composites, channels, ranked)
    yield "examples", partial(figures.examples, some, structures, pixel_nm, scales)
    one = composites.names[middle], np.asarray(channels[middle]), truth
    yield "channels", partial(figures.channels, *one, structures, pixel_nm, scales)
    yield "distances", partial(figures.distances, tables["distances"], structures)
    yield "overlap", partial(figures.overlap, tables["overlap"], structures)
    thresholds = {chosen: model.threshold(crosstalk)}
    yield "crosstalk", partial(figures.crosstalk, tables["assignment"], structures, thresholds, crosstalk)
    yield "calibration", partial(figures.calibration, tables["calibration"], structures)
    if read_json(evaluation / "metadata.json")["scored"]:
        yield "coupling", partial(figures.coupling, tables["coupling"])
    if len(tables["shapes"]):
        yield "shapes", partial(figures.shapes, tables["shapes"], structures)
    if len(set(summary["model"])) > 1:
        yield "peers", partial(figures.peers, summary, structures)
    if histories:
        parts = [read_csv(file).assign(model=name) for name, file in histories.items()]
        yield "loss", partial(figures.loss, pd.concat(parts, ignore_index=True))
    for file in sweeps:
        table_of_sweep = read_csv(file)
        yield f"sweep_{table_of_sweep['sweep'].iloc[0]}", partial(figures.sweep, table_of_sweep, structures)


def view(composites: Composites, applied: Path, viewer: Path) -> None:
    """Write all recoloured composites for the report's viewer, in one file as they are small.

    Parameters
    ----------
    composites : Composites
        Test composites.
    applied : Path
        Folder of the chosen model's recoloured composites.
    viewer : Path
        File to write.
    """
    channels, probabilities = read_array(applied / CHANNELS), read_array(applied / PROBABILITIES)
    regions = read_csv(applied / REGIONS)
    images, done = [], 0
    for index, name in enumerate(composites.names):
        rows, truth = composites.table(index), composites.counts(index)
        points = composites.points(rows)
        chances = of_pixels(probabilities[done : done + len(rows)], points) * (truth.sum(0) > 0)
        done += len(rows)
        images.append(
            described(
                f"composite/{name}",
                truth.sum(0),
                np.asarray(channels[index]),
                truth,
                chances,
                composites.structures,
                composites.pixel_nm,
                regions[regions["composite"] == name],
            )
        )
    write_images(images, viewer)


def side_by_side(table: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """The rows of a table whose models can be drawn beside each other: all, or the chosen one's, of too many and where
    truth and references differ: models that learned from other acquisitions scale images otherwise.
    """
    alike = table["model"].nunique() <= MODELS_SIDE_BY_SIDE
    if alike and (kinds := {"source", "comparison"} & set(table)):
        rows = table[(table[[*kinds]] != "model").all(axis=1)]
        keys = [name for name in table if name not in ("model", "value")]
        values = rows.groupby(keys, dropna=False)["value"]
        alike = not (values.max() - values.min() > SAME * values.max().abs()).any()
    return table if alike else table[table["model"] == chosen]


def _example(localizations: Path, picture: Path, side_px: int, pixel_nm: float) -> tuple[np.ndarray, np.ndarray]:
    """The densest part of an acquisition, as measured and as recoloured."""
    counts = render(table.read(localizations), pixel_nm)
    window = _densest(counts, side_px)
    return counts[window], image.read(picture, own=True).pixels[:, *window]


def _densest(counts: np.ndarray, side_px: int) -> tuple[slice, slice]:
    """The square with the most counts, among squares side by side."""
    corners = [
        (row, column)
        for row in range(0, max(1, counts.shape[0] - side_px + 1), side_px)
        for column in range(0, max(1, counts.shape[1] - side_px + 1), side_px)
    ]
    squares = [(slice(row, row + side_px), slice(column, column + side_px)) for row, column in corners]
    return max(squares, key=lambda square: counts[square].sum())


def ranked_composites(composites: Composites, channels: np.ndarray) -> list[str]:
    """Composites from the best to the worst by the part of the counts that is given to the wrong structure."""
    wrong = {
        name: given_wrong(np.asarray(channels[index]), composites.counts(index))
        for index, name in enumerate(composites.names)
    }
    return sorted(wrong, key=wrong.__getitem__)


def chosen_examples(
    composites: Composites, channels: np.ndarray, ranked: Sequence[str]
) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """The best, the median and the worst composite, with their recoloured and true channels."""
    examples = []
    for label, name in (("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])):
        index = composites.names.index(name)
        truth = composites.counts(index)
        examples.append((f"{label}: {name}", truth.sum(0), np.asarray(channels[index]), truth))
    return examples
