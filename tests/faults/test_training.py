"""A training that dies goes on from its last checkpoint, or begins again where that is damaged, to the same bytes."""

import fcntl
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from lines_and_dots import SETTINGS, write_material
from torch.utils.data import DataLoader

from lusco.cli import main
from lusco.train import loop
from lusco.train.crops import Successive

FILES = ("weights.safetensors", "model.json", "history.csv")
MORTAL = Path(__file__).with_name("mortal.py")


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> list[str]:
    """What to train on, and how, as the command line takes it."""
    folder = tmp_path_factory.mktemp("material")
    tables = sorted(map(str, write_material(folder)))
    how = ["--settings", json.dumps(SETTINGS | {"threads": 1}), "--smoothing-nm", "12"]
    return ["train", *tables, "--validation", str(folder / "validation.arrow"), *how, "--out"]


@pytest.fixture(scope="module")
def trained(arguments, tmp_path_factory) -> Path:
    """The model of an undisturbed training."""
    return train(arguments, tmp_path_factory.mktemp("trained"))


def train(arguments: list[str], out: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["lusco", *arguments, str(out)])
        main()
    assert ended.value.code == 0
    return out


def killed(moment: str, arguments: list[str], out: Path) -> Path:
    """The folder of checkpoints that a killed training left."""
    ended = subprocess.run([sys.executable, MORTAL, moment, *arguments, out], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not [name for name in FILES if (out / name).exists()]
    (unfinished,) = out.glob(".unfinished-*")
    return unfinished


@pytest.fixture(scope="module")
def killed_in_an_epoch(arguments, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("killed")
    killed("epoch", arguments, out)
    return out


def same_as(trained: Path, out: Path) -> bool:
    """Whether a folder holds the same model, and nothing else."""
    left = {path.name for path in out.iterdir()}
    return left == set(FILES) and all((out / name).read_bytes() == (trained / name).read_bytes() for name in FILES)


def test_killed_in_an_epoch_it_goes_on_to_the_same_bytes(arguments, trained, killed_in_an_epoch, tmp_path, caplog):
    caplog.set_level("INFO")
    out = shutil.copytree(killed_in_an_epoch, tmp_path / "out")
    train(arguments, out)
    assert "resuming an interrupted training at step 10" in caplog.text
    assert same_as(trained, out)


def test_killed_in_a_checkpoint_it_goes_on_from_the_one_before(arguments, trained, tmp_path, caplog):
    caplog.set_level("INFO")
    unfinished = killed("checkpoint", arguments, tmp_path)
    assert [path.name for path in unfinished.glob(".partial-*")], "it died before it wrote"
    assert torch.load(unfinished / "last.ckpt", weights_only=True)["global_step"] == 10
    train(arguments, tmp_path)
    assert "resuming an interrupted training at step 10" in caplog.text
    assert same_as(trained, tmp_path)


def test_a_killed_worker_is_a_sentence_and_the_training_goes_on(arguments, trained, tmp_path, monkeypatch, last_words):
    """As the kernel kills for want of memory."""
    batch_end = loop._History.on_train_batch_end

    def interrupted(self, trainer, *others):
        batch_end(self, trainer, *others)
        if trainer.global_step == 15:
            for worker in psutil.Process().children():
                worker.kill()

    with monkeypatch.context() as patch:
        patch.setattr(loop._History, "on_train_batch_end", interrupted)
        said = last_words(*arguments, tmp_path)
    assert "was killed" in said and "run again" in said and "\n" not in said
    assert same_as(trained, train(arguments, tmp_path))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def blank_in_the_middle(path: Path) -> None:
    """As a power loss leaves a file whose size was written down but not all of its content."""
    content = path.read_bytes()
    third = len(content) // 3
    path.write_bytes(content[:third] + bytes(third) + content[2 * third :])


class Treacherous:
    """Loaded as a pickle, it makes a file."""

    def __reduce__(self) -> tuple[Callable, tuple]:
        return Path.touch, (Path("executed"),)


def treacherous(path: Path) -> None:
    path.write_bytes(pickle.dumps(Treacherous()))


@pytest.mark.parametrize("damage", [cut, emptied, blank_in_the_middle, treacherous])
@pytest.mark.parametrize("checkpoint", ["last", "best"])
def test_with_a_damaged_checkpoint_it_begins_again(
    arguments, trained, killed_in_an_epoch, tmp_path, monkeypatch, caplog, checkpoint, damage
):
    monkeypatch.chdir(tmp_path)
    out = shutil.copytree(killed_in_an_epoch, tmp_path / "out")
    (damaged,) = out.glob(f".unfinished-*/{checkpoint}.ckpt")
    damage(damaged)
    train(arguments, out)
    said = f"{damaged}: the checkpoint is damaged, so the training starts again from the beginning."
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [said]
    assert same_as(trained, out)
    assert not Path("executed").exists()


def test_a_disk_without_room_for_a_checkpoint_is_a_sentence(arguments, trained, disk, last_words):
    out = disk.path / "out"
    said = last_words(*arguments, out)
    assert said.endswith("ckpt: the disk is full, so the file could not be written; free some space and run again.")
    assert not list(out.rglob(".partial-*")) and not [name for name in FILES if (out / name).exists()]
    disk.remount("size=64m")
    assert same_as(trained, train(arguments, out))


def test_two_trainings_do_not_write_into_one_folder(arguments, tmp_path, last_words):
    """As when a killed Snakemake left a training behind."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        said = last_words(*arguments, tmp_path)
    finally:
        os.close(descriptor)
    assert "another process is still writing into this folder" in said and "run again" in said
    assert not list(tmp_path.iterdir())


def worse_and_worse(
    checkpoints: Path, epochs: int, patience: int, broken_above: float = np.inf
) -> tuple[list[dict[str, float]], float]:
    """Train one weight that moves away from where validation was best; its history, and the weight that was kept.

    Where the weight is larger than `broken_above`, the loss on validation is infinite.
    """
    torch.manual_seed(0)
    network = torch.nn.Linear(1, 1, bias=False)
    pairs = [(torch.ones(1), torch.tensor([k * 100.0 - 1])) for k in range(100)]  # validation wants -1

    def loss(output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        broken = not network.training and network.weight.item() > broken_above
        return ((output - target) ** 2).sum() + (torch.inf if broken else 0), torch.tensor(len(output))

    records = loop.fit(
        loop.Task(network, loss),
        DataLoader(pairs, 2, sampler=Successive(2, 2, epoch=1)),
        DataLoader(pairs[:1]),
        loop.Schedule(epochs, 2, patience, 0.1),
        "cpu",
        1,
        "float32",
        checkpoints,
    )
    return records, network.weight.item()


def test_a_training_that_stopped_early_and_died_later_does_not_train_on(tmp_path):
    records, weight = worse_and_worse(tmp_path, epochs=9, patience=2)
    assert len(records) == 3, "the best, and two worse"
    assert worse_and_worse(tmp_path, epochs=9, patience=2) == (records, weight)


def test_a_training_that_broke_and_died_later_does_not_train_on(tmp_path):
    _, first = worse_and_worse(tmp_path / "first", epochs=4, patience=9)  # the best is the first
    records, weight = worse_and_worse(tmp_path / "whole", epochs=4, patience=9, broken_above=first)
    assert len(records) == 2 and records[1]["validation_loss"] == np.inf and weight == first
    assert worse_and_worse(tmp_path / "whole", epochs=4, patience=9, broken_above=first) == (records, weight)


def test_an_unfinished_training_knows_its_best_weights_where_its_folder_was_moved(tmp_path):
    records, weight = worse_and_worse(tmp_path / "here", epochs=3, patience=9)
    assert min(records, key=lambda record: record["validation_loss"]) == records[0]
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert worse_and_worse(tmp_path / "there", epochs=3, patience=9) == (records, weight)
