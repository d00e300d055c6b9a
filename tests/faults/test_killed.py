"""Jobs and whole runs that are killed or get into each other's way."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from whole_run import command, different, run, snakemake

pytestmark = pytest.mark.slow

UNET = "results/whole/models/unet"
NAMES = ("mixture", "microtubules_1", "nuclear_pores_2")


@contextmanager
def running(folder: Path, *more: str) -> Iterator[subprocess.Popen]:
    """Snakemake in the background, ended with all of its jobs if the test fails."""
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(command(*more), cwd=folder, stdout=said, stderr=said)
        try:
            yield process
        finally:
            for own in (*jobs(process), process):
                own.kill()
            process.wait()


def jobs(process: subprocess.Popen) -> list[psutil.Process]:
    """All that a process has started and that still runs."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for(something: Callable, process: subprocess.Popen):
    """What `something` gives as soon as that is anything, while a process runs."""
    deadline = time.monotonic() + 120
    while not (found := something()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    return found


def at_work(process: subprocess.Popen, *words: str) -> list[psutil.Process]:
    """The jobs in `lusco` whose command holds all of these words; the processes that they start do not count."""
    found = []
    for job in jobs(process):
        with suppress(psutil.Error):  # it has ended since
            line = job.cmdline()
            if [Path(word).name for word in line[1:2]] == ["lusco"] and set(words) <= set(line):
                found.append(job)
    return sorted(found, key=psutil.Process.create_time)[:1]


def test_a_rendering_killed_does_not_keep_others_from_being_made(done, whole):
    files = [next(done.glob(f"results/acquisitions/{name}/*/rendering*.tiff")) for name in NAMES]
    renderings = [str(file.relative_to(done)) for file in files]
    for rendering in renderings:
        (done / rendering).unlink()
    killed, *others = renderings
    with running(done, *renderings) as process:
        wait_for(lambda: at_work(process, "render", killed), process)[0].kill()
        assert process.wait() == 1
    assert [rendering for rendering in renderings if (done / rendering).exists()] == others
    run(done, *renderings)
    assert not different(done, whole)


def test_a_training_killed_under_snakemake_is_resumed_by_the_next_run(done, whole):
    target = f"{UNET}/weights.safetensors"
    for path in (done / UNET).iterdir():
        path.unlink()
    for folder in ("models_applied", "recolored", "evaluation"):
        shutil.rmtree(done / "results" / "whole" / folder)
    with running(done, target) as process:
        wait_for(lambda: list((done / UNET).glob(".unfinished-*/last.ckpt")), process)
        at_work(process, "train")[0].kill()
        assert process.wait() == 1, "Snakemake itself lives, and says that a job failed"
    said = (done / "said.txt").read_text()
    assert "Error in rule train" in said  # and maybe a worker's surprise that the training it worked for is gone
    assert [path.name[:11] for path in (done / UNET).iterdir()] == [".unfinished"]
    made_of_it = (whole / "results" / "whole" / folder for folder in ("evaluation", "recolored"))
    files = (file.relative_to(whole) for folder in made_of_it for file in folder.rglob("*") if file.is_file())
    run(done, *map(str, files))
    log = (done / "results" / "whole" / "logs" / "train_unet.log").read_text()
    assert "resuming an interrupted training" in log
    assert not different(done, whole)


def test_a_second_run_in_the_same_folder_says_so_and_harms_nothing(done, whole):
    target = "results/whole/composites/validation.arrow"
    (done / target).unlink()
    with running(done, target) as first:
        locks = done / ".snakemake" / "locks"
        wait_for(lambda: any(lock.stat().st_size for lock in locks.glob("*.output.lock")), first)
        first.send_signal(signal.SIGSTOP)  # so that it is still at work when the second one looks,
        asleep = jobs(first)  # and its job too: where the target is made, there is nothing to lock
        for job in asleep:
            job.suspend()
        status, said = snakemake(done, target)
        for job in asleep:
            job.resume()
        first.send_signal(signal.SIGCONT)
        assert status and "cannot be locked" in said and "Traceback" not in said
        assert first.wait() == 0, (done / "said.txt").read_text()
    assert not different(done, whole)
