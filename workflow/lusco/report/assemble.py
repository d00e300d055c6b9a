"""Gathering what a report shows from what the stages before wrote."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lusco.files import read_csv
from lusco.model import ModelDescription
from lusco.recolor.mixture import read_mixture
from lusco.report.content import COMPOSITES, ReportContent

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


def assemble(
    config: Mapping[str, Any],
    model: ModelDescription,
    evaluation: Path,
    figures: Path,
    splits: Path,
    mixtures: Sequence[Path],
    viewer: Path,
) -> ReportContent:
    """Gather the content of a report.

    Parameters
    ----------
    config : mapping
        The configuration, as far as it was used.
    model : ModelDescription
        The chosen model.
    evaluation, figures : Path
        Folders of the tables and of the figures.
    splits : Path
        Table of the splits.
    mixtures : sequence of Path
        What was found in each acquisition the model was applied to.
    viewer : Path
        Folder of the viewer's images.
    """
    tables = {
        name: read_csv(evaluation / f"{name}.csv")
        for name in ("summary", "assignment", "distances", "overlap", "coupling", "shapes", "regions", "unspecific")
    }
    sweeps = {name: levels for name, levels in config["sweeps"].items() if name != "composites" and levels}
    mixed = [read_mixture(file) for file in mixtures]
    return ReportContent(
        experiment=config["experiment"],
        model=config["model"],
        structures=model.structures,
        pixel_nm=model.pixel_nm,
        splits=read_csv(splits, sep="\t"),
        threshold=model.threshold(config["recolor"]["crosstalk"]),
        crosstalk_target=config["recolor"]["crosstalk"],
        mixed=mixed,
        figures={
            name: figures / f"{name}.svg"
            for name in (*FIGURES, *(f"sweep_{name}" for name in sweeps), *(f"mixed_{m.name}" for m in mixed))
        },
        viewer={m.name: viewer / "mixed" / f"{m.name}.js" for m in mixed} | {COMPOSITES: viewer / "composites.js"},
        sweeps={name: read_csv(evaluation / f"sweep_{name}.csv") for name in sweeps},
        config=config,
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        **tables,
    )
