"""Peers: what they see of a neighbourhood, that they stop in time, and that their output is scored like ours."""

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from least_config import LEAST

from lusco import peers, table
from lusco.config import OF_IMAGES, PATCH_OF_PEERS_PX, STEP_OF_PEERS_PX, load_config
from lusco.errors import InputError
from lusco.model import read_description
from lusco.peers import apply_peer, train_peer
from lusco.peers.clock import Clock
from lusco.peers.features import FAR_NM, NAMES, NEAR_NM, NEIGHBOURS, features
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.superpose import superpose
from lusco.superpose.composites import open_composites

PROJECT = Path(__file__).parents[1]
needs_trees = pytest.mark.skipif(not find_spec("sklearn"), reason="scikit-learn is not installed here (`make peers`)")
needs_careamics = pytest.mark.skipif(not find_spec("careamics"), reason="it is not installed here (`make peers`)")

STRUCTURES = ("rings", "lines", "clouds")
SIDE_PX, PIXEL_NM = 64, 20.0
SIDE_NM = SIDE_PX * PIXEL_NM


def described(xy_nm, chosen, side_nm=4000.0):
    return pd.DataFrame(features(np.asarray(xy_nm, dtype=float), np.asarray(chosen), side_nm, 1), columns=NAMES)


# neighbourhoods


@pytest.mark.parametrize("angle", [0, 0.3, np.pi / 4, 2])
def test_a_line_is_anisotropic_and_narrow_in_any_direction(angle):
    along = np.linspace(-1900, 1900, 3801)
    line = 2000 + np.column_stack([along * np.cos(angle), along * np.sin(angle)])
    found = described(line, [1900])
    for radius in FAR_NM[1:]:
        assert found[f"anisotropy_{radius}nm"][0] > 0.97
        assert found[f"width_{radius}nm"][0] < 0.06
        assert found[f"offset_{radius}nm"][0] < 0.1


def test_a_disc_has_no_direction_and_the_width_of_a_disc():
    step = np.arange(5, 4000, 10.0)
    grid = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    middle = np.argmin(np.hypot(*(grid - 2000).T))
    found = described(grid, [middle])
    for radius in FAR_NM:
        assert found[f"anisotropy_{radius}nm"][0] < 1e-3
        assert found[f"width_{radius}nm"][0] == pytest.approx(0.5, abs=0.02)  # the variance of a disc is r^2 / 4


def test_the_centre_of_half_a_disc_is_off_by_4_over_3_pi():
    step = np.arange(5, 4000, 10.0)
    grid = np.stack(np.meshgrid(step, step[step > 2000]), axis=-1).reshape(-1, 2)
    edge = np.argmin(np.hypot(*(grid - [2000, 2005]).T))
    found = described(grid, [edge])
    assert found["offset_700nm"][0] == pytest.approx(4 / (3 * np.pi), abs=0.01)


def test_localizations_within_a_radius_are_counted_by_hand():
    xy = [[2005, 2005], [2015, 2005], [2005, 2035], [2085, 2005], [2005, 2255], [3955, 3955]]
    found = described(xy, [0, 5])
    expected = {15: 2, 25: 2, 40: 3, 60: 3, 90: 4, 130: 4, 200: 4, 300: 5, 450: 5, 700: 5}
    assert list(expected) == [*NEAR_NM, *FAR_NM]
    for radius, number in expected.items():
        assert np.exp(found[f"log_count_{radius}nm"][0]) == pytest.approx(number)
    assert np.expm1(found["log_distance_1"][0]) == pytest.approx(10, rel=1e-5)
    assert np.expm1(found["log_distance_2"][0]) == pytest.approx(30, rel=1e-5)
    assert np.expm1(found[f"log_distance_{NEIGHBOURS[-1]}"][0]) == pytest.approx(FAR_NM[-1], rel=1e-5)
    assert found["border_nm"].tolist() == [FAR_NM[-1], 45]


def test_a_neighbourhood_does_not_depend_on_where_it_lies_and_one_alone_is_described():
    rng = np.random.default_rng(0)
    cloud = 1500 + rng.normal(0, 100, (300, 2))
    there = described(cloud + 500, range(300))
    pd.testing.assert_frame_equal(described(cloud, range(300)), there, atol=0.02)
    assert np.isfinite(described([[1.0, 1.0]], [0]).to_numpy()).all()


# time


class Watch:
    """A time that goes on by a second whenever it is asked for."""

    def __init__(self):
        self.seconds = -1.0

    def __call__(self):
        self.seconds += 1
        return self.seconds


def test_a_training_that_asks_its_clock_ends_in_time():
    watch, steps = Watch(), 0
    clock = Clock(1, watch)
    while clock.allows(5):
        steps += 1
    assert steps == 55
    assert watch.seconds == 56
    assert Clock(1, lambda: 3.0).spent() == 0
    assert clock.spent() == pytest.approx(57 / 60)


# shared parts


def composite_table(rng, number=400):
    return pd.DataFrame(
        {
            "x_nm": rng.uniform(0, SIDE_NM, number),
            "y_nm": rng.uniform(0, SIDE_NM, number),
            "weight": np.float32(1),
            "structure": rng.integers(0, 3, number).astype(np.int8),
        }
    )


def acquisition(structure, index):
    rng = np.random.default_rng([index, STRUCTURES.index(structure)])
    angle = rng.uniform(0, 2 * np.pi, 6000)
    centre = np.repeat(rng.uniform(100, 2900, (200, 2)), 30, axis=0)
    if structure == "rings":
        xy = centre + 60 * np.column_stack([np.cos(angle), np.sin(angle)])
    elif structure == "lines":
        along = np.repeat(rng.uniform(0, np.pi, 12), 500)
        start = np.repeat(rng.uniform(500, 2500, (12, 2)), 500, axis=0)
        xy = start + rng.uniform(-1500, 1500, 6000)[:, None] * np.column_stack([np.cos(along), np.sin(along)])
    else:
        xy = centre + rng.normal(0, 150, (6000, 2))
    xy = xy[((xy > 0) & (xy < 3000)).all(1)]
    source = {"acquisition": f"{structure}_{index}", "structure": structure}
    return table.localizations({"x_nm": xy[:, 0], "y_nm": xy[:, 1]}, (0, 3000, 0, 3000), source)


def material_of(structures, folder):
    training = [acquisition(structure, index) for structure in structures for index in range(2)]
    validation = [acquisition(structure, 7) for structure in structures]
    superpose(training, structures, "train", 12, SIDE_PX, PIXEL_NM, 1, folder / "train.arrow")
    superpose(validation, structures, "validation", 4, SIDE_PX, PIXEL_NM, 1, folder / "validation.arrow")
    return training, open_composites(folder / "train.arrow"), open_composites(folder / "validation.arrow")


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Training acquisitions, training composites and validation composites of all structures."""
    return material_of(STRUCTURES, tmp_path_factory.mktemp("material"))


# whole peers


def learnt(name, material, folder, minutes):
    training, composites, validation = material
    train_peer(name, training, composites, validation, minutes, 12.0, 1, 1, folder / "model")
    description = read_description(folder / "model")
    apply_peer(folder / "model", description, validation, 1, folder / "applied")
    return description, validation, folder / "applied"


def accuracy(validation, applied):
    truth = np.concatenate([validation.table(index)["structure"] for index in range(len(validation))])
    probabilities = np.load(applied / PROBABILITIES)
    number = len(validation.structures)
    assert probabilities.shape == (len(truth), number)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert np.load(applied / CHANNELS).shape == (len(validation), number, SIDE_PX, SIDE_PX)
    assert (applied / REGIONS).is_file()
    return (probabilities.argmax(1) == truth).mean()


@needs_trees
def test_trees_tell_rings_from_lines_and_clouds(material, tmp_path):
    description, validation, applied = learnt("trees", material, tmp_path, 0.1)
    assert accuracy(validation, applied) > 0.55, "chance is a third"
    assert description.head == "trees"
    assert description.rejection[0]["rejected"] == 0
    assert description.training["steps"] >= description.training["best_step"] >= 10
    assert description.training["acquisitions"]["rings"] == ["rings_0", "rings_1"]
    assert [part["features"] for part in description.known["parts"]] == [""] * 4, "nothing is known of regions"
    assert (pd.read_csv(applied / REGIONS)["novelty"] == 0).to_list() == [True] * len(validation)
    channels = np.load(applied / CHANNELS)
    np.testing.assert_allclose(channels[0].sum(0), validation.counts(0).sum(0), atol=1e-3)


@needs_trees
def test_trees_tell_two_structures_apart(tmp_path):
    _, validation, applied = learnt("trees", material_of(("rings", "lines"), tmp_path), tmp_path, 0.05)
    assert accuracy(validation, applied) > 0.7, "chance is a half"


@needs_careamics
@pytest.mark.parametrize("name", ["careamics_unet", "microsplit"])
def test_networks_by_others_train_and_are_applied(material, tmp_path, name):
    description, validation, applied = learnt(name, material, tmp_path, 0.05)
    assert accuracy(validation, applied) > 0
    assert description.training["steps"] >= 1
    assert np.load(applied / CHANNELS).min() >= 0
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".ckpt", ".pt", ".pth", ".pkl")]


def test_the_composites_of_peers_hold_their_patches_and_can_be_halved_as_often_as_they_do():
    for name in OF_IMAGES:
        code = (Path(peers.__file__).parent / f"{name}.py").read_text()
        assert f"\nPATCH_PX = {PATCH_OF_PEERS_PX}\n" in code
        halvings = int(re.search(r"\n(?:DEPTH|LEVELS, .*) = (\d+)", code)[1])
        assert STEP_OF_PEERS_PX % 2**halvings == 0


def test_another_name_is_no_peer():
    with pytest.raises(InputError, match="peer `shares`: there is no such peer; name `careamics_unet`"):
        peers.find("shares")


@needs_careamics
def test_the_surroundings_of_a_patch_are_what_lies_around_it_binned():
    peers.find("microsplit")
    from lusco.peers.microsplit import SCALES, _surroundings

    image = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    row, column, side = 96, 100, 64
    for scale in SCALES:
        margin = side * (scale - 1) // 2
        mirrored = np.pad(image, margin, mode="reflect")
        around = mirrored[row : row + side * scale, column : column + side * scale]
        expected = around.reshape(side, scale, side, scale).mean((1, 3))
        found = _surroundings(image, side, scale)[row // scale :, column // scale :][:side, :side]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "package"), [("trees", "sklearn"), ("careamics_unet", "careamics"), ("microsplit", "careamics")]
)
def test_a_package_that_is_missing_is_named_with_its_mend(name, package, monkeypatch):
    for module in [m for m in sys.modules if m.startswith((f"{package}.", "lusco.peers."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"peer `{name}`: the package `{package}`.*`make peers`"):
        peers.find(name)


@needs_trees
def test_images_are_refused_by_trees(tmp_path, material):
    from lusco.peers.trees import _describe

    _, _, composites = material
    with pytest.raises(InputError, match="image"):
        _describe(composites, composites.table(0).assign(weight=2.0), np.arange(3), 1)


# configuration

REFUSED = {
    "settings of our own": ("{a: {}, b: {peer: trees, minutes: 1, steps: 5}}", "", "key `models.b`: `steps` is"),
    "no time": ("{a: {}, b: {peer: trees}}", "", "key `models.b`: missing `minutes`"),
    "a time for our own": ("{a: {minutes: 5}}", "", "key `models.a`: `minutes` is for peers only"),
    "an unknown peer": ("{a: {}, b: {peer: forest, minutes: 1}}", "", "key `models.b.peer`: `forest` is not one of"),
    "a peer that recolours": ("{a: {}, b: {peer: trees, minutes: 1}}", "b", "key `model`: the model `b` is a peer"),
    "peers only": ("{b: {peer: trees, minutes: 1}}", "", "key `model`: the model `b` is a peer"),
}


@pytest.mark.parametrize(("models", "model", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused_in_a_sentence(models, model, sentence):
    with pytest.raises(InputError) as caught:
        load_config(LEAST | {"models": yaml.safe_load(models), "model": model}, "config.yaml")
    assert str(caught.value).startswith(f"config.yaml, {sentence}")
    assert "\n" not in str(caught.value)


def test_the_first_model_of_our_own_is_the_chosen_one():
    models = {"b": {"peer": "trees", "minutes": 1}, "a": {}}
    assert load_config(LEAST | {"models": models}, "config.yaml")["model"] == "a"


def test_peers_and_a_pretrained_model_are_refused(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({}))
    models = {"a": {}, "b": {"peer": "trees", "minutes": 1}}
    with pytest.raises(InputError, match="with a pretrained model nothing is trained"):
        load_config(LEAST | {"models": models, "pretrained": str(tmp_path)}, "config.yaml")


def test_the_experiment_names_every_peer():
    models = yaml.safe_load((PROJECT / "resources" / "experiments" / "peers.yaml").read_text())["models"]
    schema = yaml.safe_load((PROJECT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    known = schema["properties"]["models"]["additionalProperties"]["properties"]["peer"]["enum"]
    assert sorted(how["peer"] for how in models.values() if "peer" in how) == sorted(known)
