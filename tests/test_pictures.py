"""The pictures of the documentation are taken from a finished demo, or a sentence says why not."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from opened import needs_chromium
from PIL import Image

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """docs/pictures.py, with folders of its own for what it reads and writes."""
    spec = importlib.util.spec_from_file_location("pictures", PROJECT / "docs" / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DEMO", tmp_path / "demo")
    monkeypatch.setattr(module, "PICTURES", tmp_path / "pictures")
    (tmp_path / "pictures").mkdir()
    return module


def test_without_a_browser_a_sentence_says_what_is_missing(pictures, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="chromedriver is missing"):
        pictures.main()
    assert list(pictures.PICTURES.iterdir()) == []


def test_without_a_demo_a_sentence_says_what_to_run(pictures, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(SystemExit, match="run `make` first"):
        pictures.main()


@pytest.mark.slow
@needs_chromium
def test_pictures_are_small_and_show_the_figure_and_the_viewer(pictures, whole):
    done = whole / "results" / "whole"
    (pictures.DEMO / "figures").mkdir(parents=True)
    shutil.copy(done / "report.html", pictures.DEMO)
    shutil.copy(done / "figures" / "mixed_mixture.png", pictures.DEMO / "figures" / "mixed_mixture_01.png")
    pictures.main()
    for name in ("demo.png", "viewer.png"):
        file = pictures.PICTURES / name
        with Image.open(file) as picture:
            assert 1000 <= picture.width <= pictures.WIDTH_PX
            assert len(picture.convert("L").getcolors()) > 20, f"{name} is not blank"
        assert file.stat().st_size < 1_500_000
