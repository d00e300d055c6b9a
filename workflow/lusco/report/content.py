"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lusco.figures.style import ALL, composites_only
from lusco.recolor.mixture import Mixture

SUMMARY = ["model", "structure", "measure", "value"]
ASSIGNMENT = ["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"]
COMPOSITES = ""  # no acquisition has this name


@dataclass(frozen=True)
class ReportContent:
    """All that a report shows.

    Parameters
    ----------
    experiment, model : str
        Names of the experiment and of the model it chose.
    structures : sequence of str
        In the order of the channels.
    pixel_nm : float
        Pixel size of the images in nm.
    splits : pandas.DataFrame
        Columns acquisition, structure, split, group, localizations, field_um, density_per_um2, file (of what was
        measured).
    threshold : float
        Localizations with a lower highest probability are rejected.
    crosstalk_target : float
        The fraction that the threshold was chosen for.
    summary : pandas.DataFrame
        Columns model, structure, measure, value (`evaluation/summary.csv`); empty where nothing was scored.
    assignment : pandas.DataFrame
        Columns model, acquisition (empty or NaN for composites), threshold, structure, rejected, crosstalk, recall,
        localizations (`evaluation/assignment.csv`); empty where nothing was scored.
    on_validation : mapping of str to float
        The threshold's `rejected` and `crosstalk` on the validation composites that it was chosen on.
    mixed : sequence of Mixture
        One per mixed acquisition; may be empty.
    figures : mapping of str to Path
        PNG or SVG files by name of the figure, the table it was drawn from beside it; those of mixed acquisitions are
        `mixed_<acquisition>`. Any may be missing.
    viewer : mapping of str to Path
        File of the viewer for each mixed acquisition, by name, and for all test composites, by `COMPOSITES`; any
        may be missing.
    config, versions : mapping
        The configuration, as far as it was used; names and versions of software.
    divides : bool
        Whether the channels are shares of what was measured.
    shown : str
        What positions the network was shown, in a sentence.
    accuracies : mapping of str to mapping of str to float
        Of `train` and `validation`: the mean `accuracy` over so many `composites`, and its standard `error` if it is
        known; either may be missing.
    sweeps : mapping of str to pandas.DataFrame
        `evaluation/sweep_<name>.csv` by name of the sweep.
    training : mapping
        How the model was trained: `steps`, and `acquisitions` of each structure; either may be missing.
    confusion : pandas.DataFrame, optional
        `evaluation/confusion.csv`; so the others:
    errors, distances, overlap, coupling, shapes, regions, unspecific, calibration : pandas.DataFrame, optional
        `evaluation/distances.csv` and so on, from which failures are named.
    """

    experiment: str
    model: str
    structures: Sequence[str]
    pixel_nm: float
    splits: pd.DataFrame
    threshold: float
    crosstalk_target: float
    summary: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SUMMARY))
    assignment: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=ASSIGNMENT))
    on_validation: Mapping[str, float] = field(default_factory=dict)
    mixed: Sequence[Mixture] = ()
    figures: Mapping[str, Path] = field(default_factory=dict)
    viewer: Mapping[str, Path] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    divides: bool = True
    shown: str = ""
    accuracies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sweeps: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    confusion: pd.DataFrame | None = None
    errors: pd.DataFrame | None = None
    distances: pd.DataFrame | None = None
    overlap: pd.DataFrame | None = None
    coupling: pd.DataFrame | None = None
    shapes: pd.DataFrame | None = None
    regions: pd.DataFrame | None = None
    unspecific: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None

    @property
    def scored(self) -> bool:
        """Whether there were test composites to score the model on."""
        return len(self.summary) > 0

    def value(self, measure: str, structure: str = ALL) -> float:
        """A number of the chosen model's summary; NaN if it is not there."""
        return self._number(self.summary, "value", measure, structure)

    def error(self, measure: str, structure: str = ALL) -> float:
        """Its standard error by the acquisitions that it was tested on; NaN if not known."""
        return float("nan") if self.errors is None else self._number(self.errors, "error", measure, structure)

    def _number(self, table: pd.DataFrame, column: str, measure: str, structure: str) -> float:
        rows = (table["model"] == self.model) & (table["measure"] == measure) & (table["structure"] == structure)
        return float(table.loc[rows, column].iloc[0]) if rows.any() else float("nan")

    def shared_files(self) -> list[str]:
        """Files of which parts served for test and others for training or validation."""
        measured = self.splits.dropna(subset="file")
        tested = measured.loc[measured["split"] == "test", "file"]
        learnt = measured.loc[measured["split"].isin(["train", "validation"]), "file"]
        return sorted(set(tested) & set(learnt))

    def tested_on(self) -> tuple[int, pd.Series]:
        """Number of test composites, 0 if not known, and of the acquisitions of each structure that are in them."""
        composites = 0 if self.distances is None else self.distances["composite"].nunique()
        tests = self.splits[self.splits["split"] == "test"]
        listed = tests["structure"].value_counts().reindex(list(self.structures)).dropna().astype(int)
        return composites, listed.clip(upper=composites or None)  # one of each in a composite, in turn

    def only_simulated(self) -> bool:
        """Whether all that the model was tested on was simulated."""
        tests = self.splits[self.splits["split"] == "test"]
        return len(tests) > 0 and bool(tests["file"].isna().all())

    def known_confidence(self) -> float:
        """Mean confidence of the chosen model on the test composites; NaN if not known."""
        if self.calibration is None:
            return float("nan")
        rows = self.calibration[(self.calibration["model"] == self.model) & (self.calibration["structure"] == ALL)]
        total = rows["localizations"].sum()
        return float((rows["confidence"] * rows["localizations"]).sum() / total) if total else float("nan")

    def known_regions(self) -> pd.DataFrame:
        """Regions of the test composites as the chosen model judges them; without rows if not measured."""
        if self.regions is None:
            return pd.DataFrame(columns=["novelty", "unfamiliar"])
        return self.regions[self.regions["model"] == self.model]

    def false_alarms(self) -> float:
        """Fraction of them that it calls unfamiliar; NaN if not measured."""
        return float(self.known_regions()["unfamiliar"].mean())

    def at_threshold(self) -> pd.DataFrame:
        """Rows of the assignment on composites nearest to the chosen threshold, indexed by structure."""
        return self._at_threshold(composites_only(self.assignment))

    def unspecific_at_threshold(self) -> pd.DataFrame:
        """Rows of the fall of unspecific localizations nearest to the chosen threshold, indexed by structure."""
        return pd.DataFrame() if self.unspecific is None else self._at_threshold(self.unspecific)

    def confused(self, threshold: float) -> pd.DataFrame:
        """Localizations accepted at a threshold by true structure (rows) and by what they are given to (columns)."""
        rows = self._nearest(self.confusion, threshold)
        counts = rows.pivot(index="structure", columns="given", values="localizations")
        return counts.loc[list(self.structures), list(self.structures)]

    def _at_threshold(self, table: pd.DataFrame) -> pd.DataFrame:
        return self._nearest(table, self.threshold).drop_duplicates("structure").set_index("structure")

    def _nearest(self, table: pd.DataFrame, threshold: float) -> pd.DataFrame:
        table = table[table["model"] == self.model]
        distance = (table["threshold"] - threshold).abs()
        return table[distance == distance.min()]
