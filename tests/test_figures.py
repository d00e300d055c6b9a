"""Figures: what is drawn is what was given, the tests are the textbook's, and no label covers another."""

import itertools
import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.stats import wilcoxon

from lusco import figures
from lusco.figures.calibration import expected_error
from lusco.figures.distances import compare, holm
from lusco.figures.draw import side_by_side
from lusco.figures.examples import balance
from lusco.figures.pixels import binned
from lusco.figures.style import ON_BLACK, ON_WHITE, settle, shown

LONG = [
    "microtubules",
    "nuclear_pores",
    "outer_mitochondrial_membrane",
    "clathrin_coated_pits",
    "actin_stress_fibres",
    "peroxisomes",
    "endoplasmic_reticulum",
    "lysosomal_membrane_proteins",
]
SCORES = ("accuracy", "crosstalk_at_30pct_rejected", "expected_calibration_error", "rejected_at_1pct_crosstalk")
COMPARISONS = {"model": 1.0, "floor": 0.5, "composite": 2.0, "shuffled_pixels": 5.0, "shuffled_pairs": 4.0}


def distances_of(structures, models=("unet",), composites=9):
    """Composite k of a comparison with factor f has the distance f (k + 1) / 100 (mse) or f (k + 1) / 50 (dssim)."""
    rows = [
        (model, f"c{k}", structure, distance, comparison, factor * (k + 1) / divisor)
        for model, structure, (distance, divisor) in itertools.product(
            models, structures, [("mse", 100), ("dssim", 50)]
        )
        for comparison, factor in COMPARISONS.items()
        for k in range(composites)
    ]
    return pd.DataFrame(rows, columns=["model", "composite", "structure", "distance", "comparison", "value"])


def overlap_of(structures, models=("unet",), composites=5):
    rows = [
        (model, f"c{k}", a, b, measure, source, 0.1 * k + (0.05 if source == "model" else 0))
        for model, (a, b), k in itertools.product(models, combinations(structures, 2), range(composites))
        for measure in ("manders_a", "manders_b", "iou", "pearson")
        for source in ("truth", "model")
    ]
    columns = ["model", "composite", "structure_a", "structure_b", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def shapes_of(structures, models=("unet",), composites=5):
    rows = [
        (model, f"c{k}", structure, "rings", measure, source, 50.0 + k + (5 + k / 10) * (source == "model"))
        for model, structure, k in itertools.product(models, structures, range(composites))
        for measure in ("count_per_um2", "radius_nm")
        for source in ("truth", "model")
    ]
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def sweep_of(structures, name="density"):
    rows = [
        (name, level, 12, structure, measure, value * level)
        for structure in (*structures, "all")
        for level in (0.1, 0.5, 1.0)
        for measure, value in (("accuracy", 0.9), ("gap_closed_dssim", 0.8), ("crosstalk", 0.02), ("rejected", 0.5))
    ]
    rows += [(name, level, 12, "all", "shared", 0.2 + 0.1 * level) for level in (0.1, 0.5, 1.0)]
    return pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])


def coupling_of():
    rows = [
        ("unet", f"mix_{k}", f"0_{w}", "a", "b", measure, source, 0.1 * k + 0.05 * w + 0.1 * (source == "model"))
        for k in range(2)
        for w in range(4)
        for measure in ("manders_a", "manders_b", "iou", "pearson", "pair_correlation")
        for source in ("truth", "model")
    ]
    columns = ["model", "acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def assignment_of(structures, models=("unet",)):
    rows = [
        (model, "", threshold, structure, threshold * 0.6, 0.1 * np.exp(-5 * threshold), 1 - threshold, 1000)
        for model, structure, threshold in itertools.product(models, [*structures, "all"], np.linspace(0, 0.9, 10))
    ]
    columns = ["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"]
    return pd.DataFrame(rows, columns=columns)


def calibration_of(structures, models=("unet",)):
    rows = [
        (model, structure, index, 0.35 + 0.1 * index, 0.33 + 0.1 * index, 100 * (index + 1))
        for model, structure, index in itertools.product(models, [*structures, "all"], range(6))
    ]
    return pd.DataFrame(rows, columns=["model", "structure", "bin", "confidence", "accuracy", "localizations"])


def history_of(models=("unet",)):
    rows = [
        (model, step, 1 / step, (step - 300) ** 2 / 1e5 + 0.1 if step % 100 == 0 else np.nan, 1e-3)
        for model in models
        for step in range(10, 501, 10)
    ]
    columns = ["model", "step", "train_loss", "validation_loss", "learning_rate"]
    return pd.DataFrame(rows, columns=columns)


def images_of(number, size=48):
    truth = np.random.default_rng(1).poisson(0.3, (number, size, size)).astype(np.float32)
    composite = truth.sum(axis=0)
    return composite, np.broadcast_to(composite / number, truth.shape), truth


def summary_of(structures, models=("unet",)):
    """Gap closed has no row of all structures; it falls with each model, to far below chance."""
    rows = [
        (model, structure, measure, 0.9 - 1.5 * index if measure.startswith("gap") else 0.1 * index)
        for index, model in enumerate(models)
        for structure in [*structures, "all"]
        for measure in ("gap_closed_mse", "gap_closed_dssim", *SCORES)
        if structure != "all" or measure in SCORES
    ]
    return pd.DataFrame(rows, columns=["model", "structure", "measure", "value"])


def draw_all(structures, models=("unet",)):
    composite, prediction, truth = images_of(len(structures))
    scales = dict.fromkeys(structures, 2.0)
    yield "schematic", figures.schematic(list(truth), composite, prediction, None, None, structures, 20.0)
    yield "examples", figures.examples([("worst: c7", composite, prediction, truth)], structures, 20.0, scales)
    yield "channels", figures.channels("c7", prediction, truth, structures, 20.0, scales)
    yield "distances", figures.distances(distances_of(structures, models), structures)
    yield "overlap", figures.overlap(overlap_of(structures, models), structures)
    yield "shapes", figures.shapes(shapes_of(structures, models), structures)
    yield "coupling", figures.coupling(coupling_of())
    yield "sweep", figures.sweep(sweep_of(structures), structures)
    yield "crosstalk", figures.crosstalk(assignment_of(structures, models), structures, dict.fromkeys(models, 0.5))
    yield "calibration", figures.calibration(calibration_of(structures, models), structures)
    yield "peers", figures.peers(summary_of(structures, models), structures)
    yield "loss", figures.loss(history_of(models))
    unfamiliar = pd.DataFrame({"x_nm": [0.0], "y_nm": [0.0], "side_nm": [640.0]})
    yield "mixed", figures.mixed("cell_1", composite, prediction, structures, 20.0, None, composite, unfamiliar)


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


def test_of_too_many_models_the_chosen_one_is_drawn():
    few, many = (distances_of(["actin"], [f"m{k}" for k in range(n)]) for n in (4, 5))
    assert side_by_side(few, "m2") is few
    assert set(side_by_side(many, "m2")["model"]) == {"m2"}


def test_the_best_step_is_the_lowest_validation_loss():
    _, table = figures.loss(history_of(("one", "two")))
    assert list(table.loc[table["best"], "step"]) == [300, 300]


def test_balance_of_counts_by_hand():
    truth = np.array([[[2.0, 0.0]], [[1.0, 4.0]]])
    prediction = np.array([[[3.0, 1.0]], [[0.0, 3.0]]])
    table = balance(prediction, truth, ["a", "b"]).set_index("structure")
    assert list(table.loc["a"]) == [2, 4, 2, 2, 0]
    assert list(table.loc["b"]) == [5, 3, 3, 0, 2]


def test_binning_for_display_loses_no_count():
    counts = np.random.default_rng(2).poisson(1.0, (2, 1501, 900))
    small, pixel_nm = binned(counts, 10.0)
    assert small.shape == (2, 501, 300)
    assert pixel_nm == 30.0
    assert small.sum() == counts.sum()


def test_colours_are_one_per_structure():
    assert len(set(ON_BLACK)) == len(set(ON_WHITE)) == 8
    assert shown("nuclear_pores") == "nuclear pores"


@pytest.mark.parametrize(("structures", "models"), [(LONG, ("unet",)), (LONG[:2], ("unet", "regression_head"))])
def test_no_label_covers_another(structures, models):
    for name, (figure, table) in draw_all(structures, models):
        assert len(table)
        texts, boxes = labels(figure)
        (x0, y0, x1, y1), allowed = boxes.T, 2  # pixels
        wide = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0) > allowed
        high = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0) > allowed
        covering = [(texts[i], texts[j]) for i, j in np.argwhere(np.triu(wide & high, 1))]
        assert covering == [], name
        inside = (x0 > -allowed) & (y0 > -allowed) & (x1 < figure.bbox.x1 + allowed) & (y1 < figure.bbox.y1 + allowed)
        assert [text for text, fits in zip(texts, inside, strict=True) if not fits] == [], name


def labels(figure):
    """Texts of a figure that are seen, and their boxes: shape (texts, 4), x0, y0, x1, y1 in pixels."""
    settle(figure)
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    hidden = set(unseen_ticks(figure))
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_text().strip() and text.get_visible()]
    texts = [text for text in texts if text not in hidden and (text.axes is None or text.axes.get_visible())]
    return [text.get_text() for text in texts], np.array([text.get_window_extent(renderer).extents for text in texts])


def unseen_ticks(figure):
    """Labels of ticks beyond the limits of their axis or on hidden axes, which matplotlib keeps but does not draw."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (axes.get_visible() and low <= tick.get_loc() <= high):
                    yield from (tick.label1, tick.label2)


def test_the_same_data_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        figures.save(*figures.distances(distances_of(["tubes"])), tmp_path / folder, "distances")
        composite, prediction, truth = images_of(2)
        example = [("c1", composite, prediction, truth)]
        drawing = figures.examples(example, ["tubes", "pores"], 20.0, {"tubes": 1.0, "pores": 1.0})
        figures.save(*drawing, tmp_path / folder, "examples")
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == [f"{name}.{kind}" for name in ("distances", "examples") for kind in ("csv", "png", "svg")]
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_names_are_text_and_never_markup(tmp_path):
    figures.save(*figures.loss(history_of(("<script>$x_1$", "b"))), tmp_path, "loss")
    assert "<script>" not in (tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_settings_of_the_user_change_nothing(tmp_path):
    figures.save(*figures.loss(history_of()), tmp_path, "plain")
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "savefig.dpi": 20}):
        figures.save(*figures.loss(history_of()), tmp_path, "own")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "own.png").read_bytes()


def test_figures_and_report_do_not_load_torch():
    code = "import sys, lusco.figures, lusco.report; sys.exit(bool({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
