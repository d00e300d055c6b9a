"""Packages for the BioImage Model Zoo, as far as no other package is needed; see also test_package_checked.py."""

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from small_model import DESCRIPTION, write_small_model
from typer.testing import CliRunner

from lusco import package, table
from lusco.cli import app
from lusco.errors import InputError
from lusco.image import read as read_image
from lusco.model import read_description, read_network
from lusco.package.describe import authors, citations
from lusco.package.example import cover, example_counts
from lusco.package.graph import Whole, to_torchscript
from lusco.package.parts import as_zip, channels, sizes
from lusco.package.readme import readme, summary
from lusco.recolor import Recolorer
from lusco.recolor.shown import shown
from lusco.render import Points, points_of
from lusco.repeats import Repeats, settled

PROJECT = Path(__file__).parents[1]
SIDES = (61, 94)  # no multiples of anything that the network needs


@pytest.fixture(params=[("shares", 1), ("shares", 2), ("regression", 1)])
def folder(request, tmp_path):
    return write_small_model(tmp_path / "model", *request.param)


@pytest.fixture
def whole(folder):
    model = read_description(folder)
    return Whole(read_network(folder, model), model).eval()


@pytest.fixture
def files(tmp_path):
    folder = write_small_model(tmp_path / "model")
    (folder / "README.md").write_text("# What its authors say\n")
    model = read_description(folder)
    whole = Whole(read_network(folder, model), model).eval()
    return package.contents(folder, model, whole, {"weights.onnx": b"onnx", "weights.torchscript.pt": b"torchscript"})


def counts(*shape):
    return np.random.default_rng(1).poisson(0.7, shape).astype(np.float32)


# the graph


def test_the_graph_gives_what_recolouring_gives_without_its_symmetries(folder, whole, monkeypatch):
    monkeypatch.setattr("lusco.recolor.tiles.SYMMETRIES", ((0, 1),))
    monkeypatch.setattr("lusco.recolor.tiles.SHIFTS_PX", ((0.0, 0.0),))
    model = read_description(folder)
    parts, seen_nm = model.subpixels, model.seen_pixel_nm
    image = counts(SIDES[0] * parts, SIDES[1] * parts)
    rows, columns = np.nonzero(image)
    x_nm, y_nm = seen_nm * (columns + 0.5), seen_nm * (rows + 0.5)
    points = Points(x_nm, y_nm, image[rows, columns], (0.0, 0.0), model.pixel_nm, SIDES)
    expected = Recolorer(folder, model, 256, 1, "cpu")(points)
    whole.network.to(memory_format=torch.channels_last)  # as recolouring does: another layout sums in another order
    channels, probabilities = np.split(whole.compute(image[None, None])[0], 2)
    of_pixels = channels.reshape(2, SIDES[0], parts, SIDES[1], parts).sum((2, 4))
    np.testing.assert_allclose(of_pixels, expected.channels, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(probabilities[:, rows, columns].T, expected.probabilities, rtol=1e-5, atol=1e-6)


@pytest.fixture
def traces(tmp_path):
    """An acquisition of molecules of three localizations each, and its file."""
    rng = np.random.default_rng(2)
    place, trace = rng.uniform(60, 940, (300, 2)), np.repeat(np.arange(300), 3)
    x_nm, y_nm = (place[trace] + rng.normal(0, 12, (900, 2))).T
    columns = {"x_nm": x_nm, "y_nm": y_nm, "trace": trace}
    acquisition = table.localizations(columns, (0, 1000, 0, 1000), {"acquisition": "a", "structure": "mixed"})
    table.write(acquisition, tmp_path / "a.parquet")
    return acquisition, str(tmp_path / "a.parquet")


def test_the_graph_gives_what_recolouring_gives_if_shown_what_the_model_is_shown(tmp_path, traces, monkeypatch):
    monkeypatch.setattr("lusco.recolor.tiles.SYMMETRIES", ((0, 1),))
    monkeypatch.setattr("lusco.recolor.tiles.SHIFTS_PX", ((0.0, 0.0),))
    acquisition, file = traces
    repeats = {"lag_frames": [], "per_frame": [], "traces": True}
    folder = write_small_model(tmp_path / "model", subpixels=2, repeats=repeats)
    out = tmp_path / "counts.ome.tiff"
    assert CliRunner().invoke(app, ["show", str(folder), file, "--out", str(out)]).exit_code == 0
    rendered = read_image(out)
    assert (rendered.pixel_nm, rendered.pixels.shape) == (10.0, (1, 100, 100))
    assert np.unique(rendered.pixels % 3).tolist() == [0], "the three of a trace lie in one pixel"
    model = read_description(folder)
    whole = Whole(read_network(folder, model), model).eval()
    probabilities = whole.compute(rendered.pixels[None])[0, 2:]
    points = points_of(acquisition, 20.0)
    row, column = np.divmod(settled(points, Repeats(traces=True)).finer(2).pixel(), 100)
    expected = Recolorer(folder, model, 256, 1, "cpu")(points).probabilities
    np.testing.assert_allclose(probabilities[:, row, column].T, expected, atol=1e-5)


def test_an_acquisition_without_traces_is_not_shown_to_a_model_that_knows_them(tmp_path, traces):
    acquisition, _ = traces
    folder = write_small_model(tmp_path / "model", repeats={"lag_frames": [], "per_frame": [], "traces": True})
    without = replace(acquisition, table=acquisition.table.drop(columns="trace"))
    with pytest.raises(InputError, match=r"^a: it names no traces"):
        shown(without, read_description(folder))


def test_the_graph_loses_no_localization(tmp_path):
    folder = write_small_model(tmp_path / "model")
    model = read_description(folder)
    image = counts(2, 1, *SIDES)
    channels, probabilities = np.split(Whole(read_network(folder, model), model).compute(image), 2, axis=1)
    np.testing.assert_allclose(channels.sum(1, keepdims=True), image, rtol=1e-5)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.load:DeprecationWarning")
def test_torchscript_gives_the_same_at_any_size_and_batch(whole):
    loaded = torch.jit.load(io.BytesIO(to_torchscript(whole, 32)))
    for shape in ((1, 1, *SIDES), (3, 1, 31, 45), (1, 1, 1, 2)):
        image = counts(*shape)
        np.testing.assert_allclose(loaded(torch.from_numpy(image)).detach().numpy(), whole.compute(image), atol=1e-6)


def test_torchscript_says_nothing_of_this_computer(whole):
    with zipfile.ZipFile(io.BytesIO(to_torchscript(whole, 32))) as archive:
        assert len(archive.namelist()) > 10
        for name in archive.namelist():
            assert str(PROJECT).encode() not in archive.read(name), name


@pytest.mark.parametrize("depth", range(7))
def test_something_is_left_of_the_smallest_tile_without_its_halo(depth):
    smallest, step, halo = sizes(depth, 1, 0)
    assert smallest % step == 0
    assert smallest - 2 * halo == step


# the files


def test_the_description_names_every_file_with_its_checksum(files):
    text = files["rdf.yaml"].decode()
    named = {}

    def collect(part):
        if isinstance(part, dict):
            if "source" in part:
                named[part["source"]] = part["sha256"]
            part = list(part.values())
        for each in part if isinstance(part, list) else ():
            collect(each)

    rdf = yaml.safe_load(text)
    collect(rdf)
    assert named == {name: hashlib.sha256(files[name]).hexdigest() for name in named}
    assert {*named, rdf["documentation"], *rdf["covers"], "rdf.yaml"} == set(files)
    assert files["MODEL_CARD.md"] == b"# What its authors say\n"
    assert "&id" not in text, "not every program follows references"


def test_the_description_says_what_goes_in_and_what_comes_out(files):
    rdf = yaml.safe_load(files["rdf.yaml"])
    (given,), (got,) = rdf["inputs"], rdf["outputs"]
    smallest, step, halo = sizes(DESCRIPTION.depth, DESCRIPTION.subpixels, DESCRIPTION.wide_blocks)
    for axis in given["axes"][2:]:
        assert (axis["unit"], axis["scale"], axis["size"]) == ("nanometer", 20.0, {"min": smallest, "step": step})
    for axis in got["axes"][2:]:
        assert (axis["halo"], axis["size"]) == (halo, {"tensor_id": "counts", "axis_id": axis["id"]})
    assert got["axes"][1]["channel_names"] == ["rings", "lines", "p_rings", "p_lines"]
    assert rdf["license"] == "BSD-3-Clause"
    assert all(len(tensor["description"]) <= 128 for tensor in (given, got)), "a limit of the format"


def test_pixels_of_a_package_are_those_that_the_network_sees(tmp_path):
    model = read_description(write_small_model(tmp_path / "model", subpixels=2))
    whole = Whole(read_network(tmp_path / "model", model), model).eval()
    files = package.contents(tmp_path / "model", model, whole, {"weights.onnx": b"", "weights.torchscript.pt": b""})
    rdf = yaml.safe_load(files["rdf.yaml"])
    smallest, step, halo = sizes(model.depth, 1, 0)
    for axis in rdf["inputs"][0]["axes"][2:]:
        assert (axis["scale"], axis["size"]) == (10.0, {"min": 2 * smallest, "step": 2 * step})
    assert {axis["halo"] for axis in rdf["outputs"][0]["axes"][2:]} == {2 * halo}
    assert "pixels of 10 nm" in rdf["description"]
    assert "scale=(10, 10)" in files["README.md"].decode()


def test_the_test_tensors_are_what_the_graph_makes_of_a_mixture(files, tmp_path):
    given, got = (np.load(io.BytesIO(files[f"test_{name}.npy"])) for name in ("counts", "recolored"))
    model = read_description(tmp_path / "model")
    np.testing.assert_array_equal(got, Whole(read_network(tmp_path / "model", model), model).compute(given))
    smallest, step, _ = sizes(model.depth, model.subpixels, model.wide_blocks)
    assert given.shape[2] >= smallest
    assert given.shape[2] % step == 0
    assert given.sum() > 1000, "localizations"


def test_the_same_files_give_the_same_bytes_and_come_back(files):
    packed = as_zip(files, zipfile.ZIP_DEFLATED)
    assert as_zip(dict(files), zipfile.ZIP_DEFLATED) == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


@pytest.mark.parametrize(("structures", "pixel_nm"), [(("actin", "unheard_of"), 20.0), (("unheard_of",), 6.5)])
def test_an_example_is_the_same_every_time_whatever_the_structures(structures, pixel_nm):
    image = example_counts(structures, pixel_nm, sizes(2, 1, 0), Repeats())
    assert image.shape == (1, 1, 256, 256)
    assert image.dtype == np.float32
    assert image.sum() > 100
    np.testing.assert_array_equal(image, example_counts(structures, pixel_nm, sizes(2, 1, 0), Repeats()))


def test_an_example_is_shown_as_the_model_is_shown_what_it_recolours():
    measured, shown = (
        example_counts(("nuclear_pores",), 10.0, sizes(2, 1, 0), repeats)
        for repeats in (Repeats(), Repeats((1, 2000), (0.01,)))
    )
    assert shown.sum() == measured.sum()
    assert (shown**2).sum() > 1.2 * (measured**2).sum(), "localizations of a molecule meet"


def test_the_cover_has_the_proportions_that_the_zoo_asks_for():
    image = counts(256, 256)
    picture = cover(image, np.stack([image, image]), 20.0)
    assert Image.open(io.BytesIO(picture)).size == (512, 256)
    assert len(picture) < 500_000


def test_the_readme_says_how_often_the_model_errs_and_what_it_is_not_for():
    text = readme(DESCRIPTION, has_card=True)
    assert "20.0% of the localizations in the wrong structure when none is rejected" in text
    assert "0.8% of the others when the least sure 10% are" in text
    assert "Colocalization" in text
    assert "`MODEL_CARD.md`" in text
    assert "`MODEL_CARD.md`" not in readme(DESCRIPTION, has_card=False)


def test_the_summary_of_very_many_structures_keeps_to_the_limit_of_the_format():
    assert len(summary(DESCRIPTION)) < 512
    many = replace(DESCRIPTION, structures=tuple(f"structure_{index}" for index in range(200)))
    assert len(summary(many)) <= 1024


def test_authors_and_citations_are_those_of_the_citation_file():
    cited = {
        "title": "The program",
        "authors": [{"name": "The developers"}, {"given-names": "Ada", "family-names": "Lovelace"}],
        "references": [{"title": "A paper", "doi": "10.1000/1"}, {"title": "Not to be looked up"}],
    }
    assert authors(cited) == ["The developers", "Ada Lovelace"]
    assert list(citations(cited)) == [{"text": "A paper", "doi": "10.1000/1"}]


# faults


def test_channels_are_called_by_identifiers_which_the_format_asks_for():
    names = channels(["alpha-tubulin", "53BP1", "class", "tubes"])
    assert names[:4] == ["alpha_tubulin", "_53BP1", "_class", "tubes"]
    assert names[4:] == ["p_alpha_tubulin", "p__53BP1", "p__class", "p_tubes"]


def test_only_a_zip_is_written(tmp_path):
    with pytest.raises(InputError, match=r"a package is a zip file; give a name that ends in `\.zip`"):
        package.package(tmp_path, tmp_path / "package")


def test_packages_that_are_missing_are_named_with_their_mend(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "find_spec", lambda name: None if name.startswith("onnx") else name)
    with pytest.raises(InputError, match=r"onnx, onnxruntime, onnxscript, with which.*run `make zoo`"):
        package.package(tmp_path, tmp_path / "package.zip")


def test_a_model_by_others_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "find_spec", lambda name: name)
    folder = write_small_model(tmp_path / "model", head="microsplit")
    with pytest.raises(InputError, match=r"a model by others \(`microsplit`\), which cannot be packaged"):
        package.package(folder, tmp_path / "package.zip")
    assert not (tmp_path / "package.zip").exists()


def test_the_command_takes_a_model_and_a_file():
    result = CliRunner().invoke(app, ["package", "--help"])
    assert result.exit_code == 0
    assert "--out" in result.output
