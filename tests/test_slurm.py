"""The workflow on Slurm: a cluster of this one machine, without a database, an authentication service or cgroups."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dag import PROJECT, SNAKEFILE, copy_project
from whole_run import CONFIG, different

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        not all(map(shutil.which, ("slurmctld", "slurmd", "sinfo", "srun"))), reason="Slurm is not installed"
    ),
]

SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
PlugStackConfig=/dev/null
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/builtin
SwitchType=switch/none
MpiDefault=none
GresTypes=gpu
ReturnToService=2
MinJobAge=300
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=8:00:00 State=UP
"""
# a job's own Snakemake takes every SLURM_ variable from its srun, also the one that names the configuration
SRUN = '#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {srun} "$@"\n'


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find a cluster of four processors."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    (folder / "slurm.conf").write_text(SLURM_CONF.format(host=host, user=user, folder=folder))
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n")  # any device will do
    srun = folder / "bin" / "srun"
    srun.write_text(SRUN.format(folder=folder, srun=shutil.which("srun")))
    srun.chmod(0o755)
    environment = os.environ | {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": f"{srun.parent}:{os.environ['PATH']}"}
    try:
        for daemon in ("slurmctld", "slurmd"):
            subprocess.run([daemon], env=environment, check=True, timeout=30)
        wait_for(lambda: "idle" in slurm(environment, "sinfo", "-h", "-o", "%T"), folder)
        yield environment
    finally:
        for daemon in ("slurmd", "slurmctld"):
            stop(folder / f"{daemon}.pid")


def slurm(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30).stdout


def wait_for(condition, folder: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        logs = "".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
        assert time.monotonic() < deadline, f"the cluster did not start\n{logs}"
        time.sleep(0.2)


def stop(pid_file: Path) -> None:
    """End the daemon that wrote this file, if it runs."""
    if not pid_file.exists():
        return
    try:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    while pid_file.exists() and time.monotonic() < deadline:  # a daemon that ends removes it
        time.sleep(0.1)


PROFILE = ["--workflow-profile", PROJECT / "workflow" / "profiles" / "slurm"]
# jobs of seconds on a node without a database and with its own disk
HERE = ["--default-resources", "mem_mb=500 * attempt", "runtime=5", "--latency-wait", "5", "--jobs", "4"]
HERE += ["--slurm-status-command", "squeue", "--seconds-between-status-checks", "1"]
HERE += ["--slurm-init-seconds-before-status-checks", "1"]


def start(folder: Path, cluster: dict[str, str], *more: str) -> subprocess.Popen:
    """Snakemake with the shipped profile."""
    fixed = ["--snakefile", SNAKEFILE, "--configfile", CONFIG, *PROFILE, *HERE, *more]
    # a Snakemake that lost its cluster does not end by itself
    command = ["timeout", "-k", "10", "300", sys.executable, "-m", "snakemake", *map(str, fixed)]
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


COMPOSITES = "results/whole/composites/test.arrow"


def newest_running(cluster: dict[str, str], known: set[str], process: subprocess.Popen) -> str:
    """The first submission that runs and was not there before."""
    deadline = time.monotonic() + 60
    while True:
        running = {number for number, state in submissions(cluster).items() if state == "RUNNING"} - known
        if running:
            return min(running)
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


def test_a_cancelled_job_is_submitted_again_with_more_memory(cluster, whole, tmp_path):
    folder = copy_project(tmp_path)
    known = set(submissions(cluster))
    process = start(folder, cluster, COMPOSITES)
    cancelled = newest_running(cluster, known, process)
    slurm(cluster, "scancel", cancelled)
    assert process.wait() == 0, (folder / "said.txt").read_text()[-4000:]
    assert (folder / COMPOSITES).read_bytes() == (whole / COMPOSITES).read_bytes()
    states = {number: state for number, state in submissions(cluster).items() if number not in known}
    assert states.pop(cancelled) == "CANCELLED" and set(states.values()) == {"COMPLETED"}
    memory = dict(line.split() for line in slurm(cluster, "squeue", "-h", "--states=all", "-o", "%A %m").splitlines())
    assert memory[cancelled] == "1000M" and memory[min(states)] == "2000M", "two simulations side by side"


def test_a_node_whose_daemon_is_killed_goes_on_when_it_is_back(cluster, whole, tmp_path):
    folder = copy_project(tmp_path)
    known = set(submissions(cluster))
    process = start(folder, cluster, COMPOSITES)
    newest_running(cluster, known, process)
    daemon = Path(cluster["SLURM_CONF"]).with_name("slurmd.pid")
    os.kill(int(daemon.read_text()), signal.SIGKILL)
    time.sleep(2)
    subprocess.run(["slurmd"], env=cluster, check=True, timeout=30)
    assert process.wait() == 0, (folder / "said.txt").read_text()[-4000:]
    assert (folder / COMPOSITES).read_bytes() == (whole / COMPOSITES).read_bytes()
