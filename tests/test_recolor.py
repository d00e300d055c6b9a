"""Recolouring conserves what was measured and labels every localization."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch

import lusco.files
from lusco import image, table
from lusco.colours import ON_BLACK
from lusco.errors import InputError
from lusco.figures.draw_mixed import draw_mixed
from lusco.model import ModelDescription, read_description, write_model
from lusco.network import UNet
from lusco.novelty import nothing_known
from lusco.packed import pack
from lusco.recolor import Recolorer, recolor_acquisition, recolor_composites
from lusco.recolor.mixture import summarize
from lusco.render import Points, points_of, render
from lusco.repeats import settled
from lusco.superpose.composites import open_composites, write_composites

KNOWN = asdict(nothing_known(3, 20.0, 64))
TEMPERATURE = {"typical": 1.3, "exponent": 0.0, "uncertainty_nm": 1.0}
REJECTION = [
    {"threshold": 0.0, "rejected": 0.0, "crosstalk": 0.3},
    {"threshold": 0.6, "rejected": 0.5, "crosstalk": 0.01},
]


def recolorer(tmp_path, head="shares", known=KNOWN, **knows):
    torch.manual_seed(1)
    network = UNet(3, 4, 2, knows.get("subpixels", 1))
    torch.nn.init.normal_(network.head.weight, std=2.0)
    model = ModelDescription(
        ("rings", "lines", "dots"), 20.0, head, 4, 2, (2.0, 3.0, 4.0), TEMPERATURE, 2.0, REJECTION, known, {}, **knows
    )
    write_model(tmp_path / "model", network, model)
    return Recolorer(tmp_path / "model", read_description(tmp_path / "model"), 64, 1, "cpu")


@pytest.fixture
def acquisition():
    rng = np.random.default_rng(0)
    columns = {
        "x_nm": rng.uniform(500, 2530, 3_000),
        "y_nm": rng.uniform(-200, 1300, 3_000),
        "photons": rng.uniform(100, 1000, 3_000),
        "structure": rng.choice(["rings", "lines"], 3_000),
    }
    return table.localizations(columns, (500, 2530, -200, 1300), {"acquisition": "a", "structure": "mixed"})


@pytest.fixture
def outputs(tmp_path, acquisition):
    files = (tmp_path / "a.ome.tiff", tmp_path / "a.csv", tmp_path / "regions.csv", tmp_path / "a.json")
    recolor_acquisition(recolorer(tmp_path), acquisition, 0.02, *files)
    return image.read(tmp_path / "a.ome.tiff"), pd.read_csv(tmp_path / "a.csv")


def test_the_channels_have_the_colours_of_the_figures(outputs, tmp_path):
    with tifffile.TiffFile(tmp_path / "a.ome.tiff") as tiff:
        channels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]["Channel"]
    assert [f"#{channel['Color'] % 2**32:08X}" for channel in channels] == [f"{colour}FF" for colour in ON_BLACK[:3]]


def test_a_recoloured_image_is_drawn_however_large(tmp_path, acquisition, monkeypatch):
    few = table.Localizations(acquisition.table.iloc[:1000], acquisition.field_nm, acquisition.source)
    table.write(few, tmp_path / "a.parquet")
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    recolor_acquisition(recolorer(tmp_path), few, 0.02, *files)
    monkeypatch.setattr(lusco.files, "MAX_BYTES", image.read(files[0]).pixels.nbytes - 1)
    draw_mixed("a", tmp_path / "a.parquet", *files[:3], tmp_path / "figures", tmp_path / "viewer.js")
    assert (tmp_path / "figures" / "mixed_a.png").is_file()


def test_a_model_of_positions_within_pixels_takes_no_image(tmp_path, acquisition):
    weight = np.arange(len(acquisition)) % 3.0
    source = acquisition.source | {"pixel_nm": 10.0}
    pixels = table.Localizations(acquisition.table.assign(weight=weight), acquisition.field_nm, source)
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    with pytest.raises(InputError, match=r"a: it is an image, and the model needs .* `subpixels: 1`"):
        recolor_acquisition(recolorer(tmp_path, subpixels=2), pixels, 0.02, *files)
    recolor_acquisition(recolorer(tmp_path), pixels, 0.02, *files)
    assert image.read(files[0]).pixels.sum() == pytest.approx(weight.sum(), rel=1e-5)


def test_an_image_whose_pixels_do_not_make_up_those_of_the_model_is_refused(tmp_path, acquisition):
    source = acquisition.source | {"pixel_nm": 30.0}
    pixels = table.Localizations(acquisition.table.assign(weight=2.0), acquisition.field_nm, source)
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    with pytest.raises(InputError, match=r"^a: the image has pixels of 30 nm, which do not fit into pixels of 20 nm"):
        recolor_acquisition(recolorer(tmp_path), pixels, 0.02, *files)
    assert not any(file.exists() for file in files)


def test_an_acquisition_without_localizations_is_refused_and_leaves_nothing(tmp_path, acquisition):
    nothing = table.Localizations(acquisition.table[:0], acquisition.field_nm, acquisition.source)
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    with pytest.raises(InputError, match=r"^a: the acquisition has no localizations"):
        recolor_acquisition(recolorer(tmp_path), nothing, 0.02, *files)
    assert not any(file.exists() for file in files)


def test_channels_add_up_to_what_was_measured(tmp_path, acquisition):
    counts = render(acquisition, 20.0)
    channels = recolorer(tmp_path, subpixels=2)(points_of(acquisition, 20.0)).channels
    np.testing.assert_allclose(channels.sum(0), counts, atol=1e-4)


def test_nothing_is_invented_where_nothing_was_measured(tmp_path):
    nothing = Points(np.zeros(0), np.zeros(0), None, (0.0, 0.0), 20.0, (40, 44))
    result = recolorer(tmp_path)(nothing)
    assert result.channels.shape == (3, 40, 44) and result.channels.max() == 0
    assert result.probabilities.shape == (0, 3)


def test_the_image_has_a_named_channel_per_structure_and_the_pixel_size(outputs, acquisition):
    recolored, _ = outputs
    assert recolored.channels == ("rings", "lines", "dots")
    assert recolored.pixel_nm == pytest.approx(20)
    assert recolored.pixels.shape == (3, *render(acquisition, 20.0).shape)


def test_every_localization_keeps_its_place_and_gets_probabilities(outputs, acquisition):
    _, labelled = outputs
    assert len(labelled) == len(acquisition)
    np.testing.assert_allclose(labelled["x [nm]"], acquisition.table["x_nm"], atol=0.0006)
    np.testing.assert_allclose(labelled["intensity [photon]"], acquisition.table["photons"], rtol=1e-6)
    probabilities = labelled[["p_rings", "p_lines", "p_dots"]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=3e-5)
    names = np.array(["rings", "lines", "dots"])
    assert (labelled["structure"] == names[probabilities.argmax(1)]).all()
    assert (labelled["true_structure"] == acquisition.table["structure"]).all()


def test_localizations_below_the_threshold_chosen_on_validation_are_rejected(outputs):
    _, labelled = outputs
    confidence = labelled[["p_rings", "p_lines", "p_dots"]].max(axis=1)
    clear = (confidence - 0.6).abs() > 1e-5  # the table's own rounding
    assert (labelled["rejected"] == (confidence < 0.6))[clear].all()
    assert 0 < labelled["rejected"].mean() < 1


def test_the_network_sees_where_molecules_are_and_the_channels_keep_what_was_measured(tmp_path):
    """Pairs of successive frames, 15 nm apart, of which the model knows that they are repeats."""
    rng = np.random.default_rng(0)
    x_nm, y_nm = np.repeat(rng.uniform(20, 780, (2, 200)), 2, axis=1) + np.tile([0.0, 15.0], 200)
    frame, sigma_nm = np.repeat(rng.integers(1, 9_000, 200), 2) + np.tile([0, 1], 200), np.full(400, 10.0)
    points = Points(x_nm, y_nm, None, (0.0, 0.0), 20.0, (40, 40), frame, sigma_nm)
    plain = recolorer(tmp_path)
    knowing = recolorer(tmp_path, repeats={"lag_frames": [1, 2], "per_frame": [0.5]})
    there = settled(points, knowing.repeats)
    assert np.abs(there.x_nm[::2] - there.x_nm[1::2]).max() < 2
    result = knowing(points)
    np.testing.assert_array_equal(result.probabilities, plain(there).probabilities)
    assert np.abs(result.probabilities - plain(points).probabilities).max() > 0.1
    np.testing.assert_allclose(result.channels.sum(0), points.counts(points.pixel()), atol=1e-4)


def test_a_model_that_knows_repeats_refuses_a_mixture_without_uncertainties(tmp_path, acquisition):
    knowing = recolorer(tmp_path, repeats={"lag_frames": [1, 2], "per_frame": [0.5]})
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    with pytest.raises(InputError, match=r"^a: it has no frames"):
        recolor_acquisition(knowing, acquisition, 0.02, *files)
    assert not any(file.exists() for file in files)


def test_a_regression_gives_what_the_network_predicts(tmp_path):
    x_nm, y_nm = np.random.default_rng(0).uniform(0, 800, (2, 900))
    result = recolorer(tmp_path, head="regression")(Points(x_nm, y_nm, None, (0.0, 0.0), 20.0, (40, 44)))
    assert result.channels.shape == (3, 40, 44) and (result.channels >= 0).all() and result.channels.max() > 0
    np.testing.assert_allclose(result.probabilities.sum(1), 1, atol=1e-5)


def test_regions_lie_in_the_field_and_count_its_localizations(outputs, acquisition, tmp_path):
    regions = pd.read_csv(tmp_path / "regions.csv")
    assert list(regions.columns) == ["x_nm", "y_nm", "side_nm", "localizations", "novelty", "unfamiliar", "differs_by"]
    assert regions.loc[0, ["x_nm", "y_nm"]].tolist() == [500, -200]  # from the field's first corner
    inside = acquisition.table[
        acquisition.table["x_nm"].between(500, 500 + regions.loc[0, "side_nm"])
        & acquisition.table["y_nm"].between(-200, -200 + regions.loc[0, "side_nm"])
    ]
    assert regions.loc[0, "localizations"] == len(inside)


def looking_like(value):
    """What a model knows to which the first of its last features has had this value everywhere."""
    part = {"features": pack([[value]]), "mean": [0.0], "whitening": [[1.0]], "distances": [1.0] * 4}
    return KNOWN | {"axes": [[1.0, 0.0, 0.0, 0.0]], "appearance": [part] * 4}


def test_a_region_that_looks_like_nothing_known_is_told(tmp_path, acquisition):
    files = [tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json")]
    found = []
    for value in (1e4, 0.0):
        recolor_acquisition(recolorer(tmp_path, known=looking_like(value)), acquisition, 0.02, *files)
        found.append(pd.read_csv(tmp_path / "regions.csv"))
    far, near = found
    assert far["unfamiliar"].all()
    assert far["differs_by"].str.fullmatch("other shapes( of (rings|lines|dots))?").all()
    np.testing.assert_allclose(far["novelty"], 1e4, rtol=0.1)
    assert near["novelty"].between(1e-3, 1e3).all(), "what this network sees, not nothing"


def test_of_composites_it_is_told_too(tmp_path, acquisition):
    own = acquisition.table.assign(structure=0, weight=np.float32(1), unspecific=False, uncertainty_nm=np.nan)
    own = own.assign(x_nm=own["x_nm"] - 500, y_nm=own["y_nm"] + 200, row=np.arange(len(own)), frame=1, trace=0)
    sources = dict.fromkeys(("rings", "lines", "dots"), "a")
    write_composites(tmp_path / "c.arrow", list(sources), 20.0, 128, [("test_0", sources, own)])
    model = recolorer(tmp_path, known=looking_like(1e4))
    recolor_composites(model, open_composites(tmp_path / "c.arrow"), tmp_path / "c")
    assert pd.read_csv(tmp_path / "c" / "regions.csv")["differs_by"].str.startswith("other shapes").all()


def test_a_mixture_is_summed_up_as_its_table_says():
    """Four pixels of an image: weights 4, 3, 2, 1; the second is wrong, the third rejected, the last unspecific."""
    rows = pd.DataFrame(
        {
            "weight": [4.0, 3.0, 2.0, 1.0],
            "structure": ["a", "a", "b", "b"],
            "true_structure": ["a", "b", "b", "unspecific"],
            "p_a": [0.9, 0.8, 0.45, 0.1],
            "p_b": [0.1, 0.2, 0.55, 0.9],
            "rejected": [False, False, True, False],
        }
    )
    regions = pd.DataFrame({"unfamiliar": [True, True, True, *[False] * 9], "differs_by": ["x", "y", "y", *[""] * 9]})
    regions["localizations"] = 0.5
    found = summarize("cell", rows, regions, ["a", "b"])
    assert found.fractions == pytest.approx({"a": 0.7, "b": 0.1})
    assert found.rejected == pytest.approx(0.2)
    assert found.guesses == pytest.approx({"a": 0.7, "b": 0.3})
    assert found.truth == pytest.approx({"a": 4 / 9, "b": 5 / 9}), "unspecific localizations count neither way"
    assert found.accuracy == pytest.approx(6 / 9) and found.wrong == pytest.approx(3 / 7)
    assert found.confidence == pytest.approx((4 * 0.9 + 3 * 0.8 + 2 * 0.55 + 0.9) / 10)
    assert (found.unfamiliar, found.differs_by) == (0.25, "y")
    assert found.judged == pytest.approx(12 * 0.5 / 10)
    several = ["less x of a", "less x of b", "less x of b", "y", "y"]  # less x, of three, and of b most
    several = pd.DataFrame({"unfamiliar": True, "differs_by": several, "localizations": 50.0})
    assert summarize("cell", rows, several, ["a", "b"]).judged == 1
    assert summarize("cell", rows, several, ["a", "b"]).differs_by == "less x of b"
    control = summarize("control", rows.assign(true_structure="c"), regions[:0], ["a", "b"])
    assert control.unfamiliar is control.differs_by is None and control.judged == 0
    assert control.truth == {"a": 0, "b": 0, "c": 1} and (control.accuracy, control.wrong) == (0, 1)
    some = summarize("some", rows.assign(true_structure=["a", "c", "b", ""]), regions, ["a", "b"])
    assert some.truth == pytest.approx({"a": 4 / 9, "b": 2 / 9, "c": 3 / 9}), "no share of what the model knows alone"
    unknown = summarize("unknown", rows.drop(columns="true_structure"), regions, ["a", "b"])
    assert (unknown.truth, unknown.accuracy, unknown.wrong) == ({}, None, None)
