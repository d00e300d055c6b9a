"""The report's file: opens offline, escapes names, holds what fits, and survives what is missing."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
import pytest
from reported import STRUCTURES, content, text_of
from small_model import DESCRIPTION

from lusco.errors import InputError
from lusco.figures import loss, save
from lusco.figures.viewer import described, write_images
from lusco.report import Mixture, page, report, viewer
from lusco.report.assemble import _shown, assemble
from lusco.report.page import CAPTIONS, caption


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
    named = {"experiment": name, "splits": splits, "mixed": [mixture], "config": {"a": name}}
    html = report(replace(content((name, "tubes")), **named))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") >= 6


def test_the_same_content_gives_the_same_bytes():
    assert report(content()) == report(content())


def test_the_report_says_what_positions_the_network_saw():
    """By hand: 0.1 in each of two frames and 0.01 in each of 90 are 1.1 later ones."""
    knowing = replace(DESCRIPTION, repeats={"lag_frames": [1, 3, 93], "per_frame": [0.1, 0.01]})
    assert "1.1 later ones within 93 frames" in report(replace(content(), shown=_shown(knowing)))
    traced = replace(DESCRIPTION, repeats={"lag_frames": [], "per_frame": [], "traces": True})
    assert "at the mean of its trace" in report(replace(content(), shown=_shown(traced)))
    assert "sees positions as they were measured." in report(replace(content(), shown=_shown(DESCRIPTION)))


def test_the_four_questions_come_in_order():
    html = report(content())
    places = [html.index(f'<h2 id="{name}"') for name in ("mixture", "sure", "wrong", "made")]
    assert places == sorted(places)


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
    assert "Some of the images lie in the folders" in text_of(html)
    monkeypatch.undo()
    assert "Some of the images lie" not in report(content(mixed=[Mixture("cell_0", {}, 1.0, None, 0.5)], figures=files))


def image_of(key, structures=STRUCTURES):
    """A viewer's image of 4 x 6 pixels, all of the first structure, half as certain in the last column."""
    counts = np.ones((4, 6))
    channels = np.stack([counts, np.zeros((4, 6))])
    chances = channels.copy()
    chances[:, :, -1] = 0.5
    place = {"x_nm": [0.0], "y_nm": 0.0, "side_nm": 80.0}
    regions = pd.DataFrame({**place, "novelty": 1.5, "unfamiliar": True, "differs_by": "lower density"})
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


@pytest.fixture
def scored_before(tmp_path):
    """Arguments of `assemble` for a folder in which an earlier configuration scored another model."""
    content().splits.to_csv(tmp_path / "splits.tsv", sep="\t", index=False)
    history = pd.DataFrame({"model": "unet", "step": [1, 2], "train_loss": 1.0, "validation_loss": [2.0, 1.0]})
    save(*loss(history.assign(learning_rate=1e-3)), tmp_path / "figures", "loss")
    (tmp_path / "viewer").mkdir()
    (tmp_path / "viewer" / "composites.js").write_text("lusco_images({});\n")
    config = {"experiment": "demo", "model": "unet", "sweeps": {}, "recolor": {"crosstalk": 0.01}}
    return {
        "config": config,
        "model": DESCRIPTION,
        "evaluation": None,
        "figures": tmp_path / "figures",
        "splits": tmp_path / "splits.tsv",
        "mixtures": [],
        "viewer": tmp_path / "viewer",
    }


def test_what_an_earlier_configuration_left_is_not_shown(scored_before):
    now, then = (assemble(**scored_before, drawn=drawn) for drawn in ([], ["loss"]))
    assert 'id="figure-loss"' in report(then)
    assert 'id="figure-loss"' not in report(now)
    assert viewer.viewer(now) is None


def test_an_environment_without_all_packages_has_a_report_with_the_versions_of_the_others(scored_before, monkeypatch):
    def known(name):
        if name == "torch":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("lusco.record.version", known)
    versions = assemble(**scored_before, drawn=[]).versions
    assert "torch" not in versions and versions["numpy"] == np.__version__
