"""The model that LUSCo comes with: whole, small, and of use on a mixture that it never saw."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lusco.model import WEIGHTS, read_description
from lusco.recolor import Recolorer, recolor_acquisition
from lusco.render import Points
from lusco.simulate import simulate

FOLDER = Path(__file__).parents[1] / "resources" / "models" / "five_structures"
STRUCTURES = ("microtubules", "nuclear_pores", "mitochondria", "clathrin_pits", "actin")
MEGABYTE = 1e6


@pytest.fixture(scope="module")
def recolorer():
    return Recolorer(FOLDER, read_description(FOLDER), 256, 1, "cpu")


def test_it_tells_apart_the_five_structures_at_20_nm_and_is_small():
    model = read_description(FOLDER)
    assert model.structures == STRUCTURES
    assert model.pixel_nm == 20
    assert (FOLDER / WEIGHTS).stat().st_size < 8 * MEGABYTE


def test_its_card_names_the_command_that_trains_it_again():
    card = (FOLDER / "README.md").read_text()
    assert "--configfile resources/experiments/five_structures.yaml" in card


def test_it_gives_most_of_an_unseen_mixture_to_the_right_structure(tmp_path, describe, recolorer):
    mixture = simulate(describe({name: {} for name in STRUCTURES}, field_um=[5.12, 5.12]), "unseen", "mixed", 99)
    files = (tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json"))
    recolor_acquisition(recolorer, mixture, 0.01, *files)
    result = pd.read_csv(tmp_path / "a.csv").query("true_structure in @STRUCTURES")
    right = (result["structure"] == result["true_structure"]).mean()
    commonest = result["true_structure"].value_counts(normalize=True).max()
    assert right > max(0.5, commonest)


def test_it_is_unsure_of_localizations_without_any_structure(recolorer):
    x_nm, y_nm = np.random.default_rng(1).uniform(0, 5120, (2, 20_000))
    likeliest = recolorer(Points(x_nm, y_nm, None, (0.0, 0.0), 20.0, (256, 256))).probabilities.max(1)
    assert (likeliest >= recolorer.description.threshold(0.01)).mean() < 0.05
