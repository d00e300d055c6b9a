"""The report says what the numbers say: its verdict, its warnings, and a sentence for each measurement."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from reported import GOOD_VALUES, STRUCTURES, content, text_of

from lusco.report import report
from lusco.report.failures import confusions, gaps, overlap_errors, worst_composites
from lusco.report.verdict import CRITERIA, FAIR, GOOD, POOR, UNKNOWN, findings, more_acquisitions, per_hundred, verdict


def with_value(measure, value):
    return content(values=GOOD_VALUES | {measure: value})


def test_good_numbers_give_a_good_verdict_with_the_numbers_in_words():
    html = report(content())
    text = text_of(html)
    assert 'class="verdict good"' in html
    assert "Of 100 localizations in the test composites, 95 are given to the structure they come from" in text
    assert "at the chosen threshold (0.80), 0.9 belong to another structure. The threshold was set for 1." in text
    assert "20 of 100 localizations are too uncertain" in text
    assert "Seed 7" in text


@pytest.mark.parametrize(
    ("measure", "value", "grade"),
    [
        ("accuracy", 0.80, FAIR),
        ("accuracy", 0.50, POOR),
        ("gap_closed_mse", 0.6, FAIR),
        ("gap_closed_dssim", -0.1, POOR),
        ("expected_calibration_error", 0.2, POOR),
    ],
)
def test_the_verdict_is_the_worst_of_its_numbers(measure, value, grade):
    found = findings(with_value(measure, value))
    worst, _, because = verdict(found)
    assert worst == grade
    weakest = [finding.label.lower() for finding in found if finding.grade == grade]
    assert len(weakest) == 1
    assert weakest[0] in because


def trained(known, unknown, error=0.01):
    return {
        split: {"composites": 24, "accuracy": accuracy, "error": error}
        for split, accuracy in (("train", known), ("validation", unknown))
    }


def test_more_acquisitions_are_advised_where_the_model_knows_its_own_better():
    sentence = more_acquisitions(content(accuracies=trained(0.95, 0.85)))
    assert (
        "In composites of the training acquisitions the model gives 95.0 % of the localizations of a structure to it"
        in sentence
    )
    assert "a difference of 10.0 points, give or take 1.4" in sentence
    assert sentence.endswith("With more acquisitions of each structure it would know the others better.")
    assert more_acquisitions(content(accuracies=trained(0.855, 0.85, 0.005))).endswith(
        "More acquisitions would change little."
    )
    few = more_acquisitions(content(accuracies=trained(0.93, 0.85, 0.04)))
    assert few.endswith("So few acquisitions do not tell whether more of them would help.")
    single = trained(0.95, 0.85)
    del single["validation"]["error"]
    sentence_of_single = more_acquisitions(content(accuracies=single))
    assert sentence_of_single.endswith(
        "a difference of 10.0 points). A single acquisition of a structure does not tell whether more would help."
    )
    assert sentence in text_of(report(content(accuracies=trained(0.95, 0.85))))


@pytest.mark.parametrize("accuracies", [{}, {"train": trained(0.9, 0.9)["train"]}])
def test_of_more_acquisitions_nothing_is_said_where_it_was_not_measured(accuracies):
    assert more_acquisitions(content(accuracies=accuracies)) == ""
    assert "Would more acquisitions help?" not in text_of(report(content(accuracies=accuracies)))


def test_regions_of_fields_that_were_learned_from_are_no_other_samples():
    """A file of which one part is trained on and another tested on; simulated acquisitions have none."""
    splits = content().splits
    both = pd.concat([splits, splits.assign(split="test", acquisition="b")], ignore_index=True)
    text = text_of(report(content(splits=both)))
    assert "how it does on other samples was not measured" in text
    assert "different regions of one file (nuclear_pores.csv, tubes.csv)" in text
    for apart in (both.assign(file=None), both.assign(file=both["acquisition"])):
        assert "other samples was not" not in text_of(report(content(splits=apart)))


@pytest.mark.parametrize(
    ("name", "good", "fair"),
    [
        ("accuracy", 0.90, 0.75),
        ("crosstalk", 1.25, 2.0),
        ("rejected", 0.40, 0.60),
        ("gap_closed_mse", 0.80, 0.50),
        ("gap_closed_dssim", 0.66, 0.27),
        ("expected_calibration_error", 0.03, 0.08),
    ],
)
def test_good_and_fair_end_where_the_report_says(name, good, fair):
    criterion, worse = CRITERIA[name], 1e-9 if good < fair else -1e-9
    grades = [criterion.grade(value) for value in (good, good + worse, fair, fair + worse)]
    assert grades == [GOOD, FAIR, FAIR, POOR]


def test_what_is_said_of_all_structures_is_not_that_of_one():
    summary = content().summary
    of_one = summary["structure"] != "all"
    apart = summary.assign(value=summary["value"].where(~of_one, summary["value"] / 3))
    found = {finding.label: finding.number for finding in findings(content(summary=apart))}
    assert found["Accuracy"] == "95 %" and found["Error of stated confidence"] == "1 %"


def test_missed_target_is_not_called_good():
    grades = [
        finding.grade for finding in findings(content(crosstalk_target=0.003)) if finding.label == "Wrong colours"
    ]
    assert grades == [POOR]


def test_a_target_that_no_threshold_reached_on_validation_is_said_to_be_missed():
    assert "The threshold was set for 1." in text_of(report(content()))
    missed = replace(content(), on_validation={"threshold": 0.996, "rejected": 0.9, "crosstalk": 0.02}, threshold=0.996)
    text = text_of(report(missed))
    assert "at the chosen threshold (0.996)" in text
    assert "set for 1, which none reached on validation composites: this one came closest there, to 2." in text


def test_what_was_not_measured_is_said_and_why():
    measured = with_value("rejected_at_1pct_crosstalk", float("nan"))
    assert (
        "Rejected for 1 % crosstalk (nuclear pores, tubes, all) not measured: crosstalk stays above 1 % however many"
        " are rejected." in text_of(report(measured))
    )
    found = findings(with_value("accuracy", float("nan")))
    grade, _, because = verdict(found)
    assert grade == GOOD
    assert "Not measured: accuracy" in because
    nothing = replace(content(), summary=content().summary.head(0), assignment=content().assignment.head(0))
    assert verdict(findings(nothing))[0] == UNKNOWN
    assert not re.search(r"\bnan\b", text_of(report(nothing)), re.IGNORECASE)


def test_where_chance_is_perfect_there_is_no_gap_to_close():
    rows = [
        ("unet", f"c{k}", name, "dssim", what, 0.0)
        for k in range(3)
        for name in STRUCTURES
        for what in ("model", "shuffled_pairs")
    ]
    distances = pd.DataFrame(rows, columns=["model", "composite", "structure", "distance", "comparison", "value"])
    distances.loc[distances["comparison"] == "model", "value"] = 0.1
    assert gaps(content(distances=distances)).empty


def test_numbers_out_of_100_have_two_digits_and_no_more_than_two_behind_the_point():
    numbers = {0.7654: "77", 0.0768: "7.7", 0.00768: "0.77", 0.0004: "0.04", 5.5e-6: "0.00", 0.0: "0", -0.03: "-3"}
    assert {fraction: per_hundred(fraction) for fraction in numbers} == numbers


def test_scored_mixtures_do_not_enter_the_numbers_of_composites():
    mixed = content().assignment.assign(acquisition="cell", crosstalk=0.5)
    both = replace(content(), assignment=pd.concat([mixed, content().assignment]))
    assert both.at_threshold().loc["all", "crosstalk"] == 0.009


def test_confusions_name_the_worst_structure():
    table = content().assignment
    table.loc[table["structure"] == "tubes", "crosstalk"] *= 2
    table.loc[table["structure"] == "nuclear_pores", "recall"] /= 2
    mistaken, lost = confusions(replace(content(), assignment=table))
    assert "coloured as tubes, 1.8 belong" in mistaken
    assert "truly are nuclear pores, 40 get" in lost


def test_the_largest_error_of_overlap_is_named():
    table = pd.DataFrame(
        [
            ("unet", "c1", "nuclear_pores", "tubes", measure, source, value)
            for measure, truth, predicted in (("manders_a", 0.20, 0.50), ("manders_b", 0.20, 0.21))
            for source, value in (("truth", truth), ("model", predicted))
        ],
        columns=["model", "composite", "structure_a", "structure_b", "measure", "source", "value"],
    )
    (sentence,) = overlap_errors(content(overlap=table))
    assert "of nuclear pores, 20 % truly lies where tubes are; the recoloured images say 50 %" in sentence
    (sentence,) = overlap_errors(content(overlap=table[table["measure"] == "manders_b"]))
    assert "within 2 points" in sentence
    assert list(overlap_errors(content())) == []
    # a model that learned from other acquisitions scales images otherwise, also true ones
    other = table[table["source"] == "truth"].assign(model="other", value=0.9)
    (sentence,) = overlap_errors(content(overlap=pd.concat([other, table])))
    assert "of nuclear pores, 20 % truly lies where tubes are" in sentence


def test_worst_composites_are_those_nearest_to_chance():
    rows = [("unet", f"c{k}", "tubes", "dssim", "model", 0.1 * k) for k in range(8)]
    rows += [("unet", f"c{k}", "tubes", "dssim", "shuffled_pairs", 0.8) for k in range(8)]
    columns = ["model", "composite", "structure", "distance", "comparison", "value"]
    table = worst_composites(content(distances=pd.DataFrame(rows, columns=columns)))
    assert list(table["composite"]) == ["c7", "c6", "c5", "c4", "c3"]
    assert table["gap_closed"].iloc[0] == pytest.approx(1 - 0.7 / 0.8)
    rows += [("other", f"c{k}", "tubes", "dssim", "shuffled_pairs", 8.0) for k in range(8)]
    assert worst_composites(content(distances=pd.DataFrame(rows, columns=columns))).equals(table)


def test_what_is_made_up_of_absent_structures_is_told():
    rows = [("number", level, 9, "all", "invented", value) for level, value in ((0, 0.004), (1, 0.03), (2, 0.5))]
    rows += [("number", level, 9, "all", measure, 0.5) for level in (0, 1, 2) for measure in ("accuracy", "shared")]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"number": table})))
    assert "at most 3 of 100 localizations get the colour of an absent one" in text
    assert "(with 1 of them present; 9 composites" in text
    assert "channels are shares of the localizations" in text
    assert "are shares" not in text_of(report(content(sweeps={"number": table}, divides=False)))
    assert "absent" not in text_of(report(content(sweeps={"number": table[table["level"] == 2]})))
    nothing = table.assign(value=table["value"].where(table["measure"] != "invented", 0.0))
    assert "are absent, none of 100 localizations get" in text_of(report(content(sweeps={"number": nothing})))


def test_where_unspecific_localizations_end_is_told():
    rows = [("unet", threshold, name, 0.1, 200) for threshold in (0.0, 0.9) for name in STRUCTURES]
    table = pd.DataFrame(rows, columns=["model", "threshold", "structure", "fraction", "localizations"])
    text = text_of(report(content(unspecific=table)))
    rejected = 100 - 10 * len(STRUCTURES)
    assert (
        f"of 100 unspecific localizations, {rejected} are rejected and {100 - rejected} get a colour, 10 that of"
        in text
    )
    # 1000 localizations of structures, of which 800 keep a colour, and 200 of none, of which 40 do
    assert "0.9 belong to another structure, not counting 4.8 of 100 that belong to none" in text


def test_what_measured_overlap_is_worth_is_told_in_a_sentence():
    rows = [
        ("unet", "mix", f"0_{k}", "tubes", "pores", "manders_a", source, value)
        for k in range(5)
        for source, value in (("truth", 0.1 * k), ("model", 0.05 + 0.08 * k))
    ]
    columns = ["model", "acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    own = text_of(report(content(coupling=pd.DataFrame(rows, columns=columns))))
    assert "In 5 parts of 1 mixture whose truth is known, 0 to 40 % of the signal of tubes lies where pores are" in own
    assert "it is 1 points too high in the median, and 37 % where it is most; a difference of 10 points" in own
    assert "between two of them is seen as one of 8.0. " in own
    assert "Worst measured" not in own
    # a pair whose true overlap is the same everywhere may be the one that is measured worst
    rows += [
        ("unet", "mix", f"0_{k}", "pores", "tubes", "manders_a", source, value)
        for k in range(5)
        for source, value in (("truth", 0.2), ("model", 0.05))
    ]
    both = text_of(report(content(coupling=pd.DataFrame(rows, columns=columns))))
    assert "0 to 40 % of the signal of tubes lies where pores are" in both
    rows += [
        ("unet", "mix", "0_1", "tubes", "pores", "pair_correlation", *value)
        for value in (("truth", 2.4), ("model", 1.75))
    ]
    near = text_of(report(content(coupling=pd.DataFrame(rows, columns=columns))))
    assert "at the most 2.4 times as many as by chance; there, recoloured images say 1.8." in near
    assert "Worst measured of all pairs is how much of pores lies in tubes: 15 points too low." in both


def test_models_are_compared_and_the_chosen_one_is_named():
    assert "The models compared" not in report(content())
    two = pd.concat([content().summary, content().summary.assign(model="regression")])
    text = text_of(report(replace(content(), summary=two)))
    assert "The models compared" in text
    assert "unet (chosen) tubes 95 %" in text
    assert "regression all 95 %" in text
    never = two["measure"] == "rejected_at_1pct_crosstalk"
    own = never & (two["structure"] == STRUCTURES[0])
    unknown = text_of(report(replace(content(), summary=two.assign(value=two["value"].mask(never & ~own)))))
    assert "unet (chosen) nuclear pores 95 % 0.5 % 20 % 1 % 90 %" in unknown
    assert "unet (chosen) all 95 % 0.5 % \u2013 1 % 90 %" in unknown


def test_a_score_is_said_with_how_far_it_depends_on_the_acquisitions():
    errors = [("unet", "all", "accuracy", 0.0123, 6), ("unet", "nuclear_pores", "gap_closed_mse", 0.02, 6)]
    errors += [("unet", "tubes", "accuracy", float("nan"), 1)]
    columns = ["model", "structure", "measure", "error", "acquisitions"]
    said = text_of(report(content(errors=pd.DataFrame(errors, columns=columns))))
    assert "95 (give or take 1.2) are given to the structure they come from" in said
    assert "90 % (give or take 2) of the way from chance" in said
    assert "95 \N{PLUS-MINUS SIGN} 1.2 %" in said
    assert "After \N{PLUS-MINUS SIGN}" in said.replace("&plusmn;", "\N{PLUS-MINUS SIGN}")
    assert "give or take" not in text_of(report(content())), "nothing is said of what is not known"


def test_how_often_known_regions_are_called_unfamiliar_is_told_with_or_without_a_mixture():
    def regions(unfamiliar: int) -> pd.DataFrame:
        own = {"model": "unet", "novelty": [0.5] * 50, "unfamiliar": [k < unfamiliar for k in range(50)]}
        other = {"model": "other", "novelty": [2.0] * 50, "unfamiliar": True}
        return pd.concat([pd.DataFrame(own), pd.DataFrame(other)])

    text = text_of(report(content(regions=regions(1))))
    assert "of the 50 regions of these composites, whose structures the model knows, 2 % are called unlike" in text
    assert "an alarm says little" not in text
    assert "20 % are called unlike anything that it knows. So an alarm says little here" in text_of(
        report(content(regions=regions(10)))
    )
    nothing = regions(0).assign(novelty=0.0)
    assert "False alarms" not in text_of(report(content(regions=nothing)))
    assert "False alarms" not in text_of(report(content()))


def test_what_rejecting_fewer_would_cost_is_said_where_many_are_rejected():
    said = "60 of 100 localizations are too uncertain to be coloured. If only 30 were left without, 0.5 of 100 coloured"
    strict = replace(content(), threshold=0.95)
    assert said in text_of(report(strict))
    unknown = strict.summary[strict.summary["measure"] != "crosstalk_at_30pct_rejected"]
    for other in (content(), replace(strict, summary=unknown)):
        assert "If only 30" not in text_of(report(other))
