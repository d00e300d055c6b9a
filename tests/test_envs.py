"""The environments of the rules agree with the project's pins and hold what their stages import."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
LIBRARY = PROJECT / "workflow" / "lusco"
ENVIRONMENTS = {path.stem: path for path in sorted((PROJECT / "envs").glob("*.yaml"))}
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

# how a package is called where it is imported, if not as where it is installed
PACKAGES = {"skimage": "scikit-image", "yaml": "pyyaml"}
BROUGHT_BY_OTHERS = {"requests": "pooch", "tqdm": "lightning"}
NEED_TORCH = {"torch", "lightning"}


def pins(lines: list[str]) -> dict[str, str]:
    """Version of each package; extras are left out."""
    found = (re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", line) for line in lines)
    return {match[1]: match[2] for match in found}


def packages(environment: str) -> dict[str, str]:
    content = yaml.safe_load(ENVIRONMENTS[environment].read_text())
    (by_pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    return pins(by_pip)


def imported(path: Path) -> Iterator[str]:
    """Packages other than Python's own and this one that a file names at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            name = module.split(".")[0]
            if name not in sys.stdlib_module_names and name != "lusco":
                yield BROUGHT_BY_OTHERS.get(name, PACKAGES.get(name, name))


def rules() -> dict[str, str]:
    """Environment of each rule."""
    text = "".join(path.read_text() for path in sorted((PROJECT / "workflow" / "rules").glob("*.smk")))
    found = {}
    for part in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
        environment = re.search(r'conda:\s+"\.\./\.\./envs/(\w+)\.yaml"', part)
        found[part.split(":")[0]] = environment[1] if environment else ""
    return found


def test_every_rule_names_an_environment_that_exists():
    assert set(rules().values()) == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_pins_are_those_of_the_project(environment):
    project = pins(PYPROJECT["dependencies"])
    assert len(project) == len(PYPROJECT["dependencies"]), "every dependency has an exact pin"
    for name, version in packages(environment).items():
        assert project[name] == version, name


def test_every_package_that_the_library_imports_is_a_dependency():
    needed = {name for path in LIBRARY.rglob("*.py") for name in imported(path)}
    assert needed <= set(pins(PYPROJECT["dependencies"]))


def test_the_environment_of_torch_has_all_that_the_library_imports():
    needed = {name for path in LIBRARY.rglob("*.py") for name in imported(path)}
    assert needed <= set(packages("torch"))


def test_the_environment_without_torch_has_all_else():
    needed = {name for path in LIBRARY.rglob("*.py") for name in imported(path)}
    assert needed - NEED_TORCH <= set(packages("data"))
    assert not NEED_TORCH & set(packages("data"))


def test_stages_without_a_network_do_without_torch():
    stages = sorted(rule for rule, environment in rules().items() if environment == "data")
    modules = {"draw": "figures", "report_page": "report", "sweep_scores": "sweep.scores"}
    imports = "; ".join(f"import lusco.{modules.get(stage, stage)}" for stage in stages)
    found = f"print([name for name in {sorted(NEED_TORCH)} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", f"import sys; {imports}; {found}"], capture_output=True, timeout=60)
    assert run.stdout.decode().strip() == "[]", run.stderr.decode()


def test_nothing_is_in_an_environment_for_nothing():
    needed = {name for path in LIBRARY.rglob("*.py") for name in imported(path)}
    for environment in ENVIRONMENTS:
        assert set(packages(environment)) <= needed


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_gets_the_library_itself(environment):
    script = ENVIRONMENTS[environment].with_suffix(".post-deploy.sh")
    assert "pip install --no-deps" in script.read_text()
