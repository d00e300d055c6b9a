"""Models on disk: round trips, and a sentence for each way of being damaged or foreign."""

import json
from dataclasses import replace

import pytest
import torch
from small_model import DESCRIPTION, REJECTION
from typer.testing import CliRunner

from lusco.cli import app
from lusco.errors import InputError
from lusco.model import check_pixels, check_structures, read_description, read_network, start_network, write_model
from lusco.network import UNet


@pytest.fixture
def description():
    return DESCRIPTION


@pytest.fixture
def folder(description, tmp_path):
    torch.manual_seed(0)
    write_model(tmp_path / "model", UNet(2, 4, 2), description)
    return tmp_path / "model"


def test_a_model_comes_back_as_it_was(folder):
    read = read_description(folder)
    torch.manual_seed(0)
    original = UNet(2, 4, 2)
    network = read_network(folder, read)
    counts = torch.rand(1, 1, 16, 16)
    assert torch.equal(network(counts), original(counts))
    assert (read.structures, read.scale_counts, read.rejection) == (("rings", "lines"), (1.5, 2.5), REJECTION)


def test_a_model_is_handed_on_at_half_the_size(folder, tmp_path):
    result = CliRunner().invoke(
        app, ["model", str(folder), "--structures", "rings,lines", "--half", "--out", str(tmp_path / "half")]
    )
    assert result.exit_code == 0, result.output
    size, own = ((path / "weights.safetensors").stat().st_size for path in (tmp_path / "half", folder))
    assert size < 0.6 * own
    description = read_description(tmp_path / "half")
    network, original = read_network(tmp_path / "half", description), read_network(folder, read_description(folder))
    counts = torch.rand(1, 1, 16, 16)
    assert torch.allclose(network(counts), original(counts), atol=2e-3)


def test_the_threshold_is_the_lowest_that_keeps_the_crosstalk(description):
    assert description.threshold(0.01) == 0.5
    assert description.threshold(0.5) == 0.0
    assert description.threshold(1e-6) == 0.9  # out of reach: the least crosstalk there is


def test_damaged_weights_are_refused(folder):
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"weights\.safetensors: the weights are damaged.*checksum"):
        read_network(folder, read_description(folder))


def test_missing_weights_are_named(folder):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"weights\.safetensors: the weights of the model do not exist"):
        read_network(folder, read_description(folder))


@pytest.mark.parametrize("content", ["{}", '{"format": "other"}', "[]"])
def test_a_foreign_description_is_refused(folder, content):
    (folder / "model.json").write_text(content)
    with pytest.raises(InputError, match=r"model\.json: .*it is no model of LUSCo"):
        read_description(folder)


def test_a_truncated_description_is_refused(folder):
    file = folder / "model.json"
    file.write_text(file.read_text()[:50])
    with pytest.raises(InputError, match=r"model\.json: the file is not JSON"):
        read_description(folder)


def test_an_incomplete_description_names_what_it_lacks(folder):
    file = folder / "model.json"
    content = json.loads(file.read_text())
    del content["temperature"]
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="lacks temperature"):
        read_description(folder)


def test_weights_of_another_network_are_refused(folder, description):
    write_model(folder, UNet(3, 4, 2), description)
    with pytest.raises(InputError, match="do not fit the network"):
        read_network(folder, read_description(folder))


def test_other_structures_than_the_model_knows_are_refused(description, folder):
    check_structures(description, ["rings", "lines"], folder)
    with pytest.raises(InputError, match=r"knows the structures rings, lines, the configuration asks for lines, dots"):
        check_structures(description, ["lines", "dots"], folder)


def test_other_pixels_than_the_models_are_refused(description, folder):
    check_pixels(description, 20, folder)
    with pytest.raises(InputError, match="the model has pixels of 20 nm, not 10; set `pixel_nm` to that of the model"):
        check_pixels(description, 10, folder)


def test_a_new_network_starts_from_a_model_and_its_structures(folder):
    """Of lines and dots only lines are known: their output is the model's, that of dots is still the new network's."""
    known, network = read_network(folder, read_description(folder)), UNet(2, 4, 2)
    first = network.head.weight.clone()
    start_network(network, ["lines", "dots"], 20, folder)
    counts = torch.rand(1, 1, 16, 16)
    assert torch.equal(network(counts)[:, 0], known(counts)[:, 1])
    assert torch.equal(network.head.weight[4:], first[4:])


def test_a_new_network_may_see_pixels_in_other_parts_than_the_model_it_starts_from(folder):
    """Of pixels with one localization at most, it gives each part what the model gives the pixel; and back again."""
    known = read_network(folder, read_description(folder))
    halves, back = UNet(2, 4, 2, 2), UNet(2, 4, 2)
    start_network(halves, ["rings", "lines"], 20, folder)
    seen = (torch.rand(1, 1, 16, 16) < 0.3).float()
    parts = torch.zeros(1, 1, 32, 32)
    parts[:, :, 1::2, ::2] = seen
    expected = known(seen).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(halves(parts), expected, rtol=1e-4, atol=1e-5)
    write_model(folder, halves, replace(read_description(folder), subpixels=2))
    start_network(back, ["rings", "lines"], 20, folder)
    for ours, theirs in zip(back.parameters(), known.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_further_wide_blocks_begin_with_the_answers_of_the_model(folder):
    """And learn: the gradient reaches what was zero."""
    known, wide = read_network(folder, read_description(folder)), UNet(2, 4, 2, wide_blocks=2)
    start_network(wide, ["rings", "lines"], 20, folder)
    counts = torch.rand(1, 1, 32, 32)
    assert torch.equal(wide(counts), known(counts))
    wide(counts).square().sum().backward()
    assert all(block.second.weight.grad.abs().max() > 0 for block in wide.wide)
    write_model(folder, wide, replace(read_description(folder), wide_blocks=2))
    wider = UNet(2, 4, 2, wide_blocks=3)
    start_network(wider, ["rings", "lines"], 20, folder)
    assert torch.equal(wider(counts), wide(counts))
    with pytest.raises(InputError, match=r"depth 2 and 2 wide blocks; set .* `train\.wide_blocks` to as"):
        start_network(UNet(2, 4, 2, wide_blocks=1), ["rings", "lines"], 20, folder)


def test_a_model_of_another_size_or_pixel_is_no_start(folder):
    with pytest.raises(InputError, match=r"has 4 features, depth 2 and 0 wide blocks; set `train\.features`"):
        start_network(UNet(2, 4, 3), ["lines", "dots"], 20, folder)
    with pytest.raises(InputError, match="has pixels of 20 nm, not 10"):
        start_network(UNet(2, 4, 2), ["lines", "dots"], 10, folder)


NOTHING_SEEN = {"features": "", "mean": [0.0], "whitening": [[1.0]], "distances": [1.0] * 3}
CHANGES = {
    "text for a number": ({"sharpness": "warm"}, "key `sharpness`: `warm` stands where a number should"),
    "a number for structures": ({"structures": 5}, "key `structures`: `5` stands where a list should"),
    "a structure that is a path": ({"structures": ["../a", "b"]}, "key `structures.0`: `../a` is not usable as a name"),
    "no rejection": ({"rejection": []}, "key `rejection`: `[]` has 0 items instead of at least 1"),
    "regions of nothing": ({"known": {}}, "key `known`: missing `side_px`"),
    "bins without edges": (
        {"repeats": {"lag_frames": [1, 2], "per_frame": [0.1, 0.1]}},
        "key `repeats`: the bins of repeats do not hold together",
    ),
    "bins that go back": (
        {"repeats": {"lag_frames": [2, 1], "per_frame": [0.1]}},
        "key `repeats`: the bins of repeats do not hold together",
    ),
    "regions of fewer structures": (
        {"known": DESCRIPTION.known | {"parts": DESCRIPTION.known["parts"][:2]}},
        "key `known`: it has not one part for whole regions and one for each structure",
    ),
    "axes of another network": (
        {"known": DESCRIPTION.known | {"axes": [[1.0, 0.0]], "appearance": [NOTHING_SEEN] * 3}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "an appearance of fewer structures": (
        {"known": DESCRIPTION.known | {"axes": [[1.0, 0.0, 0.0, 0.0]], "appearance": [NOTHING_SEEN] * 2}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "an appearance along more axes": (
        {"known": DESCRIPTION.known | {"axes": [[1.0, 0.0, 0.0, 0.0]] * 2, "appearance": [NOTHING_SEEN] * 3}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "a whitening of fewer rows": (
        {"known": DESCRIPTION.known | {"axes": [[1.0] * 4], "appearance": [NOTHING_SEEN | {"whitening": []}] * 3}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "limits of fewer structures": (
        {"known": DESCRIPTION.known | {"fields": [1.0] * 2}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "distances of fewer structures": (
        {"known": DESCRIPTION.known | {"parts": [DESCRIPTION.known["parts"][0] | {"distances": [1.0] * 2}] * 3}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "regions that are cut off": (
        {"known": DESCRIPTION.known | {"axes": [[1.0] * 4], "appearance": [NOTHING_SEEN | {"features": "AA=="}] * 3}},
        "key `known`: what it knows of regions does not hold together",
    ),
    "one scale": ({"scale_counts": [1]}, "key `scale_counts`: it has not one scale per structure"),
}


@pytest.mark.parametrize(("changes", "sentence"), CHANGES.values(), ids=CHANGES)
def test_a_description_that_cannot_be_is_told_by_its_key(folder, changes, sentence):
    file = folder / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(InputError) as caught:
        read_description(folder)
    assert str(caught.value).startswith(f"{file}, {sentence}")


def test_a_network_that_claims_petabytes_is_never_made(folder, description):
    with pytest.raises(InputError, match="do not fit the network"):
        read_network(folder, replace(read_description(folder), features=4096, depth=6))


def test_weights_that_are_no_numbers_are_refused(folder, description):
    network = UNet(2, 4, 2)
    network.head.bias.data[0] = torch.nan
    write_model(folder, network, description)
    with pytest.raises(InputError, match="some of the weights are NaN or infinite"):
        read_network(folder, read_description(folder))


@pytest.mark.parametrize("content", ["[" * 99_999, '{"version": ' + "9" * 9999 + "}"])
def test_a_description_made_to_break_is_refused(folder, content):
    (folder / "model.json").write_text(content)
    with pytest.raises(InputError, match=r"model\.json: the file is not JSON"):
        read_description(folder)
