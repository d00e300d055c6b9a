"""The pictures of the documentation, from a finished demo: `make pictures` calls it."""

import shutil
import sys
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PROJECT = Path(__file__).parents[1]
DEMO = PROJECT / "results" / "demo"
PICTURES = PROJECT / "resources" / "pictures"
WIDTH_PX = 1200
SIZE_PX = (WIDTH_PX, 1000)
CLOSER = 2  # steps of the button that zooms in


def main() -> None:
    """Shrink the figure of the demo's mixture, and take a picture of the viewer."""
    driver = shutil.which("chromedriver")
    if not driver:
        sys.exit(
            "chromedriver is missing, so the picture of the viewer would stay an old one: install Chromium with it"
        )
    if not (DEMO / "report.html").exists():
        sys.exit(f"{DEMO / 'report.html'} is missing, which the pictures show: run `make` first")
    with Image.open(DEMO / "figures" / "mixed_mixture_01.png") as figure:
        figure.thumbnail((WIDTH_PX, figure.height))
        figure.convert("RGB").quantize().save(PICTURES / "demo.png", optimize=True)
    photograph(DEMO / "report.html", PICTURES / "viewer.png", driver)


def photograph(report: Path, picture: Path, driver: str) -> None:
    """The viewer of a report as a browser shows it, zoomed in, half as measured and half recoloured."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as browser:
        browser.set_window_size(*SIZE_PX)
        browser.get(report.as_uri())
        viewer = browser.find_element(By.ID, "viewer")
        WebDriverWait(browser, 30).until(lambda _: viewer.get_attribute("data-shown"))
        browser.execute_script("arguments[0].scrollIntoView({behavior: 'instant'})", viewer)
        for _ in range(CLOSER):
            browser.find_element(By.ID, "closer").click()
        WebDriverWait(browser, 30).until(lambda _: viewer.screenshot_as_png == viewer.screenshot_as_png)
        viewer.screenshot(str(picture))


if __name__ == "__main__":
    main()
