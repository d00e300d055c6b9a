"""The report's viewer in a real browser: it moves, mixes and swipes as the controls say, and the console is silent."""

import time
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from opened import Page, coloured, needs_chromium
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from lusco.colours import on_black

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture
def page(chromium, whole):
    page = Page(chromium, whole / "results" / "whole" / "report.html")
    yield page
    assert page.said() == []


def test_it_opens_on_the_first_mixture_as_measured_beside_recoloured(page):
    assert page.shown == "mixed/mixture measured recoloured 50"
    assert "5.1 \N{MULTIPLICATION SIGN} 5.1 µm" in page.element("pointed").text


def test_it_offers_every_mixture_and_every_test_composite(page, whole):
    results = whole / "results" / "whole"
    composites = set(pd.read_csv(results / "evaluation" / "distances.csv")["composite"])
    mixed = {file.stem for file in results.glob("recolored/mixtures/*.json")}
    offered = page.run("return [...document.getElementById('image').options].map((option) => option.value)")
    assert sorted(offered) == sorted([*(f"mixed/{name}" for name in mixed), *(f"composite/{n}" for n in composites)])


def test_its_colours_are_at_first_those_of_the_palette(page):
    first = [page.element(f"colour-{index}").get_attribute("value") for index in range(2)]
    assert first == [colour.lower() for colour in on_black(2)]
    page.show("mixed/mixture")
    page.set("show-1", False)
    red, green, blue = page.pixels()[coloured(page.pixels())].mean(axis=0)
    assert red < 0.5 * min(green, blue), "the first is cyan"


def test_it_asks_nothing_of_a_network(page):
    page.show("composite/test_000")
    asked = page.driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in asked if not name.startswith(("data:", "blob:"))] == []


def test_what_was_measured_is_grey_and_what_was_recoloured_is_not(page):
    page.show("mixed/mixture", swipe=100)
    grey = page.pixels()
    assert grey.max() > 200 and not coloured(grey).any()
    page.show("mixed/mixture", swipe=0)
    assert coloured(page.pixels()).mean() > 0.02


def test_a_channel_can_be_switched_dimmed_and_recoloured(page):
    page.show("mixed/mixture")
    page.set("show-1", False)
    page.set("colour-0", "#ff0000")
    pixels = page.pixels()
    red = coloured(pixels)
    assert red.any()
    assert pixels[red][:, 1:].max() < 40
    brightness = pixels[..., 0].sum()
    page.set("gain-0", "0.2")
    assert page.pixels()[..., 0].sum() < 0.8 * brightness
    page.set("show-0", False)
    assert not coloured(page.pixels()).any()


def test_what_is_uncertain_can_be_hidden(page):
    page.show("mixed/mixture")
    lit = []
    for certain in ("0", "0.34", "0.75", "1"):  # of two structures one always has a half
        page.set("certain", certain)
        lit.append(coloured(page.pixels()).sum())
    assert lit[0] == lit[1] > lit[2] > lit[3]


def test_the_image_follows_the_mouse(page):
    page.show("composite/test_000")
    x0, x1, _, _ = page.view
    plot = page.element("plot")
    ActionChains(page.driver).move_to_element(plot).click_and_hold().move_by_offset(-60, 0).release().perform()
    assert page.view[0] - x0 == pytest.approx(60 * (x1 - x0) / plot.size["width"], rel=0.1)


def test_the_swipe_divides_the_view(page):
    page.show("mixed/mixture", swipe=50)
    for _ in range(3):
        pixels = page.pixels()
        left, right = in_view(page)
        middle = (left + right) // 2 - 5  # of the edge that is cut off
        assert not coloured(pixels[:, : middle - 10]).any()
        assert coloured(pixels[:, middle + 10 :]).any()
        page.press("plot", "+", Keys.ARROW_RIGHT)
    assert page.shown.endswith(" 50")


def in_view(page, image_nm=5120):
    """Where on the screen the image begins and ends, in pixels of the plot."""
    x0, x1, _, _ = page.view
    ends_nm = np.clip([0, image_nm], x0, x1)
    return np.round((ends_nm - x0) / (x1 - x0) * page.element("plot").size["width"]).astype(int)


def test_the_line_is_drawn_to_swipe(page):
    page.show("mixed/mixture", swipe=50)
    for _ in range(2):
        page.set("swipe", 50)
        plot = page.element("plot")
        ActionChains(page.driver).move_to_element(plot).click_and_hold().move_by_offset(100, 0).release().perform()
        moved = 100 / np.diff(in_view(page))[0]
        assert float(page.element("swipe").get_attribute("value")) == pytest.approx(50 + 100 * moved, abs=2)
        page.element("closer").click()


def test_zoom_and_keys_move_the_view_and_a_pixel_stays_a_square(page):
    page.show("composite/test_000")
    plot = page.element("plot")
    fitted = page.view
    x0, x1, y0, y1 = fitted
    assert (x1 - x0) / plot.size["width"] == pytest.approx((y1 - y0) / plot.size["height"], rel=0.01)
    page.element("closer").click()
    np.testing.assert_allclose(np.diff(page.view)[[0, 2]], np.diff(fitted)[[0, 2]] / 1.5)
    assert page.view[:2].mean() == pytest.approx(fitted[:2].mean())
    plot.send_keys(Keys.ARROW_RIGHT)
    assert page.view[:2].mean() == pytest.approx(fitted[:2].mean() + 0.2 * (x1 - x0) / 1.5)
    page.element("further").click()
    plot.send_keys("+")
    plot.send_keys("-")
    np.testing.assert_allclose(np.diff(page.view)[[0, 2]], np.diff(fitted)[[0, 2]])
    plot.send_keys("0")
    np.testing.assert_allclose(page.view, fitted)
    plot.send_keys("+")
    page.element("fit").click()
    np.testing.assert_allclose(page.view, fitted)


def test_the_wheel_zooms_with_the_control_key_only(page):
    page.show("composite/test_000")
    origin = ScrollOrigin.from_element(page.element("plot"))
    fitted = page.view
    page.driver.execute_script("window.scrollTo(0, document.getElementById('viewer').offsetTop)")
    ActionChains(page.driver).scroll_from_origin(origin, 0, -30).perform()
    np.testing.assert_allclose(page.view, fitted)
    page.driver.execute_script("document.getElementById('viewer').scrollIntoView()")
    ActionChains(page.driver).key_down(Keys.CONTROL).scroll_from_origin(origin, 0, -200).key_up(Keys.CONTROL).perform()
    page.pixels()
    x0, x1, y0, y1 = page.view
    assert x1 - x0 < 0.9 * (fitted[1] - fitted[0])
    plot = page.element("plot").size
    assert (x1 - x0) / plot["width"] == pytest.approx((y1 - y0) / plot["height"], rel=0.01)


LABEL = """
const plot = Bokeh.index.roots.find((view) => document.getElementById("plot").contains(view.el));
return [...plot.renderer_views.values()].find((view) => view.model.type === "ScaleBar").label_layout.text.text;
"""


@pytest.mark.parametrize("closer", [0, 4])
def test_the_scale_bar_is_as_long_as_it_says(page, closer):
    page.show("mixed/mixture", right="measured")
    page.set("gain", "0.1")
    for _ in range(closer):
        page.element("closer").click()
    pixels = page.pixels(upper=1.0)
    x0, x1, _, _ = page.view
    length, unit = page.run(LABEL).split()
    said_nm = float(length) * {"nm": 1, "\N{MICRO SIGN}m": 1000}[unit]
    white = (pixels.min(axis=-1) > 250)[int(0.8 * len(pixels)) :]
    bar_px = max(longest_run(row) for row in white)
    nm_per_px = (x1 - x0) / page.element("plot").size["width"]
    assert bar_px * nm_per_px == pytest.approx(said_nm, rel=0.02)


def longest_run(row):
    ends = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]])))
    return int(np.max(ends[1::2] - ends[::2], initial=0))


def test_each_way_to_show_an_image_shows_something(page):
    ways = page.run("return [...document.getElementById('right').options].map((option) => option.value)")
    assert ways == ["measured", "recoloured", "truth", "certainty", "chance-0", "chance-1", "novelty"]
    for way in ways:
        page.show("composite/test_001", right=way)
        assert page.pixels().max() > 100, way


def test_the_next_and_the_previous_image_are_shown(page):
    keys = page.run("return [...document.getElementById('image').options].map((option) => option.value)")
    for button, key in (("next", keys[1]), ("previous", keys[0]), ("previous", keys[-1]), ("next", keys[0])):
        page.element(button).click()
        page.wait(key)
        assert page.element("image").get_attribute("value") == key


def test_a_link_leads_to_an_image(page):
    link = page.driver.find_element(By.CSS_SELECTOR, "td a[data-image]")
    page.click(link)
    page.wait(link.get_attribute("data-image"))


POINTS = """
const view = Bokeh.index.roots.find((view) => document.getElementById("points").contains(view.el));
const glyphs = [...view.renderer_views.values()].find((one) => one.model.type === "GlyphRenderer").glyph;
const {composite} = view.model.renderers[0].data_source.data;
return composite.map((name, index) => [name, glyphs.sx[index], glyphs.sy[index]]);
"""


def test_a_point_of_the_plot_leads_to_its_image(page):
    page.show("mixed/mixture")
    plot = page.element("points")
    page.run("arguments[0].scrollIntoView({block: 'center'})", plot)
    name, x, y = max(page.run(POINTS), key=lambda point: point[2])
    middle = plot.size["width"] / 2, plot.size["height"] / 2
    ActionChains(page.driver).move_to_element_with_offset(
        plot, round(x - middle[0]), round(y - middle[1])
    ).click().perform()
    page.wait(f"composite/{name}")
    assert name in page.element("chosen-point").text


def test_a_keyboard_goes_from_point_to_point(page):
    page.show("mixed/mixture")
    page.press("points", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    said = page.element("chosen-point").get_attribute("textContent")
    worst = worst_point(page, said, "dssim")
    assert said.startswith(worst["composite"])
    assert page.shown.startswith("mixed/mixture ")
    page.press("points", Keys.ENTER)
    page.wait(f"composite/{worst['composite']}")


def worst_point(page, said, distance):
    """The worst point of the structure that is spoken of."""
    points = page.run("return JSON.parse(document.getElementById('viewer-page').textContent).points")
    return min((one for one in points if one["structure"] in said), key=lambda one: one["gap_closed"][distance])


def test_points_are_shown_by_either_distance(page):
    def heights():
        return {round(y) for _, _, y in page.run(POINTS)}

    page.run("arguments[0].scrollIntoView({block: 'center'})", page.element("points"))
    before = heights()
    page.set("measure", "mse")
    WebDriverWait(page.driver, 10).until(lambda _: heights() != before)
    page.press("points", Keys.ARROW_RIGHT)
    said = page.element("chosen-point").get_attribute("textContent")
    worst = worst_point(page, said, "mse")
    assert said.startswith(f"{worst['composite']}, {worst['structure']}: gap closed, squared error ")
    assert f"{worst['gap_closed']['mse']:.2f}" in said


def test_points_are_saved_as_picture_and_as_table(page, whole):
    page.set("measure", "mse")
    table = pd.read_csv(downloaded(page, "points-csv"))
    assert list(table) == ["composite", "structure", "gap_closed_dssim", "gap_closed_mse"]
    distances = pd.read_csv(whole / "results" / "whole" / "evaluation" / "distances.csv")
    channels = distances[["composite", "structure"]].drop_duplicates()
    assert len(table) == len(channels) and set(table["composite"]) == set(channels["composite"])
    shown = page.run("return JSON.parse(document.getElementById('viewer-page').textContent).points")
    assert table["gap_closed_mse"].tolist() == [point["gap_closed"]["mse"] for point in shown]
    picture = downloaded(page, "points-svg").read_text()
    names = set(table["structure"])
    texts = {
        "".join(one.itertext()) for one in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    }
    assert names | {"gap closed, squared error"} <= texts
    assert picture.count("<path") >= len(table)


def downloaded(page, button):
    """The file that a button saves."""
    for old in page.driver.downloads.iterdir():
        old.unlink()
    page.click(page.element(button))
    deadline = time.monotonic() + 20
    while not (files := [one for one in page.driver.downloads.iterdir() if one.suffix in (".png", ".svg", ".csv")]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.2)
    return files[0]


def saved(page):
    """The name and pixels of the image that is saved."""
    file = downloaded(page, "save")
    with Image.open(file) as picture:
        return file.name, np.asarray(picture.convert("RGB"), dtype=int)


def test_what_is_seen_is_saved_with_a_scale_bar_under_a_name_that_tells_both_sides(page):
    page.show("mixed/mixture", left="measured", right="chance-0", swipe=50)
    name, pixels = saved(page)
    assert name == "mixed_mixture_measured_probability-microtubules.png"
    assert pixels.shape == (256, 256, 3)
    bars = [longest_run(row) for row in (pixels.min(axis=-1) > 250)[-20:]]
    assert max(bars) * 20 == 1000, "of 5.1 um, 1 um at 20 nm per pixel"
    page.show("mixed/mixture", swipe=0)
    assert saved(page)[0] == "mixed_mixture_recoloured.png"
