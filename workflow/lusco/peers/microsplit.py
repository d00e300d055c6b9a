"""MicroSplit (Ashesh et al., Nature Methods 2026; BSD-3): a ladder VAE with lateral context, of CAREamics.

Its network and its muSplit loss, in a loop of our own because CAREamics has none. Patches of structures acquired apart
are drawn at random and summed (its authors' mode II, for structures that are not correlated); a prediction is the mean
of samples of the posterior. The likelihood is Gaussian with a fixed variance, because the one that it learns by
default dims bright pixels of single-molecule images.

Half the filters and a quarter of the latent channels of its default: a step takes a third of the time, and within
minutes on a CPU the steps count for more.
"""

import logging
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import torch
from careamics.config.losses.loss_config import LVAELossConfig
from careamics.config.noise_model.likelihood_config import GaussianLikelihoodConfig
from careamics.losses import lvae_loss_factory
from careamics.models.lvae.likelihoods import likelihood_factory
from careamics.models.lvae.lvae import LadderVAE
from torch import Tensor

from lusco.answer import Answer, Apply
from lusco.peers import Peer
from lusco.peers.clock import Clock
from lusco.peers.images import all_counts, answer, image_of, read_network, write_network
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites

logger = logging.getLogger(__name__)

PATCH_PX = 64
SCALES = (1, 2, 4)  # the patch, and its surroundings of twice and four times its side as further inputs
LEVELS, LATENT, FILTERS, DROPOUT = 4, 32, 32, 0.1
BATCH = 8
LEARNING_RATE = 1e-3  # this, the optimizer, the clipping and the schedule as in its authors' training
GRADIENT_MOST = 0.5
PATIENCE = 5  # validations without a better one before the learning rate is halved
STEPS = 100  # between two validations
VALIDATED = 4  # validation composites that choose the best weights: more would take time from training
SAMPLES = 4  # of the posterior, for a prediction


def train(
    training: Composites, validation: Composites, clock: Clock, seed: int, threads: int, folder: Path
) -> dict[str, Any]:
    """Train until the time is over; write the weights of the best validation."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = random_generator(seed, "microsplit")
    counts = all_counts(training)
    held_out = all_counts(validation.chosen(range(min(VALIDATED, len(validation)))))
    normal = _normalization(counts)
    pyramids = [_surroundings(counts, PATCH_PX, scale) for scale in SCALES]
    network = _network(len(training.structures))
    optimizer = torch.optim.Adamax(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=PATIENCE)
    loss_of, how = lvae_loss_factory("musplit"), LVAELossConfig(loss_type="musplit")
    likelihood = likelihood_factory(GaussianLikelihoodConfig(predict_logvar=None))
    best, best_step, step, validating = np.inf, 0, 0, 0.0
    while step == 0 or clock.allows(validating):
        inputs, targets = _normalized(_patches(pyramids, rng), normal)
        network.train()
        losses = loss_of(network(inputs), targets, how, likelihood)
        step += 1
        if losses is not None:  # its authors pass over a step whose loss is not a number
            optimizer.zero_grad()
            losses["loss"].backward()
            torch.nn.utils.clip_grad_value_(network.parameters(), GRADIENT_MOST)
            optimizer.step()
        if step == 1 or step % STEPS == 0 or not clock.allows(validating):  # the first tells how long one takes
            begun = monotonic()
            value = _validate(network, held_out, normal)
            validating = monotonic() - begun
            schedule.step(value)
            logger.info("step %d: validation loss %.4f", step, value)
            if value < best or not best_step:
                best, best_step = value, step
                write_network(folder, network.state_dict(), normal)
    used = {"patch_px": PATCH_PX, "batch": BATCH, "levels": LEVELS, "latent": LATENT, "filters": FILTERS}
    return {"steps": step, "best_step": best_step, "posterior_samples": SAMPLES, **used}


def load(folder: Path, composites: Composites, threads: int) -> Apply:
    """Build the network written by `train`; a composite goes through it whole, with its surroundings mirrored."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    weights, normal = read_network(folder)
    network = _whole(weights, len(composites.structures), composites.side_px)

    def apply(table: pd.DataFrame) -> Answer:
        channels = _predict(network, image_of(table, composites), normal, SAMPLES)
        return answer(channels, table, composites)

    return apply


def _network(structures: int) -> LadderVAE:
    return LadderVAE(
        input_shape=(PATCH_PX, PATCH_PX),
        output_channels=structures,
        multiscale_count=len(SCALES),
        z_dims=[LATENT] * LEVELS,
        encoder_n_filters=FILTERS,
        decoder_n_filters=FILTERS,
        encoder_conv_strides=[2, 2],
        decoder_conv_strides=[2, 2],
        encoder_dropout=DROPOUT,
        decoder_dropout=DROPOUT,
        nonlinearity="ELU",
        predict_logvar=None,
        analytical_kl=False,
    )


def _whole(weights: dict[str, Tensor], structures: int, side_px: int) -> LadderVAE:
    """The network with these weights, for images of another side: it is convolutional throughout."""
    network = _network(structures)
    network.load_state_dict(weights)
    network.reset_for_inference((side_px, side_px))
    for level, layer in enumerate(network.bottom_up_layers):  # where it leaves generators, which serve once only
        layer.output_expected_shape = (side_px // 2 ** (level + 1),) * 2
    return network.eval()


def _normalization(counts: np.ndarray) -> dict[str, list[float]]:
    """Mean and standard deviation of composites and of each structure, shape (composites, structures, side, side)."""
    summed = counts.sum(1)
    return {
        "input": [float(summed.mean()), float(summed.std())],
        "means": counts.mean((0, 2, 3), dtype=np.float64).tolist(),
        "deviations": counts.std((0, 2, 3), dtype=np.float64).tolist(),
    }


def _surroundings(images: np.ndarray, side_px: int, scale: int) -> np.ndarray:
    """Images, on the last two axes, mirrored outwards as a square of `side_px` with surroundings needs, and binned.

    What is `side_px * scale` wide around such a square at (row, column) is `side_px` wide at (row, column) / scale.
    """
    margin = side_px * (scale - 1) // 2
    padded = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(margin, margin)] * 2, mode="reflect")
    rows, columns = (length // scale for length in padded.shape[-2:])
    binned = padded[..., : rows * scale, : columns * scale].reshape(*images.shape[:-2], rows, scale, columns, scale)
    return binned.mean((-3, -1), dtype=np.float32)


def _patches(pyramids: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Patches of each structure from places of their own, shape (batch, structures, scales, patch, patch)."""
    composites, structures, side, _ = pyramids[0].shape
    coarsest = SCALES[-1]
    patches = np.empty((BATCH, structures, len(SCALES), PATCH_PX, PATCH_PX), dtype=np.float32)
    for item, structure in np.ndindex(BATCH, structures):
        which, turns, mirrored = rng.integers(composites), rng.integers(4), rng.integers(2)
        place = coarsest * rng.integers(0, (side - PATCH_PX) // coarsest + 1, 2)  # so that all bins are whole
        for index, (pyramid, scale) in enumerate(zip(pyramids, SCALES, strict=True)):
            row, column = place // scale
            patch = pyramid[which, structure, row : row + PATCH_PX, column : column + PATCH_PX]
            patches[item, structure, index] = np.rot90(patch, turns)[:, :: 1 - 2 * mirrored]
    return patches


def _normalized(patches: np.ndarray, normal: dict[str, list[float]]) -> tuple[Tensor, Tensor]:
    """Sums over structures with their surroundings, and the structures themselves, each to mean 0 and deviation 1."""
    mean, deviation = normal["input"]
    means, deviations = (np.reshape(normal[name], (-1, 1, 1)) for name in ("means", "deviations"))
    inputs, targets = (patches.sum(1) - mean) / deviation, (patches[:, :, 0] - means) / deviations
    return torch.from_numpy(inputs), torch.from_numpy(targets.astype(np.float32))


def _predict(network: LadderVAE, image: np.ndarray, normal: dict[str, list[float]], samples: int) -> np.ndarray:
    """Channels in counts, the mean over samples of the posterior, shape (structures, side, side)."""
    mean, deviation = normal["input"]
    scales = np.stack([_surroundings(image, len(image), scale) for scale in SCALES])
    inputs = torch.from_numpy((scales - np.float32(mean)) / np.float32(deviation))[None]
    with torch.inference_mode():
        encoded = network.bottomup_pass(inputs)  # once for all samples, which part only on the way down
        drawn = [network.output_layer(network.topdown_pass(encoded)[0])[0].numpy() for _ in range(samples)]
    return np.mean(drawn, axis=0) * np.reshape(normal["deviations"], (-1, 1, 1)) + np.reshape(
        normal["means"], (-1, 1, 1)
    )


def _validate(network: LadderVAE, held_out: np.ndarray, normal: dict[str, list[float]]) -> float:
    """Mean squared error of composites, in units of each structure's variance."""
    whole = _whole(network.state_dict(), held_out.shape[1], held_out.shape[-1])
    variance = np.square(normal["deviations"]).reshape(-1, 1, 1)
    errors = [(_predict(whole, channels.sum(0), normal, 1) - channels) ** 2 / variance for channels in held_out]
    return float(np.mean(errors))


PEER = Peer(train, load, ("careamics", "torch"))
