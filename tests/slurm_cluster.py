"""A cluster of this one machine: Slurm without a database, an authentication service or cgroups."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

INSTALLED = all(map(shutil.which, ("slurmctld", "slurmd", "sinfo", "srun")))

SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
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
MinJobAge=3600
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=8:00:00 State=UP
"""
# a job's own Snakemake takes every SLURM_ variable from its srun, also the one that names the configuration
SRUN = '#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {srun} "$@"\n'

# for a node without a database and with its own disk
HERE = ["--latency-wait", "5", "--slurm-status-command", "squeue", "--seconds-between-status-checks", "1"]
HERE += ["--slurm-init-seconds-before-status-checks", "1"]


@contextmanager
def one_node(folder: Path, cores: int) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find a cluster of so many processors, whose files are in a folder."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    (folder / "slurm.conf").write_text(
        SLURM_CONF.format(host=host, user=user, folder=folder, ports=free_ports(2), cores=cores)
    )
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
        lost = left_by_jobs(folder)
        for process in lost:
            process.kill()
        psutil.wait_procs(lost, timeout=5)


def left_by_jobs(folder: Path) -> list[psutil.Process]:
    """Processes of a cluster; without cgroups, Slurm loses sight of one whose parent was killed before it."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder / "bin") in process.environ().get("PATH", "").split(":"):
                found.append(process)
        except psutil.Error:  # of another user, or it has ended since
            continue
    return found


def free_ports(number: int) -> list[int]:
    """So many ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def slurm(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30).stdout


def wait_for(condition, folder: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        logs = "".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
        assert time.monotonic() < deadline, f"it took too long\n{logs}"
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
