"""The workflow on Slurm."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from dag import PROJECT, SNAKEFILE, copy_project, planned_files
from slurm_cluster import HERE, INSTALLED, left_by_jobs, one_node, slurm, wait_for
from whole_run import CONFIG, different, snakemake

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not INSTALLED, reason="Slurm is not installed"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find a cluster of four processors."""
    with one_node(tmp_path_factory.mktemp("slurm"), 4) as environment:
        yield environment


@pytest.fixture(autouse=True)
def nothing_left(cluster) -> Iterator[None]:
    """Of a test that fails, what it left would be in the way of the next."""
    yield
    for process in psutil.Process().children():
        if process.name() == "timeout":
            process.terminate()
    slurm(cluster, "scancel", "--user", str(os.getuid()))


PROFILE = ["--workflow-profile", PROJECT / "workflow" / "profiles" / "slurm"]
# The plugin looks for finished jobs ever more rarely, which for jobs of seconds would be most of the time.
SNAKEMAKE = """
import sys
from snakemake import cli
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 2, lambda self, seconds: None)
sys.argv[0] = "snakemake"
cli.main()
"""
# jobs of seconds
SMALL = ["--default-resources", "mem_mb=500 * attempt", "runtime=5", "--jobs", "4"]


def start(folder: Path, cluster: dict[str, str], *more: str) -> subprocess.Popen:
    """Snakemake with the shipped profile."""
    fixed = ["--snakefile", SNAKEFILE, "--configfile", CONFIG, *PROFILE, *SMALL, *HERE, *more]
    # a Snakemake that lost its cluster does not end by itself
    command = ["timeout", "-k", "10", "900", sys.executable, "-c", SNAKEMAKE, *map(str, fixed)]
    with (folder / "said.txt").open("a") as said:
        return subprocess.Popen(command, cwd=folder, env=cluster, stdout=said, stderr=said)


def run(folder: Path, cluster: dict[str, str], *more: str) -> str:
    """A run that has to succeed."""
    status = start(folder, cluster, *more).wait()
    said = (folder / "said.txt").read_text()
    assert status == 0, said[-6000:]
    return said


def submissions(cluster: dict[str, str]) -> dict[str, str]:
    """State of every submission since the cluster came up, by its number."""
    lines = slurm(cluster, "squeue", "-h", "--states=all", "-o", "%A %T").splitlines()
    return dict(line.split() for line in lines)


def test_the_whole_pipeline_on_the_cluster_gives_the_bytes_of_one_computer(cluster, whole, tmp_path):
    folder = copy_project(tmp_path)
    said = run(folder, cluster)
    assert different(folder, whole) == []
    states = submissions(cluster)
    assert set(states.values()) == {"COMPLETED"}
    assert "28 of 28 steps" in said
    assert len(states) == 12, "14 of the acquisitions at once, three of the mixture, ten by themselves"


# the mixture and all that follows from it, up to the tables, and a rendering
RENDERING = "acquisitions/microtubules_3/*/*.ome.tiff"
MISSING = [
    RENDERING,
    "acquisitions/mixture/*/*.parquet",
    "whole/recolored/mixture.csv",
    "whole/recolored/mixture.ome.tiff",
]
MISSING += ["whole/recolored/*/*", "whole/evaluation/*"]


@pytest.fixture
def unfinished(whole, tmp_path) -> Path:
    """The undisturbed run whose mixture is still to be simulated (with a rendering), recoloured and scored: three times
    something to submit.
    """
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    for pattern in MISSING:
        files = list((folder / "results").glob(pattern))
        assert files, pattern
        for file in files:
            file.unlink()
    return folder


def final(whole: Path) -> list[str]:
    """The last of what is missing there."""
    results = whole / "results"
    files = [*results.glob(RENDERING), results / "whole" / "evaluation" / "summary.csv"]
    return [str(file.relative_to(whole)) for file in files]


def newest_running(cluster: dict[str, str], known: set[str], process: subprocess.Popen) -> str:
    """The first submission that runs and was not there before."""
    deadline = time.monotonic() + 120
    while True:
        running = {number for number, state in submissions(cluster).items() if state == "RUNNING"} - known
        if running:
            return min(running, key=int)
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


def since(cluster: dict[str, str], known: set[str]) -> dict[str, str]:
    """State of the submissions that were not there before."""
    return {number: state for number, state in submissions(cluster).items() if number not in known}


def memory(cluster: dict[str, str]) -> dict[str, str]:
    """What each submission asked for."""
    lines = slurm(cluster, "squeue", "-h", "--states=all", "-o", "%A %m").splitlines()
    return dict(line.split() for line in lines)


def commands_of(number: str) -> list[psutil.Process]:
    """The processes of a submission that are at work in `lusco`."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SLURM_JOB_ID") == number
            if mine and any(Path(word).name == "lusco" for word in process.cmdline()[:2]):
                found.append(process)
        except psutil.Error:  # it has ended since
            continue
    return found


def ended_well(process: subprocess.Popen, folder: Path) -> None:
    assert process.wait() == 0, (folder / "said.txt").read_text()[-4000:]


def test_jobs_that_are_cancelled_or_killed_are_submitted_again_with_more_memory(cluster, whole, unfinished):
    """Killed as the kernel does where memory does not suffice."""
    known = set(submissions(cluster))
    process = start(unfinished, cluster, *final(whole))
    cancelled = newest_running(cluster, known, process)
    slurm(cluster, "scancel", cancelled)
    again = newest_running(cluster, known | {cancelled}, process)
    killed = newest_running(cluster, known | {cancelled, again}, process)
    deadline = time.monotonic() + 120
    while not (own := commands_of(killed)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    for one in own:
        one.kill()
    ended_well(process, unfinished)
    assert different(unfinished, whole) == []
    states = since(cluster, known)
    assert states.pop(cancelled) == "CANCELLED" and states.pop(killed) == "FAILED"
    assert set(states.values()) == {"COMPLETED"} and len(states) == 3
    asked = memory(cluster)
    assert asked[cancelled] == "4500M" and asked[again] == "9000M", "a simulation and a rendering side by side"
    assert asked[killed] == "8000M" and asked[min(states.keys() - {again}, key=int)] == "16000M"


def test_a_job_outlives_the_daemon_of_its_node_and_is_not_submitted_again(cluster, whole, unfinished):
    known = set(submissions(cluster))
    process = start(unfinished, cluster, *final(whole))
    running = newest_running(cluster, known, process)
    daemon = Path(cluster["SLURM_CONF"]).with_name("slurmd.pid")
    os.kill(int(daemon.read_text()), signal.SIGKILL)
    time.sleep(1)
    assert submissions(cluster)[running] == "RUNNING", "the daemon is back too late for this test"
    subprocess.run(["slurmd"], env=cluster, check=True, timeout=30)
    ended_well(process, unfinished)
    assert different(unfinished, whole) == []
    states = since(cluster, known)
    assert states[running] == "COMPLETED" and set(states.values()) == {"COMPLETED"}
    assert len(states) == 3, "each of them once"


@pytest.mark.parametrize("controller_too", [False, True])
def test_after_snakemake_itself_was_killed_the_documented_way_leads_on(cluster, whole, unfinished, controller_too):
    """Also if Slurm's controller died, for which Snakemake may wait for ever."""
    known = set(submissions(cluster))
    process = start(unfinished, cluster, *final(whole))
    running = newest_running(cluster, known, process)
    (own,) = psutil.Process(process.pid).children()
    if controller_too:
        own.suspend()  # and submits nothing while the controller saves what it knows, within seconds
        place, seen = Path(cluster["SLURM_CONF"]).parent, time.time()
        # a controller that forgot a running job would give its number again, which the node refuses for ever
        wait_for(lambda: (place / "state" / "job_state").stat().st_mtime > seen, unfinished)
        os.kill(int((place / "slurmctld.pid").read_text()), signal.SIGKILL)
    own.kill()
    assert process.wait() != 0
    if controller_too:
        subprocess.run(["slurmctld"], env=cluster, check=True, timeout=30)
        wait_for(lambda: slurm(cluster, "sinfo", "-h", "-o", "%T"), unfinished)
    else:
        assert submissions(cluster)[running] == "RUNNING", "its jobs go on"
    (run_id,) = re.findall(r"SLURM run ID: (\S+)", (unfinished / "said.txt").read_text())
    slurm(cluster, "scancel", "--name", run_id)
    wait_for(lambda: not set(since(cluster, known).values()) & {"RUNNING", "PENDING", "COMPLETING"}, unfinished)
    status, said = snakemake(unfinished, "--unlock")
    assert status == 0, said
    run(unfinished, cluster, *final(whole))
    assert different(unfinished, whole) == []


def test_a_damaged_table_keeps_back_its_submission_until_it_is_mended(cluster, tmp_path):
    folder = copy_project(tmp_path)
    own = folder / "tests" / "config"
    rows = "".join(f"{frame},{10 * frame},{20 * frame}\n" for frame in range(1, 99))
    for name in ("cell_1", "cell_2"):
        (own / f"{name}.csv").write_text(f"frame,x [nm],y [nm]\n{rows}")
    (own / "cell_2.csv").write_text("frame,x [nm]\n1,2\n")
    with (own / "whole.tsv").open("a") as sheet:
        sheet.writelines(f"{name}\tmixed\t{name}.csv\t\t\t\n" for name in ("cell_1", "cell_2"))
    files = planned_files(folder, yaml.safe_load((folder / CONFIG).read_text()))
    tables = sorted(name for name in files if re.search(r"/cell_\d/.*\.parquet", name))
    assert start(folder, cluster, *tables, "--retries", "0").wait() == 1
    logs = [path.read_text() for path in (folder / "results").rglob("*.log")]
    assert [log.count("cell_2.csv, `format`: it has the columns") for log in logs if "cell_2" in log] == [1]
    assert not list((folder / "results").rglob(".partial-*"))
    shutil.copy(own / "cell_1.csv", own / "cell_2.csv")
    run(folder, cluster, *tables)
    assert all((folder / name).is_file() for name in tables)


def test_two_processes_of_one_job_share_a_training(cluster, whole, tmp_path):
    folder = tmp_path / "done"
    shutil.copytree(whole, folder)
    history = "results/whole/models/unet/history.csv"
    (folder / "shared.yaml").write_text("train: {device: cpu, devices: 2}\n")
    run(folder, cluster, history, "--configfile", CONFIG, "shared.yaml")
    assert "with 2 processes of 2 threads" in (folder / "results/whole/logs/train_unet.log").read_text()
    alone, shared = (pd.read_csv(place / history) for place in (whole, folder))
    assert shared["validation_loss"].to_numpy() == pytest.approx(alone["validation_loss"].to_numpy(), rel=0.01)


def test_nothing_that_a_job_left_outlives_the_cluster(tmp_path):
    with one_node(tmp_path, 1) as environment:
        slurm(environment, "sbatch", "--output", "/dev/null", "--wrap", "setsid sleep 600 & sleep 1")
        wait_for(lambda: "COMPLETED" in submissions(environment).values(), tmp_path)
        (lost,) = (process for process in left_by_jobs(tmp_path) if process.name() == "sleep")
    assert not lost.is_running()
