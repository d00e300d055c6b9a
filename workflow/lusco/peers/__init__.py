"""Peers: models by others, trained on the same composites for the same time, and scored as ours are.

A peer learns from the fixed composites of the training split, calibrates on those of the validation split with the
functions that calibrate our own models, and sees test composites only when it is applied. To it nothing is unfamiliar:
alarms are not compared, and to learn what is known would take longer than the training. All peers compute on the
processor, so a comparison at equal time asks the same of our own models (`train: {device: cpu}`).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from lusco import __version__
from lusco.answer import Apply, Recolored, Temperature, finish
from lusco.calibrate import chosen_on_validation
from lusco.errors import Fault, InputError
from lusco.evaluate.distances import structure_scales
from lusco.files import atomic
from lusco.model import ModelDescription, write_description
from lusco.novelty import Known, nothing_known
from lusco.peers.clock import Clock
from lusco.recolor import write_recolored
from lusco.superpose.composites import Composites
from lusco.table import Localizations

logger = logging.getLogger(__name__)

OWN_FILES = "peer"  # folder of the peer's own files, beside model.json


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
            case _:
                what, mend = "there is no such peer", "name `careamics_unet`, `microsplit` or `trees`"
                raise InputError(Fault(f"peer `{name}`", what, mend))
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
        chosen = chosen_on_validation(apply, validation, scales, smoothing_nm)
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
        known=asdict(nothing_known(len(structures), validation.pixel_nm, validation.side_px)),
        training={
            **about,
            "composites": len(training),
            **record,
            "lusco": __version__,
            **versions,
        },
    )
    write_description(out, description)


def apply_peer(
    folder: str | Path, description: ModelDescription, composites: Composites, threads: int, out: str | Path
) -> None:
    """Apply a trained peer to the composites of a split, into a folder as of `lusco.recolor.recolor_composites`."""
    apply = find(description.head).load(Path(folder) / OWN_FILES, composites, threads)
    temperature = Temperature(**description.temperature)

    def recolored(table: pd.DataFrame) -> Recolored:
        return finish(apply(table), composites.points(table), temperature, description.sharpness)

    write_recolored(composites, recolored, Known.of(description.known), out)
