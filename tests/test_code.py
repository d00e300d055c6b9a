"""What a stage runs, told by a hash of its code."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from lusco.code import LIBRARY, _imports, _modules, code_hash


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


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.py")), ids=lambda file: str(file.relative_to(LIBRARY)))
def test_no_import_is_overlooked(file):
    """Found as text, they are at least those that Python finds."""
    nodes = list(ast.walk(ast.parse(file.read_bytes())))
    plain = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    assert not [name for name in plain if name.startswith("lusco")]
    origins = [n for n in nodes if isinstance(n, ast.ImportFrom) and f"{n.module}.".startswith("lusco.")]
    true = {name for n in origins for name in (n.module, *(f"{n.module}.{own.name}" for own in n.names))}
    assert true <= set(_imports(file.read_bytes()))


RULES = "\n".join(file.read_text() for file in sorted((LIBRARY.parent / "rules").glob("*.smk")))
STAGES = re.findall(r"code=code\(([^)]*)\).*?lusco --log \{log\} ([a-z-]+)", RULES, re.DOTALL)
COMMANDS = {
    function.name.replace("_", "-"): function
    for file in (LIBRARY / "cli").glob("*.py")
    for function in ast.parse(file.read_text()).body
    if isinstance(function, ast.FunctionDef)
}


@pytest.mark.parametrize(("hashed", "command"), STAGES, ids=[command for _, command in STAGES])
def test_what_a_command_imports_is_part_of_the_hash_of_its_rule(hashed, command):
    known = {file for module in re.findall(r"[\w.]+", hashed) for file in _modules(module, LIBRARY)}
    # settings are handed over whole, so that a changed default is another command
    used = [name for name in _imports(ast.unparse(COMMANDS[command]).encode()) if not name.startswith("lusco.settings")]
    assert used
    assert {file for name in used for file in _modules(name, LIBRARY)} <= known


def test_every_rule_of_the_library_was_looked_at():
    assert len(STAGES) == RULES.count("code=code(") == RULES.count("lusco --log {log}")
