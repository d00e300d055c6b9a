"""Gathering what a report shows from what the stages before wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lusco.files import read_csv
from lusco.model import ModelDescription
from lusco.recolor.mixture import read_mixture
from lusco.record import versions
from lusco.repeats import Repeats
from lusco.report.content import COMPOSITES, ReportContent

PACKAGES = (
    "python",
    "lusco",
    "snakemake",
    "torch",
    "lightning",
    "numpy",
    "pandas",
    "scikit-image",
    "tifffile",
    "locan",
)

TABLES = (
    "summary",
    "errors",
    "assignment",
    "confusion",
    "distances",
    "overlap",
    "coupling",
    "shapes",
    "regions",
    "unspecific",
    "calibration",
)


def assemble(
    config: Mapping[str, Any],
    model: ModelDescription,
    evaluation: Path | None,
    figures: Path,
    drawn: Sequence[str],
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
    evaluation : Path or None
        Folder of the tables; None without test acquisitions, where nothing is scored.
    figures : Path
        Folder of the figures, which may also hold those of an earlier configuration.
    drawn : sequence of str
        Names of the figures that this configuration draws, but of mixed acquisitions.
    splits : Path
        Table of the splits.
    mixtures : sequence of Path
        What was found in each acquisition the model was applied to.
    viewer : Path
        Folder of the viewer's images.
    """
    tables, sweeps = {}, []
    if evaluation:
        tables = {name: read_csv(evaluation / f"{name}.csv") for name in TABLES}
        sweeps = [name for name, levels in config["sweeps"].items() if name != "composites" and levels]
    mixed = [read_mixture(file) for file in mixtures]
    threshold = model.threshold(config["recolor"]["crosstalk"])
    return ReportContent(
        experiment=config["experiment"],
        model=config["model"],
        structures=model.structures,
        pixel_nm=model.pixel_nm,
        splits=read_csv(splits, sep="\t"),
        threshold=threshold,
        crosstalk_target=config["recolor"]["crosstalk"],
        on_validation=next(entry for entry in model.rejection if entry["threshold"] == threshold),
        mixed=mixed,
        figures={name: figures / f"{name}.svg" for name in (*drawn, *(f"mixed_{m.name}" for m in mixed))},
        viewer={m.name: viewer / "mixed" / f"{m.name}.js" for m in mixed}
        | ({COMPOSITES: viewer / "composites.js"} if evaluation else {}),
        sweeps={name: read_csv(evaluation / f"sweep_{name}.csv") for name in sweeps},
        config=config,
        divides=model.divides,
        shown=_shown(model),
        accuracies=model.training.get("accuracy", {}),
        training=model.training,
        versions={name: number for name, number in versions().items() if name in PACKAGES},
        **tables,
    )


def _shown(model: ModelDescription) -> str:
    """What positions the network of a model is shown, in a sentence."""
    repeats = Repeats(**model.repeats)
    if not repeats:
        return "The network sees positions as they were measured."
    if repeats.traces:
        return (
            "The network sees each localization at the mean of its trace, if it has one; images and tables keep"
            " positions as they were measured."
        )
    later = f"{repeats.per_localization:.1f} later ones within {repeats.lag_frames[-1]} frames"
    return (
        "The network sees each localization at the mean of its likely repeats, those of the same molecule (by the"
        f" training acquisitions, {later}); images and tables keep positions as they were measured."
    )
