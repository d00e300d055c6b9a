"""Settings of stages, validated against the schema, with its defaults.

The schema (`workflow/schemas/config.schema.yaml`) is the only place where a default or an explanation
of a setting stands; the workflow (`lusco.config`) and `lusco <stage>` by hand both go by it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lusco.errors import Fault, InputError
from lusco.reach import coarsest_px
from lusco.schema import check, read_yaml

SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"
SHARES = "shares"  # the head whose channels are shares of what was measured, in `lusco.heads`


@dataclass(frozen=True)
class IngestSettings:
    """Filters on the way in; the schema explains each."""

    uncertainty_nm_max: float | None
    photons_min: float | None
    frames: list[int] | None
    merge: str
    merge_radius_nm: float
    merge_dark_frames: int


@dataclass(frozen=True)
class SuperposeSettings:
    """Fixed composites; the schema explains each."""

    crop_px: int
    training_composites: int
    validation_composites: int
    test_composites: int


@dataclass(frozen=True)
class TrainSettings:
    """Network and training; the schema explains each."""

    head: str
    features: int
    depth: int
    crop_px: int
    batch: int
    steps: int
    validate_every: int
    patience: int
    learning_rate: float
    keep_fraction_min: float
    absent: float
    settle: bool
    subpixels: int
    wide_blocks: int
    start_from: str
    acquisitions: int | None
    device: str
    devices: int
    threads: int
    precision: str


@dataclass(frozen=True)
class RecolorSettings:
    """Application of a model; the schema explains each."""

    crosstalk: float
    tile_px: int
    threads: int
    device: str


@dataclass(frozen=True)
class EvaluateSettings:
    """Comparison with the truth; the schema explains each."""

    smoothing_nm: float
    overlap_threshold: float
    shapes: dict[str, str]


STAGES = {
    "ingest": IngestSettings,
    "superpose": SuperposeSettings,
    "train": TrainSettings,
    "recolor": RecolorSettings,
    "evaluate": EvaluateSettings,
}


def stage_settings(stage: str, given: str | dict[str, Any] | None) -> Any:
    """Settings of one stage from inline JSON, a JSON or YAML file, or a dictionary; defaults filled in.

    Parameters
    ----------
    stage : str
        A name in `STAGES`.
    given : str, dict or None
        The settings that differ from the defaults.

    Returns
    -------
    IngestSettings, SuperposeSettings, TrainSettings, RecolorSettings or EvaluateSettings
        The stage's own record.

    Raises
    ------
    InputError
        With all faults at once.
    """
    file = f"settings of {stage}"
    if isinstance(given, str) and not given.lstrip().startswith("{"):
        file = given
        given = read_yaml(given)
    elif isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise InputError(Fault(file, f"not JSON ({error})", "give JSON or the path of a YAML file")) from None
    return STAGES[stage](**check(given or {}, read_yaml(SCHEMA)["properties"][stage], file))


def unfit_sizes(train: Mapping[str, Any], composite_px: int, file: str | Path) -> Iterator[Fault]:
    """Crops and composites that are no whole number of a network's coarsest pixels, and a batch that cannot be shared.

    Parameters
    ----------
    train : mapping
        Settings of a training.
    composite_px : int
        Side of a composite in pixels.
    file : str or Path
        Where they are from, for messages.
    """
    if train["batch"] % train["devices"]:
        what = f"{train['devices']} devices cannot share a batch of {train['batch']} crops equally"
        mend = f"choose a multiple of {train['devices']}, or other `devices`"
        yield Fault(file, what, mend, "key `train.batch`")
    step = coarsest_px(train["depth"])
    for name, side in (("superpose.crop_px", composite_px), ("train.crop_px", train["crop_px"])):
        if side % step:
            what = f"a crop of {side} pixels does not fit a network of depth {train['depth']}"
            yield Fault(file, what, f"choose a multiple of {step}", f"key `{name}`")
