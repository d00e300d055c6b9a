"""The report in a real browser: its viewer moves, mixes and swipes as the controls say, and the console is silent."""

import io
import shutil
import time

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


class Page:
    """A report that is open in a browser of a given width."""

    def __init__(self, driver, file, width=1366):
        self.driver = driver
        driver.set_window_size(width, 900)
        driver.get(file.as_uri())
        WebDriverWait(driver, 30).until(lambda _: self.shown)
        driver.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
        driver.execute_script("document.getElementById('viewer').scrollIntoView()")

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    @property
    def shown(self):
        return self.element("viewer").get_attribute("data-shown")

    @property
    def view(self):
        """x0, x1, y0, y1 in nm."""
        return np.array(self.element("viewer").get_attribute("data-view").split(), dtype=float)

    def set(self, name, value):
        self.driver.execute_script(
            "const control = document.getElementById(arguments[0]);"
            "control[control.type === 'checkbox' ? 'checked' : 'value'] = arguments[1];"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, {bubbles: true}));",
            name,
            value,
        )

    def show(self, key, left="measured", right="recoloured", swipe=0):
        for name, value in {"image": key, "left": left, "right": right, "swipe": swipe, "unfamiliar": False}.items():
            self.set(name, value)
        WebDriverWait(self.driver, 30).until(lambda _: self.shown == f"{key} {left} {right} {swipe}")

    def pixels(self):
        """What the screen shows of the image within its frame and above its scale bar, shape (rows, columns, 3)."""
        seen = None
        while seen != (now := self.element("plot").screenshot_as_png):  # until all is drawn
            seen = now
            time.sleep(0.2)
        pixels = np.asarray(Image.open(io.BytesIO(seen)).convert("RGB"), dtype=int)
        return pixels[5 : int(0.8 * len(pixels)), 5:-5]

    def said(self):
        return [line for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


def coloured(pixels):
    return np.ptp(pixels, axis=-1) > 30


@pytest.fixture
def page(chromium, whole):
    page = Page(chromium, whole / "results" / "whole" / "report.html")
    yield page
    assert page.said() == []


def test_it_opens_on_the_first_mixture_as_measured_beside_recoloured(page):
    assert page.shown == "mixed/mixture measured recoloured 50"
    assert "5.1 \N{MULTIPLICATION SIGN} 5.1 µm" in page.element("pointed").text


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


def test_the_swipe_divides_the_image(page):
    page.show("mixed/mixture", swipe=50)
    pixels = page.pixels()
    middle = pixels.shape[1] // 2
    assert not coloured(pixels[:, : middle - 10]).any()
    assert coloured(pixels[:, middle + 10 :]).any()


def test_the_line_is_drawn_to_swipe(page):
    page.show("mixed/mixture", swipe=50)
    x0, x1, _, _ = page.view
    plot = page.element("plot")
    ActionChains(page.driver).move_to_element(plot).click_and_hold().move_by_offset(100, 0).release().perform()
    moved = 100 * (x1 - x0) / plot.size["width"] / 5120  # of the width of the image
    assert float(page.element("swipe").get_attribute("value")) == pytest.approx(50 + 100 * moved, abs=2)


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
    plot.send_keys("0")
    np.testing.assert_allclose(page.view, fitted)


def test_the_image_follows_the_mouse(page):
    page.show("composite/test_000")
    x0, x1, _, _ = page.view
    plot = page.element("plot")
    ActionChains(page.driver).move_to_element(plot).click_and_hold().move_by_offset(-60, 0).release().perform()
    assert page.view[0] - x0 == pytest.approx(60 * (x1 - x0) / plot.size["width"], rel=0.1)


def test_each_kind_of_image_shows_something(page):
    for kind in ("measured", "recoloured", "truth", "certainty"):
        page.show("composite/test_001", right=kind)
        assert page.pixels().max() > 100


def test_links_and_points_lead_to_an_image(page):
    link = page.driver.find_element(By.CSS_SELECTOR, "td a[data-image]")
    page.driver.execute_script("arguments[0].click()", link)
    key = link.get_attribute("data-image")
    WebDriverWait(page.driver, 30).until(lambda _: page.shown.startswith(f"{key} "))
    assert page.element("points").size["height"] > 200


def test_a_table_is_sorted_by_its_headings(page):
    table = "table.sorts:has(a[data-image])"
    values = (
        f"return [...document.querySelectorAll('{table} td:last-child')].map((cell) => parseFloat(cell.textContent))"
    )
    button = page.driver.find_element(By.CSS_SELECTOR, f"{table} th:last-child button")
    for order in (sorted, lambda all_: sorted(all_, reverse=True)):
        page.driver.execute_script("arguments[0].click()", button)
        seen = page.driver.execute_script(values)
        assert len(seen) > 1 and seen == order(seen)


def test_every_figure_can_be_saved_as_svg_and_csv(page):
    links = page.driver.find_elements(By.CSS_SELECTOR, "figcaption a[download]")
    kinds = {link.get_attribute("download").split(".")[-1]: link.get_attribute("href")[:40] for link in links}
    assert kinds == {"svg": "data:image/svg+xml;base64,PD94bWwgdmVyc2", "csv": kinds["csv"]}
    assert kinds["csv"].startswith("data:text/csv;base64,")
    assert len(links) == 2 * len(page.driver.find_elements(By.CSS_SELECTOR, "figure"))


def test_it_fits_a_phone(chromium, whole):
    page = Page(chromium, whole / "results" / "whole" / "report.html", width=500)  # the narrowest that it opens
    assert page.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert page.view[1] - page.view[0] >= 5120
    assert page.said() == []


def test_on_paper_there_are_figures_and_nothing_to_click(page):
    def is_shown(selector):
        return [element.is_displayed() for element in page.driver.find_elements(By.CSS_SELECTOR, selector)]

    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    clicked, figures = is_shown("#viewer, #points, nav, .downloads"), is_shown("figure img")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert np.isfinite(page.view).all()
    assert clicked and not any(clicked)
    assert figures and all(figures)


def test_images_beside_the_page_are_loaded_when_they_are_wanted(chromium, whole, tmp_path):
    done = whole / "results" / "whole"
    shutil.copytree(done / "viewer", tmp_path / "viewer")
    lines = (done / "report.html").read_text().splitlines(keepends=True)
    kept = [line for line in lines if "LuscoViewer.add([{" not in line]
    assert len(kept) == len(lines) - 2
    html = "".join(kept)
    for kind, file in {"mixed": "mixed/mixture.js", "composite": "composites.js"}.items():
        html = html.replace(f'"file": null, "key": "{kind}/', f'"file": "viewer/{file}", "key": "{kind}/')
    (tmp_path / "report.html").write_text(html)
    page = Page(chromium, tmp_path / "report.html")
    page.show("composite/test_000")
    assert coloured(page.pixels()).any()
    assert page.said() == []
