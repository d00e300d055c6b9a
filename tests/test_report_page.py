"""The report's page in a real browser: it sorts, fits a phone and paper, and stays usable with many images."""

import base64
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from opened import Page, coloured, needs_chromium
from reported import content
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from lusco.figures.viewer import described, write_images
from lusco.report import Mixture, report

pytestmark = [pytest.mark.slow, needs_chromium]

PHONE_PX, PAPER_PX = 360, 717  # of A4 within margins of a centimetre, at 96 dots per inch
NO_REGIONS = pd.DataFrame(columns=["x_nm", "y_nm", "side_nm", "novelty", "unfamiliar", "differs_by"])


@pytest.fixture
def emulated(chromium):
    """Pretend to be another device, until the test ends: `emulated(width_px)` or `emulated(width_px, "print")`."""

    def emulate(width_px, media="screen"):
        screen = {"width": width_px, "height": 740, "deviceScaleFactor": 1, "mobile": media == "screen"}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})

    yield emulate
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.fixture
def page(chromium, whole):
    page = Page(chromium, whole / "results" / "whole" / "report.html")
    yield page
    assert page.said() == []


def opened(driver, folder, **changes):
    """A made-up report with one image that is open."""
    made = content(**changes)
    (folder / "report.html").write_text(report(with_images(made, folder, ["cell"]) if not made.viewer else made))
    return Page(driver, folder / "report.html")


def with_images(made, folder, names, side_px=32):
    """The same content with so many made-up mixtures and their images."""
    counts = np.random.default_rng(0).poisson(1, (side_px, side_px)).astype(float)
    share = np.stack([counts, *[0 * counts] * (len(made.structures) - 1)])
    image = described("", counts, share, None, (share > 0).astype(float), made.structures, 20.0, NO_REGIONS)
    files = {name: folder / "viewer" / "mixed" / f"{name}.js" for name in names}
    for name, file in files.items():
        write_images([{**image, "key": f"mixed/{name}"}], file)
    return replace(made, viewer=files, mixed=[Mixture(name, {}, 1.0, None, 0.5) for name in names])


# tables


def sorted_column(page, column):
    """The texts of a column of the table of acquisitions, after one more click on its heading."""
    with_density = "(one) => one.rows[0].textContent.includes('density')"
    table = page.run(f"return [...document.querySelectorAll('table.sorts')].find({with_density})")
    page.click(table.find_elements(By.CSS_SELECTOR, "th button")[column])
    return page.run(
        f"return [...arguments[0].rows].slice(1).map((row) => row.cells[{column}].textContent.trim())", table
    )


NAMES = ["3T3 cell10", "2024-11-05", "cell_2", "3T3 cell2", "Cell_10", "2024-09-30"]
SORTED = ["3T3 cell2", "3T3 cell10", "2024-09-30", "2024-11-05", "cell_2", "Cell_10"]


def test_names_that_begin_with_digits_are_sorted_as_names_and_numbers_as_numbers(chromium, tmp_path):
    (split,) = content().splits.head(1).to_dict("records")
    rows = [{**split, "acquisition": name, "localizations": 800 * 3**i} for i, name in enumerate(NAMES)]
    rows[2]["density_per_um2"] = np.nan
    page = opened(chromium, tmp_path, splits=pd.DataFrame(rows))
    assert sorted_column(page, 0) == SORTED
    assert sorted_column(page, 0) == SORTED[::-1]
    assert sorted_column(page, 4) == ["800", "2,400", "7,200", "21,600", "64,800", "194,400"]
    for _ in range(2):
        assert sorted_column(page, 6)[-1] == "\N{EN DASH}", "what is missing comes last either way"
    assert page.said() == []


def test_numbers_with_their_errors_are_sorted_as_numbers(chromium, tmp_path):
    (split,) = content().splits.head(1).to_dict("records")
    given = [f"{value} \N{PLUS-MINUS SIGN} {error} %" for value, error in ((18, 2), (0.7, 0.2), (-5, 3), (0.09, 0.04))]
    page = opened(chromium, tmp_path, splits=pd.DataFrame([{**split, "acquisition": text} for text in given]))
    assert sorted_column(page, 0) == [given[k] for k in (2, 3, 1, 0)]


def test_a_table_is_sorted_by_its_headings(page):
    table = "table.sorts:has(a[data-image])"
    values = (
        f"return [...document.querySelectorAll('{table} td:last-child')].map((cell) => parseFloat(cell.textContent))"
    )
    button = page.driver.find_element(By.CSS_SELECTOR, f"{table} th:last-child button")
    for order in (sorted, lambda all_: sorted(all_, reverse=True)):
        page.click(button)
        seen = page.run(values)
        assert len(seen) > 1 and seen == order(seen)


def test_every_figure_can_be_saved_as_svg_and_csv(page, whole):
    links = page.driver.find_elements(By.CSS_SELECTOR, "figcaption a[download]")
    assert len(links) == 2 * len(page.driver.find_elements(By.CSS_SELECTOR, "figure"))
    for link in links:
        name, (kind, held) = link.get_attribute("download"), link.get_attribute("href").split(";base64,")
        assert kind == {"svg": "data:image/svg+xml", "csv": "data:text/csv"}[name.split(".")[-1]]
        assert base64.b64decode(held) == (whole / "results" / "whole" / "figures" / name).read_bytes(), name


def test_a_keyboard_reaches_every_control_and_enlarges_a_figure(page):
    wanted = {"image", "left", "swipe", "right", "save", "plot", "show-0", "colour-0", "gain-0", "points", "measure"}
    page.run("document.getElementById('image').focus()")
    reached = []
    for _ in range(200):
        reached.append(page.run("return document.activeElement.id || document.activeElement.tagName"))
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
    assert wanted <= set(reached) and "BUTTON" in reached, "headings of tables are buttons"
    assert reached.index("left") < reached.index("plot") < reached.index("points")
    figure = next(name for name in reached if name.startswith("zoom-"))
    small = page.element(figure.replace("zoom", "figure")).size["width"]
    page.press(figure, Keys.SPACE)
    assert page.element(figure).is_selected()
    assert page.element(figure.replace("zoom", "figure")).size["width"] > small
    page.press(figure, Keys.ESCAPE)
    assert not page.element(figure).is_selected()


def test_a_slider_is_moved_by_keys(page):
    page.show("mixed/mixture", swipe=50)
    page.press("swipe", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.wait("mixed/mixture measured recoloured 52")


# phone and paper


def several_models():
    """Content of three models with long names, whose numbers make wide tables."""
    made = content(("nuclear_pore_complexes", "microtubules", "outer_mitochondrial_membrane", "clathrin_coated_pits"))
    models = ["unet", "a_forest_of_trees_with_a_long_name", "unet_with_half_of_the_features"]
    return replace(made, summary=pd.concat([made.summary.assign(model=model) for model in models]))


# what sticks out of the page, but for what scrolls within it
WIDER = """
const scrolls = (element) => {
  const around = element.closest('.wide, pre, #plot, #points');
  return around && getComputedStyle(around).overflowX !== 'visible';
};
return [...document.body.querySelectorAll('*')]
  .filter((element) => element.getBoundingClientRect().right > arguments[0] + 1 && !scrolls(element))
  .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`);
"""


def test_a_phone_does_not_scroll_sideways(chromium, whole, tmp_path, emulated):
    made = several_models()
    (tmp_path / "report.html").write_text(report(with_images(made, tmp_path, ["a_mixture_with_quite_a_long_name_01"])))
    emulated(PHONE_PX)
    for file in (whole / "results" / "whole" / "report.html", tmp_path / "report.html"):
        page = Page(chromium, file)
        assert page.run(WIDER, PHONE_PX) == []
        assert page.run("return document.documentElement.scrollWidth") <= PHONE_PX
        assert page.element("plot").size["width"] > 300
        assert page.said() == []


def test_on_paper_there_are_figures_and_nothing_to_click(page, emulated):
    def is_shown(selector):
        return [element.is_displayed() for element in page.driver.find_elements(By.CSS_SELECTOR, selector)]

    emulated(PAPER_PX, "print")
    assert is_shown("#viewer, #points, nav, .downloads") and not any(is_shown("#viewer, #points, nav, .downloads"))
    assert is_shown("figure img") and all(is_shown("figure img"))
    assert np.isfinite(page.view).all()


def test_wide_tables_are_whole_on_paper(chromium, tmp_path, emulated):
    made = several_models()
    rows = pd.concat([made.splits.assign(acquisition=f"cell_{number}") for number in range(20)])
    (tmp_path / "report.html").write_text(report(with_images(replace(made, splits=rows), tmp_path, ["cell"])))
    page = Page(chromium, tmp_path / "report.html")
    emulated(PAPER_PX, "print")
    assert page.run(WIDER, PAPER_PX) == []
    clipped = "(one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1"
    assert page.run(f"return [...document.querySelectorAll('.wide, pre')].filter({clipped}).length") == 0
    assert 2 <= printed_pages(page) <= 12
    assert page.run("return [...document.querySelectorAll('details')].every((one) => one.open)"), (
        "nothing is folded away"
    )
    assert page.said() == []


def printed_pages(page):
    """How many pages of A4 a report is printed on."""
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    pdf = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    assert pdf.startswith(b"%PDF")
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_it_is_printed_to_a_pdf_of_several_pages(page):
    assert 4 <= printed_pages(page) <= 40


# many images


def test_a_report_of_200_images_opens_and_shows_each(chromium, tmp_path):
    names = [f"cell_{index:03}" for index in range(200)]
    made = with_images(content(), tmp_path, names, side_px=400)
    picture = tmp_path / "figures" / "mixed.svg"
    picture.parent.mkdir()
    picture.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 500_000 + b"</svg>\n")
    figures = {f"mixed_{name}": picture.with_stem(f"mixed_{name}") for name in names}
    for file in figures.values():
        file.hardlink_to(picture)
    html = report(replace(made, figures=figures))
    assert sum(file.stat().st_size for file in made.viewer.values()) > 60e6
    assert len(html.encode()) < 50e6
    (tmp_path / "report.html").write_text(html)
    page = Page(chromium, tmp_path / "report.html")
    page.show("mixed/cell_000")
    page.element("previous").click()
    page.wait("mixed/cell_199")
    assert coloured(page.pixels()).any()
    assert page.said() == []


WATCH = """
const load = LuscoViewer.load;
window.watched = [];
LuscoViewer.load = async (...asked) => {
  const image = await load(...asked);
  window.watched.push(...image.codes.recoloured.map((layer) => new WeakRef(layer)));
  return image;
};
"""


def test_only_the_image_that_is_shown_is_held_unpacked(chromium, tmp_path):
    names = [f"cell_{index}" for index in range(5)]
    (tmp_path / "report.html").write_text(report(with_images(content(), tmp_path, names)))
    page = Page(chromium, tmp_path / "report.html")
    page.run(WATCH)
    for name in reversed(names):
        page.show(f"mixed/{name}")
    chromium.execute_cdp_cmd("HeapProfiler.enable", {})
    chromium.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    assert page.run("return window.watched.length") == 2 * len(names)
    assert page.run("return window.watched.filter((layer) => layer.deref()).length") == 2


def test_a_binned_image_says_so(chromium, tmp_path):
    counts = np.ones((8, 3200))
    image = described("mixed/cell", counts, counts[None], None, counts[None], ["pores"], 6.0, NO_REGIONS)
    write_images([image], tmp_path / "viewer" / "mixed" / "cell.js")
    viewer = {"cell": tmp_path / "viewer" / "mixed" / "cell.js"}
    mixed = [Mixture("cell", {}, 1.0, None, 0.5)]
    page = opened(chromium, tmp_path, structures=("pores",), viewer=viewer, mixed=mixed)
    assert (
        "shown at 18 nm per pixel (binned from 6 nm; the file in recolored/ has every" in page.element("pointed").text
    )


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
