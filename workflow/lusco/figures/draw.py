"""The figures of an experiment, drawn from what the stages before wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import figures, image, table
from lusco.files import read_array, read_csv
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS
from lusco.render import render
from lusco.superpose.composites import Composites

MODELS_SIDE_BY_SIDE = 4  # of more, figures that show each model show the chosen one; all meet in `peers`


def draw(
    composites: Composites,
    applied: Path,
    model: ModelDescription,
    evaluation: Path,
    histories: Mapping[str, Path],
    mixed: tuple[Path, Path] | None,
    sweeps: Sequence[Path],
    chosen: str,
    crosstalk: float,
    out: Path,
) -> None:
    """Draw and save every figure but those of single acquisitions.

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
    out : Path
        Folder for the figures.
    """
    channels = read_array(applied / CHANNELS)
    names = ("distances", "overlap", "coupling", "shapes", "assignment", "calibration", "summary")
    tables = {name: read_csv(evaluation / f"{name}.csv") for name in names}
    summary = tables.pop("summary")
    tables = {name: side_by_side(table, chosen) for name, table in tables.items()}
    structures, pixel_nm = list(model.structures), model.pixel_nm
    scales = dict(zip(structures, model.scale_counts, strict=True))
    ranked = _ranked(tables["distances"], chosen)
    middle = composites.names.index(ranked[len(ranked) // 2])

    truth = composites.counts(middle)
    measured, recolored = _example(*mixed, composites.side_px, pixel_nm) if mixed else (None, None)
    drawings = {
        "schematic": figures.schematic(
            list(truth),
            truth.sum(0),
            channels[middle],
            measured,
            recolored,
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
    if tables["assignment"]["acquisition"].notna().any():
        drawings["coupling"] = figures.coupling(tables["coupling"])
    if len(tables["shapes"]):
        drawings["shapes"] = figures.shapes(tables["shapes"], structures)
    if len(set(summary["model"])) > 1:
        drawings["peers"] = figures.peers(summary, structures)
    if histories:
        parts = [read_csv(file).assign(model=name) for name, file in histories.items()]
        drawings["loss"] = figures.loss(pd.concat(parts, ignore_index=True))
    for file in sweeps:
        table_of_sweep = read_csv(file)
        drawings[f"sweep_{table_of_sweep['sweep'].iloc[0]}"] = figures.sweep(table_of_sweep, structures)
    for name, (figure, data) in drawings.items():
        figures.save(figure, data, out, name)


def side_by_side(table: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """The rows of a table whose models can be drawn beside each other: all, or of too many the chosen one's."""
    return table if table["model"].nunique() <= MODELS_SIDE_BY_SIDE else table[table["model"] == chosen]


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
