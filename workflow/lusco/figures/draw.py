"""All figures of an experiment, drawn from what the stages before wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import figures, image, table
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS
from lusco.render import render, render_points
from lusco.superpose.composites import Composites

MODELS_SIDE_BY_SIDE = 4  # of more, figures that show each model show the chosen one; all meet in `peers`


def draw(
    composites: Composites,
    applied: Path,
    model: ModelDescription,
    evaluation: Path,
    histories: Mapping[str, Path],
    mixed: Mapping[str, tuple[Path, Path, Path, Path]],
    sweeps: Sequence[Path],
    chosen: str,
    crosstalk: float,
    out: Path,
) -> None:
    """Draw and save every figure.

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
    mixed : mapping
        Localizations, recoloured image, recoloured table and table of regions of each acquisition the model was
        applied to.
    sweeps : sequence of Path
        Table of each sweep.
    chosen : str
        Name of the chosen model.
    crosstalk : float
        The fraction of crosstalk that the rejection threshold is chosen for.
    out : Path
        Folder for the figures.
    """
    channels = np.load(applied / CHANNELS, mmap_mode="r", allow_pickle=False)
    names = ("distances", "overlap", "coupling", "shapes", "assignment", "calibration", "summary")
    tables = {name: pd.read_csv(evaluation / f"{name}.csv") for name in names}
    summary = tables.pop("summary")
    tables = {name: side_by_side(table, chosen) for name, table in tables.items()}
    structures, pixel_nm = list(model.structures), model.pixel_nm
    scales = dict(zip(structures, model.scale_counts, strict=True))
    ranked = _ranked(tables["distances"], chosen)
    middle = composites.names.index(ranked[len(ranked) // 2])

    measured = {name: _measured(*files, structures, pixel_nm) for name, files in mixed.items()}
    first = next(iter(measured.values()), None)
    truth = composites.counts(middle)
    window = _densest(first[0], composites.side_px) if first else None
    drawings = {
        "schematic": figures.schematic(
            list(truth),
            truth.sum(0),
            channels[middle],
            first[0][window] if first else None,
            first[1][:, *window] if first else None,
            structures,
            pixel_nm,
        ),
        "examples": figures.examples(_chosen_examples(composites, channels, ranked), structures, pixel_nm, scales),
        "channels": figures.channels(
            composites.names[middle], np.asarray(channels[middle]), truth, structures, pixel_nm, scales
        ),
        "distances": figures.distances(tables["distances"], structures),
        "overlap": figures.overlap(tables["overlap"], structures),
        "crosstalk": figures.crosstalk(
            tables["assignment"], structures, {chosen: model.threshold(crosstalk)}, crosstalk
        ),
        "calibration": figures.calibration(tables["calibration"], structures),
    }
    if any(true is not None for _, _, true, *_ in measured.values()):
        drawings["coupling"] = figures.coupling(tables["coupling"])
    if len(tables["shapes"]):
        drawings["shapes"] = figures.shapes(tables["shapes"], structures)
    if len(set(summary["model"])) > 1:
        drawings["peers"] = figures.peers(summary, structures)
    if histories:
        parts = [pd.read_csv(file).assign(model=name) for name, file in histories.items()]
        drawings["loss"] = figures.loss(pd.concat(parts, ignore_index=True))
    for name, (counts, recolored, true, rejected, unfamiliar) in measured.items():
        drawings[f"mixed_{name}"] = figures.mixed(
            name, counts, recolored, structures, pixel_nm, true, rejected, unfamiliar
        )
    for file in sweeps:
        table_of_sweep = pd.read_csv(file)
        drawings[f"sweep_{table_of_sweep['sweep'].iloc[0]}"] = figures.sweep(table_of_sweep, structures)
    for name, (figure, data) in drawings.items():
        figures.save(figure, data, out, name)


def side_by_side(table: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """The rows of a table whose models can be drawn beside each other: all, or of too many the chosen one's."""
    return table if table["model"].nunique() <= MODELS_SIDE_BY_SIDE else table[table["model"] == chosen]


def _densest(counts: np.ndarray, side_px: int) -> tuple[slice, slice]:
    """The square with the most counts, among squares side by side."""
    corners = [
        (row, column)
        for row in range(0, max(1, counts.shape[0] - side_px + 1), side_px)
        for column in range(0, max(1, counts.shape[1] - side_px + 1), side_px)
    ]
    squares = [(slice(row, row + side_px), slice(column, column + side_px)) for row, column in corners]
    return max(squares, key=lambda square: counts[square].sum())


def _ranked(distances: pd.DataFrame, chosen: str) -> list[str]:
    """Composites from the best to the worst by the chosen model's 1 - SSIM, averaged over structures."""
    own = distances.query("model == @chosen and comparison == 'model' and distance == 'dssim'")
    return list(own.groupby("composite")["value"].mean().sort_values(kind="stable").index)


def _chosen_examples(
    composites: Composites, channels: np.ndarray, ranked: Sequence[str]
) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """The best, the median and the worst composite, with their recoloured and true channels."""
    examples = []
    for label, name in (("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])):
        index = composites.names.index(name)
        truth = composites.counts(index)
        examples.append((f"{label}: {name}", truth.sum(0), np.asarray(channels[index]), truth))
    return examples


def _measured(
    localizations: Path, picture: Path, labelled: Path, regions: Path, structures: Sequence[str], pixel_nm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray, pd.DataFrame]:
    """Counts, recoloured channels, true channels if known, rejected counts and unfamiliar regions of an acquisition."""
    acquisition = table.read(localizations)
    rows = pd.read_csv(labelled)
    x_nm, y_nm = acquisition.table["x_nm"].to_numpy(), acquisition.table["y_nm"].to_numpy()
    weight = acquisition.table["weight"].to_numpy() if acquisition.is_image else np.ones(len(acquisition))

    def counts(chosen: np.ndarray) -> np.ndarray:
        return render_points(x_nm[chosen], y_nm[chosen], acquisition.field_nm, pixel_nm, weight[chosen])

    true = None
    if "true_structure" in rows:
        true = np.stack([counts((rows["true_structure"] == name).to_numpy()) for name in structures])
    return (
        render(acquisition, pixel_nm),
        image.read(picture).pixels,
        true,
        counts(rows["rejected"].to_numpy(dtype=bool)),
        _unfamiliar(pd.read_csv(regions), acquisition.field_nm),
    )


def _unfamiliar(regions: pd.DataFrame, field_nm: tuple[float, float, float, float]) -> pd.DataFrame:
    """The unfamiliar regions, from the first corner of the image."""
    own = regions[regions["unfamiliar"].astype(bool)]
    return own.assign(x_nm=own["x_nm"] - field_nm[0], y_nm=own["y_nm"] - field_nm[2])
