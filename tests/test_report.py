"""The report: opens offline, escapes names, says what the numbers say, and survives what is missing."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from reported import GOOD_VALUES, STRUCTURES, content

from lusco.errors import InputError
from lusco.figures import loss, save
from lusco.figures.viewer import described, write_images
from lusco.report import Mixture, page, report, viewer
from lusco.report.failures import confusions, gaps, overlap_errors, warnings, worst_composites
from lusco.report.page import CAPTIONS, caption
from lusco.report.verdict import FAIR, GOOD, POOR, UNKNOWN, findings, verdict


def with_value(measure, value):
    return content(values=GOOD_VALUES | {measure: value})


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("</style>")[1]))


class Loads(HTMLParser):
    """Collects what a page would load, and whether it is well nested."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self):
        super().__init__()
        self.loads, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in ("p", "li"):
            self.open.pop()
        assert self.open.pop() == tag


def test_the_page_loads_nothing(tmp_path):
    history = pd.DataFrame({"model": "unet", "step": [1, 2], "train_loss": 1.0, "validation_loss": [2.0, 1.0]})
    save(*loss(history.assign(learning_rate=1e-3)), tmp_path, "loss")
    html = report(content(figures={"loss": tmp_path / "loss.svg", "examples": tmp_path / "loss.png"}))
    parsed = Loads()
    parsed.feed(html)
    assert parsed.loads
    downloads = [f"figures/loss.{ending}" for ending in ("svg", "png")]  # links, until the page has read its figures
    assert all(value.startswith(("data:", "#")) or value in downloads for value in parsed.loads)
    assert parsed.open == []
    assert "url(" not in html
    assert "@import" not in html


def test_names_are_escaped():
    name = "<script>alert(1)</script>"
    splits = content().splits.assign(acquisition=name)
    mixture = Mixture(name, {name: 0.7, "tubes": 0.2}, 0.1, None, 0.5)
    named = {"experiment": name, "splits": splits, "mixed": [mixture], "notes": [name], "config": {"a": name}}
    html = report(replace(content((name, "tubes")), **named))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") >= 6


def test_the_same_content_gives_the_same_bytes():
    assert report(content()) == report(content())


def test_the_four_questions_come_in_order():
    html = report(content())
    places = [html.index(f'<h2 id="{name}"') for name in ("mixture", "sure", "wrong", "made")]
    assert places == sorted(places)


def test_good_numbers_give_a_good_verdict_with_the_numbers_in_words():
    html = report(content())
    text = text_of(html)
    assert 'class="verdict good"' in html
    assert "Of 100 localizations in the test composites, 95 are given to the structure they come from" in text
    assert "at the chosen threshold (0.80), 0.9 carry the wrong one. The threshold was set for 1." in text
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


def test_missed_target_is_not_called_good():
    grades = [
        finding.grade for finding in findings(content(crosstalk_target=0.003)) if finding.label == "Wrong colours"
    ]
    assert grades == [POOR]


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


def test_a_report_without_mixtures_or_figures_says_so():
    html = report(content(figures={"loss": CAPTIONS / "no_such_file.png"}))
    assert "No mixed acquisition was given" in html
    assert "<img" not in html


def test_fractions_of_a_mixture_are_drawn_to_scale():
    mixture = Mixture("cell", {"nuclear_pores": 0.5, "tubes": 0.25}, 0.25, 0.9, 0.92)
    html = report(content(mixed=[mixture]))
    assert [float(width) for width in re.findall(r"width: ([\d.]+)%", html.split("</style>")[1])] == [50, 25, 25]
    assert "90 % of its localizations are given to the right structure" in text_of(html)


def test_of_many_mixtures_the_pictures_lie_beside_the_page(tmp_path, monkeypatch):
    picture = b"<svg></svg>\n"
    monkeypatch.setattr(page, "EMBEDDED_BYTES", 3 * len(picture))
    names = [f"cell_{index}" for index in range(5)]
    files = {f"mixed_{name}": tmp_path / "figures" / f"mixed_{name}.svg" for name in names}
    (tmp_path / "figures").mkdir()
    for file in files.values():
        file.write_bytes(picture)
    html = report(content(mixed=[Mixture(name, {}, 1.0, None, 0.5) for name in names], figures=files))
    assert html.count("data:image/svg+xml;base64") == 3
    assert 'src="figures/mixed_cell_3.svg"' in html and 'src="figures/mixed_cell_4.svg"' in html
    assert "which shows 2 pictures and 0 files of images from there" in text_of(html)
    monkeypatch.undo()
    assert "from there" not in report(content(mixed=[Mixture("cell_0", {}, 1.0, None, 0.5)], figures=files))


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


def image_of(key, structures=STRUCTURES):
    """A viewer's image of 4 x 6 pixels, all of the first structure, half as certain in the last column."""
    counts = np.ones((4, 6))
    channels = np.stack([counts, np.zeros((4, 6))])
    chances = channels.copy()
    chances[:, :, -1] = 0.5
    regions = pd.DataFrame({"x_nm": [0.0], "y_nm": 0.0, "side_nm": 80.0, "novelty": 1.5, "unfamiliar": True})
    return described(key, counts, channels, None, chances, structures, 20.0, regions)


def test_images_of_the_viewer_are_part_of_the_page_while_there_is_room(tmp_path, monkeypatch):
    name = "<script>alert(1)</script>"
    (tmp_path / "viewer" / "mixed").mkdir(parents=True)
    files = {cell: tmp_path / "viewer" / "mixed" / f"{cell}.js" for cell in ("cell_1", "cell_2")}
    for cell, file in files.items():
        write_images([image_of(f"mixed/{cell}", (name, "tubes"))], file)
    size = files["cell_1"].stat().st_size
    mixed = [Mixture(cell, {}, 1.0, None, 0.5) for cell in files]
    whole = replace(content((name, "tubes")), viewer=files, mixed=mixed)
    for room, beside in ((2 * size, []), (size, ["viewer/mixed/cell_2.js"])):
        monkeypatch.setattr(viewer, "EMBEDDED_BYTES", room)
        html = report(whole)
        assert html.count("LuscoViewer.add([{") == 2 - len(beside)
        told = json.loads(re.search(r'id="viewer-page">(.*?)</script>', html).group(1))
        assert [image["key"] for image in told["images"]] == ["mixed/cell_1", "mixed/cell_2"]
        assert [image["file"] for image in told["images"] if image["file"]] == beside
        assert told["structures"][0] == name
        assert "<script>alert" not in html


def test_what_was_cut_off_is_not_shown_as_if_whole(tmp_path):
    image, picture, numbers = (tmp_path / name for name in ("cell.js", "loss.svg", "loss.csv"))
    write_images([image_of("mixed/cell")], image)
    picture.write_bytes(b"<svg></svg>\n")
    numbers.write_text("step,loss\n1,2\n")
    shown = content(figures={"loss": picture}, mixed=[Mixture("cell", {}, 1.0, None, 0.5)])
    shown = replace(shown, viewer={"cell": image})
    report(shown)
    for file in (image, picture, numbers):
        before = file.read_bytes()
        for cut in (before[:-1], before[: len(before) // 2], b""):
            file.write_bytes(cut)
            with pytest.raises(InputError, match=f"{file.name}: the file is damaged, its end is missing"):
                report(shown)
        file.write_bytes(before)


def test_a_mixture_unlike_the_test_composites_is_pointed_out():
    usual = Mixture("cell", {}, 0.2, None, 0.94)
    assert list(warnings(content(), usual)) == []
    assert len(list(warnings(content(), replace(usual, confidence=0.7)))) == 1
    assert len(list(warnings(content(), replace(usual, rejected=0.5)))) == 1
    assert len(list(warnings(content(), replace(usual, accuracy=0.6)))) == 1
    assert "Signs of trouble in the mixture: cell" in report(content(mixed=[replace(usual, rejected=0.5)]))


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
    assert "20 % of nuclear pores truly lie in tubes; the recoloured images say 50 %" in sentence
    (sentence,) = overlap_errors(content(overlap=table[table["measure"] == "manders_b"]))
    assert "within 2 points" in sentence
    assert list(overlap_errors(content())) == []


def test_worst_composites_are_those_nearest_to_chance():
    rows = [("unet", f"c{k}", "tubes", "dssim", "model", 0.1 * k) for k in range(8)]
    rows += [("unet", f"c{k}", "tubes", "dssim", "shuffled_pairs", 0.8) for k in range(8)]
    columns = ["model", "composite", "structure", "distance", "comparison", "value"]
    table = worst_composites(content(distances=pd.DataFrame(rows, columns=columns)))
    assert list(table["composite"]) == ["c7", "c6", "c5", "c4", "c3"]
    assert table["gap_closed"].iloc[0] == pytest.approx(1 - 0.7 / 0.8)


def test_every_figure_has_a_caption():
    names = [
        "schematic",
        "examples",
        "channels",
        "distances",
        "overlap",
        "shapes",
        "sweep_density",
        "coupling",
        "crosstalk",
        "calibration",
        "loss",
        "mixed_cell_1",
    ]
    assert all(caption(name) for name in names)
    assert caption("something_else") == ""


def test_what_is_measured_on_recoloured_channels_is_compared_with_the_truth():
    rows = [
        ("unet", f"c{k}", "pores", "rings", "radius_nm", source, value)
        for k in range(3)
        for source, value in (("truth", 50.0 + k), ("model", 1.1 * (50 + k)))
    ]
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    text = text_of(report(content(shapes=pd.DataFrame(rows, columns=columns))))
    assert "pores radius [nm] 51 56.1 +10.0 %" in text


def test_a_sweep_is_told_in_a_sentence():
    rows = [
        ("density", level, 12, "all", measure, value)
        for level, accuracy in ((0.05, 0.61), (0.5, 0.85), (1.0, 0.87))
        for measure, value in (("accuracy", accuracy), ("shared", 0.3))
    ]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"density": table})))
    assert (
        "With 5 % of all localizations, 61 of 100 localizations are given to the right structure;"
        " as they are, 87." in text
    )
    text = text_of(report(content(sweeps={"density": table[table["level"] < 1]})))
    assert "right structure; with 50 % of all localizations, 85." in text


def test_sweeps_share_their_caption(tmp_path):
    files, sweeps = {}, {}
    columns = ["sweep", "level", "composites", "structure", "measure", "value"]
    for name in ("density", "scale"):
        files[f"sweep_{name}"] = tmp_path / f"sweep_{name}.svg"
        files[f"sweep_{name}"].write_text("<svg></svg>\n")
        rows = [(name, level, 9, "all", measure, 0.5) for level in (0.5, 1.0) for measure in ("accuracy", "shared")]
        sweeps[name] = pd.DataFrame(rows, columns=columns)
    html = report(content(sweeps=sweeps, figures=files))
    assert html.count('download="sweep_') == 2
    assert text_of(html).count(" ".join(caption("sweep_density").split())[:60]) == 1


def test_what_is_made_up_of_absent_structures_is_told():
    rows = [("number", level, 9, "all", "invented", value) for level, value in ((1, 0.004), (2, 0.03), (3, 0.0))]
    rows += [("number", level, 9, "all", measure, 0.5) for level in (1, 2, 3) for measure in ("accuracy", "shared")]
    table = pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])
    text = text_of(report(content(sweeps={"number": table})))
    assert "at most 3 of 100 localizations are made up" in text
    assert "(with 2 of the structures present; 9 composites" in text


def test_where_unspecific_localizations_end_is_told():
    rows = [("unet", threshold, name, 0.1, 200) for threshold in (0.0, 0.9) for name in STRUCTURES]
    table = pd.DataFrame(rows, columns=["model", "threshold", "structure", "fraction", "localizations"])
    text = text_of(report(content(unspecific=table)))
    rejected = 100 - 10 * len(STRUCTURES)
    assert f"of 100 unspecific localizations, {rejected} are rejected; 10 as" in text


def test_what_measured_overlap_is_worth_is_told_in_a_sentence():
    rows = [
        ("unet", "mix", f"0_{k}", "tubes", "pores", "manders_a", source, value)
        for k in range(5)
        for source, value in (("truth", 0.1 * k), ("model", 0.05 + 0.08 * k))
    ]
    columns = ["model", "acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    own = text_of(report(content(coupling=pd.DataFrame(rows, columns=columns))))
    assert "0 to 40 % of tubes lie in pores" in own
    assert "1 points too high, and a difference of 10 points between two places is seen as one of 8.0" in own
    assert "Worst measured" not in own
    # a pair whose true overlap is the same everywhere may be the one that is measured worst
    rows += [
        ("unet", "mix", f"0_{k}", "pores", "tubes", "manders_a", source, value)
        for k in range(5)
        for source, value in (("truth", 0.2), ("model", 0.05))
    ]
    both = text_of(report(content(coupling=pd.DataFrame(rows, columns=columns))))
    assert "0 to 40 % of tubes lie in pores" in both
    assert "Worst measured of all pairs is how much of pores lies in tubes: 15 points too low." in both


def test_unfamiliar_regions_are_warned_of_beyond_the_false_alarms_of_known_data():
    regions = pd.DataFrame({"model": "unet", "unfamiliar": [False] * 99 + [True]})
    known = content(regions=regions)
    strange = Mixture("cell", {"tubes": 0.75}, 0.25, 0.9, 0.92, unfamiliar=0.4)
    assert any("40 % of its regions are unlike" in sentence for sentence in warnings(known, strange))
    assert not any("regions are unlike" in sentence for sentence in warnings(known, replace(strange, unfamiliar=0.02)))


def test_models_are_compared_and_the_chosen_one_is_named():
    assert "The models compared" not in report(content())
    two = pd.concat([content().summary, content().summary.assign(model="regression")])
    text = text_of(report(replace(content(), summary=two)))
    assert "The models compared" in text
    assert "unet (chosen) tubes 95 %" in text
    assert "regression all 95 %" in text
