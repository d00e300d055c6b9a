"""Configuration and settings of stages: validated against the schema, defaults filled in from it.

The schema (`workflow/schemas/config.schema.yaml`) is the only place where a default or an explanation
of a setting stands; the workflow and `lusco <stage>` by hand both come through here.
"""

import copy
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lusco.errors import Fault, InputError, raise_all

SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"

Settings = TypeVar("Settings")


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
    device: str
    precision: str


@dataclass(frozen=True)
class RecolorSettings:
    """Application of a model; the schema explains each."""

    crosstalk: float
    tile_px: int


@dataclass(frozen=True)
class EvaluateSettings:
    """Comparison with the truth; the schema explains each."""

    smoothing_nm: float
    overlap_threshold: float


STAGES = {
    "ingest": IngestSettings,
    "superpose": SuperposeSettings,
    "train": TrainSettings,
    "recolor": RecolorSettings,
    "evaluate": EvaluateSettings,
}


def load_config(config: dict[str, Any], file: str | Path) -> dict[str, Any]:
    """Validate a whole configuration and fill in the defaults.

    Parameters
    ----------
    config : dict
        As read from YAML.
    file : str or Path
        Its file, for messages.

    Returns
    -------
    dict
        A new configuration in which every key of the schema is present.

    Raises
    ------
    InputError
        With all faults of the configuration at once.
    """
    schema = _schema()
    raise_all(_faults(config, schema, file))
    full = _filled(config, schema)
    faults = []
    if not full["model"]:
        full["model"] = next(iter(full["models"]))
    if full["model"] not in full["models"]:
        known = ", ".join(full["models"])
        faults.append(Fault(file, f"there is no model `{full['model']}`", f"name one of {known}", "key `model`"))
    if len({structure.lower() for structure in full["structures"]}) < len(full["structures"]):
        faults.append(
            Fault(file, "two structures differ only in upper and lower case", "rename one", "key `structures`")
        )
    raise_all(faults)
    return full


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
        except json.JSONDecodeError as error:
            raise InputError(Fault(file, f"not JSON ({error})", "give JSON or the path of a YAML file")) from None
    schema = _schema()["properties"][stage]
    given = given or {}
    raise_all(_faults(given, schema, file))
    return STAGES[stage](**_filled(given, schema))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or is not a mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise InputError(Fault(path, f"the file is not YAML ({detail})", "correct it there")) from None
    if not isinstance(content, dict):
        raise InputError(Fault(path, "the file is not a list of `key: value`", "write one key per line"))
    return content


def check(content: dict[str, Any], schema: dict[str, Any], file: str | Path) -> dict[str, Any]:
    """Validate a mapping against a JSON schema, all faults at once, and fill in the schema's defaults."""
    raise_all(_faults(content, schema, file))
    return _filled(content, schema)


def _schema() -> dict[str, Any]:
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def _filled(content: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    full = copy.deepcopy(content)
    for key, rule in schema.get("properties", {}).items():
        if key not in full and "default" in rule:
            full[key] = copy.deepcopy(rule["default"])
        if isinstance(full.get(key), dict) and "properties" in rule:
            full[key] = _filled(full[key], rule)
    return full


def _faults(content: Any, schema: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    # imported here: it costs 0.1 s, which jobs without settings need not pay
    from jsonschema import Draft202012Validator

    for error in sorted(
        Draft202012Validator(schema).iter_errors(content), key=lambda error: list(map(str, error.path))
    ):
        place = ".".join(str(part) for part in error.absolute_path)
        where = f"key `{place}`" if place else ""
        if error.validator == "additionalProperties":
            known = list(error.schema.get("properties", {}))
            for key in sorted(set(error.instance) - set(known), key=str):
                close = difflib.get_close_matches(str(key), known, 1)
                mend = f"did you mean `{close[0]}`?" if close else f"known keys are {', '.join(known)}"
                yield Fault(file, f"unknown key `{key}`", mend.removesuffix("?"), where)
        elif error.validator == "required":
            missing = sorted(set(error.validator_value) - set(error.instance))
            if error.message.split("'")[1] == missing[0]:  # one error per missing key comes; name all in the first
                yield Fault(file, f"missing {', '.join(f'`{key}`' for key in missing)}", "add it", where)
        else:
            description = error.schema.get("description", "see the schema in workflow/schemas")
            yield Fault(file, _plain(error), f"it means: {description.rstrip('.')}", where)


def _plain(error: Any) -> str:
    shown = json.dumps(error.instance, ensure_ascii=False)
    value = error.validator_value
    if error.validator == "type":
        kinds = value if isinstance(value, list) else [value]
        return f"{shown} should be {' or '.join('empty' if kind == 'null' else f'of type {kind}' for kind in kinds)}"
    if error.validator == "enum":
        return f"{shown} is not one of {', '.join(map(str, value))}"
    return error.message
