"""What a report says of sizes, of what is taken for what, and of where recolouring breaks down."""

import numpy as np
import pandas as pd
import pytest
from reported import content, text_of

from lusco.report import report


def test_what_is_measured_on_recoloured_channels_is_compared_with_the_truth():
    rows = [
        ("unet", f"c{k}", "pores", "rings", "radius_nm", source, value)
        for k in range(3)
        for source, value in (("truth", 50.0 + k), ("model", 1.1 * (50 + k)))
    ]
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    text = text_of(report(content(shapes=pd.DataFrame(rows, columns=columns))))
    assert "pores radius [nm] 51 56.1 +10.0 % +10.0 to +10.0 %" in text
    absent = [("unet", f"c{k}", *row[2:-1], 0.0) for k in range(3, 9) for row in rows[:2]]
    with_absent = report(content(shapes=pd.DataFrame(rows + absent, columns=columns)))
    assert "pores radius [nm] 51 56.1 +10.0 %" in text_of(with_absent)
    nowhere = [(*row[:-1], 0.0) for row in rows]
    other = [("other", *row[1:-1], 70.0) for row in rows if row[-2] == "truth"]
    assert "pores radius [nm] 51 56.1 +10.0 %" in text_of(
        report(content(shapes=pd.DataFrame(other + rows, columns=columns)))
    )
    assert "pores radius [nm] 0 0 \N{EN DASH}" in text_of(
        report(content(shapes=pd.DataFrame(nowhere, columns=columns)))
    )


def test_a_sweep_is_told_in_a_sentence():
    rows = [
        ("density", level, 12, "all", measure, value)
        for level, accuracy in ((0.05, 0.61), (0.5, 0.85), (1.0, 0.87))
        for measure, value in (("accuracy", accuracy), ("shared", 0.3))
    ]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"density": table})))
    assert (
        "With 5 % of all localizations, 61 of 100 localizations are given to the right structure"
        " (as they are, 87)." in text
    )
    text = text_of(report(content(sweeps={"density": table[table["level"] < 1]})))
    assert "right structure (with 50 % of all localizations, 85)." in text
    text = text_of(report(content(sweeps={"density": table[table["level"] == 0.5]})))
    assert "With 50 % of all localizations, 85 of 100 localizations are given to the right structure. " in text


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


def test_overlap_that_no_mixture_could_tell_is_said_to_be_unmeasured(tmp_path):
    nothing = pd.DataFrame(
        columns=["acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    )
    drawn = tmp_path / "coupling.svg"
    drawn.write_text("<svg></svg>\n")
    text = text_of(report(content(coupling=nothing, figures={"coupling": drawn})))
    assert "Overlap in mixtures was not measured" in text
    assert "Overlap in mixtures was not measured" not in text_of(report(content(coupling=nothing)))
