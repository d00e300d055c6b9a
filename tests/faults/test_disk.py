"""A disk that is full or read-only: a sentence, nothing half-written, and the same bytes once that is mended."""

import gc
import os
import re
import stat
import subprocess
import sys

import lines_and_dots
import numpy as np
import pytest
from small_model import write_small_model
from whole_run import different, run, snakemake

from lusco import table
from lusco.errors import InputError
from lusco.files import atomic, check_writable, write_array
from lusco.model import read_description
from lusco.recolor import Recolorer, recolor_acquisition
from lusco.superpose import superpose

FULL = "the disk is full, so the file could not be written; free some space and run again."
READ_ONLY = "the folder cannot be written to; make it writable and run again."


def fill(disk):
    """Leave no room at all, not even for a line of a log."""
    with (disk.path / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space"):
        while True:
            ballast.write(bytes(4096))


@pytest.fixture
def acquisition():
    rng = np.random.default_rng(0)
    columns = {"x_nm": rng.uniform(0, 1000, 40_000), "y_nm": rng.uniform(0, 1000, 40_000)}
    return table.localizations(columns, (0, 1000, 0, 1000))


def test_a_table_for_which_there_is_no_room(disk, acquisition, tmp_path):
    path = disk.path / "localizations.parquet"
    with pytest.raises(InputError) as said:
        table.write(acquisition, path)
    assert str(said.value) == f"{path}: {FULL}"
    assert not list(disk.path.iterdir())
    disk.remount("size=64m")
    table.write(acquisition, path)
    table.write(acquisition, tmp_path / "elsewhere.parquet")
    assert path.read_bytes() == (tmp_path / "elsewhere.parquet").read_bytes()


@pytest.mark.parametrize("file", ["a.ome.tiff", "a.csv"])
def test_a_recoloured_acquisition_for_which_there_is_no_room(disk, tmp_path, file):
    rng = np.random.default_rng(0)
    columns = {"x_nm": rng.uniform(0, 12_000, 60_000), "y_nm": rng.uniform(0, 12_000, 60_000)}
    mixed = table.localizations(columns, (0, 12_000, 0, 12_000), {"acquisition": "a", "structure": "mixed"})
    model = write_small_model(tmp_path / "model")
    recolorer = Recolorer(model, read_description(model), 256, 1, "cpu")

    def recolor(place):
        names = ("a.ome.tiff", "a.csv", "regions.csv", "a.json")
        recolor_acquisition(recolorer, mixed, 0.01, *((place if n == file else tmp_path) / n for n in names))

    with pytest.raises(InputError, match=re.escape(f"{disk.path / file}: {FULL}")):
        recolor(disk.path)
    gc.collect()  # Arrow closes a file that it could not write only with the last mention of it
    assert not list(disk.path.iterdir())
    disk.remount("size=64m")
    recolor(disk.path)
    recolor(tmp_path)
    assert (disk.path / file).read_bytes() == (tmp_path / file).read_bytes()


def test_composites_for_which_there_is_no_room(disk, tmp_path):
    validation = [lines_and_dots.acquisition(structure, 7) for structure in lines_and_dots.STRUCTURES]

    def write(path):
        superpose(validation, lines_and_dots.STRUCTURES, "validation", 9, 128, 20, 1, path)

    with pytest.raises(InputError) as said:
        write(disk.path / "validation.arrow")
    assert str(said.value) == f"{disk.path / 'validation.arrow'}: {FULL}"
    assert not list(disk.path.iterdir())
    disk.remount("size=64m")
    for place in (disk.path, tmp_path):
        write(place / "validation.arrow")
    assert (disk.path / "validation.arrow").read_bytes() == (tmp_path / "validation.arrow").read_bytes()


def test_a_folder_of_arrays_for_which_there_is_no_room_leaves_the_old_one(disk):
    def write(numbers):
        with atomic(disk.path / "folder") as partial:
            partial.mkdir()
            write_array(np.arange(10), partial / "small.npy")
            write_array(np.arange(numbers), partial / "large.npy")

    write(100)
    with pytest.raises(InputError, match=FULL):
        write(100_000)
    assert [path.name for path in disk.path.iterdir()] == ["folder"]
    assert np.load(disk.path / "folder" / "large.npy").size == 100
    disk.remount("size=64m")
    write(100_000)
    assert np.load(disk.path / "folder" / "large.npy").size == 100_000


def test_an_array_is_written_as_numpy_writes_it(tmp_path):
    array = np.random.default_rng(0).random((2, 3, 4), np.float32)[:, ::2]
    write_array(array, tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.ascontiguousarray(array))
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_a_log_for_which_there_is_no_room_does_not_bury_the_message(disk):
    fill(disk)
    out = disk.path / "out.tsv"
    log = disk.path / "out.log"
    log.touch()
    words = [
        sys.executable,
        "-m",
        "lusco",
        "--log",
        log,
        "model",
        disk.path / "none",
        "--structures",
        "a",
        "--out",
        out,
    ]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == f"{disk.path}/none/model.json: the file does not exist; check the path.\n"


def test_a_read_only_folder_is_a_sentence_from_the_log_on(disk, last_words, acquisition):
    disk.remount("ro")
    for option in (["--log", disk.path / "logs" / "a.log"], []):
        said = last_words(*option, "split", "train=a=none.parquet", "--out", disk.path / "splits.tsv")
        file = option[1] if option else disk.path / "splits.tsv"
        assert said == f"{file}: {READ_ONLY}"
    disk.remount("rw")
    table.write(acquisition.__class__(acquisition.table[:9], acquisition.field_nm), disk.path / "a.parquet")


def test_a_folder_without_permission_is_a_sentence(tmp_path):
    if not os.geteuid():
        pytest.skip("root may write everywhere")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InputError, match=READ_ONLY):
        table.write_thunderstorm(table.pd.DataFrame({"x_nm": [1.0]}), tmp_path / "a.csv")
    tmp_path.chmod(stat.S_IRWXU)
    check_writable(tmp_path)


@pytest.mark.slow
def test_read_only_results_are_a_sentence_before_the_first_job(done, whole, read_only):
    target = "results/whole/splits.tsv"
    (done / target).unlink()
    with read_only(done / "results"):
        status, said = snakemake(done, target)
    assert status and f"results: {READ_ONLY}" in said
    assert "Traceback" not in said and "OSError" not in said
    run(done, target)
    assert not different(done, whole)
