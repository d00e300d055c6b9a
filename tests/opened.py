"""A report that is open in headless Chromium."""

import io
import shutil
import time

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")


def browser(downloads):
    """A browser that saves what it downloads in a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    saves = {
        "download.default_directory": str(downloads),
        "profile.default_content_setting_values.automatic_downloads": 1,
    }
    options.add_experimental_option("prefs", saves)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER))


def coloured(pixels):
    return np.ptp(pixels, axis=-1) > 30


class Page:
    """A report that is open in a browser."""

    def __init__(self, driver, file):
        self.driver = driver
        driver.set_window_size(1366, 900)
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
        self.wait(f"{key} {left} {right} {swipe}")

    def pixels(self, upper=0.8):
        """What the screen shows of the upper part of the frame, above the scale bar, shape (rows, columns, 3)."""
        seen = None
        while seen != (now := self.element("plot").screenshot_as_png):  # until all is drawn
            seen = now
            time.sleep(0.2)
        pixels = np.asarray(Image.open(io.BytesIO(seen)).convert("RGB"), dtype=int)
        return pixels[5 : int(upper * len(pixels)), 5:-5]

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def click(self, element):
        """Wherever it is: a page that scrolls is no part of what is tested."""
        self.run("arguments[0].click()", element)

    def press(self, place, *keys):
        self.run("arguments[0].focus({preventScroll: true})", self.element(place))
        ActionChains(self.driver).send_keys(*keys).perform()

    def wait(self, shown):
        """Until an image is shown, as key, left, right and border, or the first of these."""
        WebDriverWait(self.driver, 30).until(lambda _: f"{self.shown} ".startswith(f"{shown} "))

    def said(self):
        return [line for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
