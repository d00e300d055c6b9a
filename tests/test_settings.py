"""The configuration: the schema alone has the defaults, and every fault is a sentence."""

import dataclasses
import json
import types
import typing

import pytest
from least_config import LEAST, SHIPPED, config

from lusco.config import load_config, named_models
from lusco.errors import InputError
from lusco.model import read_description
from lusco.schema import read_yaml
from lusco.settings import SCHEMA, STAGES, stage_settings

PROPERTIES = read_yaml(SCHEMA)["properties"]
KINDS = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
    "null": types.NoneType,
}


def kinds(annotation) -> set[type]:
    """The plain types of an annotation: of `list[int] | None`, list and NoneType."""
    parts = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return {typing.get_origin(part) or part for part in parts}


@pytest.mark.parametrize("stage", STAGES)
def test_the_schema_and_the_records_of_a_stage_agree(stage):
    rules = PROPERTIES[stage]["properties"]
    hints = typing.get_type_hints(STAGES[stage])
    assert list(rules) == list(hints)
    for name, rule in rules.items():
        given = rule.get("type", "string")  # an enumeration of words has no type
        assert {KINDS[kind] for kind in ([given] if isinstance(given, str) else given)} == kinds(hints[name]), name


def test_every_setting_has_a_default_and_an_explanation_and_only_the_schema_has_them():
    for stage, record in STAGES.items():
        assert PROPERTIES[stage]["default"] == {}
        for name, rule in PROPERTIES[stage]["properties"].items():
            assert "default" in rule, f"{stage}.{name}"
            assert rule["description"].endswith("."), f"{stage}.{name}"
        for field in dataclasses.fields(record):
            assert field.default is field.default_factory is dataclasses.MISSING


def test_a_model_may_differ_from_train_in_every_setting():
    allowed = dict(PROPERTIES["models"]["additionalProperties"]["properties"])
    assert {allowed.pop(key)["description"][-1] for key in ("peer", "minutes", "scored")} == {"."}
    assert allowed == PROPERTIES["train"]["properties"]


def test_the_least_configuration_takes_all_defaults():
    full = load_config(LEAST, "config.yaml")
    assert set(full) == set(PROPERTIES)
    for stage in STAGES:
        assert full[stage] == dataclasses.asdict(stage_settings(stage, None))
    assert full["model"] == "unet"
    assert "seed" not in LEAST, "the given configuration was changed"


def test_what_is_given_stands_and_the_rest_is_filled_in():
    full = load_config(config("{splits: {test: 0.3}, models: {a: {}, b: {head: regression}}}"), "config.yaml")
    assert full["splits"] == {"validation": 0.2, "test": 0.3}
    assert full["model"] == "a"
    assert full["models"] == {"a": {}, "b": {"head": "regression"}}


def test_a_network_is_as_large_as_the_one_it_starts_from_unless_another_size_is_given():
    shipped = {"features": 48, "depth": 2, "wide_blocks": 3}
    assert load_config(config(f"{{train: {{start_from: {SHIPPED}}}}}"), "c.yaml")["models"] == {"unet": shipped}
    models = f"a: {{start_from: {SHIPPED}}}, b: {{start_from: a, wide_blocks: 4}}, c: {{start_from: b}}, d: {{}}"
    full = load_config(config(f"{{train: {{depth: 2}}, models: {{{models}}}}}"), "c.yaml")["models"]
    assert full["a"] == shipped | {"start_from": SHIPPED}
    assert full["b"] == shipped | {"start_from": "a", "wide_blocks": 4}
    assert full["c"] == shipped | {"start_from": "b", "wide_blocks": 4}
    assert full["d"] == {}


def test_a_pretrained_model_takes_the_place_of_all_that_would_be_trained():
    given = {"pretrained": SHIPPED, "train": {"start_from": SHIPPED}, "models": {"a": {}, "b": {"start_from": "a"}}}
    structures = list(read_description(SHIPPED).structures)
    full = load_config(LEAST | given | {"model": "b", "structures": structures}, "config.yaml")
    assert full["models"] == {"b": {}} and full["model"] == "b"
    assert named_models(full) == {"pretrained": SHIPPED}


def test_a_whole_number_written_with_a_point_is_one():
    assert stage_settings("train", {"steps": 100.0}).steps == 100
    assert isinstance(stage_settings("train", {"steps": 100.0}).steps, int)
    given = {
        "train": {"acquisitions": 2.0},
        "models": {"own": {"threads": 4.0}},
        "model": "own",
        "sweeps": {"number": [1.0]},
    }
    full = load_config(LEAST | given, "my.yaml")
    numbers = full["train"]["acquisitions"], full["models"]["own"]["threads"], full["sweeps"]["number"][0]
    assert numbers == (2, 4, 1) and all(isinstance(number, int) for number in numbers)


def test_settings_of_a_stage_come_from_json_or_a_file(tmp_path):
    file = tmp_path / "train.yaml"
    file.write_text("steps: 7")
    assert stage_settings("train", '{"steps": 7}') == stage_settings("train", str(file))
    assert stage_settings("train", json.dumps({"steps": 7})).steps == 7


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ('{"steps": 7', "settings of train: not JSON ("),
        ('{"steps": ' + "[" * 99_999, "settings of train: not JSON ("),
        ('{"steps": NaN}', "settings of train, key `steps`: `nan` is not a finite number; it means: Most training"),
        ("nowhere.yaml", "nowhere.yaml: the file does not exist; check the path."),
    ],
)
def test_faults_of_settings_by_hand_are_sentences(given, sentence):
    with pytest.raises(InputError) as caught:
        stage_settings("train", given)
    assert str(caught.value).startswith(sentence)
