"""Gathering what a report shows from what the stages before wrote."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco.model import ModelDescription
from lusco.report.content import Mixture, ReportContent

PACKAGES = ("lusco", "snakemake", "torch", "lightning", "numpy", "pandas", "scikit-image", "tifffile", "locan")

FIGURES = (
    "schematic",
    "examples",
    "channels",
    "distances",
    "overlap",
    "coupling",
    "shapes",
    "crosstalk",
    "calibration",
    "peers",
    "loss",
)
# sharp when enlarged; the others are mostly pixels
PLOTS = ("distances", "coupling", "shapes", "crosstalk", "calibration", "peers", "loss", "sweep")


def assemble(
    config: Mapping[str, Any],
    model: ModelDescription,
    evaluation: Path,
    figures: Path,
    splits: Path,
    recolored: Mapping[str, tuple[Path, Path]],
) -> ReportContent:
    """Gather the content of a report.

    Parameters
    ----------
    config : mapping
        The whole configuration.
    model : ModelDescription
        The chosen model.
    evaluation, figures : Path
        Folders of the tables and of the figures.
    splits : Path
        Table of the splits.
    recolored : mapping
        Recoloured table, and table of regions, of each acquisition the model was applied to.
    """
    tables = {
        name: pd.read_csv(evaluation / f"{name}.csv")
        for name in ("summary", "assignment", "distances", "overlap", "coupling", "shapes", "regions", "unspecific")
    }
    sweeps = {name: levels for name, levels in config["sweeps"].items() if name != "composites" and levels}
    return ReportContent(
        experiment=config["experiment"],
        model=config["model"],
        structures=model.structures,
        pixel_nm=model.pixel_nm,
        splits=pd.read_csv(splits, sep="\t", dtype={"acquisition": str, "group": str}),
        threshold=model.threshold(config["recolor"]["crosstalk"]),
        crosstalk_target=config["recolor"]["crosstalk"],
        mixed=[mixture(name, *files, model.structures) for name, files in recolored.items()],
        figures={
            name: figures / f"{name}.{'svg' if name.split('_')[0] in PLOTS else 'png'}"
            for name in (*FIGURES, *(f"sweep_{name}" for name in sweeps), *(f"mixed_{name}" for name in recolored))
        },
        sweeps={name: pd.read_csv(evaluation / f"sweep_{name}.csv") for name in sweeps},
        config=config,
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        **tables,
    )


def mixture(name: str, file: Path, regions: Path, structures: tuple[str, ...]) -> Mixture:
    """What the model found in an acquisition, from its recoloured tables; a pixel of an image counts its weight."""
    rows = pd.read_csv(file)
    weight = rows["weight"].to_numpy() if "weight" in rows else np.ones(len(rows))
    total = weight.sum()
    accepted = ~rows["rejected"].to_numpy(dtype=bool)
    assigned = rows["structure"].to_numpy()
    accuracy = None
    if "true_structure" in rows:
        known = rows["true_structure"].isin(structures).to_numpy()
        right = (rows["true_structure"].to_numpy() == assigned) & known
        accuracy = float(weight[right].sum() / weight[known].sum())
    return Mixture(
        name=name,
        fractions={s: float(weight[accepted & (assigned == s)].sum() / total) for s in structures},
        rejected=float(weight[~accepted].sum() / total),
        accuracy=accuracy,
        unfamiliar=_unfamiliar(pd.read_csv(regions)),
        confidence=float(np.average(rows[[f"p_{s}" for s in structures]].max(axis=1), weights=weight)),
    )


def _unfamiliar(regions: pd.DataFrame) -> float | None:
    """Fraction of regions that are unlike what the model knows; None where no region has enough localizations."""
    return float(regions["unfamiliar"].mean()) if len(regions) else None
