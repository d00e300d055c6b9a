"""What a report says of mixtures, of how the model was tested and of how it was trained."""

from dataclasses import replace

import pandas as pd
from reported import content, text_of

from lusco.recolor.mixture import Mixture
from lusco.report import report
from lusco.report.failures import warnings


def test_a_mixture_unlike_the_test_composites_is_pointed_out():
    usual = Mixture("cell", {}, 0.2, None, 0.94)
    assert list(warnings(content(), usual)) == []
    sure = [("unet", name, 14, 0.94, 0.94, 10) for name in ("tubes", "all")]
    columns = ["model", "structure", "bin", "confidence", "accuracy", "localizations"]
    tested = content(calibration=pd.DataFrame([*sure, ("other", "all", 3, 0.2, 0.2, 99)], columns=columns))
    assert list(warnings(tested, usual)) == []
    (less,) = warnings(tested, replace(usual, confidence=0.7))
    assert "less sure here (70 %) than on the test composites (94 %)" in less
    assert len(list(warnings(content(), replace(usual, rejected=0.5)))) == 1
    assert len(list(warnings(content(), replace(usual, accuracy=0.6)))) == 1
    assert list(warnings(content(), replace(usual, wrong=0.012))) == []
    (wrong,) = warnings(content(), replace(usual, wrong=0.02))
    assert "keep a colour here, 2 % have a wrong one; the threshold was set for 1 %" in wrong
    nothing_left = list(warnings(content(), replace(usual, rejected=0.95)))
    assert nothing_left[1].endswith("keeps more; the channels of the image leave nothing out.")
    predicted = list(warnings(content(divides=False), replace(usual, rejected=0.95)))
    assert predicted[1].endswith("in the configuration keeps more.")
    assert len(nothing_left) == 2 and "Nearly all of it (95 %) is too uncertain for the 1 % of" in nothing_left[1]
    assert "Signs of trouble in the mixture: cell" in report(content(mixed=[replace(usual, rejected=0.5)]))


def test_a_report_of_mixtures_alone_says_that_nothing_was_scored_and_how_to_have_it_scored():
    mixture = Mixture("cell", {"tubes": 0.75}, 0.25, None, 0.92, unfamiliar=0.4, differs_by="worse precision")
    whole = content(mixed=[mixture])
    alone = replace(whole, summary=whole.summary.head(0), assignment=whole.assignment.head(0))
    text = text_of(report(replace(alone, config={"pretrained": "models/theirs"})))
    assert "Model models/theirs, pixels of 20 nm" in text
    assert "There is no measured basis for a verdict. No acquisitions of single structures were given" in text
    assert "that was 30 % of them, and 0.7 % of the others carried a wrong colour" in text
    assert (
        "the model knows, most of all by worse precision. Possible causes: another density, precision or pixel size"
        in text
    )
    for said_of_tests in ("test composites", "All numbers", "What counts as good", "Accuracy"):
        assert said_of_tests not in text, said_of_tests
        assert said_of_tests in text_of(report(replace(whole, summary=whole.summary.replace(0.95, float("nan")))))


def test_unfamiliar_regions_are_warned_of_beyond_the_false_alarms_of_known_data():
    regions = pd.DataFrame({"model": "unet", "unfamiliar": [False] * 99 + [True]})
    known = content(regions=regions)
    strange = Mixture("cell", {"tubes": 0.75}, 0.25, 0.9, 0.92, unfamiliar=0.4, differs_by="worse precision")
    (said,) = (sentence for sentence in warnings(known, strange) if "regions are unlike" in sentence)
    assert (
        said.startswith("40 % of its regions") and "), most of all by worse precision. Possible causes: another" in said
    )
    assert not any("regions are unlike" in sentence for sentence in warnings(known, replace(strange, unfamiliar=0.02)))


def test_mixtures_are_listed_beside_the_test_composites():
    one = Mixture("one", {"tubes": 0.7}, 0.3, None, 0.9, guesses={"nuclear_pores": 0.25, "tubes": 0.75})
    assert "tubes, if none is rejected" not in text_of(report(content(mixed=[one])))
    truth = {"nuclear_pores": 0.2, "tubes": 0.3, "actin": 0.5}
    two = replace(one, name="two", accuracy=0.4, wrong=0.375, truth=truth)
    text = text_of(report(content(mixed=[one, two])))
    assert (
        "one 25 % 75 % 30 % 90 % \N{EN DASH} \N{EN DASH} \N{EN DASH} two 25 % 75 % 30 % 90 % \N{EN DASH} 40 % 38 %"
        in text
    )
    assert "nuclear pores, if none is rejected tubes, if none is rejected rejected mean confidence" in text
    assert "test composites \N{EN DASH} \N{EN DASH} 20 % \N{EN DASH} \N{EN DASH} 95 % 0.9 %" in text
    assert "40 % of its localizations are given to the right structure" in text
    assert "of those that keep a colour, 38 % have a wrong one." in text
    assert (
        "50 % of its localizations belong to structures that the model does not know (actin) and cannot be right"
        in text
    )
    assert "none rejected: 25 % nuclear pores, 75 % tubes; in truth 20 % nuclear pores, 30 % tubes, 50 % actin." in text
    assert "Signs of trouble in the mixture: two" in text
    assert "belong to no structure" not in text
    unbound = text_of(report(content(mixed=[one, replace(two, unspecific=0.25)])))
    assert "Of all its localizations, 25 % belong to no structure" in unbound


def test_tests_on_simulated_acquisitions_alone_are_said_to_be_such():
    splits = content().splits.assign(split="test")
    simulated = splits.assign(file=None)
    assert "how it does on measured ones was not measured" in text_of(report(content(splits=simulated)))
    assert "tubes_1 tubes test \N{EN DASH} 12,345 10.2 x 10.2 119 simulated" in text_of(
        report(content(splits=simulated))
    )
    half = pd.concat([simulated.head(1), splits.tail(1)])
    for measured in (splits, half, simulated.assign(split="train")):
        assert "how it does on measured ones" not in text_of(report(content(splits=measured)))


def test_how_the_model_was_trained_is_told():
    training = {"steps": 16000, "acquisitions": {"tubes": ["a", "b"], "nuclear_pores": ["c", "d", "e"]}}
    text = text_of(report(content(training=training | {"settings": {"start_from": "models/first"}})))
    assert "trained for 16,000 steps from the weights of models/first, on 2 to 3 acquisitions of each structure" in text
    assert "was trained for" not in text_of(report(content()))


def test_acquisitions_that_no_composite_holds_are_not_counted_as_tested_on():
    splits = content().splits
    listed = pd.concat([splits.assign(split="test", acquisition=f"a{k}") for k in range(5)])
    rows = [("unet", f"test_{k}", "tubes", "dssim", of, 0.1) for k in range(2) for of in ("model", "shuffled_pairs")]
    columns = ["model", "composite", "structure", "distance", "comparison", "value"]
    two = content(splits=listed, distances=pd.DataFrame(rows, columns=columns))
    assert "Measured on 2 composites" in text_of(report(two)) and "2 of nuclear pores, 2 of tubes" in text_of(
        report(two)
    )
    assert "5 of nuclear pores, 5 of tubes" in text_of(report(content(splits=listed)))


def test_a_mixture_too_sparse_to_be_judged_is_warned_of():
    mixture = Mixture("cell", {}, 0.2, None, 0.94)
    assert list(warnings(content(), replace(mixture, judged=0.6))) == []
    (said,) = warnings(content(), replace(mixture, judged=0.4))
    assert said.startswith("Too sparse to be compared with what the model knows: 40 % of its localizations lie in")
