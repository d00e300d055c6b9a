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

from lusco.superpose.composites import open_composites

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
ReturnToService=2
MinJobAge=300
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=1:00:00 State=UP
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


def test_jobs_go_through_the_cluster_with_the_shipped_profile(cluster, tmp_path):
    folder = copy_project(tmp_path)
    target = "results/whole/composites/test.arrow"
    smaller = ["--default-resources", "mem_mb=500", "runtime=5", "--latency-wait", "5", "--jobs", "4"]
    without_a_database = ["--slurm-status-command", "squeue", "--seconds-between-status-checks", "1"]
    at_once = ["--slurm-init-seconds-before-status-checks", "1"]
    profile = ["--workflow-profile", PROJECT / "workflow" / "profiles" / "slurm"]
    fixed = ["--snakefile", SNAKEFILE, "--configfile", "tests/config/whole.yaml", *profile]
    command = [sys.executable, "-m", "snakemake", *fixed, *smaller, *without_a_database, *at_once, target]
    # a Snakemake that lost its cluster does not end by itself
    done = subprocess.run(
        ["timeout", "-k", "10", "170", *map(str, command)], cwd=folder, env=cluster, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-4000:]

    assert len(open_composites(folder / target)) == 4
    states = slurm(cluster, "squeue", "-h", "--states=all", "-o", "%T").split()
    assert states == ["COMPLETED"] * 3, "two simulations and a superposition"
