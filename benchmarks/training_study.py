r"""What each choice of the training buys, at equal processor time.

    .venv/bin/snakemake --cores all results/demo/composites/validation.arrow
    .venv/bin/python benchmarks/training_study.py [NAME ...] [--seconds 150] \
        --acquisitions results/acquisitions/*_0[1-8]/*/localizations.parquet

Trains the default network from the demo's training acquisitions, on one thread, for so many seconds of processor
time (making crops not counted), in each of the ways named, and prints a row of scores on the demo's validation
composites for each. Test composites are not touched.
"""

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.optim import AdamW

from lusco import table
from lusco.evaluate.distances import distance, prepare, structure_scale
from lusco.heads import HEADS
from lusco.network import UNet
from lusco.recolor.tiles import apply_symmetric
from lusco.render import render
from lusco.superpose import by_structure
from lusco.superpose.composites import Composites, open_composites
from lusco.train.crops import Crops
from lusco.train.loop import GRADIENT_NORM, WARM_UP, WEIGHT_DECAY
from lusco.train.muon import muon

SMOOTHING_NM = 12.0
SEED = 1


@dataclass(frozen=True)
class Way:
    """A way to train; the defaults are those of the demo."""

    optimizer: str = "muon"
    rate: float = 3e-3
    batch: int = 8
    crop_px: int = 128
    features: int = 32
    depth: int = 2
    keep_min: float = 0.5
    absent: float = 0.1
    networks: int = 1


DEFAULT = Way()
WAYS = {
    "default": DEFAULT,
    "adamw": replace(DEFAULT, optimizer="adamw"),
    "adamw_batch_4": replace(DEFAULT, optimizer="adamw", batch=4),
    "batch_4": replace(DEFAULT, batch=4),
    "rate_halved": replace(DEFAULT, rate=1.5e-3),
    "rate_doubled": replace(DEFAULT, rate=6e-3),
    "crop_192": replace(DEFAULT, crop_px=192, batch=4),
    "features_24": replace(DEFAULT, features=24),
    "features_48": replace(DEFAULT, features=48),
    "depth_1": replace(DEFAULT, depth=1),
    "depth_3": replace(DEFAULT, depth=3),
    "no_thinning": replace(DEFAULT, keep_min=1.0),
    "thinned_to_a_tenth": replace(DEFAULT, keep_min=0.1),
    "always_all": replace(DEFAULT, absent=0.0),
    "two_networks": replace(DEFAULT, networks=2),
}


def trained(way: Way, fields: tuple, pixel_nm: float, seconds: float, seed: int) -> tuple[UNet, int]:
    """A network after so many seconds of processor time, and its number of steps."""
    torch.manual_seed(seed)
    network = UNet(len(fields), way.features, way.depth).to(memory_format=torch.channels_last)
    if way.optimizer == "muon":
        optimizer = muon(network, way.rate, WEIGHT_DECAY)
    else:
        optimizer = AdamW(network.parameters(), lr=way.rate, weight_decay=WEIGHT_DECAY)
    crops = Crops(fields, way.crop_px, pixel_nm, way.keep_min, way.absent, seed)
    steps, spent = 0, 0.0
    while spent < seconds:
        pairs = [crops[steps * way.batch + index] for index in range(way.batch)]
        composite, counts = (torch.stack(part) for part in zip(*pairs, strict=True))
        start = time.process_time()
        done = spent / seconds
        rate = way.rate * (done / WARM_UP if done < WARM_UP else 0.5 * (1 + np.cos(np.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        total, number = HEADS["shares"].loss(network(composite), counts, None)
        (total / number).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimizer.step()
        spent += time.process_time() - start
        steps += 1
    return network.eval(), steps


def logs_of(networks: list[UNet], counts: list[np.ndarray]) -> list[np.ndarray]:
    """Log probabilities of composites, averaged over the eight symmetries and over the networks."""
    outputs = (np.mean([apply_symmetric(n, c.sum(0), c.shape[-1], "cpu") for n in networks], axis=0) for c in counts)
    return [torch.log_softmax(torch.from_numpy(output), 0).numpy() for output in outputs]


def logs_of_one_view(networks: list[UNet], counts: list[np.ndarray]) -> list[np.ndarray]:
    """Log probabilities of composites, seen one way up only."""
    with torch.inference_mode():
        views = ([network(torch.from_numpy(c.sum(0))[None, None]) for network in networks] for c in counts)
        outputs = [torch.stack(view).mean(0) for view in views]
    return [torch.log_softmax(output[0], 0).numpy() for output in outputs]


def cross_entropy(logs: list[np.ndarray], counts: list[np.ndarray]) -> float:
    """Per localization."""
    return -sum((c * log).sum() for c, log in zip(counts, logs, strict=True)) / sum(c.sum() for c in counts)


def accuracy(logs: list[np.ndarray], counts: list[np.ndarray]) -> float:
    """Fraction of localizations whose likeliest structure is the true one."""
    right = sum((c * (log == log.max(0))).sum() for c, log in zip(counts, logs, strict=True))
    return right / sum(c.sum() for c in counts)


def scores(networks: list[UNet], composites: Composites, scales: list[float]) -> dict[str, float]:
    """Cross-entropy, accuracy, and the least gap closed of all structures, on medians over composites."""
    counts = [composites.counts(index) for index in range(len(composites))]
    rng = np.random.default_rng(SEED)
    quarter = [rng.binomial(c.astype(np.int64), 0.25).astype(np.float32) for c in counts]
    logs = logs_of(networks, counts)
    shares = [np.exp(log) for log in logs]
    result = {
        "cross_entropy": cross_entropy(logs, counts),
        "one_view": cross_entropy(logs_of_one_view(networks, counts), counts),
        "accuracy": accuracy(logs, counts),
        "at_a_quarter": accuracy(logs_of(networks, quarter), quarter),
    }
    for name in ("mse", "dssim"):
        gaps = []
        for index, scale in enumerate(scales):
            truth = [prepare(c[index], scale, SMOOTHING_NM, composites.pixel_nm) for c in counts]
            images = [
                prepare(p[index] * c.sum(0), scale, SMOOTHING_NM, composites.pixel_nm)
                for c, p in zip(counts, shares, strict=True)
            ]
            model = np.median([distance(name, a, b) for a, b in zip(images, truth, strict=True)])
            chance = np.median([distance(name, a, b) for a, b in zip(truth, truth[1:] + truth[:1], strict=True)])
            gaps.append(1 - model / chance)
        result[f"least_gap_{name}"] = min(gaps)
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--acquisitions", nargs="+", required=True, help="localizations.parquet of the training split")
    given = parser.parse_args()
    torch.set_num_threads(1)
    composites = open_composites("results/demo/composites/validation.arrow")
    acquisitions = [table.read(path) for path in given.acquisitions]
    fields = by_structure(acquisitions, composites.structures, composites.pixel_nm)
    scales = [
        structure_scale(
            [render(a, composites.pixel_nm) for a in acquisitions if a.source["structure"] == name],
            SMOOTHING_NM,
            composites.pixel_nm,
        )
        for name in composites.structures
    ]
    for name in given.names or WAYS:
        way = WAYS[name]
        each = given.seconds / way.networks
        runs = [trained(way, fields, composites.pixel_nm, each, SEED + index) for index in range(way.networks)]
        result = scores([network for network, _ in runs], composites, scales)
        numbers = "  ".join(f"{key} {value:.3f}" for key, value in result.items())
        print(f"{name:18s} {sum(steps for _, steps in runs):5d} steps  {numbers}", flush=True)


if __name__ == "__main__":
    main()
