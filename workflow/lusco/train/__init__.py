"""Training: single-structure acquisitions in, a calibrated model out."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from lusco import __version__
from lusco.answer import Answer, Temperature
from lusco.calibrate import KNOWN, chosen_on_validation, known_regions
from lusco.errors import Fault, InputError, raise_all
from lusco.evaluate.distances import structure_scales
from lusco.files import atomic
from lusco.heads import HEADS
from lusco.model import (
    ModelDescription,
    learnt_acquisitions,
    start_network,
    validation_acquisitions,
    write_model,
)
from lusco.network import UNet
from lusco.novelty import nothing_known
from lusco.recolor.network import answer_of
from lusco.render import Points, points_of
from lusco.repeats import Repeats, learn_repeats, traced, unusable, usable
from lusco.settings import TrainSettings, unfit_sizes
from lusco.superpose import composites_of
from lusco.superpose.composites import Composites
from lusco.table import Localizations
from lusco.train.crops import Crops, FixedComposites, training_fields, training_loader
from lusco.train.identity import fingerprint
from lusco.train.loop import Schedule, Task, choose_device, choose_precision, fit, process_rank

logger = logging.getLogger(__name__)

VALIDATION_BATCH = 2
HISTORY = "history.csv"
NOT_CHOSEN = {
    "temperature": asdict(Temperature(1.0)),
    "sharpness": 1.0,
    "rejection": [{"threshold": 0.0, "rejected": 0.0, "crosstalk": 1.0}],
}


def train(
    acquisitions: Sequence[Localizations],
    validation: Composites,
    settings: TrainSettings,
    smoothing_nm: float,
    seed: int,
    out: str | Path,
    scored: bool = True,
) -> None:
    """Train a model and write its folder; an interrupted training is resumed.

    Of the processes that share a training, the first writes.

    Parameters
    ----------
    acquisitions : sequence of Localizations
        Training acquisitions of every structure.
    validation : Composites
        Validation composites; their structures and pixel size become the model's.
    settings : TrainSettings
        Network and training.
    smoothing_nm : float
        Smoothing of the renderings from which the scale of each structure is taken, in nm.
    seed : int
        Seed of the experiment.
    out : str or Path
        Folder for weights, description and history.
    scored : bool
        Whether temperature, sharpness, thresholds and what it knows are chosen; not of a model that is only a start.
    """
    torch.set_num_threads(settings.threads)
    # the momentum of a unit that is silent fades to numbers with which processors are a hundred times slower
    torch.set_flush_denormal(True)
    lightning.seed_everything(seed, verbose=False)
    structures, pixel_nm = validation.structures, validation.pixel_nm
    acquisitions = _first(acquisitions, structures, settings.acquisitions)
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, device)
    scale = structure_scales(acquisitions, structures, smoothing_nm, pixel_nm)
    head = HEADS[settings.head]
    subpixels = _subpixels(acquisitions, validation, settings)
    network = UNet(len(structures), settings.features, settings.depth, subpixels, settings.wide_blocks)
    if settings.start_from:
        start_network(network, structures, pixel_nm, settings.start_from)
    network = network.to(memory_format=torch.channels_last)
    per_scale = torch.tensor(scale, dtype=torch.float32).reshape(-1, 1, 1)
    validations = max(1, round(settings.steps / settings.validate_every))
    schedule = Schedule(validations, settings.steps // validations, settings.patience, settings.learning_rate)
    repeats = _repeats(acquisitions, validation, settings)
    crops = Crops(
        training_fields(acquisitions, structures, pixel_nm, repeats, settings.keep_fraction_min, seed),
        settings.crop_px * subpixels,
        pixel_nm / subpixels,
        settings.keep_fraction_min,
        settings.absent,
        seed,
    )
    composites = FixedComposites(validation, repeats, subpixels)
    _check_sizes(validation.side_px, settings, device)

    same = fingerprint(acquisitions, validation, settings, smoothing_nm, seed, device, precision)
    checkpoints = Path(out) / f".unfinished-{same}"
    _remove_unfinished(Path(out), checkpoints)
    threads = f"{settings.threads} threads"
    if settings.devices > 1:
        threads = f"{settings.devices} processes of {threads}"
    logger.info("training on %s in %s with %s", device, precision, threads)
    workers = max(1, settings.threads - 1) if device == "cuda" else 1  # a processor has the network to compute too
    start = time.monotonic()
    history = fit(
        Task(network, lambda z, counts: head.loss(z, counts, per_scale.to(z.device))),
        training_loader(crops, settings.batch, schedule.steps_per_epoch, process_rank(), settings.devices, workers),
        DataLoader(composites, VALIDATION_BATCH),
        schedule,
        device,
        settings.devices,
        precision,
        checkpoints,
    )
    if process_rank() > 0:
        return
    _check_learned(history)
    logger.info("trained in %.1f min", (time.monotonic() - start) / 60)
    network.eval()

    def apply(table: pd.DataFrame, axes: np.ndarray | None = None) -> Answer:
        points = validation.points(table)
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            return answer_of(network, settings.head, scale, repeats, points, validation.side_px, device, axes)

    chosen, accuracy = NOT_CHOSEN | {"known": asdict(nothing_known(len(structures), pixel_nm, validation.side_px))}, {}
    if scored:
        chosen, accuracy = _choices(apply, acquisitions, validation, settings, scale, smoothing_nm, seed)
    description = ModelDescription(
        structures=structures,
        pixel_nm=pixel_nm,
        head=settings.head,
        features=settings.features,
        depth=settings.depth,
        subpixels=subpixels,
        wide_blocks=settings.wide_blocks,
        scale_counts=scale,
        **chosen,
        training={
            "scored": scored,
            "settings": asdict(settings),
            "seed": seed,
            "device": device,
            "precision": precision,
            "acquisitions": {
                name: [a.source["acquisition"] for a in acquisitions if a.source["structure"] == name]
                for name in structures
            },
            "accuracy": accuracy,
            "smoothing_nm": smoothing_nm,
            "validated_on": sorted(_validated_on(validation, settings)),
            "learnt_before": sorted(learnt_acquisitions(settings.start_from)) if settings.start_from else [],
            "steps": history[-1]["step"],
            "best_step": min(history, key=lambda record: record["validation_loss"])["step"],
            "lusco": __version__,
            "torch": torch.__version__,
        },
        repeats=asdict(repeats),
    )
    with atomic(Path(out) / HISTORY) as partial:
        pd.DataFrame(history).to_csv(partial, index=False)
    write_model(out, network, description)
    shutil.rmtree(checkpoints)


def _choices(
    apply: Callable[..., Answer],
    acquisitions: Sequence[Localizations],
    validation: Composites,
    settings: TrainSettings,
    scale: Sequence[float],
    smoothing_nm: float,
    seed: int,
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Fields of the description that are chosen on validation, and how right the model is on what it learned from."""
    how = "train", KNOWN * len(validation), validation.side_px, validation.pixel_nm, seed
    training = (
        (frozenset(sources.values()), table)
        for _, sources, table in composites_of(acquisitions, validation.structures, *how)
    )
    # much of it is work for one thread, so that composites side by side take less time than threads for each
    torch.set_num_threads(1)
    chosen = chosen_on_validation(apply, validation, scale, smoothing_nm, settings.threads)
    temperature = Temperature(**chosen["temperature"])

    def look(table: pd.DataFrame) -> Answer:
        return apply(table, np.eye(settings.features))

    known, accuracy = known_regions(look, temperature, training, validation, seed, settings.threads)
    torch.set_num_threads(settings.threads)
    return chosen | {"known": asdict(known)}, accuracy


def _validated_on(validation: Composites, settings: TrainSettings) -> set[str]:
    """Acquisitions of the validation composites, and of those of the model that the training starts from."""
    own = {name for sources in validation.sources for name in sources.values()}
    return own | (validation_acquisitions(settings.start_from) if settings.start_from else set())


def _first(acquisitions: Sequence[Localizations], structures: Sequence[str], number: int | None) -> list[Localizations]:
    """The first acquisitions of each structure, or all."""
    own = ([a for a in acquisitions if a.source["structure"] == name][:number] for name in structures)
    return [acquisition for some in own for acquisition in some]


def _subpixels(acquisitions: Sequence[Localizations], validation: Composites, settings: TrainSettings) -> int:
    """In how many parts the network sees the side of a pixel: those asked for, but one where there are images."""
    if settings.subpixels == 1 or not HEADS[settings.head].divides:
        return 1
    images = [a.source["acquisition"] for a in acquisitions if a.is_image]
    images += [n for i, n in enumerate(validation.names) if validation.points(validation.table(i)).of_image]
    if images:
        logger.info("positions are shown by whole pixels: %s is an image", images[0])
        return 1
    return settings.subpixels


def _repeats(acquisitions: Sequence[Localizations], validation: Composites, settings: TrainSettings) -> Repeats:
    """How molecules repeat, if that is asked for, known of all localizations, and of use to the head."""
    if not settings.settle or not HEADS[settings.head].divides:
        return Repeats()
    points = [points_of(acquisition, validation.pixel_nm) for acquisition in acquisitions]
    by_traces = {a.source["structure"] for a, own in zip(acquisitions, points, strict=True) if traced(own)}
    if by_traces:
        own = [unusable(name, own, True) for name, structure, own in _validated(validation) if structure in by_traces]
        raise_all([fault for fault in own if fault][:1])
        logger.info("localizations are shown at the mean of their trace")
        return Repeats(traces=True)
    lacking = [a.source["acquisition"] for a, own in zip(acquisitions, points, strict=True) if not usable(own)]
    lacking += [name for name, _, own in _validated(validation) if not usable(own)]
    if lacking:
        logger.info("positions are shown as measured: %s lacks frames or uncertainties", lacking[0])
        return Repeats()
    repeats = learn_repeats(points)
    if repeats:
        within = f"{repeats.per_localization:.1f} later ones within {repeats.lag_frames[-1]} frames"
        logger.info("localizations are shown among their likely repeats, %s", within)
    else:
        logger.info("positions are shown as measured: no molecule seems to repeat")
    return repeats


def _validated(validation: Composites) -> Iterator[tuple[str, str, Points]]:
    """Each structure of each validation composite: its acquisition, its name and its localizations."""
    for index, sources in enumerate(validation.sources):
        for number, own in validation.table(index).groupby("structure"):
            structure = validation.structures[number]
            yield sources[structure], structure, validation.points(own)


def _check_sizes(side_px: int, settings: TrainSettings, device: str) -> None:
    present = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device, settings.devices)
    if settings.devices > present:
        what = f"{settings.devices} devices are asked for, and there are {present}"
        mend = "ask for fewer, or with `train.device: cpu` for as many processes"
        raise InputError(Fault("configuration", what, mend, "key `train.devices`"))
    raise_all(unfit_sizes(asdict(settings), side_px, "configuration"))


def _check_learned(history: Sequence[dict[str, float]]) -> None:
    if not any(np.isfinite(record["validation_loss"]) for record in history):
        what = "the training diverged: on validation its loss was never a number"
        raise InputError(Fault("configuration", what, "lower it", "key `train.learning_rate`"))


def _remove_unfinished(out: Path, current: Path) -> None:
    for folder in out.glob(".unfinished-*"):
        if folder != current:
            shutil.rmtree(folder)
