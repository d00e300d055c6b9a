"""The whole way, run by Snakemake itself: every file of the contract, and nothing left to do afterwards."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from dag import copy_project, planned
from PIL import Image
from whole_run import CONFIG, command, run, snakemake

from lusco import table

pytestmark = pytest.mark.slow

STRUCTURES = ["microtubules", "nuclear_pores"]
FIGURES = ["schematic", "examples", "distances", "overlap", "crosstalk", "calibration", "loss"]


@pytest.fixture(scope="module")
def results(whole) -> Path:
    return whole / "results" / "whole"


def test_a_second_run_has_nothing_to_do(whole):
    assert planned(whole, yaml.safe_load((whole / CONFIG).read_text())) == {}


def test_nothing_unfinished_is_left(whole):
    assert not [*(whole / "results").rglob(".partial*"), *(whole / "results").rglob(".unfinished*")]


def test_every_command_left_its_log(whole, results):
    assert len(list((results / "logs").glob("*.log"))) >= 8
    assert not [path for path in (whole / "results").rglob("*.log") if "Traceback" in path.read_text()]


def test_the_recoloured_image_has_a_named_channel_per_structure_and_a_pixel_size(results):
    with tifffile.TiffFile(results / "recolored" / "mixture.ome.tiff") as file:
        assert file.series[0].axes == "CYX"
        assert file.series[0].shape == (2, 256, 256)
        described = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [channel["Name"] for channel in described["Channel"]] == STRUCTURES
    size_nm = float(described["PhysicalSizeX"]) * {"nm": 1, "µm": 1000}[described.get("PhysicalSizeXUnit", "µm")]
    assert size_nm == pytest.approx(20)


def test_every_localization_of_the_mixture_is_recoloured(whole, results):
    recolored = pd.read_csv(results / "recolored" / "mixture.csv")
    assert list(recolored.columns[:3]) == ["id", "x [nm]", "y [nm]"]
    chances = [f"p_{structure}" for structure in STRUCTURES]
    assert {"frame", "intensity [photon]", "structure", *chances, "rejected"} <= set(recolored.columns)
    assert set(recolored["structure"]) <= set(STRUCTURES)
    np.testing.assert_allclose(recolored[chances].sum(axis=1), 1, atol=1e-5)
    (source,) = (whole / "results" / "acquisitions" / "mixture").glob("*/localizations.parquet")
    assert len(recolored) == len(table.read(source))


def test_every_localization_is_exported_for_other_programs(results):
    recolored = pd.read_csv(results / "recolored" / "mixture.csv")
    with h5py.File(results / "recolored" / "mixture.hdf5") as file:
        groups = file["locs"]["group"]
    described = yaml.safe_load((results / "recolored" / "mixture.yaml").read_text())
    assert [described["Structures"][group] for group in groups] == recolored["structure"].tolist()
    with zipfile.ZipFile(results / "recolored" / "mixture.smlm") as archive:
        tables = json.loads(archive.read("manifest.json"))["files"]
    assert {file["channel"]: file["rows"] for file in tables} == recolored["structure"].value_counts().to_dict()


def test_the_channels_share_out_what_was_measured(whole, results):
    (rendering,) = (whole / "results" / "acquisitions" / "mixture").glob("*/rendering_20nm.ome.tiff")
    channels = tifffile.imread(results / "recolored" / "mixture.ome.tiff")
    np.testing.assert_allclose(channels.sum(0), np.squeeze(tifffile.imread(rendering)), rtol=1e-4, atol=1e-4)


COLUMNS = {
    "distances": ["model", "composite", "structure", "distance", "comparison", "value"],
    "overlap": ["model", "composite", "structure_a", "structure_b", "measure", "source", "value"],
    "summary": ["model", "structure", "measure", "value"],
    "errors": ["model", "structure", "measure", "error", "acquisitions"],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_tables_of_the_evaluation_have_their_columns(results, name):
    assert list(pd.read_csv(results / "evaluation" / f"{name}.csv").columns) == COLUMNS[name]


def test_distances_are_compared_with_every_reference(results):
    distances = pd.read_csv(results / "evaluation" / "distances.csv")
    assert set(distances["comparison"]) == {"model", "floor", "composite", "shuffled_pixels", "shuffled_pairs"}
    assert set(distances["distance"]) == {"mse", "dssim"}
    assert len(distances) == 4 * 2 * 2 * 5, "composites, structures, distances, comparisons"
    assert distances["value"].between(0, 2).all()


def test_overlap_has_every_measure_of_truth_and_model(results):
    overlap = pd.read_csv(results / "evaluation" / "overlap.csv")
    assert set(overlap["measure"]) == {"manders_a", "manders_b", "iou", "pearson"}
    assert set(overlap["source"]) == {"truth", "model"}


def test_assignment_has_the_composites_and_the_scored_mixture(results):
    assignment = pd.read_csv(results / "evaluation" / "assignment.csv", keep_default_na=False)
    wanted = {"model", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"}
    assert set(assignment.columns) == wanted | {"acquisition"}
    assert set(assignment["acquisition"]) == {"", "mixture"}


def test_the_summary_has_every_measure(results):
    summary = pd.read_csv(results / "evaluation" / "summary.csv")
    gaps = {"gap_closed_mse", "gap_closed_dssim", "gap_closed_mse_floor", "gap_closed_dssim_floor"}
    curves = {"accuracy", "crosstalk_at_30pct_rejected", "rejected_at_1pct_crosstalk", "expected_calibration_error"}
    assert set(summary["measure"]) == gaps | curves
    assert set(STRUCTURES) <= set(summary["structure"])


def test_the_model_is_a_description_and_weights_without_a_pickle(results):
    assert {path.name for path in (results / "model").iterdir()} == {"model.json", "weights.safetensors"}


def test_the_split_is_written_down(results):
    splits = pd.read_csv(results / "splits.tsv", sep="\t")
    assert list(splits.columns[:3]) == ["acquisition", "structure", "split"]
    assert splits["split"].value_counts().to_dict() == {"train": 2, "validation": 2, "test": 2, "apply": 1}


def test_every_figure_has_its_picture_and_its_numbers(results):
    figures = results / "figures"
    for name in (*FIGURES, "mixed_mixture"):
        for ending in ("svg", "png", "csv"):
            assert (figures / f"{name}.{ending}").stat().st_size > 0, name
        assert len(pd.read_csv(figures / f"{name}.csv", comment="#").columns) > 1, name


def test_the_report_opens_offline(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    without_scripts = re.sub("<script>.*?</script>", "", page, flags=re.DOTALL)  # tests/test_viewer.py runs them
    for outside in ('src="', "src='", "@import", "url(", '<link rel="stylesheet"'):
        assert outside not in without_scripts.replace('src="data:', "")
    assert "microtubules" in page.lower()


def test_the_record_holds_what_the_run_was_made_of(whole, results):
    record = json.loads((results / "run.json").read_text())
    assert record["experiment"] == "whole" and record["seed"] == record["config"]["seed"] == 1
    assert record["git"] is None or len(record["git"]["revision"]) == 40
    assert record["versions"]["torch"] == version("torch") and "python" in record["versions"]
    assert record["model"]["device"] and record["model"]["steps"] == 20 and record["recorded_on"]["cores"] >= 1
    sources = {each["acquisition"]: each["sha256"] for each in record["acquisitions"]}
    assert sources == dict.fromkeys(sources, checksum(whole / CONFIG.with_name("whole_field.yaml")))
    assert len(sources) == 7
    kinds = ("{}.ome.tiff", "{}.csv", "regions/{}.csv", "mixtures/{}.json")
    wanted = {f"recolored/{kind.format('mixture')}" for kind in kinds}
    wanted |= {"report.html", "splits.tsv", "model/model.json", "model/weights.safetensors"}
    wanted |= {f"evaluation/{path.name}" for path in (results / "evaluation").iterdir()}
    assert record["results_sha256"] == {f"results/whole/{name}": checksum(results / name) for name in wanted}


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_figures_for_print_have_the_same_bytes_each_time(whole, tmp_path):
    folder = tmp_path / "done"
    shutil.copytree(whole, folder, symlinks=True)
    printed = folder / "results" / "whole" / "figures" / "print"
    seen = []
    for _ in range(2):
        run(folder, "print_figures")
        seen.append({file.name: file.read_bytes() for file in printed.iterdir()})
        shutil.rmtree(printed)
    assert seen[0] == seen[1]
    drawn = {path.stem for path in (folder / "results" / "whole" / "figures").glob("*.svg")}
    assert set(seen[0]) == {f"{name}.{ending}" for name in drawn for ending in ("svg", "png")}
    for name in drawn:
        svg = seen[0][f"{name}.svg"].decode()
        width_mm = float(re.search(r'<svg[^>]* width="([\d.]+)mm"', svg)[1])
        assert width_mm in (85, 178), name
        assert "<text" not in svg, f"letters of {name} need a font"
        with Image.open(io.BytesIO(seen[0][f"{name}.png"])) as png:
            assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01), name
            assert png.width == pytest.approx(width_mm / 25.4 * 300, abs=1), name


def test_structures_that_have_no_shape_are_reported_too(whole, tmp_path):
    folder = tmp_path / "done"
    shutil.copytree(whole, folder, symlinks=True)
    (folder / "own.yaml").write_text("evaluate: {shapes: {}}\n")
    results = folder / "results" / "whole"
    run(folder, "results/whole/report.html", "--configfile", str(CONFIG), "own.yaml")
    assert len(pd.read_csv(results / "evaluation" / "shapes.csv")) == 0
    assert "What you would measure on it" not in (results / "report.html").read_text(encoding="utf-8")


def test_a_killed_run_is_taken_up_and_comes_to_the_same_bytes(whole, tmp_path):
    folder = copy_project(tmp_path)
    target = "results/whole/composites/test.arrow"
    log = (folder / "killed.log").open("w")
    process = subprocess.Popen(command(target), cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not list(folder.glob("results/acquisitions/*/*/localizations.parquet")):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "killed.log").read_text()
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)  # its jobs go on, as they do after a kill
        process.wait()
        log.close()
    assert not (folder / target).exists()
    refused, said = snakemake(folder, target)
    assert refused and "--unlock" in said, "what to do is not said"
    run(folder, "--unlock")
    run(folder, target)
    assert (folder / target).read_bytes() == (whole / target).read_bytes()
