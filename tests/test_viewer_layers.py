"""The viewer's layers of an image whose truth, probabilities and novelty are known by construction."""

import numpy as np
import pandas as pd
import pytest
from opened import Page, needs_chromium
from reported import content
from selenium.webdriver import ActionChains

from lusco.figures.viewer import described, write_images
from lusco.report import Mixture, report

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture
def strange(chromium, tmp_path):
    """A report of one image, made up: its left half is all tubes and known, its right half undecided and unfamiliar.

    In truth, its right half is all pores.
    """
    counts = np.ones((128, 128))
    truth = np.zeros((2, 128, 128))
    truth[1, :, :64] = truth[0, :, 64:] = 1
    chances = np.full((2, 128, 128), 0.5)
    chances[:, :, :64] = np.array([0, 1])[:, None, None]
    places = {"x_nm": [0.0, 1280.0], "y_nm": 0.0, "side_nm": 1280.0}
    places |= {"novelty": [0.2, 1.8], "unfamiliar": [False, True], "differs_by": ["", "worse precision"]}
    image = described("mixed/cell", counts, chances, truth, chances, ["pores", "tubes"], 20.0, pd.DataFrame(places))
    write_images([image], tmp_path / "viewer" / "mixed" / "cell.js")
    made = content(
        viewer={"cell": tmp_path / "viewer" / "mixed" / "cell.js"}, mixed=[Mixture("cell", {}, 1.0, None, 0.5)]
    )
    (tmp_path / "report.html").write_text(report(made))
    page = Page(chromium, tmp_path / "report.html")
    yield page
    assert page.said() == []


def halves(page):
    """Colour of the left and of the right half of the image, which fills the height of the view."""
    pixels = page.pixels()[:200]
    middle, quarter = pixels.shape[1] // 2, page.element("plot").size["height"] // 4
    return pixels[100, middle - quarter], pixels[100, middle + quarter]


def test_the_map_of_novelty_fills_an_unfamiliar_region_brightly(strange):
    strange.show("mixed/cell", right="novelty")
    known, unknown = halves(strange)
    assert unknown.sum() > 2 * known.sum()
    assert "novelty (above 1: unlike what the model knows): 0" in strange.element("scales").text
    assert "1 of 2 regions unlike what the model knows" in strange.element("pointed").text


def test_under_the_mouse_it_is_said_by_what_a_region_is_unfamiliar(strange):
    plot = strange.element("plot")
    for offset, said in ((60, "novelty 1.80 (worse precision)"), (-60, "novelty 0.20")):
        ActionChains(strange.driver).move_to_element_with_offset(plot, offset, 0).perform()
        assert strange.element("pointed").text.endswith(said)


def test_the_truth_is_shown_and_not_the_result(strange):
    strange.show("mixed/cell", right="truth")
    tubes, pores = halves(strange)
    assert tubes[0] > tubes[1] + 100 < tubes[2], "magenta"
    assert pores[1] > pores[0] + 100 < pores[2], "cyan"
    strange.show("mixed/cell", right="recoloured")
    undecided = halves(strange)[1]
    assert undecided[0] > pores[0] + 50, "of both"


def test_the_map_of_certainty_is_bright_where_the_model_is_sure(strange):
    strange.show("mixed/cell", right="certainty")
    sure, guessed = halves(strange)
    assert sure[0] > sure[2] + 100, "yellow"
    assert guessed[2] > guessed[1] and guessed.sum() < 0.6 * sure.sum(), "violet"
    assert "certainty: 50 %" in strange.element("scales").text


def test_the_map_of_a_probability_tells_the_structure_that_is_there(strange):
    seen = {}
    for way in ("chance-0", "chance-1"):
        strange.show("mixed/cell", right=way)
        seen[way] = halves(strange)
    (absent, half), (certain, other_half) = seen["chance-0"], seen["chance-1"]
    assert certain[0] > certain[2] + 100, "yellow"
    assert absent[2] > absent[1], "violet"
    np.testing.assert_array_equal(half, other_half)
    assert "probability of tubes: 0 %" in strange.element("scales").text


def test_an_unfamiliar_region_has_a_dashed_edge_that_can_be_switched_off(strange):
    def red(pixels):
        return ((pixels[..., 0] > 200) & (pixels[..., 1:].max(axis=-1) < 120)).sum()

    strange.show("mixed/cell")
    assert red(strange.pixels()) == 0
    strange.set("unfamiliar", True)
    assert red(strange.pixels()) > 50
