"""The colours of structures stay apart for eyes that see two primary colours instead of three."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import rgb2lab

from lusco.colours import APART, ON_BLACK, ON_WHITE, SAFE

# of linear RGB, at full severity; Machado, Oliveira, Fernandes: IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009)
VISION = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def seen(colours, matrix):
    """Colours in CIELAB as the eye of a matrix sees them, shape (colours, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(matrix), 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def least_distance(lab):
    return min(np.linalg.norm(one - other) for one, other in combinations(lab, 2))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [ON_BLACK, ON_WHITE], ids=["on black", "on white"])
def test_the_promised_number_of_colours_stays_apart(palette, vision):
    assert least_distance(seen(palette[:SAFE], VISION[vision])) >= APART


def test_no_more_are_promised_than_stay_apart():
    assert any(least_distance(seen(ON_BLACK[: SAFE + 1], matrix)) < APART for matrix in VISION.values())


def test_the_simulated_eyes_are_colour_blind():
    red_and_green = ("#B03020", "#507020")
    for vision, matrix in VISION.items():
        confused = least_distance(seen(red_and_green, matrix)) < 0.4 * least_distance(seen(red_and_green, np.eye(3)))
        assert confused == (vision != "tritan")
