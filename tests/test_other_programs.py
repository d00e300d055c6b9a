"""Programs of the field open our files with the right places, names, colours and sizes, in their own words."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from recolored import PIXEL_NM, STRUCTURES, recolored_table

from lusco import image
from lusco.colours import on_black
from lusco.export import export

PROJECT = Path(__file__).parents[1]
READERS = PROJECT / ".venv-readers"
PYTHON = READERS / "bin" / "python"
SHAPES = {"small": [(3, 64, 48)], "large": [(3, 300, 4100), (3, 150, 2050), (3, 75, 1025)]}

needs_readers = pytest.mark.skipif(not PYTHON.exists(), reason="these programs are not installed here (`make readers`)")
needs_java = pytest.mark.skipif(not shutil.which("java"), reason="Java is not installed here, which Bio-Formats needs")
pytestmark = needs_readers


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder with a small and a large image, and a recoloured table with what is exported from it."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(1)
    for size, (shape, *_) in SHAPES.items():
        counts = rng.poisson(0.3, shape).astype(np.float32)
        image.write(image.Image(counts, PIXEL_NM, STRUCTURES), folder / f"{size}.ome.tiff", on_black(3))
    recolored_table(folder / "a.csv")
    export(folder / "a.csv", "a", PIXEL_NM, folder / "a.hdf5", folder / "a.smlm")
    return folder


@pytest.fixture(scope="module")
def found(files) -> dict:
    """What the programs found."""
    script = PROJECT / "tests" / "read_by_others.py"
    run = subprocess.run([PYTHON, "-I", script, files], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads((files / "found.json").read_text())


def rgb(colours) -> list[list[int]]:
    return [list(bytes.fromhex(colour[1:])) for colour in colours]


def test_picasso_keeps_every_localization_at_its_place(files, found):
    rows = pd.read_csv(files / "a.csv")
    np.testing.assert_allclose(found["picasso"]["xy_nm"], rows[["x [nm]", "y [nm]"]], atol=1e-3)
    assert found["picasso"]["names"] == rows["structure"].tolist()
    assert found["picasso"]["rejected"] == rows["rejected"].astype(int).tolist()


def test_picasso_draws_each_structure_in_a_colour_of_its_own(files, found):
    numbers = pd.read_csv(files / "a.csv")["structure"].value_counts()
    expected = [numbers.get(structure, 0) for structure in STRUCTURES]
    assert found["picasso"]["drawn"][: len(STRUCTURES)] == expected
    assert found["picasso"]["sums"][: len(STRUCTURES)] == expected
    assert sum(found["picasso"]["drawn"]) == numbers.sum()
    assert found["picasso"]["blurred"] == pytest.approx(numbers.sum(), rel=0.05), "but for what is blurred over an edge"


@pytest.mark.parametrize("size", SHAPES)
def test_napari_shows_names_colours_scale_and_levels(found, size):
    layer = found[f"napari {size}"]
    assert layer["kind"] == "image" and layer["names"] == list(STRUCTURES)
    assert layer["colours"] == rgb(on_black(3))
    assert layer["scale_um"] == pytest.approx([PIXEL_NM / 1000] * 2) and layer["units"] == ["µm", "µm"]
    assert list(map(tuple, layer["shapes"])) == SHAPES[size]


@pytest.mark.parametrize("size", SHAPES)
def test_the_image_is_what_the_schema_of_ome_allows(found, size):
    said = found[f"ome {size}"]
    assert said["names"] == list(STRUCTURES)
    assert said["colours"] == rgb(on_black(3))
    assert said["size"] == [PIXEL_NM, PIXEL_NM] and said["unit"] == "nm"


@pytest.mark.parametrize("size", SHAPES)
def test_bioio_finds_names_size_and_every_count(files, found, size):
    said = found[f"bioio {size}"]
    channels, rows, columns = SHAPES[size][0]
    assert said["names"] == list(STRUCTURES)
    assert said["shape"] == [1, channels, 1, rows, columns]
    assert said["sums"] == tifffile.imread(files / f"{size}.ome.tiff").sum((1, 2)).tolist()
    assert said["size"] == [PIXEL_NM, PIXEL_NM], "in the unit of the file, which bioio leaves out"


@needs_java
@pytest.mark.parametrize("size", SHAPES)
def test_bio_formats_finds_names_colours_size_and_levels(files, size):
    (jar,) = READERS.glob("lib/python*/site-packages/bioformats/jars/bioformats_package.jar")
    tool = ["java", "-cp", jar, "loci.formats.tools.ImageInfo", "-nopix", "-noflat", "-no-upgrade", "-omexml"]
    run = subprocess.run([*tool, files / f"{size}.ome.tiff"], capture_output=True, text=True, timeout=120)
    said = run.stdout
    assert run.returncode == 0, said + run.stderr
    assert "No validation errors found." in said and "Series count = 1" in said
    widths = re.findall(r"sizeX\[\d\] = (\d+)", said) or re.findall(r"Width = (\d+)", said)
    assert [int(width) for width in widths] == [shape[2] for shape in SHAPES[size]]
    pixels = tifffile.xml2dict(said[said.index("<OME ") : said.index("</OME>") + 6])["OME"]["Image"]["Pixels"]
    assert [channel["Name"] for channel in pixels["Channel"]] == list(STRUCTURES)
    colours = [list((channel["Color"] % 2**32).to_bytes(4)[:3]) for channel in pixels["Channel"]]
    assert colours == rgb(on_black(3))
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (PIXEL_NM, "nm")
