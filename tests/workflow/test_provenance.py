"""Snakemake's own report of a finished run: made without a network, and every result a person looks at is in it."""

import json
import os
import re
import zipfile
from pathlib import Path

import docutils.core
import pytest
from dag import PROJECT
from whole_run import run

REPORT = PROJECT / "workflow" / "report"
NO_NETWORK = """
import socket
def refuse(*_): raise OSError("the report asked for the network")
socket.socket.connect = socket.getaddrinfo = refuse
"""
TABLES = [
    "assignment",
    "calibration",
    "confusion",
    "coupling",
    "distances",
    "errors",
    "overlap",
    "regions",
    "shapes",
    "summary",
]
TABLES += ["unspecific"]
PICTURES = ["examples", "channels", "crosstalk", "calibration", "distances", "shapes", "overlap", "coupling"]
PICTURES += ["schematic", "loss"]
RECOLORED = ["mixture.ome.tiff", "regions/mixture.csv", "mixtures/mixture.json"]


@pytest.fixture(scope="module")
def provenance(whole, tmp_path_factory) -> dict:
    """What is in the report: `results` by path, `categories` with their subcategories, and `names` of its files."""
    folder = tmp_path_factory.mktemp("provenance")
    (folder / "sitecustomize.py").write_text(NO_NETWORK)
    file = folder / "report.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        run(whole, "--report", str(file))
    with zipfile.ZipFile(file) as archive:
        page = archive.read("report/report.html").decode()
        names = archive.namelist()
    assert not re.search(r'<(script|link)[^>]*(src|href)="https?:', page)
    parts = ("results", "categories")
    return {"names": names} | {k: json.loads(re.search(rf"var {k} = (\{{.*\}});$", page, re.M)[1]) for k in parts}


def labelled(provenance: dict, file: str) -> dict[str, str]:
    return provenance["results"][f"results/whole/{file}"]["labels"]


@pytest.mark.slow
def test_everything_a_person_looks_at_is_in_the_report(provenance):
    wanted = {"report.html", "splits.tsv", "model/model.json", "run.json"}
    wanted |= {f"recolored/{name}" for name in RECOLORED}
    wanted |= {f"evaluation/{name}.csv" for name in TABLES}
    wanted |= {f"figures/{name}.png" for name in (*PICTURES, "mixed_mixture")}
    found = {name.removeprefix("results/whole/") for name in provenance["results"]}
    assert wanted <= found
    for file in provenance["results"].values():
        assert f"report/{file['data_uri']}" in provenance["names"]


@pytest.mark.slow
def test_every_result_has_a_caption_and_says_what_it_is(provenance):
    for path, result in provenance["results"].items():
        assert result["labels"]["experiment"] == "whole"
        assert len(result["caption"]) > 40, path
    assert labelled(provenance, "evaluation/summary.csv")["table"] == "summary"
    assert labelled(provenance, "figures/crosstalk.png")["figure"] == "crosstalk"
    for name in RECOLORED:
        assert labelled(provenance, f"recolored/{name}")["acquisition"] == "mixture"
    assert labelled(provenance, "figures/mixed_mixture.png")["acquisition"] == "mixture"


@pytest.mark.slow
def test_results_stand_under_the_questions_they_answer(provenance):
    categories = provenance["categories"]
    assert set(categories) == {"Report", "Recoloured acquisitions", "Figures", "Evaluation", "Origin"}
    assert "results/whole/figures/crosstalk.png" in categories["Figures"]["How sure are we?"]
    assert "results/whole/figures/coupling.png" in categories["Figures"]["What would go wrong?"]


@pytest.mark.parametrize("caption", sorted(REPORT.rglob("*.rst")), ids=lambda path: str(path.relative_to(REPORT)))
def test_a_caption_is_faultless_markup(caption: Path):
    parsed = docutils.core.publish_doctree(caption.read_text(), settings_overrides={"report_level": 5})
    assert not list(parsed.findall(lambda node: node.tagname in ("system_message", "problematic")))
