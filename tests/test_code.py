"""What a stage runs, told by a hash of its code."""

import shutil
from pathlib import Path

import pytest

from lusco.code import LIBRARY, code_hash


@pytest.fixture
def library(tmp_path) -> Path:
    return Path(shutil.copytree(LIBRARY, tmp_path / "lusco", ignore=shutil.ignore_patterns("__pycache__")))


def test_it_is_the_same_wherever_the_library_lies(library):
    assert code_hash("lusco.train", library) == code_hash("lusco.train")


@pytest.mark.parametrize(
    "module", ["train/__init__.py", "train/loop.py", "train/muon.py", "network.py", "heads.py", "recolor/tiles.py"]
)
def test_what_a_training_imports_belongs_to_it(library, module):
    before = code_hash("lusco.train", library)
    with (library / module).open("a") as file:
        file.write("# edited\n")
    assert code_hash("lusco.train", library) != before


@pytest.mark.parametrize("module", ["evaluate/overlap.py", "ingest/text.py", "report/page.py", "cli/models.py"])
def test_what_a_training_does_not_import_is_none_of_it(library, module):
    before = code_hash("lusco.train", library)
    with (library / module).open("a") as file:
        file.write("# edited\n")
    assert code_hash("lusco.train", library) == before
