"""The models that LUSCo comes with: whole, small, and of use on mixtures that they never saw."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lusco.model import WEIGHTS, read_description
from lusco.recolor import Recolorer, recolor_acquisition
from lusco.render import Points
from lusco.simulate import simulate

RESOURCES = Path(__file__).parents[1] / "resources"
MODELS = RESOURCES / "models"
STRUCTURES = {
    "three_structures": ("microtubules", "nuclear_pores", "mitochondria"),
    "five_structures": ("microtubules", "nuclear_pores", "mitochondria", "clathrin_pits", "actin"),
    "nanoscale": ("nuclear_pores", "microtubules", "clathrin_pits"),
}
PIXEL_NM = {"three_structures": 20, "five_structures": 20, "nanoscale": 6}
SIDE_PX = 256
PER_UM2 = 763  # localizations without any structure, as dense as structures are


def _minflux() -> dict:
    """The descriptions that the model at 6 nm learned from, as one of a mixture imaged by MINFLUX."""
    kinds = ("clathrin", "pores", "microtubules")
    each = [yaml.safe_load((RESOURCES / "simulations" / f"nanoscale_{kind}.yaml").read_text()) for kind in kinds]
    structures = {name: how for one in each for name, how in one["structures"].items()}
    return each[-1] | {"structures": structures}


MINFLUX = _minflux()
MEGABYTE = 1e6


@pytest.fixture(scope="module", params=STRUCTURES)
def recolorer(request):
    folder = MODELS / request.param
    return Recolorer(folder, read_description(folder), SIDE_PX, 1, "cpu")


@pytest.mark.parametrize(("name", "structures"), STRUCTURES.items())
def test_it_tells_apart_its_structures_at_its_pixel_size_and_is_small(name, structures):
    model = read_description(MODELS / name)
    assert model.structures == structures
    assert model.pixel_nm == PIXEL_NM[name]
    assert (MODELS / name / WEIGHTS).stat().st_size < 8 * MEGABYTE


@pytest.mark.parametrize("name", STRUCTURES)
def test_its_card_names_the_command_that_trains_it_again(name):
    card = (MODELS / name / "README.md").read_text()
    assert f"--configfile resources/experiments/{name}.yaml" in card


def test_it_gives_most_of_an_unseen_mixture_to_the_right_structure(tmp_path, describe, recolorer):
    model = recolorer.description
    structures, side_um = model.structures, SIDE_PX * model.pixel_nm / 1e3
    how = MINFLUX if model.pixel_nm < 10 else {"structures": {name: {} for name in structures}}
    mixture = simulate(describe(**how | {"field_um": [side_um, side_um]}), "unseen", "mixed", 99)
    files = (tmp_path / name for name in ("a.ome.tiff", "a.csv", "regions.csv", "a.json"))
    recolor_acquisition(recolorer, mixture, 0.01, *files)
    result = pd.read_csv(tmp_path / "a.csv").query("true_structure in @structures")
    right = (result["structure"] == result["true_structure"]).mean()
    commonest = result["true_structure"].value_counts(normalize=True).max()
    assert right > max(0.5, commonest)


def test_it_calls_localizations_without_any_structure_unfamiliar(recolorer):
    """And the one of five is unsure of all of them."""
    model = recolorer.description
    side_nm = SIDE_PX * model.pixel_nm
    number = int(PER_UM2 * (side_nm / 1e3) ** 2)
    x_nm, y_nm = np.random.default_rng(1).uniform(0, side_nm, (2, number))
    points = Points(x_nm, y_nm, None, (0.0, 0.0), model.pixel_nm, (SIDE_PX, SIDE_PX))
    result = recolorer(points)
    probabilities = result.probabilities
    assert recolorer.known.judge(points, probabilities, result.appearance, model.structures)["unfamiliar"].all()
    if len(model.structures) == 5:
        assert (probabilities.max(1) >= model.threshold(0.01)).mean() < 0.05
