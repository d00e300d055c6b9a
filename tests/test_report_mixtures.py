"""What a report says of mixtures, of how the model was tested and of how it was trained."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
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


def test_a_sweep_is_told_with_what_it_means_for_what_keeps_a_colour():
    measured = {"accuracy": 0.57, "rejected": 0.32, "crosstalk": 0.41, "unfamiliar": 1.0, "shared": 0.3}
    rows = [("scale", 1.5, 12, "all", measure, value) for measure, value in measured.items()]
    rows += [("scale", 1.5, 12, name, "accuracy", value) for name, value in (("tubes", 0.8), ("nuclear_pores", 0.001))]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"scale": table})))
    assert (
        "57 of 100 localizations are given to the right structure. The threshold then rejects 32 %, and 41 % of the"
        " others are wrong; of nuclear pores, none rejected, 0.1 % are found. 100 % of the regions are flagged as"
        " unfamiliar." in text
    )
    assert "composites of its own (12 for each)" in text


def test_a_sweep_names_its_best_condition_before_what_it_says_of_the_worst():
    at = {0.05: (0.6, 1.0, np.nan), 1: (0.95, 0.2, 0.01)}
    rows = [
        ("mixing", level, 12, "all", measure, value)
        for level, values in at.items()
        for measure, value in zip(("accuracy", "rejected", "crosstalk"), values, strict=True)
    ]
    rows += [("mixing", level, 12, "all", "shared", 0.3) for level in at]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"mixing": table})))
    assert (
        "With 5 % of one structure&#39;s localizations and the others complete, 60 of 100 of its localizations are"
        " given to the right structure (as they are, 95). The threshold then rejects 100 % of them." in text
    )
    table.loc[table["value"].isna(), "value"] = 0.4
    text = text_of(report(content(sweeps={"mixing": table})))
    assert "rejects 100 % of them, and 40 % of what gets its colour are wrong." in text


def test_overlap_that_no_mixture_could_tell_is_said_to_be_unmeasured(tmp_path):
    nothing = pd.DataFrame(
        columns=["acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    )
    drawn = tmp_path / "coupling.svg"
    drawn.write_text("<svg></svg>\n")
    text = text_of(report(content(coupling=nothing, figures={"coupling": drawn})))
    assert "Overlap in mixtures was not measured" in text
    assert "Overlap in mixtures was not measured" not in text_of(report(content(coupling=nothing)))


@pytest.mark.parametrize("rows", [[], [("other", "one", "tubes", "tubes", "width_nm", "model", 90.0)]])
def test_structures_without_a_shape_have_no_table_of_sizes(rows):
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    shapes = pd.DataFrame(rows, columns=columns)
    assert "What you would measure on it" not in text_of(report(content(shapes=shapes)))


def test_the_error_of_a_size_is_that_of_a_composite_with_between_what_nine_of_ten_are():
    true, found = [100.0] * 21, [100.0 + k for k in range(21)]
    rows = [
        ("unet", f"c{k}", "tubes", "tubes", "width_nm", source, values[k])
        for k in range(21)
        for source, values in (("truth", true), ("model", found))
    ]
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    text = text_of(report(content(shapes=pd.DataFrame(rows, columns=columns))))
    assert "tubes width [nm] 100 110 +10.0 % +1.0 to +19.0 %" in text
    rows = [(*row[:-1], 100.0 if row[5] == "truth" else 99.99) for row in rows]
    assert "+0.0 % +0.0 to +0.0 %" in text_of(report(content(shapes=pd.DataFrame(rows, columns=columns))))


def test_a_sweep_that_left_nothing_is_passed_over():
    columns = ["sweep", "level", "composites", "structure", "measure", "value"]
    table = pd.DataFrame(
        [("density", 1e-9, 6, "all", "accuracy", np.nan), ("density", 1e-9, 6, "all", "unfamiliar", 0.0)]
    )
    text = text_of(report(content(sweeps={"density": table.set_axis(columns, axis=1)})))
    assert "of 100 localizations are given to the right structure" not in text.split("What would go wrong?")[-1]


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


def test_what_is_taken_for_what_is_shown_of_structures_and_of_colours():
    """Of 100 pores 90 are found, of 50 tubes 40; at the threshold 60 and 30 keep their colour, and one pore another."""
    none = {("nuclear_pores", "nuclear_pores"): 90, ("nuclear_pores", "tubes"): 10, ("tubes", "nuclear_pores"): 10}
    kept = {("nuclear_pores", "nuclear_pores"): 60, ("nuclear_pores", "tubes"): 1, ("tubes", "nuclear_pores"): 0}
    rows = [
        (model, threshold, *pair, number)
        for model in ("unet", "other")
        for threshold, counts in ((0.0, none | {("tubes", "tubes"): 40}), (0.8, kept | {("tubes", "tubes"): 30}))
        for pair, number in counts.items()
    ]
    table = pd.DataFrame(rows, columns=["model", "threshold", "structure", "given", "localizations"])
    text = text_of(report(content(confusion=table)))
    assert "none rejected nuclear pores tubes nuclear pores 90 % 10 % tubes 20 % 80 %" in text
    assert "what they truly are nuclear pores tubes nuclear pores 100 % 0 % tubes 3.2 % 97 %" in text
    nothing = table.assign(localizations=table["localizations"].where(table["threshold"] == 0, 0))
    dash = "\N{EN DASH}"
    assert f"tubes nuclear pores {dash} {dash} tubes {dash} {dash}" in text_of(report(content(confusion=nothing)))


def test_a_mixture_too_sparse_to_be_judged_is_warned_of():
    mixture = Mixture("cell", {}, 0.2, None, 0.94)
    assert list(warnings(content(), replace(mixture, judged=0.6))) == []
    (said,) = warnings(content(), replace(mixture, judged=0.4))
    assert said.startswith("Too sparse to be compared with what the model knows: 40 % of its localizations lie in")
