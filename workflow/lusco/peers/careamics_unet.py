"""The U-Net of CAREamics (Krull et al.; BSD-3), which regresses the channels.

Its own loss (the mean absolute error), normalisation, augmentations, optimizer and schedule of the learning rate, on
patches of the size of its documentation. The weights of its best validation are kept.
"""

import logging
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import pandas as pd
import torch
from careamics import CAREamist
from careamics.config.factories import create_advanced_care_config
from careamics.models.unet import UNet
from lightning.pytorch.callbacks import Callback

from lusco.answer import Answer, Apply
from lusco.peers import Peer
from lusco.peers.clock import Clock
from lusco.peers.images import all_counts, answer, image_of, read_network, write_network
from lusco.superpose.composites import Composites

logger = logging.getLogger(__name__)

DEPTH = 3  # one more than its default, so that a pixel sees more than a mitochondrion is wide
PATCH_PX = 64
BATCH = 8
STEPS = 200  # between two validations
VALIDATED = 8  # validation composites that choose the best weights: more would take time from training
FOR_EVER = 10**6


class Stop(Callback):
    """Ends the training in time, and keeps the weights of the best validation."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.loss, self.step, self.weights = float("inf"), 0, {}

    def on_train_batch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule, *_: Any) -> None:
        """Let the trainer stop, after a last validation."""
        trainer.should_stop = not self.clock.allows(0)

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Keep the weights if they are the best so far."""
        loss = float(trainer.callback_metrics["val_loss"])
        logger.info("step %d: validation loss %.4f", trainer.global_step, loss)
        if loss < self.loss:
            self.loss, self.step = loss, trainer.global_step
            self.weights = deepcopy(module.model.state_dict())


def train(
    training: Composites, validation: Composites, clock: Clock, seed: int, threads: int, folder: Path
) -> dict[str, Any]:
    """Train by CAREamics itself; write the best weights, the network's settings and its normalisation."""
    torch.set_num_threads(threads)
    config = create_advanced_care_config(
        experiment_name="peer",
        data_type="array",
        axes="SYX",
        target_axes="SCYX",
        patch_size=[PATCH_PX, PATCH_PX],
        batch_size=BATCH,
        num_epochs=FOR_EVER,
        num_steps=STEPS,
        n_channels_out=len(training.structures),
        num_workers=0,
        trainer_params={"accelerator": "cpu", "num_sanity_val_steps": 0, "enable_model_summary": False},
        model_params={"depth": DEPTH},
        early_stopping_params={"monitor": "val_loss", "mode": "min", "patience": FOR_EVER},
        seed=seed,
    )
    counts, held_out = all_counts(training), all_counts(validation.chosen(range(min(VALIDATED, len(validation)))))
    stop = Stop(clock)
    with TemporaryDirectory() as scratch:  # for its checkpoints, which are pickles
        careamist = CAREamist(config, work_dir=scratch, callbacks=[stop], enable_progress_bar=False)
        careamist.train(
            train_data=counts.sum(1),
            train_data_target=counts,
            val_data=held_out.sum(1),
            val_data_target=held_out,
        )
    normalization = careamist.train_datamodule.config.normalization.model_dump()
    network = config.algorithm_config.model.model_dump()
    write_network(folder, stop.weights, {"network": network, "normalization": normalization})
    how = {"depth": DEPTH, "patch_px": PATCH_PX, "batch": BATCH}
    return {"steps": careamist.trainer.global_step, "best_step": stop.step, **how}


def load(folder: Path, composites: Composites, threads: int) -> Apply:
    """Build the network written by `train`; a composite goes through it whole, as CAREamics predicts without tiles."""
    torch.set_num_threads(threads)
    weights, settings = read_network(folder)
    network = UNet(**settings["network"])
    network.load_state_dict(weights)
    network.eval()
    normal = {
        name: torch.tensor(settings["normalization"][name]).reshape(-1, 1, 1)
        for name in ("input_means", "input_stds", "target_means", "target_stds")
    }

    def apply(table: pd.DataFrame) -> Answer:
        image = torch.from_numpy(image_of(table, composites))[None]
        with torch.inference_mode():
            output = network(((image - normal["input_means"]) / normal["input_stds"])[None])[0]
        return answer((output * normal["target_stds"] + normal["target_means"]).numpy(), table, composites)

    return apply


PEER = Peer(train, load, ("careamics", "torch"))
