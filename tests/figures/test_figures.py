"""Figures: what is drawn is what was given, and the tests are the textbook's."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import (
    SCALES,
    assignment_of,
    coupling_of,
    distances_of,
    history_of,
    images_of,
    overlap_of,
    shapes_of,
    summary_of,
    sweep_of,
)
from matplotlib.text import Text
from scipy.stats import wilcoxon

from lusco import figures
from lusco.colours import ON_BLACK, ON_WHITE
from lusco.figures.calibration import expected_error
from lusco.figures.distances import compare, holm
from lusco.figures.draw import chosen_examples, ranked_composites, side_by_side
from lusco.figures.examples import balance, given_wrong
from lusco.figures.pixels import GAMMA, binned
from lusco.figures.style import free_corner, shown


def test_medians_of_a_known_table_are_those_of_the_drawn_table():
    _, table = figures.distances(distances_of(["tubes", "pores"]))
    tubes = table[(table["structure"] == "tubes") & (table["distance"] == "mse")].drop_duplicates("series")
    medians = tubes.set_index("series")["median"]
    # values are f * (1..9) / 100, so the median is f * 5 / 100
    assert medians["unet"] == pytest.approx(0.05)
    assert medians["shuffled_pairs"] == pytest.approx(0.20)
    assert medians["floor"] == pytest.approx(0.025)
    assert set(tubes["n"]) == {9}


def test_references_are_drawn_once_however_many_models_repeat_them():
    _, table = figures.distances(distances_of(["tubes"], models=("one", "two")))
    assert (table.groupby(["distance", "series"]).size() == 9).all()


def test_significance_is_scipys_with_holms_correction():
    generator = np.random.default_rng(5)
    points = pd.DataFrame(
        [
            (f"c{k}", "tubes", "mse", series, value)
            for series, shift in {"unet": 0.0, "floor": -0.1, "composite": 0.4, "shuffled_pairs": 2.0}.items()
            for k, value in enumerate(generator.normal(3 + shift, 0.4, 12))
        ],
        columns=["composite", "structure", "distance", "series", "value"],
    )
    tests = compare(points, ["unet"]).set_index("reference")
    wide = points.pivot_table(index="composite", columns="series", values="value")
    p = {name: wilcoxon(wide["unet"], wide[name]).pvalue for name in ("floor", "composite", "shuffled_pairs")}
    ranked = sorted(p, key=p.get)
    corrected, running = {}, 0.0
    for rank, name in enumerate(ranked):
        running = max(running, (3 - rank) * p[name])
        corrected[name] = min(1.0, running)
    for name in p:
        assert tests.loc[name, "p"] == pytest.approx(p[name])
        assert tests.loc[name, "p_holm"] == pytest.approx(corrected[name])
    assert tests.loc["shuffled_pairs", "mark"] == "**"  # 12 pairs that all differ the same way: p = 2 / 2^12, times 3
    assert tests.loc["shuffled_pairs", "better"]


def test_a_model_equal_to_its_reference_is_not_significant():
    points = pd.DataFrame(
        [(f"c{k}", "tubes", "mse", series, float(k)) for series in ("unet", "composite") for k in range(8)],
        columns=["composite", "structure", "distance", "series", "value"],
    )
    assert list(compare(points, ["unet"])["mark"]) == ["n.s."]


def test_holm_of_a_worked_example():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_empty_channels_and_missing_values_are_drawn_without_complaint(recwarn):
    distances, assignment = distances_of(["a", "b"]), assignment_of(["a", "b"])
    distances.loc[distances["structure"] == "a", "value"] = 0.0
    figures.distances(distances)
    distances.loc[distances["structure"] == "a", "value"] = np.nan
    assert set(figures.distances(distances, ["a", "b"])[1]["structure"]) == {"b"}
    figures.crosstalk(assignment.assign(crosstalk=0.0), thresholds={"unet": 0.5})
    figures.loss(history_of().assign(validation_loss=np.nan))
    composite, prediction, truth = images_of(2)
    figures.examples([("c1", composite, prediction, 0 * truth)], ["a", "b"], 20.0, {"a": 1.0, "b": 1.0})
    figures.mixed("cell", composite, 0 * prediction, ["a", "b"], 20.0, truth, 0 * composite)
    assert not recwarn.list


def test_shapes_pair_prediction_with_truth_and_leave_out_what_has_no_size():
    rows = shapes_of(["a"], composites=3)
    rows.loc[(rows["composite"] == "c1") & (rows["source"] == "truth"), "value"] = np.nan
    _, table = figures.shapes(rows)
    assert list(table["composite"].unique()) == ["c0", "c2"]
    np.testing.assert_allclose(table["predicted"] - table["truth"], [5, 5, 5.2, 5.2])


def test_the_numbers_of_a_plot_stand_on_the_side_of_the_diagonal_that_has_fewer_points():
    for error, corner in ((0.1, "lower right"), (-0.1, "upper left")):
        table = pd.DataFrame({"truth": [1.0, 2.0, 3.0], "predicted": [1.0 + error, 2.0 + error, 3.0]})
        assert free_corner(table) == corner


def test_overlap_is_swept_against_what_it_is_in_the_image():
    _, table = figures.sweep(sweep_of(["a"], "overlap"))
    np.testing.assert_allclose(table["place"], 0.2 + 0.1 * table["level"])


def test_coupling_can_be_drawn_of_a_mixture_that_has_no_window_to_measure():
    _, table = figures.coupling(coupling_of().iloc[:0])
    assert len(table) == 0


def test_overlap_pairs_prediction_with_truth_of_the_same_composite():
    _, table = figures.overlap(overlap_of(["a", "b", "c"]))
    assert len(table) == 3 * 4 * 5
    assert table["predicted"].to_numpy() - table["truth"].to_numpy() == pytest.approx(0.05)
    assert table["truth_median"].to_numpy() == pytest.approx(0.2)


def test_overlap_is_drawn_though_one_of_the_models_predicts_nothing():
    rows = overlap_of(["a", "b"], ("one", "two"))
    rows.loc[(rows["model"] == "two") & (rows["source"] == "model"), "value"] = np.nan
    _, table = figures.overlap(rows)
    assert set(table["model"]) == {"one"}


def test_overlap_is_drawn_though_the_only_model_predicts_nothing():
    table = overlap_of(["a", "b"])
    table.loc[table["source"] == "model", "value"] = np.nan
    figure, drawn = figures.overlap(table, ["a", "b"])
    assert drawn.empty and len(figure.axes) >= 2


def test_the_chosen_threshold_is_marked_on_every_curve():
    _, table = figures.crosstalk(assignment_of(["a", "b"], ("one", "two")), thresholds={"one": 0.52, "two": 0.1})
    chosen = table[table["chosen"]]
    assert len(chosen) == 6
    assert chosen.loc[chosen["model"] == "one", "threshold"].to_numpy() == pytest.approx(0.5)
    assert not figures.crosstalk(assignment_of(["a", "b"]))[1]["chosen"].any()


def test_expected_calibration_error_is_weighted_by_localizations():
    bins = pd.DataFrame({"confidence": [0.5, 0.9, 0.7], "accuracy": [0.6, 0.8, np.nan], "localizations": [1, 3, 0]})
    assert expected_error(bins) == pytest.approx((0.1 * 1 + 0.1 * 3) / 4)
    assert np.isnan(expected_error(bins.tail(1)))


def test_models_are_compared_by_the_numbers_of_the_summary():
    summary = summary_of(["a", "b"], ("one", "two"))
    _, drawn = figures.peers(summary)
    assert len(drawn) == 2 * (2 * 2 + 3 * 3)
    assert drawn["value"].min() == pytest.approx(-0.6), "the table keeps what the axis cuts off"


def test_a_sweep_is_labelled_with_its_levels():
    figure, _ = figures.sweep(sweep_of(["tubes"], "scale", SCALES), ["tubes"])
    figure.draw_without_rendering()
    for axes in figure.axes:
        seen = [label.get_text() for label in axes.get_xticklabels(which="both")]
        assert [text for text in seen if text] == ["0.5", "0.75", "1", "1.5", "2"]


@pytest.mark.parametrize("level", [0.9, -0.4])
def test_the_panels_of_a_sweep_can_be_compared(level):
    table = sweep_of(["tubes"], "overlap")
    table.loc[table["measure"] == "gap_closed_dssim", "value"] = level
    table = table[(table["measure"] != "accuracy") | (table["structure"] == "absent")]  # a panel without a curve
    figure, _ = figures.sweep(table, ["tubes"])
    likeness = figure.axes[2].get_ylim()
    assert likeness[0] <= min(0, level) and likeness[1] == 1.02
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_the_panels_of_a_sweep_have_the_same_axis_where_it_is_logarithmic():
    figure, _ = figures.sweep(sweep_of(["tubes"], "density", levels=(0.05, 0.25, 1)), ["tubes"])
    (low, high) = {axes.get_xlim() for axes in figure.axes}.pop()
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert 0.02 < low < 0.05 and 1 < high < 2
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}


@pytest.mark.parametrize(
    ("name", "structures", "said"),
    [
        ("density", ["a", "b"], "(12 composites per point)"),
        ("mixing", ["a", "b"], "(12 composites per point of all, 6 of a structure)"),
        ("mixing", ["a", "b", "c", "d", "e"], "(12 composites per point of all, 2 or 3 of a structure)"),
    ],
)
def test_the_number_of_composites_behind_a_point_is_that_of_its_curve(name, structures, said):
    figure, _ = figures.sweep(sweep_of(structures, name), structures)
    assert figure.get_supxlabel().endswith(said)


def test_of_too_many_models_the_chosen_one_is_drawn():
    few, many = (distances_of(["actin"], [f"m{k}" for k in range(n)]) for n in (4, 5))
    assert side_by_side(few, "m2") is few
    assert set(side_by_side(many, "m2")["model"]) == {"m2"}


def test_models_of_other_scales_are_not_drawn_beside_each_other():
    """Truth and references are on the scale of a model's own training acquisitions."""
    overlap, shapes = overlap_of(["a", "b"], ("m1", "m2")), distances_of(["a"], ("m1", "m2"))
    assert side_by_side(overlap, "m2") is overlap and side_by_side(shapes, "m2") is shapes
    for table, kind in ((overlap, "source"), (shapes, "comparison")):
        other = table["value"].where((table["model"] == "m2") | (table[kind] == "model"), 1.5 * table["value"])
        assert set(side_by_side(table.assign(value=other), "m2")["model"]) == {"m2"}
    answers = shapes[shapes["comparison"] == "model"]
    other = answers["value"].where(answers["model"] == "m2", 1.5 * answers["value"])
    assert len(side_by_side(answers.assign(value=other), "m2")) == len(answers), "models may differ"


def test_what_has_no_value_is_not_drawn_as_one():
    columns = ["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"]
    nothing = [("unet", None, 0.97, name, 1.0, np.nan, 0.0, 10) for name in ("tubes", "all")]
    figure, _ = figures.crosstalk(pd.DataFrame(nothing, columns=columns), ["tubes"], {"unet": 0.97}, 0.01)
    said = [text.get_text() for text in figure.findobj(Text)]
    assert any("nothing accepted, 100 % rejected" in text for text in said)
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    absent = [
        ("unet", f"c{k}", "tubes", "tubes", "count_per_um2", source, 0.0)
        for k in range(3)
        for source in ("truth", "model")
    ]
    figure, _ = figures.shapes(pd.DataFrame(absent, columns=columns), ["tubes"])
    said += [text.get_text() for text in figure.findobj(Text)]
    assert "median error: \N{EN DASH}" in said and not any("nan" in text for text in said)


def test_a_sweep_of_one_level_has_its_points():
    figure, _ = figures.sweep(sweep_of(["tubes"], "density", (0.5,)), ["tubes"])
    assert all(len(axes.lines) for axes in figure.axes) and not any(axes.texts for axes in figure.axes)


def test_the_best_step_is_the_lowest_validation_loss():
    _, table = figures.loss(history_of(("one", "two")))
    assert list(table.loc[table["best"], "step"]) == [300, 300]


def test_balance_of_counts_by_hand():
    truth = np.array([[[2.0, 0.0]], [[1.0, 4.0]]])
    prediction = np.array([[[3.0, 1.0]], [[0.0, 3.0]]])
    table = balance(prediction, truth, ["a", "b"]).set_index("structure")
    assert list(table.loc["a"]) == [2, 4, 2, 2, 0]
    assert list(table.loc["b"]) == [5, 3, 3, 0, 2]
    assert given_wrong(prediction, truth) == 2 / 7
    assert given_wrong(truth, truth) == given_wrong(0 * truth, 0 * truth) == 0


def test_examples_are_the_best_the_median_and_the_worst_by_the_number_below_them():
    truth = np.full((2, 1, 4), 4.0)
    parts = {"c0": 2.0, "c1": 0.0, "c2": 3.0, "c3": 1.0, "c4": 4.0}  # of one channel's 4, given to the other
    channels = [truth + wrong * np.array([1, -1])[:, None, None] for wrong in parts.values()]
    composites = SimpleNamespace(names=tuple(parts), counts=lambda index: truth)
    ranked = ranked_composites(composites, channels)
    assert ranked == ["c1", "c3", "c0", "c2", "c4"]
    chosen = chosen_examples(composites, channels, ranked)
    assert [label for label, *_ in chosen] == ["best: c1", "median: c0", "worst: c4"]
    assert [given_wrong(prediction, truth) for *_, prediction, truth in chosen] == [0, 0.25, 0.5]


def test_sparse_examples_are_lifted_together_out_of_the_dark():
    truth = np.zeros((2, 9, 9))
    truth[0, 4, 4], truth[1, 2, 2] = 1.0, 0.5
    for density in (1.0, 0.1):  # as dense as the scale, and a tenth of it
        figure, _ = figures.channels("c", density * truth, density * truth, ["a", "b"], 1e6, {"a": 1.0, "b": 1.0})
        a, b = (axes.images[0].get_array().max() for axes in figure.axes[:2])
        assert a == pytest.approx(1.0) and b == pytest.approx(0.5**GAMMA)


def test_binning_for_display_loses_no_count():
    counts = np.random.default_rng(2).poisson(1.0, (2, 1501, 900))
    small, pixel_nm = binned(counts, 10.0)
    assert small.shape == (2, 501, 300)
    assert pixel_nm == 30.0
    assert small.sum() == counts.sum()


def test_colours_are_one_per_structure():
    assert len(set(ON_BLACK)) == len(set(ON_WHITE)) == 8
    assert shown("nuclear_pores") == "nuclear pores"
