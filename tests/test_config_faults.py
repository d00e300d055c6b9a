"""Faults of a configuration: sentences that name file, key and mend."""

import json
from pathlib import Path

import pytest
from least_config import SHIPPED, config

from lusco.config import load_config
from lusco.errors import InputError
from lusco.schema import read_yaml

ITS_STRUCTURES = "structures: [microtubules, nuclear_pores, mitochondria, clathrin_pits, actin]"


def sentences(content: dict) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_config(content, "config.yaml")
    return str(caught.value).splitlines()


FAULTS = {
    "unknown key": ("{strutures: 1}", "unknown key `strutures`; did you mean `structures`."),
    "key of a stage": ("{steps: 1}", "unknown key `steps`; it belongs under `train`."),
    "unknown key below": (
        "{superpose: {width: 1}}",
        "key `superpose`: unknown key `width`; known keys are crop_px, training_composites, validation_composites,",
    ),
    "whole number": (
        "{train: {steps: 2.5}}",
        "key `train.steps`: `2.5` stands where a whole number should; it means: Most training steps",
    ),
    "number": (
        "{pixel_nm: twenty}",
        "key `pixel_nm`: `twenty` stands where a number should;"
        " it means: Pixel size of renderings, of training and of the recoloured images, in nm.",
    ),
    "1e-3 is text to YAML": (
        "{train: {learning_rate: 1e-3}}",
        "key `train.learning_rate`: `1e-3` stands where a number should; write 0.001.",
    ),
    "list": (
        "{structures: pores}",
        "key `structures`: `pores` stands where a list should; it means: The structures to",
    ),
    "nothing": ("{train: }", "key `train`: nothing stands where a list of `key: value` should; it means: How the"),
    "true": ("{seed: true}", "key `seed`: `true` stands where a whole number should; it means: Everything random"),
    "word": ("{train: {device: gpu}}", "key `train.device`: `gpu` is not one of auto, cpu, cuda, mps; it means: Where"),
    "at least": (
        "{train: {crop_px: 8}}",
        "key `train.crop_px`: `8` should be at least 32; it means: Side of a training",
    ),
    "pixels of no size": ("{pixel_nm: 0}", "key `pixel_nm`: `0` should be at least 0.01; it means: Pixel size"),
    "more than": (
        "{models: {unet: {}, forest: {peer: trees, minutes: 0}}}",
        "key `models.forest.minutes`: `0` should be more than 0; it means: How long a peer trains",
    ),
    "at most": ("{train: {depth: 7}}", "key `train.depth`: `7` should be at most 6; it means: Number of times"),
    "less than": ("{train: {absent: 1}}", "key `train.absent`: `1` should be less than 1; it means: Probability"),
    "nan": ("{pixel_nm: .nan}", "key `pixel_nm`: `nan` is not a finite number; it means: Pixel size"),
    "infinite": ("{train: {steps: .inf}}", "key `train.steps`: `inf` is not a finite number; it means: Most training"),
    "nan of a model": (
        "{models: {a: {absent: -.inf}}}",
        "key `models.a.absent`: `-inf` is not a finite number; it means: Probability that a structure is absent",
    ),
    "nan in a list": (
        "{ingest: {frames: [1, .nan]}}",
        "key `ingest.frames.1`: `nan` is not a finite number; it means: Ke",
    ),
    "item": (
        "{ingest: {frames: [1, x]}}",
        "key `ingest.frames.1`: `x` stands where a whole number should; it means: Keep frames from the first",
    ),
    "too few items": (
        "{ingest: {frames: [1]}}",
        "key `ingest.frames`: `[1]` has 1 item instead of 2; it means: Keep frames",
    ),
    "too many items": (
        "{ingest: {frames: [1, 2, 3]}}",
        "key `ingest.frames`: `[1, 2, 3]` has 3 items instead of 2; it m",
    ),
    "one structure": (
        "{structures: [pores]}",
        'key `structures`: `["pores"]` has 1 item instead of at least 2; it means: The structures to tell apart',
    ),
    "twice": ("{structures: [a, a]}", 'key `structures`: `["a", "a"]` names something twice; keep one of them.'),
    "case": (
        "{structures: [a, A]}",
        "key `structures`: two structures differ only in upper and lower case; rename one.",
    ),
    "case of models": (
        "{model: unet, models: {unet: {}, UNet: {depth: 3}}}",
        "key `models`: two models differ only in upper and lower case; rename one.",
    ),
    "frames from last to first": (
        "{ingest: {frames: [500, 1]}}",
        "key `ingest.frames`: the range [500, 1] starts above its end; swap the two.",
    ),
    "reserved": ("{structures: [a, mixed]}", "key `structures.1`: the name `mixed` is reserved; choose another."),
    "row of the tables": ("{structures: [all, b]}", "key `structures.0`: the name `all` is reserved; choose another."),
    "reserved experiment": (
        "{experiment: acquisitions}",
        "key `experiment`: the name `acquisitions` is reserved; choose another.",
    ),
    "odd name": (
        "{experiment: a/b}",
        "key `experiment`: `a/b` is not usable as a name; use letters, digits, `_` and `-` only.",
    ),
    "folder as a name": ("{experiment: ..}", "key `experiment`: `..` is not usable as a name; use letters, digits,"),
    "odd model": ("{models: {a b: {}}}", "key `models`: `a b` is not usable as a name; use letters, digits,"),
    "no models": ("{models: {}}", "key `models`: it is empty; name at least 1; it means: Models to compare"),
    "unknown model": ("{model: big}", "key `model`: there is no model `big`; name one of unet."),
    "nothing to train on": (
        "{splits: {validation: 0.5, test: 0.5}}",
        "key `splits`: validation and test leave nothing to train on; lower one of the fractions.",
    ),
    "no model to start from": (
        "{models: {own: {start_from: nowhere}}}",
        "key `models.own.start_from`: there is no model in the folder `nowhere`;",
    ),
    "a model from a result of its own": (
        "{experiment: mine, train: {start_from: results/mine/model}}",
        "key `train.start_from`: the model in `results/mine/model` is a result of this experiment, which would be made"
        " again from itself; name a copy of it elsewhere, or change `experiment`.",
    ),
    "a model from one that it replaces": (
        "{experiment: mine, models: {own: {start_from: ./results/../results/mine/models/own}}}",
        "key `models.own.start_from`: the model in `results/mine/models/own` is a result of this",
    ),
    "other smoothing than the model's": (
        f"{{pretrained: {SHIPPED}, {ITS_STRUCTURES}, evaluate: {{smoothing_nm: 40}}}}",
        f"key `evaluate.smoothing_nm`: the model in `{SHIPPED}` knows images that are smoothed by 12 nm, not by 40;"
        " set `smoothing_nm` to 12.",
    ),
    "a number for a model": ("{models: {16: {}}}", "key `models`: `16` stands where text should;"),
    "a date for a seed": ("{seed: 20251127054411}", "key `seed`: `20251127054411` should be at most 4294967295;"),
    "a model from itself": (
        "{models: {own: {start_from: own}}}",
        "key `models.own.start_from`: `own` would start from itself; name another model, or none (empty).",
    ),
    "a model from itself by the default": (
        "{train: {start_from: first}, models: {first: {}, own: {start_from: ''}}}",
        "key `train.start_from`: `first` would start from itself;",
    ),
    "a composite smaller than a patch": (
        "{superpose: {crop_px: 32}, models: {unet: {}, other: {peer: microsplit, minutes: 1}}}",
        "key `superpose.crop_px`: composites of 32 pixels are smaller than what a peer learns from;"
        " make them 64 pixels or larger",
    ),
    "a composite that a peer cannot halve": (
        "{superpose: {crop_px: 100}, train: {depth: 1}, models: {unet: {}, other: {peer: careamics_unet, minutes: 1}}}",
        "key `superpose.crop_px`: composites of 100 pixels cannot be halved as often as a peer does;"
        " take a multiple of 16",
    ),
    "a model called as what it is compared with": (
        "{models: {floor: {}}}",
        "key `models`: the name `floor` is reserved; choose another.",
    ),
    "a model from a peer": (
        "{models: {own: {start_from: forest}, forest: {peer: trees, minutes: 1}}}",
        "key `models.own.start_from`: the model `forest` is a peer, whose weights are others; name one of our own.",
    ),
    "the model that it applies": (
        "{experiment: mine, pretrained: ./results/mine/model/}",
        "key `pretrained`: `results/mine/model` is where this experiment puts the model that it applies; name that of",
    ),
    "structures that the model does not know": (
        f"{{pretrained: {SHIPPED}}}",
        f"key `structures`: the model in `{SHIPPED}` knows the structures microtubules, nuclear_pores, mitochondria,",
    ),
    "braces in the name of the sheet": (
        "{acquisitions: 'a{b}.tsv'}",
        "key `acquisitions`: the path `a{b}.tsv` holds braces, which Snakemake takes for wildcards; rename the sheet.",
    ),
    "crops that do not fit": (
        "{train: {depth: 5, crop_px: 96}, superpose: {crop_px: 256}, models: {a: {}, b: {}}}",
        "key `train.crop_px`: a crop of 96 pixels does not fit a network of depth 5; choose a multiple of 64.",
    ),
    "a batch that cannot be shared": (
        "{models: {a: {devices: 3}}}",
        "key `train.batch`: 3 devices cannot share a batch of 8 crops equally; choose a multiple of 3, or other",
    ),
    "a start of another size": (
        "{models: {a: {wide_blocks: 3}, b: {start_from: a, features: 64}}}",
        "key `models.b`: the model to start from has 32 features, depth 2 and 3 wide blocks, which `b` has not; leave",
    ),
    "fewer wide blocks than the start": (
        f"{{train: {{start_from: {SHIPPED}}}, models: {{a: {{wide_blocks: 1}}}}}}",
        "key `models.a`: the model to start from has 48 features, depth 2 and 3 wide blocks, which `a` has not; leave",
    ),
    "a start that nothing starts from": (
        "{models: {a: {scored: false}, b: {}}}",
        "key `models.a`: `a` has `scored: false`, and no model starts from it; remove the one or the other.",
    ),
    "a start that recolours": (
        "{models: {a: {scored: false}, b: {start_from: a}}, model: a}",
        "key `model`: the model `a`, which recolours, has `scored: false`; name, or add, a model without it.",
    ),
    "a peer as a start": (
        "{models: {own: {}, forest: {peer: trees, minutes: 1, scored: false}}}",
        "key `models.forest`: `scored` is a setting of our own network, and the model is a peer;",
    ),
    "no pretrained model": (
        "{pretrained: nowhere}",
        "key `pretrained`: there is no model in the folder `nowhere`;"
        " give a folder with model.json and weights.safetensors, or leave it empty to train.",
    ),
}


def test_models_that_start_from_each_other_are_a_fault():
    found = sentences(config("{models: {a: {start_from: b}, b: {start_from: c}, c: {start_from: b}}}"))
    assert ["`b` would start" in found[0], "`c` would start" in found[1]] == [True, True]
    assert len(found) == 2


@pytest.mark.parametrize(("text", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_file_key_and_mend(text, sentence):
    (found,) = sentences(config(text))
    assert found.removeprefix("config.yaml").lstrip(",: ").startswith(sentence)


def test_all_faults_of_a_configuration_are_told_together():
    found = sentences({"structures": ["a"], "pixel_nm": -1, "train": {"head": "x", "stepps": 1}, "seed": float("nan")})
    assert len(found) == 6
    assert "config.yaml: missing `experiment`, `acquisitions`; add it." in found


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2", "\0"])
def test_a_file_that_is_no_mapping_is_one_sentence(tmp_path, text):
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_yaml(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{file}: the file is not ")


def test_a_model_in_a_folder_with_an_equals_sign_is_refused(tmp_path):
    (tmp_path / "a=b").mkdir()
    (tmp_path / "a=b" / "model.json").touch()
    assert "there is no model in the folder" in "".join(sentences(config(f"pretrained: {tmp_path / 'a=b'}"))), (
        "no weights"
    )
    (tmp_path / "a=b" / "weights.safetensors").touch()
    (sentence,) = sentences(config(f"pretrained: {tmp_path / 'a=b'}"))
    assert "the path of the model has a `=`; rename the folder" in sentence


def test_a_model_that_is_only_a_start_is_not_applied(tmp_path):
    description = json.loads((Path(SHIPPED) / "model.json").read_text())
    description["training"]["scored"] = False
    (tmp_path / "model.json").write_text(json.dumps(description))
    (tmp_path / "weights.safetensors").touch()
    (sentence,) = sentences(config(f"{{pretrained: {tmp_path}, {ITS_STRUCTURES}}}"))
    assert sentence.startswith("config.yaml, key `pretrained`: the model is only a start for others (`scored: false`)")


def test_a_model_of_other_pixels_is_refused_before_anything_runs():
    for key, text in {
        "pretrained": f"pretrained: {SHIPPED}",
        "train.start_from": f"train: {{start_from: {SHIPPED}}}",
    }.items():
        (sentence,) = sentences(config(f"{{pixel_nm: 10, {text}}}"))
        assert sentence == (
            f"config.yaml, key `{key}`: the model in `{SHIPPED}` has pixels of 20 nm, not 10;"
            " set `pixel_nm` to that of the model, or name another model."
        )


def test_a_model_in_a_folder_with_braces_is_refused():
    (sentence,) = sentences(config("pretrained: '{x}'"))
    assert sentence.endswith(
        "key `pretrained`: the path `{x}` holds braces, which Snakemake takes for wildcards; rename the folder."
    )


def test_a_shape_of_a_structure_that_is_not_there_is_a_fault():
    (sentence,) = sentences(config("evaluate: {shapes: {tubs: tubes}}"))
    assert sentence.endswith("key `evaluate.shapes`: there is no structure `tubs`; name some of pores, tubes.")
    load_config(config("evaluate: {shapes: {tubes: tubes}}"), "config.yaml")


def test_a_structure_that_yaml_takes_for_a_number_has_a_shape():
    full = load_config(config("structures: ['488', '561']\nevaluate: {shapes: {488: spots}}"), "config.yaml")
    assert full["evaluate"]["shapes"] == {"488": "spots"}


def test_no_more_structures_can_be_swept_than_there_are():
    assert sentences(config("sweeps: {number: [1, 3]}")) == [
        "config.yaml, key `sweeps.number`: more structures are asked for than there are; name numbers up to 2."
    ]
    load_config(config("sweeps: {number: [1, 2]}"), "config.yaml")


LAUGHS = "l0: &l0 [ha]\n" + "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("experiment: &a [*a]", "nested without end"),
        (LAUGHS, "nested without end"),
        ("experiment: {2001-01-01: 1}", "a key in it is neither text nor a usual number; put it into quotation marks"),
        (f"? 0x{'f' * 9999}", "a key in it is neither text nor a usual number"),
        (f"seed: 0x{'f' * 9999}", "key `seed`: a whole number of more than 15 digits stands there"),
        ('experiment: "demo\\n"', "key `experiment`: `demo\\n` is not usable as a name"),
        ('structures: [a, "b\\n"]', "key `structures.1`: `b\\n` is not usable as a name"),
    ],
    ids=["itself", "laughs", "date", "key", "digits", "line", "lines"],
)
def test_a_configuration_made_to_break_ends_in_sentences(tmp_path, text, sentence):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_config(read_yaml(tmp_path / "c.yaml"), "config.yaml")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["a: 2001-99-99", "a: !!int x", "[" * 9999, f"a: {'9' * 9999}"])
def test_what_yaml_cannot_make_a_value_of_is_one_sentence(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=r"c\.yaml: the file is not YAML"):
        read_yaml(tmp_path / "c.yaml")
