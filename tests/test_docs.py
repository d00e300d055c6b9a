"""The documentation: pages drawn from the code are up to date, links lead somewhere, what it names is there."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from reported import content

from lusco.report.verdict import findings

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
OTHERS = [*PROJECT.glob("[bert]*/**/README.md"), PROJECT / "resources" / "PACKAGE.md"]
PAGES = sorted([*DOCS.glob("*.md"), PROJECT / "README.md", PROJECT / "CHANGELOG.md", *OTHERS])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def generate():
    sys.path.insert(0, str(DOCS))
    try:
        import generate
    finally:
        sys.path.remove(str(DOCS))
    return generate


# what is drawn from the code


def test_the_reference_of_the_configuration_is_that_of_the_schema(generate):
    schema = yaml.safe_load(generate.SCHEMA.read_text())
    assert (DOCS / "configuration.md").read_text() == generate.configuration_page(schema), "run `make docs`"


def test_the_reference_has_every_key_with_its_meaning_and_default(generate):
    schema = yaml.safe_load(generate.SCHEMA.read_text())
    page = (DOCS / "configuration.md").read_text()

    def keys(properties):
        for name, key in properties.items():
            yield name, key
            yield from keys(key.get("properties", {}))
            if isinstance(inner := key.get("additionalProperties"), dict):
                yield from keys(inner.get("properties", {}))

    for name, key in keys(schema["properties"]):
        assert f"`{name}`" in page
        assert " ".join(key["description"].split()).replace("|", "\\|").replace("<", "\\<") in page, name


def test_limits_and_defaults_are_told_in_words(generate):
    key = {"type": ["number", "null"], "default": None, "minimum": 0, "exclusiveMaximum": 1, "description": "A | b."}
    row = generate.table({"x": key}).splitlines()[-1]
    assert row == "| `x` | number or empty | `null` | at least 0, less than 1 | A \\| b. |"


def test_the_graph_of_the_rules_is_that_of_the_workflow(generate):
    graph = generate.rule_graph()
    assert (DOCS / "rules.svg").read_text() == generate.drawn(graph), "run `make docs`"
    rules = re.findall(
        r"^rule (\w+):", "".join(f.read_text() for f in PROJECT.glob("workflow/rules/*.smk")), re.MULTILINE
    )
    assert set(graph) == {*rules, "all"}


# links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page):
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if not re.match(r"\w+:", link):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, value) for name, value in attrs if name in ("href", "src") and value]


def test_the_pages_are_built_without_a_warning_and_open_offline(tmp_path):
    pytest.importorskip("sphinx", reason="the tools of the documentation are not installed")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--nitpicky", str(DOCS), str(tmp_path)]
    done = subprocess.run([*command, "-d", str(tmp_path / "trees")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.glob("*.html"):
        parser = _Addresses()
        parser.feed(page.read_text())
        for tag, address in parser.found:
            if tag != "a":
                assert not address.startswith(("http", "//")), (page.name, address)
            elif not re.match(r"\w+:|#", address):
                assert (page.parent / address.partition("#")[0]).exists(), (page.name, address)
    assert "<math" in (tmp_path / "method.html").read_text()


# what is said


def test_every_figure_of_the_report_is_named_where_its_panels_are_explained():
    page = (DOCS / "report.md").read_text()
    unnamed = {"schematic": "**The schematic**", "sweep_density": "`sweep_...`"}
    template = (PROJECT / "workflow" / "lusco" / "report" / "template.html").read_text()
    figures = re.findall(r'figure\("(\w+[a-z])"', template)
    assert len(figures) > 9
    for name in (*figures, "sweep_density"):
        assert unnamed.get(name, f"`{name}`") in page, name


def test_every_tile_of_the_report_is_explained_by_its_name():
    page = (DOCS / "report.md").read_text()
    assert [finding.label for finding in findings(content()) if f"| {finding.label} |" not in page] == []


def test_every_target_of_the_workflow_is_told():
    page = (DOCS / "workflow.md").read_text()
    snakefile = (PROJECT / "Snakefile").read_text()
    for target in (*re.findall(r"^rule (\w+):", snakefile, re.MULTILINE), "package"):
        assert f"`{target}`" in page.partition("## Snakemake's report")[0], target


def test_the_sentences_of_faults_are_those_that_are_said():
    said = "".join(path.read_text() for path in (PROJECT / "workflow" / "lusco").rglob("*.py"))
    table = (DOCS / "faults.md").read_text().partition("## The result")[0]
    sentences = re.findall(r"\*([^*]+)\*", table)
    assert len(sentences) >= 8
    assert [sentence for sentence in sentences if sentence not in said] == []


def test_every_test_that_is_said_to_show_a_promise_exists():
    promises = (DOCS / "faults.md").read_text().partition("shown by |")[2]
    rows = re.findall(r"^\|.*\| ([^|]+) \|$", promises, re.MULTILINE)
    named = [re.findall(r"`([^`]+)`", row) for row in rows]
    assert len(rows) >= 11 and all(named)
    places = (PROJECT, PROJECT / "tests" / "faults")
    assert [name for row in named for name in row if not any((place / name).is_file() for place in places)] == []


def test_lusco_completes_its_commands():
    environment = os.environ | {"COMP_WORDS": "lusco eval", "COMP_CWORD": "1", "_LUSCO_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'lusco'; from lusco.cli import main; main()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["evaluate"]
