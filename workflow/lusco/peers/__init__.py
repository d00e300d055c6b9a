"""Peers: models by others, trained on the same composites for the same time, and scored as ours are.

A peer learns from the fixed composites of the training split, calibrates on those of the validation split with the
functions that calibrate our own models, and sees test composites only when it is applied. All peers compute on the
processor, so a comparison at equal time asks the same of our own models (`train: {device: cpu}`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco import __version__
from lusco.calibrate import choose_sharpness, fit_temperature, rejection_curve, soften
from lusco.errors import Fault, InputError
from lusco.evaluate.distances import structure_scales
from lusco.files import atomic
from lusco.model import ModelDescription, write_description
from lusco.novelty import Known, learn_from, varied_table
from lusco.peers.clock import Clock
from lusco.recolor import Recolored, write_recolored
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites
from lusco.table import Localizations

logger = logging.getLogger(__name__)

OWN_FILES = "peer"  # folder of the peer's own files, beside model.json


@dataclass(frozen=True)
class Answer:
    """What a peer says of a composite.

    Parameters
    ----------
    log_probabilities : numpy.ndarray
        Log probability of each structure for each localization, shape (n, structures).
    channels : numpy.ndarray or None
        Counts per structure and pixel, shape (structures, side, side), float32, of a peer that predicts an image; the
        channels of any other are the sums of its probabilities.
    """

    log_probabilities: np.ndarray
    channels: np.ndarray | None = None


Apply = Callable[[pd.DataFrame], Answer]


@dataclass(frozen=True)
class Peer:
    """A model by others.

    Parameters
    ----------
    train : callable
        (training composites, validation composites, clock, seed, threads, folder for its own files) to a record of the
        training, JSON values only. It ends when the clock does.
    load : callable
        (folder of its own files, composites, threads) to a function from the localizations of one of the composites,
        or of a part of one, to its answer.
    packages : tuple of str
        Packages whose versions matter.
    """

    train: Callable[[Composites, Composites, Clock, int, int, Path], dict[str, Any]]
    load: Callable[[Path, Composites, int], Apply]
    packages: tuple[str, ...]


def find(name: str) -> Peer:
    """The peer of a name.

    Raises
    ------
    InputError
        If a package that it needs cannot be imported.
    """
    try:
        match name:
            case "careamics_unet":
                from lusco.peers.torchvision import provide_torchvision

                provide_torchvision()
                from lusco.peers.careamics_unet import PEER
            case "microsplit":
                from lusco.peers.torchvision import provide_torchvision

                provide_torchvision()
                from lusco.peers.microsplit import PEER
            case "trees":
                from lusco.peers.trees import PEER
    except ImportError as error:
        what = f"the package `{(error.name or '').split('.')[0]}`, which it needs, cannot be imported"
        raise InputError(Fault(f"peer `{name}`", what, "install it by `make peers`")) from None
    return PEER


def train_peer(
    name: str,
    acquisitions: Sequence[Localizations],
    training: Composites,
    validation: Composites,
    minutes: float,
    smoothing_nm: float,
    seed: int,
    threads: int,
    out: str | Path,
) -> None:
    """Train a peer, calibrate it on validation composites, and write its folder.

    Parameters
    ----------
    name : str
        Of the peer.
    acquisitions : sequence of Localizations
        Training acquisitions, from which the scale of each structure is taken as for our own models.
    training, validation : Composites
        Composites of these splits.
    minutes : float
        Wall time of the training.
    smoothing_nm : float
        Smoothing of the renderings from which the scale of each structure is taken, in nm.
    seed : int
        Seed of the experiment.
    threads : int
        Processor threads to use.
    out : str or Path
        Folder for the description; the peer's own files go to the folder `OWN_FILES` in it.
    """
    peer = find(name)
    structures = validation.structures
    logger.info("training %s for %g minutes with %d threads", name, minutes, threads)
    with atomic(Path(out) / OWN_FILES) as partial:
        partial.mkdir()
        record = peer.train(training, validation, Clock(minutes), seed, threads, partial)
        scales = structure_scales(acquisitions, structures, smoothing_nm, validation.pixel_nm)
        apply = peer.load(partial, validation, threads)
        chosen = _chosen_on_validation(apply, training, validation, scales, smoothing_nm, seed)
    used = {name: sorted({sources[name] for sources in training.sources}) for name in structures}
    about = {"peer": name, "minutes": minutes, "seed": seed, "threads": threads, "acquisitions": used}
    versions = {package: version(package) for package in peer.packages}
    description = ModelDescription(
        structures=structures,
        pixel_nm=validation.pixel_nm,
        head=name,
        features=0,
        depth=0,
        scale_counts=scales,
        **chosen,
        training={**about, "composites": len(training), **record, "lusco": __version__, **versions},
    )
    write_description(out, description)


def apply_peer(
    folder: str | Path, description: ModelDescription, composites: Composites, threads: int, out: str | Path
) -> None:
    """Apply a trained peer to the composites of a split, into a folder as of `lusco.recolor.recolor_composites`."""
    apply = find(description.head).load(Path(folder) / OWN_FILES, composites, threads)

    def recolored(table: pd.DataFrame) -> tuple[Recolored, np.ndarray]:
        return finish(apply(table), table, composites, description.temperature, description.sharpness)

    write_recolored(composites, recolored, Known(**description.known), out)


def finish(
    answer: Answer, table: pd.DataFrame, composites: Composites, temperature: float, sharpness: float
) -> tuple[Recolored, np.ndarray]:
    """The recoloured image, and the probabilities of each localization, shape (n, structures), from an answer.

    The probabilities of a pixel are the mean over its localizations, and equal where there is none.
    """
    probabilities = soften(answer.log_probabilities, temperature)
    structures, pixels = len(composites.structures), composites.side_px**2
    pixel, weight = composites.pixel(table), table["weight"].to_numpy()

    def summed(rows: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(pixel, weight * column, pixels) for column in rows.T])

    sums = summed(probabilities)
    counts = np.bincount(pixel, weight, pixels)
    mean = np.divide(sums, counts, out=np.full_like(sums, 1 / structures), where=counts > 0)
    shape = (structures, composites.side_px, composites.side_px)
    channels = answer.channels
    if channels is None:
        channels = summed(soften(answer.log_probabilities, temperature / sharpness)).reshape(shape)
    return Recolored(channels.astype(np.float32), mean.reshape(shape)), probabilities


def _chosen_on_validation(
    apply: Apply,
    training: Composites,
    validation: Composites,
    scales: Sequence[float],
    smoothing_nm: float,
    seed: int,
) -> dict[str, Any]:
    """Temperature, sharpness, rejection curve and known regions of a trained peer, as for our own models."""
    structures = len(validation.structures)
    tables = [validation.table(index) for index in range(len(validation))]
    answers = [apply(table) for table in tables]
    joined = pd.concat(tables, ignore_index=True)
    weight = joined["weight"].to_numpy()
    truth = np.eye(structures)[joined["structure"]]
    logs = np.concatenate([answer.log_probabilities for answer in answers])
    temperature = fit_temperature(logs, truth * weight[:, None])
    sharpness = 1.0  # of shares; an image is a peer's own
    if answers[0].channels is None:
        pairs = list(zip(answers, tables, strict=True))
        sharpness = choose_sharpness(
            lambda power: np.stack([finish(*pair, validation, temperature, power)[0].channels for pair in pairs]),
            np.stack([validation.counts(index) for index in range(len(validation))]),
            scales,
            smoothing_nm,
            validation.pixel_nm,
        )
    bound = np.where(joined["unspecific"], 0, weight)[:, None] * truth

    curve = rejection_curve(soften(logs, temperature), bound, validation.structures)
    return {
        "temperature": temperature,
        "sharpness": sharpness,
        "rejection": curve,
        "known": asdict(_known(apply, temperature, training, validation, seed)),
    }


def _known(apply: Apply, temperature: float, training: Composites, validation: Composites, seed: int) -> Known:
    """What a peer knows: as many training composites as there are of validation, judged by these."""

    def looked_at(composites: Composites, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for index in range(min(len(composites), len(validation))):
            table = composites.table(index)
            varied = varied_table(table, len(composites.structures), random_generator(seed, "varied", split, index))
            for own in (table, varied):
                result, _ = finish(apply(own), own, composites, temperature, 1.0)
                counts = np.bincount(composites.pixel(own), own["weight"], composites.side_px**2)
                yield counts.reshape(composites.side_px, -1), result.probabilities

    own = looked_at(training, "train"), looked_at(validation, "validation")
    return learn_from(*own, validation.pixel_nm, validation.side_px)
