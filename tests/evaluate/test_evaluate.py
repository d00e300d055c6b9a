"""The tables of an experiment, for predictions whose score is known beforehand."""

import numpy as np
import pandas as pd
import pytest

from lusco import table as tables
from lusco.evaluate import (
    accepted_of,
    elsewhere,
    evaluate,
    of_structures,
    score_acquisition,
    truth_of,
    unspecific_table,
)
from lusco.evaluate.assignment import THRESHOLDS, accepted_counts, assignment_table, confusion_table
from lusco.evaluate.distances import distance, prepare, smooth
from lusco.evaluate.overlap import overlap
from lusco.figures.draw import drawings
from lusco.model import ModelDescription
from lusco.recolor import CHANNELS, PROBABILITIES, REGIONS
from lusco.settings import stage_settings
from lusco.superpose import superpose
from lusco.superpose.composites import open_composites, write_composites

STRUCTURES = ("rings", "lines")


@pytest.fixture
def composites(tmp_path):
    rng = np.random.default_rng(0)
    acquisitions = [
        tables.localizations(
            {"x_nm": rng.uniform(0, 6000, 9_000), "y_nm": rng.uniform(0, 6000, 9_000)},
            (0, 6000, 0, 6000),
            {"acquisition": f"{structure}_{index}", "structure": structure},
        )
        for structure in STRUCTURES
        for index in range(2)
    ]
    superpose(acquisitions, STRUCTURES, "test", 4, 64, 20, 1, tmp_path / "test.arrow")
    return open_composites(tmp_path / "test.arrow")


def described(scales=(2.0, 2.0)):
    rejection = [{"threshold": 0.5, "rejected": 0.0, "crosstalk": 0.0}]
    return ModelDescription(STRUCTURES, 20, "shares", 8, 2, scales, 1.0, 1.0, rejection, {}, {})


def evaluated(composites, tmp_path, predict, groups=None, scales=(2.0, 2.0), scored=None):
    """Evaluate the predictor `predict(true counts) -> channels`, its probabilities being its shares."""
    folder = tmp_path / "applied"
    folder.mkdir(exist_ok=True)
    channels, probabilities = [], []
    for index in range(len(composites)):
        truth = composites.counts(index)
        predicted = predict(truth)
        channels.append(predicted)
        labels = composites.table(index)["structure"].to_numpy()
        pixels = composites.table(index)
        row, column = (pixels["y_nm"] // 20).astype(int), (pixels["x_nm"] // 20).astype(int)
        own = predicted[:, row, column].T + 1e-9
        probabilities.append(own / own.sum(1, keepdims=True))
        assert len(labels) == len(own)
    np.save(folder / CHANNELS, np.stack(channels).astype(np.float32))
    place = {"x_nm": 0.0, "y_nm": 0.0, "side_nm": 1280.0, "localizations": 100.0}
    judged = {"novelty": 0.5, "unfamiliar": False, "differs_by": "", "composite": composites.names[0]}
    regions = pd.DataFrame([place | judged])
    regions.to_csv(folder / REGIONS, index=False)
    np.save(folder / PROBABILITIES, np.concatenate(probabilities).astype(np.float32))
    model = described(scales)
    settings = stage_settings("evaluate", {"shapes": {"rings": "rings", "lines": "filaments"}})
    evaluate(composites, {"m": (model, folder)}, scored or {}, groups or {}, "m", settings, 1, tmp_path / "evaluation")
    return {path.stem: pd.read_csv(path) for path in (tmp_path / "evaluation").glob("*.csv")}


def test_a_perfect_prediction_closes_the_whole_gap(composites, tmp_path):
    result = evaluated(composites, tmp_path, lambda truth: truth)
    summary = result["summary"].pivot(index="measure", columns="structure", values="value")
    for structure in STRUCTURES:
        assert summary.loc["gap_closed_mse", structure] == pytest.approx(1)
        assert summary.loc["gap_closed_dssim", structure] == pytest.approx(1)
    overlap = result["overlap"].pivot(index=["composite", "measure"], columns="source", values="value")
    np.testing.assert_allclose(overlap["model"], overlap["truth"])
    shapes = result["shapes"].pivot(index=["composite", "structure", "measure"], columns="source", values="value")
    np.testing.assert_allclose(shapes["model"], shapes["truth"])


def test_doing_nothing_scores_as_the_composite_reference(composites, tmp_path):
    result = evaluated(composites, tmp_path, lambda truth: np.repeat(truth.sum(0, keepdims=True), 2, 0))
    values = result["distances"].pivot(
        index=["composite", "structure", "distance"], columns="comparison", values="value"
    )
    np.testing.assert_allclose(values["model"], values["composite"], rtol=1e-5)


def test_distances_and_overlap_are_of_images_in_units_of_their_own_scale(composites, tmp_path):
    scales = (2.0, 0.5)
    result = evaluated(composites, tmp_path, lambda truth: 0.7 * truth + 0.3 * truth[::-1], scales=scales)
    distances = result["distances"].set_index(["composite", "structure", "distance", "comparison"])["value"]
    overlaps = result["overlap"].set_index(["composite", "measure", "source"])["value"]
    for index, name in enumerate(composites.names):
        truth = composites.counts(index)
        predicted = (0.7 * truth + 0.3 * truth[::-1]).astype(np.float32)
        for structure, a, b, scale in zip(STRUCTURES, truth, predicted, scales, strict=True):
            images = (prepare(image, scale, 12.0, 20.0) for image in (a, b))
            assert distances[name, structure, "mse", "model"] == pytest.approx(distance("mse", *images), rel=1e-4)
        scaled = [smooth(image, 12.0, 20.0) / scale for image, scale in zip(truth, scales, strict=True)]
        for measure, value in overlap(*scaled, stage_settings("evaluate", {}).overlap_threshold).items():
            assert overlaps[name, measure, "truth"] == pytest.approx(value, rel=1e-4), measure


def test_the_floor_lies_between_perfection_and_chance(composites, tmp_path):
    distances = evaluated(composites, tmp_path, lambda truth: truth)["distances"]
    medians = distances.groupby(["distance", "comparison"])["value"].median()
    for name in ("mse", "dssim"):
        assert medians[name, "floor"] > 0
        assert medians[name, "model"] == pytest.approx(0, abs=1e-6)
    # of independent, uniformly scattered localizations a half, counted twice, has twice the variance of the whole
    assert medians["mse", "floor"] == pytest.approx(2 * medians["mse", "shuffled_pairs"], rel=0.25)


def test_intensities_have_no_noise_floor(composites, tmp_path):
    """Counts can be halved at random, and what is no count cannot."""
    rows = [composites.table(index).drop(columns="composite", errors="ignore") for index in range(len(composites))]
    for weight, known in ((3.0, True), (0.3, False)):
        named = zip(composites.names, composites.sources, (each.assign(weight=weight) for each in rows), strict=True)
        write_composites(tmp_path / "image.arrow", STRUCTURES, 20, 64, named)
        distances = evaluated(open_composites(tmp_path / "image.arrow"), tmp_path, lambda truth: truth)["distances"]
        floor = distances[distances["comparison"] == "floor"]["value"]
        assert floor.notna().all() if known else floor.isna().all()
        assert distances[distances["comparison"] != "floor"]["value"].notna().all()


def test_tables_have_a_row_per_measurement(composites, tmp_path):
    result = evaluated(composites, tmp_path, lambda truth: truth)
    assert len(result["distances"]) == 4 * 2 * 2 * 5
    assert len(result["overlap"]) == 4 * 1 * 4 * 2
    assert len(result["shapes"]) == 4 * 2 * 2 * 2
    assert set(result["assignment"]["structure"]) == {*STRUCTURES, "all"}
    assert len(result["confusion"]) == len(THRESHOLDS) * 2 * 2


def test_confusion_has_true_structures_and_what_they_are_given_to():
    """Two rings are told, one is given to lines; at .7 the wrong one is rejected."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]])
    table = confusion_table(accepted_counts(probabilities, np.zeros(3, dtype=int), np.ones(3)), STRUCTURES)
    counts = table.set_index(["threshold", "structure", "given"])["localizations"].sort_index()
    assert counts[0.0, "rings", "rings"] == 2 and counts[0.0, "rings", "lines"] == 1
    assert counts[0.0, "lines"].sum() == 0
    assert counts[0.7, "rings", "rings"] == 2 and counts[0.7, "rings", "lines"] == 0


def scored_table(true):
    return pd.DataFrame({"true_structure": true, "p_rings": [0.9, 0.2, 0.6], "p_lines": [0.1, 0.8, 0.4]})


@pytest.mark.parametrize("none", ["unspecific", np.nan])
def test_an_acquisition_with_known_truth_is_scored_without_its_unspecific_localizations(none):
    table = score_acquisition(of_structures(scored_table(["rings", "lines", none])), STRUCTURES)
    overall = table[(table["structure"] == "all") & (table["threshold"] == 0)].iloc[0]
    assert overall["localizations"] == 2
    assert overall["recall"] == 1


def test_what_belongs_to_a_structure_that_the_model_does_not_know_is_wrong_whatever_it_is_given_to():
    """One of three is such a one, given to rings at .6: above that threshold it is rejected."""
    table = score_acquisition(scored_table(["rings", "lines", "dots"]), STRUCTURES).set_index(
        ["structure", "threshold"]
    )
    columns = ["crosstalk", "recall", "localizations"]
    assert table.loc[("all", 0.0), columns].tolist() == pytest.approx([1 / 3, 2 / 3, 3])
    assert table.loc[("rings", 0.0), columns].tolist() == pytest.approx([1 / 2, 1, 1])
    assert table.loc[("all", 0.7), ["rejected", "crosstalk"]].tolist() == pytest.approx([1 / 3, 0])
    alone = score_acquisition(scored_table(["dots"] * 3), STRUCTURES)
    assert (alone.loc[(alone["structure"] == "all") & (alone["threshold"] == 0), "crosstalk"] == 1).all()


def test_mixtures_of_which_nothing_belongs_to_a_structure_are_not_scored_and_overlap_takes_known_ones(
    composites, tmp_path, caplog
):
    truths = {"known": STRUCTURES, "nothing": ["unspecific"], "foreign": [*STRUCTURES, "dots"]}
    rng = np.random.default_rng(3)
    files = {}
    for name, names in truths.items():
        columns = dict(zip(("x [nm]", "y [nm]"), rng.uniform(0, 1000, (2, 600)), strict=True))
        columns |= {"true_structure": np.resize(names, 600), "p_rings": 0.6, "p_lines": 0.4}
        files[name] = tmp_path / f"{name}.csv"
        pd.DataFrame(columns).to_csv(files[name], index=False)
    result = evaluated(composites, tmp_path, lambda truth: truth, scored=files)
    assert set(result["assignment"]["acquisition"].dropna()) == {"known", "foreign"}
    assert set(result["coupling"]["acquisition"]) == {"known"}
    assert "nothing: not scored" in caplog.text and "foreign: no overlap is measured" in caplog.text


@pytest.mark.parametrize("scored", [True, False])
def test_coupling_is_drawn_where_mixtures_are_to_be_scored_though_nothing_of_them_can_be(composites, tmp_path, scored):
    columns = {"x [nm]": [1.0], "y [nm]": [1.0], "true_structure": ["unspecific"], "p_rings": [0.6], "p_lines": [0.4]}
    pd.DataFrame(columns).to_csv(tmp_path / "nothing.csv", index=False)
    evaluated(composites, tmp_path, lambda truth: truth, scored={"mix": tmp_path / "nothing.csv"} if scored else {})
    how = described(), tmp_path / "evaluation", {}, None, [], "m", 0.01
    assert ("coupling" in dict(drawings(composites, tmp_path / "applied", *how))) == scored


def test_unspecific_localizations_are_no_crosstalk_and_told_apart(composites, tmp_path):
    """Three localizations of each structure are unspecific and predicted as rings, with certainty."""
    marked = []
    for name, sources, index in zip(composites.names, composites.sources, range(len(composites)), strict=True):
        table = composites.table(index)
        table["unspecific"] = table.groupby("structure").cumcount() < 3
        marked.append((name, sources, table))
    write_composites(tmp_path / "marked.arrow", STRUCTURES, 20, 64, marked)
    marked = open_composites(tmp_path / "marked.arrow")
    table = pd.concat([marked.table(index) for index in range(4)])
    rings = (table["structure"] == 0) | table["unspecific"]
    probabilities = np.stack([rings, ~rings], 1).astype(np.float32)
    truth, weight = truth_of(marked)
    accepted = accepted_counts(probabilities, truth, weight)
    assert assignment_table(accepted, STRUCTURES)["crosstalk"].max() == 0
    fall = unspecific_table(marked, probabilities)
    assert (fall["localizations"] == 24).all()
    np.testing.assert_allclose(fall.loc[fall["structure"] == "rings", "fraction"], 1)
    np.testing.assert_allclose(fall.loc[fall["structure"] == "lines", "fraction"], 0)
    np.testing.assert_array_equal(sum(marked.counts(i) - marked.bound(i) for i in range(4)).sum((1, 2)), 12)


def test_what_is_accepted_of_a_composite_is_of_its_own_localizations(composites):
    truth, weight = truth_of(composites)
    right = np.eye(2)[truth]
    sizes = [composites.counts(index).sum((1, 2)) for index in range(len(composites))]
    assert len({tuple(size) for size in sizes}) > 1
    for accepted, size in zip(accepted_of(composites, right, truth, weight), sizes, strict=True):
        np.testing.assert_array_equal(accepted[0], np.diag(size))


def test_errors_are_of_every_score_but_calibration(composites, tmp_path):
    result = evaluated(composites, tmp_path, lambda truth: truth)
    keys = ["model", "structure", "measure"]
    scored = result["summary"][result["summary"]["measure"] != "expected_calibration_error"]
    assert set(result["errors"][keys].itertuples(index=False)) == set(scored[keys].itertuples(index=False))
    perfect = result["errors"].set_index("measure").loc["gap_closed_mse"]
    np.testing.assert_allclose(perfect["error"], 0, atol=1e-6)
    assert (perfect["acquisitions"] == 2).all()


def test_acquisitions_of_a_group_do_not_tell_how_others_differ(composites, tmp_path):
    one = evaluated(composites, tmp_path, lambda truth: truth, {"rings_0": "day 1", "rings_1": "day 1"})["errors"]
    assert (one["acquisitions"] == 1).all()
    assert one["error"].isna().all()


def test_chance_is_another_acquisition_of_the_structure_where_there_is_one():
    sources = [{"a": "a1", "b": "b1"}, {"a": "a1", "b": "b2"}, {"a": "a2"}, {"a": "a2", "b": "b2"}]
    assert [elsewhere(sources, place, "a") for place in range(4)] == [3, 3, 1, 1]
    assert [elsewhere(sources, place, "b") for place in range(4)] == [3, 0, 1, 0]
    assert [elsewhere([{"a": "a1"}] * 3, place, "a") for place in range(3)] == [2, 0, 1], (
        "there is none: the one before"
    )
    assert elsewhere([{"a": "a1"}], 0, "a") == 0
