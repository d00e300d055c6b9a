"""A made-up report."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from lusco.report import ReportContent

STRUCTURES = ("nuclear_pores", "tubes")
GOOD_VALUES = {
    "accuracy": 0.95,
    "gap_closed_mse": 0.9,
    "gap_closed_dssim": 0.8,
    "gap_closed_mse_floor": 1.0,
    "gap_closed_dssim_floor": 0.95,
    "crosstalk_at_30pct_rejected": 0.005,
    "rejected_at_1pct_crosstalk": 0.2,
    "expected_calibration_error": 0.01,
}


def content(structures=STRUCTURES, values=GOOD_VALUES, **changes):
    """Content of a model `unet` with the given summary, 0.9 % crosstalk and 20 % rejected at the threshold 0.8."""
    names = [*structures, "all"]
    summary = pd.DataFrame(
        [("unet", name, measure, value) for name in names for measure, value in values.items()],
        columns=["model", "structure", "measure", "value"],
    )
    curve = [(0.0, 0.0, 0.05, 0.95), (0.8, 0.2, 0.009, 0.79), (0.95, 0.6, 0.001, 0.4)]
    assignment = pd.DataFrame(
        [("unet", "", threshold, name, *rest, 1000) for name in names for threshold, *rest in curve],
        columns=["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"],
    )
    splits = pd.DataFrame(
        [(f"{name}_1", name, "train", np.nan, 12345, "10.2 x 10.2", 118.6, f"{name}.csv") for name in structures],
        columns=["acquisition", "structure", "split", "group", "localizations", "field_um", "density_per_um2", "file"],
    )
    whole = ReportContent("demo", "unet", structures, 20.0, splits, 0.8, 0.01, summary, assignment)
    beside = {"on_validation": {"threshold": 0.8, "rejected": 0.3, "crosstalk": 0.007}, "versions": {"numpy": "2.4.6"}}
    return replace(whole, config={"seed": 7}, **beside, **changes)


def text_of(html):
    """The words of a report, without its tags and styles."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("</style>")[1]))
