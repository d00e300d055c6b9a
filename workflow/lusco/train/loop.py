"""The training loop, by Lightning: schedule, validation, early stopping, best weights, resumption.

It knows pairs of tensors, a network and a loss, and nothing of what they mean.
"""

import io
import logging
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from lusco.errors import Fault, InputError
from lusco.files import atomic
from lusco.train.muon import muon

logger = logging.getLogger(__name__)

WARM_UP = 0.03  # fraction of the steps in which the learning rate rises
WEIGHT_DECAY = 1e-4
GRADIENT_NORM = 1.0
BEST, LAST = "best", "last"  # checkpoints: the lowest validation loss, and where to go on


@dataclass(frozen=True)
class Task:
    """What to learn.

    Parameters
    ----------
    network : torch.nn.Module
        Maps a batch of inputs to outputs.
    loss : callable
        (output, target) to a sum and the number it is over, so that processes can share a mean.
    """

    network: nn.Module
    loss: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Parameters
    ----------
    epochs : int
        Most epochs; a validation ends each.
    steps_per_epoch : int
        Steps between validations.
    patience : int
        Epochs without a better validation before stopping.
    learning_rate : float
        Highest learning rate.
    """

    epochs: int
    steps_per_epoch: int
    patience: int
    learning_rate: float

    @property
    def steps(self) -> int:
        """Most steps in all."""
        return self.epochs * self.steps_per_epoch


def choose_device(wanted: str) -> str:
    """`cuda` where there is one, else `mps`, else `cpu`, if `auto`; otherwise what is wanted."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_precision(wanted: str, device: str) -> str:
    """`bf16` where the processor computes in it, else `float32`, if `auto`; otherwise what is wanted.

    Processors that only emulate bfloat16 are several times slower with it.
    """
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if device == "cpu" and native else "float32"


def process_rank() -> int:
    """Number of this process among those that share a training; 0 for the one that was started by hand."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def fit(
    task: Task,
    training: DataLoader,
    validation: DataLoader,
    schedule: Schedule,
    device: str,
    devices: int,
    precision: str,
    checkpoints: Path,
) -> list[dict[str, float]]:
    """Train, resuming from `checkpoints` if an earlier run was interrupted; load the best weights in the first process.

    With several devices the command that was started is started again for each further one, up to here.

    Parameters
    ----------
    task : Task
        What to learn; its network is changed in place.
    training, validation : DataLoader
        Pairs of input and target; the training's sampler has a settable `epoch`.
    schedule : Schedule
        How long and how fast.
    device, precision : str
        From `choose_device` and `choose_precision`.
    devices : int
        Processes that train together, one per GPU, or so many on processors.
    checkpoints : Path
        Folder for the state of an unfinished training.

    Returns
    -------
    list of dict
        A record per validation: step, train_loss, validation_loss, learning_rate.
    """
    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    best, last = (
        _Checkpoint(checkpoints, name, monitor, save_on_train_epoch_end=True, enable_version_counter=False)
        for name, monitor in ((BEST, "validation_loss"), (LAST, None))
    )
    history = _History(schedule.steps)
    trainer = lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        # on a cluster too, one task starts the other processes
        plugins=[LightningEnvironment(), _WholeCheckpoints()],
        precision="bf16-mixed" if precision == "bf16" else "32-true",
        max_epochs=schedule.epochs,
        gradient_clip_val=GRADIENT_NORM,
        callbacks=[history, best, last, _Stopping("validation_loss", patience=schedule.patience)],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        deterministic="warn" if device == "cuda" else False,  # costs a processor time, and gives it nothing
    )
    steps = _steps_done(checkpoints)
    resumed = _checkpoint(checkpoints, LAST) if steps else None
    if resumed:
        logger.info("resuming an interrupted training at step %d", steps)
        training.sampler.epoch = steps // schedule.steps_per_epoch
    module = _Module(task, schedule, torch.get_num_threads())
    with _told_of_killed_workers(checkpoints):
        trainer.fit(module, training, validation, ckpt_path=resumed, weights_only=True)
    if not trainer.is_global_zero:
        return history.records
    state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
    task.network.cpu().load_state_dict({name.removeprefix("network."): tensor for name, tensor in state.items()})
    return history.records


def _checkpoint(folder: Path, name: str) -> Path:
    return folder / f"{name}{ModelCheckpoint.FILE_EXTENSION}"


def _steps_done(checkpoints: Path) -> int:
    """Steps of the interrupted training; what is damaged is removed, and then there are none."""
    if not _checkpoint(checkpoints, LAST).exists():
        return 0
    for name in (BEST, LAST):
        try:
            content = torch.load(_checkpoint(checkpoints, name), map_location="cpu", weights_only=True)
            steps = content["global_step"]
        except Exception:  # torch raises many types on damaged files
            what = "%s: the checkpoint is damaged, so the training starts again from the beginning."
            logger.warning(what, _checkpoint(checkpoints, name))
            shutil.rmtree(checkpoints)
            return 0
    return steps


@contextmanager
def _told_of_killed_workers(checkpoints: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ConnectionError, EOFError) as error:
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise
        what = "a process that prepares crops for this training was killed, mostly for want of memory"
        mend = "give it more memory and run again, it goes on from its last validation"
        raise InputError(Fault(checkpoints, what, mend)) from None


class _Checkpoint(ModelCheckpoint):
    """Knows its files again where their folder was moved between two runs."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(self.dirpath) / Path(path).name) if path else path

        moved = {key: here(state_dict[key]) for key in ("best_model_path", "kth_best_model_path", "last_model_path")}
        moved["best_k_models"] = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | moved | {"dirpath": self.dirpath})


class _Stopping(EarlyStopping):
    """Also ends a training that had stopped before it was interrupted."""

    def on_fit_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True


class _WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint as every other file is written, whole or not at all.

    Lightning's own temporary file may lie on another file system; it is then copied, and a kill leaves half a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        content = io.BytesIO()  # because torch does not say that a disk is full
        torch.save(checkpoint, content)
        with atomic(path) as partial:
            partial.write_bytes(content.getbuffer())


class _Module(lightning.LightningModule):
    def __init__(self, task: Task, schedule: Schedule, threads: int) -> None:
        super().__init__()
        self.threads = threads
        self.network = task.network
        self.loss = task.loss
        self.schedule = schedule

    def setup(self, stage: str) -> None:
        torch.set_num_threads(self.threads)  # of several processes each was given all cores

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        total, number = self.loss(self.network(inputs).float(), targets)
        return total / self.trainer.strategy.reduce(number)  # of gradients the mean over processes is taken

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        inputs, targets = batch
        total, number = self.loss(self.network(inputs).float(), targets)
        self.log("validation_loss", total / number, on_epoch=True, batch_size=len(inputs), sync_dist=True)

    def configure_optimizers(self) -> dict[str, Any]:
        rate = self.schedule.learning_rate
        optimizer = muon(self.network, rate, WEIGHT_DECAY)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, self.schedule.steps, pct_start=WARM_UP)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


@dataclass
class _History(Callback):
    """Keeps a record per validation, and shows progress: a bar in a terminal, lines elsewhere."""

    steps: int
    records: list[dict[str, float]] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        return {"records": self.records}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.records = state_dict["records"]

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self.started = (time.monotonic(), trainer.global_step)
        terminal = sys.stderr.isatty()
        self.bar = tqdm(total=self.steps, initial=trainer.global_step, unit="step", disable=not terminal)

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        self.losses.append(outputs["loss"].detach())  # read later, because that waits for the device
        self.bar.update(1)

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        mean = sum(map(float, self.losses)) / len(self.losses)
        record = {
            "step": trainer.global_step,
            "train_loss": float(trainer.strategy.reduce(torch.tensor(mean, device=module.device))),
            "validation_loss": float(trainer.callback_metrics["validation_loss"]),
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
        }
        self.losses = []
        self.records.append(record)
        began, first = self.started
        left = (time.monotonic() - began) / (trainer.global_step - first) * (self.steps - trainer.global_step)
        line = (
            f"step {record['step']} of {self.steps}: training loss {record['train_loss']:.4f},"
            f" validation loss {record['validation_loss']:.4f}, at most {left / 60:.1f} min left"
        )
        with tqdm.external_write_mode(file=sys.stderr):
            logger.info(line)

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self.bar.close()
