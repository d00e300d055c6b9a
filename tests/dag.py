"""What Snakemake would run, in this process: 0.1 s a question instead of a second.

Everything of Snakemake that is not its public interface stays here; the version is pinned.
"""

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import snakemake.api as api
from snakemake.executors.touch import Executor as Touch
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

PROJECT = Path(__file__).parents[1]
SNAKEFILE = PROJECT / "Snakefile"


def copy_project(folder: Path) -> Path:
    """All that a run reads from the folder it runs in: everything but the Snakefile and the library."""
    for name in ("config.yaml", "CITATION.cff", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    shutil.copytree(PROJECT / "resources", folder / "resources", ignore=shutil.ignore_patterns("data"))
    shutil.copytree(PROJECT / "workflow", folder / "workflow", ignore=shutil.ignore_patterns("lusco*"))
    shutil.copytree(PROJECT / "tests" / "config", folder / "tests" / "config")
    return folder


def planned(folder: Path, config: Mapping[str, Any], targets: Sequence[str] = (), **settings: Any) -> Counter[str]:
    """How many jobs of each rule would run in a folder; `all` and other targets without a command not counted.

    `settings` are those of Snakemake's graph, for which the profiles are not read.
    """
    return Counter(job.rule.name for job in _jobs(folder, config, targets, **settings))


def planned_files(folder: Path, config: Mapping[str, Any], targets: Sequence[str] = ()) -> set[str]:
    """The files that would be written."""
    return {str(file) for job in _jobs(folder, config, targets) for file in job.output}


def resources(folder: Path, config: Mapping[str, Any], name: str, attempt: int = 1) -> dict[str, int]:
    """How much of a resource a job of each rule that would run asks for, at its first or a later attempt."""
    asked = {}
    for job in _jobs(folder, config, ()):
        job.attempt = attempt
        asked[job.rule.name] = job.resources.get(name, 0)
    return asked


def commands(folder: Path, config: Mapping[str, Any], rules: Sequence[str]) -> list[str]:
    """The commands of the jobs of these rules."""
    return [job.shellcmd for job in _jobs(folder, config, ()) if job.rule.name in rules]


def pretend(folder: Path, config: Mapping[str, Any], targets: Sequence[str] = ()) -> None:
    """Take everything for done: empty files stand for results, and Snakemake records how they would have been made."""
    for name in planned_files(folder, config, targets):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch() if file.suffix else file.mkdir(exist_ok=True)
    Touch.SLEEPING_TIME = 0
    with _dag(folder, config, targets, forceall=True) as dag:
        dag.execute_workflow(executor="touch")


def _jobs(folder: Path, config: Mapping[str, Any], targets: Sequence[str], **settings: Any) -> list:
    with _dag(folder, config, targets, **settings) as dag:
        dag.execute_workflow(executor="dryrun")
        graph = dag.workflow_api._workflow.dag
        return [job for job in graph.needrun_jobs(exclude_finished=False) if job.rule.shellcmd]


@contextmanager
def _dag(folder: Path, config: Mapping[str, Any], targets: Sequence[str], **settings: Any):
    before = Path.cwd()
    os.chdir(folder)
    try:
        output = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
        with api.SnakemakeApi(output) as snakemake:
            workflow = snakemake.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(config=config),
                snakefile=SNAKEFILE,
                workdir=folder,
            )
            yield workflow.dag(DAGSettings(targets=frozenset(targets), **settings))
    finally:
        os.chdir(before)
