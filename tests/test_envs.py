"""The environments of the rules agree with the project's pins and hold what their stages import."""

import ast
import os
import re
import shutil
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
PACKAGES = {"PIL": "pillow", "skimage": "scikit-image", "yaml": "pyyaml"}
BROUGHT_BY_OTHERS = {"requests": "pooch", "tqdm": "lightning"}
NEED_TORCH = {"torch", "lightning"}
APART = {"peers": LIBRARY / "peers", "zoo": LIBRARY / "package"}  # environments of their own, and what runs there
NOT_OURS = {
    "sklearn": "scikit-learn",
    "torchmetrics": "torchmetrics",
    "threadpoolctl": "scikit-learn",
    "bioimageio": "bioimageio.core",
    "onnx_ir": "onnxscript",
}
BESIDE = "careamics"  # installed without its dependencies by the post-deploy script


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


def test_no_rule_that_runs_a_command_hides_from_that_test():
    """Rules stand in the files that `rules` reads, and those of the Snakefile run nothing."""
    text = "".join(path.read_text() for path in sorted((PROJECT / "workflow" / "rules").glob("*.smk")))
    assert len(rules()) == len(re.findall(r"^\s*(?:rule|checkpoint)\b", text, re.MULTILINE))
    assert len(rules()) == len(re.findall(r"^    (?:shell|script|run|notebook|wrapper):", text, re.MULTILINE))
    assert not re.search(r"(?:shell|script|run|notebook|wrapper):", (PROJECT / "Snakefile").read_text())


def needed(apart: str = "") -> set[str]:
    """Packages that the library names, except in what runs in an environment of its own, or in that."""
    files = LIBRARY.rglob("*.py") if not apart else APART[apart].rglob("*.py")
    elsewhere = () if apart else APART.values()
    return {name for path in files if not set(elsewhere) & set(path.parents) for name in imported(path)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_pins_are_those_of_the_project(environment):
    project = pins(PYPROJECT["dependencies"])
    assert len(project) == len(PYPROJECT["dependencies"]), "every dependency has an exact pin"
    for name, version in packages(environment).items():
        assert project.get(name, version) == version, name
        assert name in project or environment in APART, name


@pytest.mark.parametrize("environment", APART)
def test_an_environment_apart_has_one_set_of_pins_and_all_that_is_imported_there(environment):
    lines = (PROJECT / "envs" / f"{environment}.txt").read_text().splitlines()
    listed = pins([line for line in lines if not line.startswith("#")])
    assert listed == packages(environment)
    assert len(listed) == sum(not line.startswith("#") for line in lines), "every package has an exact pin"
    own = {NOT_OURS.get(name, name) for name in needed(environment)} - {BESIDE}
    assert own <= set(listed)


def test_careamics_comes_without_what_it_asks_for():
    assert f"{BESIDE}==" in ENVIRONMENTS["peers"].with_suffix(".post-deploy.sh").read_text()


def test_programs_that_read_our_files_have_exact_pins():
    lines = (PROJECT / "envs" / "readers.txt").read_text().splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    assert len(pins(listed)) == len(listed) > 0


def test_every_package_that_the_library_imports_is_a_dependency():
    assert needed() <= set(pins(PYPROJECT["dependencies"]))


def test_the_environment_of_torch_has_all_that_the_library_imports():
    assert needed() <= set(packages("torch"))


def test_the_environment_without_torch_has_all_else():
    assert needed() - NEED_TORCH <= set(packages("data"))
    assert not NEED_TORCH & set(packages("data"))


def test_stages_without_a_network_do_without_torch():
    stages = sorted(rule for rule, environment in rules().items() if environment == "data")
    modules = {
        "draw": "figures",
        "draw_mixed": "figures.draw_mixed",
        "export_acquisition": "export",
        "report_page": "report",
        "sweep_scores": "sweep.scores",
    }
    imports = "; ".join(f"import lusco.{modules.get(stage, stage)}" for stage in stages)
    found = f"print([name for name in {sorted(NEED_TORCH)} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", f"import sys; {imports}; {found}"], capture_output=True, timeout=60)
    assert run.stdout.decode().strip() == "[]", run.stderr.decode()


def test_nothing_is_in_an_environment_for_nothing():
    for environment in set(ENVIRONMENTS) - set(APART):  # these need more than they are imported for
        assert set(packages(environment)) <= needed()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_gets_the_library_itself(environment):
    script = ENVIRONMENTS[environment].with_suffix(".post-deploy.sh")
    assert re.search(r'pip install .*--no-deps --editable "\$\{LUSCO_PROJECT:-\.\}"', script.read_text())


# the recipe for Apptainer

RECIPE = (PROJECT / "envs" / "lusco.def").read_text()


def section(name: str) -> list[str]:
    """Lines of a section of the recipe."""
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", RECIPE, re.MULTILINE | re.DOTALL)
    return [line.strip() for line in found[1].strip().splitlines()]


def test_the_recipe_takes_a_python_that_the_project_allows_and_the_environments_have():
    version = re.search(r"^From: python:(\d+\.\d+)-slim$", RECIPE, re.MULTILINE)[1]
    lowest, below = re.findall(r"\d+\.\d+", PYPROJECT["requires-python"])
    assert tuple(map(int, lowest.split("."))) <= tuple(map(int, version.split("."))) < tuple(map(int, below.split(".")))
    for path in ENVIRONMENTS.values():
        assert f"python={version}" in yaml.safe_load(path.read_text())["dependencies"]


def test_the_recipe_installs_the_project_and_so_its_pins():
    assert section("post") == ["pip install --no-cache-dir --editable /opt/lusco"]
    assert section("runscript") == ['exec snakemake --snakefile /opt/lusco/Snakefile "$@"']


def test_what_the_recipe_copies_is_enough_to_build_and_to_plan(tmp_path):
    project, elsewhere = tmp_path / "opt" / "lusco", tmp_path / "data"
    elsewhere.mkdir()
    project.mkdir(parents=True)
    for line in section("files"):
        source, target = line.split()
        assert target == "/opt/lusco/"
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, project / source, ignore=shutil.ignore_patterns("data", "__pycache__"))
        else:
            shutil.copy(PROJECT / source, project)
    for file in (PYPROJECT["readme"], *PYPROJECT["license-files"], "envs/data.yaml"):
        assert (project / file).exists(), file
    shutil.copy(PROJECT / "config.yaml", elsewhere)
    shutil.copytree(PROJECT / "resources", elsewhere / "resources", ignore=shutil.ignore_patterns("data", "models"))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile"), "--dry-run"]
    environment = os.environ | {"PYTHONPATH": str(project / "workflow")}
    run = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
