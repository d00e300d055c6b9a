"""The headline numbers of a model, from its tables."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lusco.evaluate.assignment import ALL, crosstalk_at, expected_calibration_error, rejected_at

REFERENCES = ["structure", "distance", "comparison"]  # of which each gap is of some


def summarise(
    distances: pd.DataFrame, assignment: pd.DataFrame, calibration: pd.DataFrame, structures: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    """All headline numbers of one model: structure, measure and value."""
    yield from gaps_closed(distances.groupby(REFERENCES)["value"].median(), structures)
    yield from curve_scores(assignment, structures)
    for structure in (*structures, ALL):
        own = calibration[calibration["structure"] == structure]
        yield structure, "expected_calibration_error", expected_calibration_error(own)


def gaps_closed(medians: pd.Series, structures: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    """Gap closed, (random - model) / (random - reference) on medians over composites, indexed by `REFERENCES`.

    Random is `shuffled_pairs`, the reference zero or `floor`.
    """
    for structure in structures:
        for name in ("mse", "dssim"):
            at = medians[structure, name]
            random, model, floor = at["shuffled_pairs"], at["model"], at["floor"]
            yield structure, f"gap_closed_{name}", 1 - model / random if random > 0 else np.nan
            yield (
                structure,
                f"gap_closed_{name}_floor",
                (random - model) / (random - floor) if random > floor else np.nan,
            )


def curve_scores(assignment: pd.DataFrame, structures: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    """Accuracy, crosstalk at 30 % rejected, and what is rejected for 1 % crosstalk, of each structure and of all."""
    for structure in (*structures, ALL):
        curve = assignment[assignment["structure"] == structure]
        yield structure, "accuracy", float(curve["recall"].iloc[0])
        yield structure, "crosstalk_at_30pct_rejected", crosstalk_at(curve, 0.3)
        yield structure, "rejected_at_1pct_crosstalk", rejected_at(curve, 0.01)
