"""What is chosen on validation composites: temperature, sharpness, rejection, each from its definition."""

import time

import numpy as np
import pandas as pd
import pytest
from lines_and_dots import STRUCTURES

from lusco import calibrate
from lusco.answer import Answer, Temperature, soften
from lusco.calibrate import (
    SHARPNESS,
    _accuracy,
    _answered,
    _as_imaged_at_once,
    _mean,
    choose_sharpness,
    chosen_on_validation,
    fit_temperature,
    known_regions,
    rejection_curve,
)
from lusco.evaluate.assignment import accepted_counts
from lusco.render import NO_TRACE, Points
from lusco.superpose.composites import open_composites, write_composites


@pytest.mark.parametrize("at_once", [1, 3])
def test_answers_come_in_the_order_of_the_composites_however_long_each_takes(at_once):
    tables = [pd.DataFrame({"x_nm": [float(index)]}) for index in range(5)]

    def apply(table):
        time.sleep(0.02 * (4 - table["x_nm"].iloc[0]))
        return Answer(table["x_nm"].to_numpy()[:, None])

    composites = [(frozenset({str(index)}), table) for index, table in enumerate(tables)]
    got = [
        (*names, table["x_nm"].iloc[0], *answer.log_probabilities[0])
        for names, table, answer in _answered(apply, composites, at_once)
    ]
    assert got == [(str(index), float(index), float(index)) for index in range(5)]


def drawn_from(probabilities, rng, localizations):
    """Counts in which each pixel's localizations are drawn from its probabilities."""
    moved = np.moveaxis(probabilities, 1, -1)
    return np.moveaxis(rng.multinomial(localizations, moved / moved.sum(-1, keepdims=True)), -1, 1).astype(np.float32)


def of_uncertainty(uncertainty_nm):
    """As many localizations, all at one place."""
    place = np.zeros(len(uncertainty_nm))
    return Points(place, place, None, (0.0, 0.0), 20.0, (1, 1), uncertainty_nm=uncertainty_nm)


def test_the_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    true = soften(rng.normal(0, 2, (8192, 3)), 1.0)
    fitted = fit_temperature(2.5 * np.log(true), drawn_from(true, rng, 5), of_uncertainty(np.full(8192, np.nan)))
    assert (fitted.typical, fitted.exponent) == (pytest.approx(2.5, rel=0.05), 0)


@pytest.mark.parametrize("power", [0.0, 0.3])
def test_the_temperature_rises_with_the_uncertainty_as_much_as_confidence_fails(power):
    rng = np.random.default_rng(0)
    true = soften(rng.normal(0, 2, (20000, 3)), 1.0)
    uncertainty_nm = 8 * np.exp(rng.uniform(-1, 1, 20000))
    stated = 1.2 * (uncertainty_nm / 8)[:, None] ** power * np.log(true)
    fitted = fit_temperature(stated, drawn_from(true, rng, 5), of_uncertainty(uncertainty_nm))
    assert fitted.typical == pytest.approx(1.2, rel=0.03)
    assert fitted.exponent == pytest.approx(power, abs=0.03)
    assert fitted.uncertainty_nm == pytest.approx(8, rel=0.02)


def test_what_single_acquisitions_differ_in_precision_by_is_no_reason_to_be_less_sure():
    """One structure was imaged at 6 nm and is always found, one at 12 nm and is found half of the time."""
    rng = np.random.default_rng(0)
    structure = np.repeat([0, 1], 5000)
    table = pd.DataFrame(
        {
            "structure": structure,
            "composite": np.tile([0, 1], 5000),
            "uncertainty_nm": np.where(structure == 0, 6, 12) * np.exp(rng.normal(0, 0.3, 10000)),
        }
    )
    right = np.where(structure == 0, 1.0, rng.random(10000) < 0.5)
    stated = np.log(np.where((right > 0.5)[:, None] == np.eye(2)[structure].astype(bool), 0.9, 0.1))

    def exponent(table):
        return fit_temperature(
            stated, np.eye(2)[structure], of_uncertainty(table["uncertainty_nm"].to_numpy())
        ).exponent

    assert exponent(table) > 0.5
    assert exponent(_as_imaged_at_once(table)) < 0.05


def test_structures_of_each_composite_are_brought_to_the_same_uncertainty():
    """One localization of either structure in each of two composites."""
    table = pd.DataFrame(
        {"composite": [0, 0, 1, 1], "structure": [0, 1, 0, 1], "uncertainty_nm": [4.0, 9.0, 16.0, 25.0]}
    )
    np.testing.assert_allclose(_as_imaged_at_once(table)["uncertainty_nm"], (4 * 9 * 16 * 25) ** 0.25)


@pytest.fixture
def validation(tmp_path):
    """Makes composites of two structures, imaged at 6 and 12 nm, and an `apply` that is right as often as it says, but
    states everything 2.5 times too surely; some localizations may be unspecific, of which it is surely wrong.
    """

    def make(unspecific=0, composites=4, each=3000):
        rng = np.random.default_rng(0)
        tables, answers = [], {}
        for index in range(composites):
            true = soften(rng.normal(0, 2, (each + unspecific, 2)), 1.0)
            structure = (rng.random(len(true)) > true[:, 0]).astype(int)
            stated = 2.5 * np.log(true)
            stated[each:] = np.where(np.eye(2)[structure[each:]], -20.0, 0.0)
            x_nm, y_nm = rng.uniform(0, 1280, (2, len(true)))
            rows = {"x_nm": x_nm, "y_nm": y_nm, "frame": 1, "photons": 1.0, "trace": NO_TRACE, "weight": 1.0}
            rows |= {"uncertainty_nm": np.where(structure == 0, 6.0, 12.0) * np.exp(rng.normal(0, 0.3, len(true)))}
            rows |= {"structure": structure, "unspecific": np.arange(len(true)) >= each, "row": np.arange(len(true))}
            tables.append((f"c{index}", {"rings": f"r{index}", "lines": f"l{index}"}, pd.DataFrame(rows)))
            answers[x_nm[0]] = Answer(stated)
        write_composites(tmp_path / "v.arrow", STRUCTURES, 20.0, 64, tables)
        return open_composites(tmp_path / "v.arrow"), lambda table: answers[table["x_nm"].iloc[0]]

    return make


@pytest.mark.parametrize("unspecific", [0, 1000])
def test_what_is_chosen_on_validation_fits_its_localizations(validation, unspecific):
    composites, apply = validation(unspecific)
    found = chosen_on_validation(apply, composites, (2.0, 2.0), 12.0)
    assert found["temperature"]["typical"] == pytest.approx(2.5, rel=0.05)
    assert found["temperature"]["exponent"] < 0.05, "that structures were imaged apart is no reason to be less sure"
    tables = [composites.table(index) for index in range(len(composites))]
    logs = np.concatenate([apply(table).log_probabilities for table in tables])
    table = pd.concat(tables, ignore_index=True)
    bound = np.eye(2)[table["structure"]] * ~table["unspecific"].to_numpy()[:, None]
    chances = soften(logs, Temperature(**found["temperature"]).of(composites.points(table)))
    assert found["rejection"] == rejection_curve(chances, bound, STRUCTURES)
    at_90 = next(entry for entry in found["rejection"] if entry["threshold"] == 0.9)
    assert at_90["rejected"] == pytest.approx((chances[: len(bound)][bound.any(1)].max(1) < 0.9).mean(), abs=1e-9)


def test_how_much_better_a_model_does_on_what_it_knows_is_of_composites_as_they_are(validation, monkeypatch):
    """A model that is right about whole composites, and wrong about what was thinned or left out of them."""
    composites, _ = validation(each=300)
    whole = len(composites.table(0))

    def apply(table):
        right = np.eye(2)[table["structure"]].astype(bool)
        return Answer(np.where(right == (len(table) == whole), 0.0, -9.0))

    monkeypatch.setattr(calibrate, "learn_from", lambda training, validation, *_: [list(training), list(validation)])
    training = [(frozenset(names.values()), composites.table(index)) for index, names in enumerate(composites.sources)]
    _, accuracies = known_regions(apply, Temperature(1.0), training, composites, 1)
    assert {split: (of["composites"], of["accuracy"]) for split, of in accuracies.items()} == {
        "train": (4, 1.0),
        "validation": (4, 1.0),
    }


def test_sharpness_is_of_medians_of_both_distances_in_units_of_each_scale(monkeypatch):
    """Distances by power, composite and structure are made up so that each other rule would choose another power."""
    seen = set()
    monkeypatch.setattr(calibrate, "prepare", lambda image, scale, *_: (seen.add(scale), image)[1])
    made_up = {
        "mse": {1.0: (1, 1, 1), 1.25: (2, 2, 20), 1.5: (3, 3, 3)},
        "dssim": {1.0: (9, 9, 9), 1.25: (2, 2, 2), 1.5: (3, 3, 3)},
    }  # median: 1 x 9, 2 x 2, 3 x 3; mean: 1 x 9, 8 x 2, 3 x 3; mse alone: 1, 2, 3

    def distance(name, image, _):
        power, composite = image[0, 0], int(image[0, 1])
        return made_up[name].get(float(power), (50, 50, 50))[composite]

    monkeypatch.setattr(calibrate, "distance", distance)

    def channels_of(power):
        return np.array([[[[power, composite]]] * 2 for composite in range(3)])

    assert choose_sharpness(channels_of, np.zeros((3, 2, 1, 2)), (3.0, 7.0), 12.0, 20.0) == 1.25
    assert seen == {3.0, 7.0}


def test_the_less_precise_are_never_surer():
    rng = np.random.default_rng(0)
    true = soften(rng.normal(0, 2, (5000, 3)), 1.0)
    uncertainty_nm = 8 * np.exp(rng.uniform(-1, 1, 5000))
    stated = (uncertainty_nm / 8)[:, None] ** -0.3 * np.log(true)
    assert fit_temperature(stated, drawn_from(true, rng, 5), of_uncertainty(uncertainty_nm)).exponent == 0


def test_sharper_shares_are_chosen_where_they_are_closer_to_the_truth():
    """Localizations all of the likelier structure want the sharpest shares; drawn ones none sharper."""
    rng = np.random.default_rng(0)
    logs = np.log(soften(rng.normal(0, 1, (2, 2, 64, 64)), 1.0))
    composite = rng.poisson(3, (2, 1, 64, 64))

    def shared(power):
        return soften(logs, 1 / power) * composite

    certain = np.where(logs == logs.max(1, keepdims=True), composite, 0).astype(np.float32)
    assert choose_sharpness(shared, certain, (3.0, 3.0), 12.0, 20.0) == SHARPNESS[-1]
    first = rng.binomial(composite[:, 0], np.exp(logs[:, 0]))
    drawn = np.stack([first, composite[:, 0] - first], 1).astype(np.float32)
    assert choose_sharpness(shared, drawn, (3.0, 3.0), 12.0, 20.0) == 1


def test_in_the_accuracy_of_composites_structures_count_alike_and_what_belongs_to_none_does_not():
    """Weights 1 and 3 of the one, 2 of the other; the first is right, the last unspecific: the mean of 1/4 and 0."""
    table = pd.DataFrame(
        {"weight": [1.0, 3.0, 2.0, 4.0], "structure": [0, 0, 1, 1], "unspecific": [False, False, False, True]}
    )
    answer = Answer(np.log([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.3, 0.7]]))
    assert _accuracy(table, answer) == pytest.approx(1 / 8)
    assert np.isnan(_accuracy(table.assign(unspecific=True), answer))


def test_the_error_of_a_mean_is_what_acquisitions_differ_by():
    """Of one structure a mean of two values; composites of the same acquisition, many as they may be, count as one."""
    a, b = frozenset({"a"}), frozenset({"b"})
    expected = {"composites": 2, "accuracy": 0.8, "error": 0.1}
    assert _mean([(a, 0.7), (b, 0.9), (a, np.nan)], 1) == pytest.approx(expected)
    assert _mean([(a, 0.7), (b, 0.9)] * 50, 1) == pytest.approx(expected | {"composites": 100})
    assert _mean([(a, 0.7), (a, 0.9)], 1) == pytest.approx({"composites": 2, "accuracy": 0.8})
    assert _mean([(a, 0.7), (b, np.nan)], 1) == _mean([], 1) == {}


def test_the_error_of_a_mean_adds_what_acquisitions_of_each_structure_do():
    rng = np.random.default_rng(0)

    def mean():
        first, second = rng.normal(0, 0.03, 8), rng.normal(0, 0.04, 8)
        meetings = [(i, (i + turn) % 8) for turn in range(4) for i in range(8)]
        return _mean([(frozenset({f"a{i}", f"b{j}"}), 0.8 + first[i] + second[j]) for i, j in meetings], 2)

    means = [mean() for _ in range(200)]
    assert np.mean([each["error"] for each in means]) == pytest.approx(0.05 / np.sqrt(8), rel=0.1)
    assert np.std([each["accuracy"] for each in means]) == pytest.approx(0.05 / np.sqrt(8), rel=0.15)


def test_the_error_of_a_mean_counts_what_composites_differ_by_once():
    rng = np.random.default_rng(0)
    of = [frozenset({f"a{k}", f"b{k}", f"c{k}"}) for k in range(24)]
    errors = [_mean(list(zip(of, rng.normal(0.8, 0.05, 24), strict=True)), 3)["error"] for _ in range(200)]
    assert np.mean(errors) == pytest.approx(0.05 / np.sqrt(24), rel=0.05)


def test_the_rejection_curve_is_that_of_the_localizations():
    rng = np.random.default_rng(0)
    probabilities = soften(rng.normal(0, 1, (2, 2, 16, 16)), 1.0)
    counts = drawn_from(probabilities, rng, 3)
    curve = rejection_curve(probabilities, counts, STRUCTURES)
    flat = np.repeat(np.moveaxis(probabilities, 1, -1).reshape(-1, 2), 3, axis=0)
    truth = np.concatenate(
        [np.repeat([0, 1], pixel.astype(int)) for pixel in np.moveaxis(counts, 1, -1).reshape(-1, 2)]
    )
    accepted = accepted_counts(flat, truth, np.ones(len(flat)))
    wrong = 1 - np.trace(accepted[0]) / len(flat)
    assert curve[0] == pytest.approx({"threshold": 0.0, "rejected": 0.0, "crosstalk": wrong})
    assert [entry["rejected"] for entry in curve] == sorted(entry["rejected"] for entry in curve)
