"""Figures for print: a journal's widths, 300 dots per inch, letters as outlines, and the same bytes each time."""

import re

import numpy as np
import pytest
from made_up import assignment_of, calibration_of, draw_all
from matplotlib.text import Text
from PIL import Image

from lusco import figures
from lusco.figures.print import MM_PER_IN, PAGE_MM, SCALE, save_print
from lusco.figures.style import SCREEN_IN, wide, width_in

STRUCTURES = ("microtubules", "nuclear_pores", "mitochondria", "clathrin_coated_pits", "actin")


def size_mm(svg):
    return tuple(
        float(number) for number in re.search(r'<svg[^>]* width="([\d.]+)mm" height="([\d.]+)mm"', svg).groups()
    )


@pytest.mark.parametrize(("models", "width_mm"), [(["unet"], 85), (["unet", "trees"], 178)])
def test_a_figure_is_as_wide_as_a_column_or_a_page(tmp_path, models, width_mm):
    table = calibration_of(STRUCTURES, models)
    save_print(lambda: figures.calibration(table), tmp_path, "calibration")
    svg = (tmp_path / "calibration.svg").read_text()
    width, height = size_mm(svg)
    assert width == width_mm
    with Image.open(tmp_path / "calibration.png") as png:
        assert png.size == pytest.approx((width / 25.4 * 300, height / 25.4 * 300), abs=1)
        assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    points = float(re.search(r'viewBox="0 0 ([\d.]+)', svg).group(1))
    assert 9 * width / 25.4 * 72 / points == pytest.approx(7), "9 points on the screen are 7 in print"
    assert "<text" not in svg
    assert width_in() == SCREEN_IN


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for folder in ("once", "twice"):
        save_print(lambda: figures.calibration(calibration_of(STRUCTURES)), tmp_path / folder, "calibration")
    for ending in ("svg", "png"):
        once, twice = ((tmp_path / folder / f"calibration.{ending}").read_bytes() for folder in ("once", "twice"))
        assert once == twice


@pytest.mark.parametrize("models", [["unet"], ["unet", "trees"]])
@pytest.mark.parametrize("number", [2, 3, 5])
def test_letters_of_every_figure_can_be_read_in_print_and_it_fits_a_page(number, models):
    with wide(PAGE_MM / MM_PER_IN / SCALE):
        for name, (figure, _) in draw_all(STRUCTURES[:number], models):
            scale = PAGE_MM / MM_PER_IN / figure.get_figwidth()
            letters = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
            assert min(letters) * scale >= 5, name
            assert scale <= 1.01 * SCALE, f"{name} is enlarged"
            assert figure.get_figheight() * scale * MM_PER_IN < 245, name


@pytest.mark.parametrize("name", ["calibration", "crosstalk"])
def test_nothing_is_cut_off_at_the_edges_of_the_paper(tmp_path, name):
    draw = {
        "calibration": lambda: figures.calibration(calibration_of(STRUCTURES)),
        "crosstalk": lambda: figures.crosstalk(assignment_of(STRUCTURES), STRUCTURES),
    }[name]
    save_print(draw, tmp_path, name)
    with Image.open(tmp_path / f"{name}.png") as png:
        ink = np.asarray(png.convert("L")) < 128
    assert ink.any()
    assert not ink[:, [0, -1]].any() and not ink[[0, -1]].any()
