r"""How models do whose input is settled by repeats, and others, when the input is not what it was in training.

    .venv/bin/snakemake --cores all --configfile resources/experiments/repeats.yaml
    .venv/bin/python benchmarks/repeats.py results/repeats/composites/validation.arrow results/repeats/models/*

Prints cross-entropy and accuracy per localization of each model, on every fourth composite as it is, thinned, blurred,
with uncertainties that are wrong, and with times that are: slower, faster, or without any meaning.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lusco.model import read_description, read_network
from lusco.recolor.network import answer_of
from lusco.repeats import Repeats
from lusco.superpose.composites import Composites, open_composites

EVERY = 4  # composites
Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def thinned(keep: float, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each localization kept with a probability."""
    return table[rng.random(len(table)) < keep].reset_index(drop=True)


def blurred(sigma_nm: float, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Positions made less precise, and uncertainties that say so."""
    places = table[["x_nm", "y_nm"]] + rng.normal(0, sigma_nm, (len(table), 2))
    return table.assign(uncertainty_nm=np.hypot(table["uncertainty_nm"], sigma_nm), **places.clip(lower=0))


CHANGES: dict[str, Change] = {
    "as they are": lambda table, rng: table,
    "half of the localizations": partial(thinned, 0.5),
    "a quarter": partial(thinned, 0.25),
    "a tenth": partial(thinned, 0.1),
    "10 nm less precise": partial(blurred, 10.0),
    "uncertainties x 0.7": lambda table, rng: table.assign(uncertainty_nm=0.7 * table["uncertainty_nm"]),
    "uncertainties x 1.4": lambda table, rng: table.assign(uncertainty_nm=1.4 * table["uncertainty_nm"]),
    "three times slower": lambda table, rng: table.assign(frame=3 * table["frame"]),
    "three times faster": lambda table, rng: table.assign(frame=table["frame"] // 3),
    "frames shuffled": lambda table, rng: table.assign(frame=rng.permutation(table["frame"].to_numpy())),
}


def scores(folder: str, composites: Composites, change: Change) -> tuple[float, float]:
    """Cross-entropy and accuracy per localization."""
    model = read_description(folder)
    network, repeats = read_network(folder, model), Repeats(**model.repeats)
    logs, truth = [], []
    for index in range(0, len(composites), EVERY):
        table = change(composites.table(index), np.random.default_rng(index))
        points = composites.points(table)
        answer = answer_of(network, model.head, model.scale_counts, repeats, points, composites.side_px, "cpu")
        logs.append(answer.log_probabilities)
        truth.append(table["structure"].to_numpy())
    joined, true = np.concatenate(logs), np.concatenate(truth)
    return -joined[np.arange(len(true)), true].mean(), (joined.argmax(1) == true).mean()


def main() -> None:
    """Print a row for each change, with two numbers for each model."""
    torch.set_num_threads(1)
    file, *folders = sys.argv[1:]
    composites = open_composites(file)
    print(f"{'':28s}", *(f"{Path(folder).name:>20s}" for folder in folders))
    for name, change in CHANGES.items():
        each = (scores(folder, composites, change) for folder in folders)
        print(f"{name:28s}", *(f"{entropy:11.3f} {100 * right:6.1f} %" for entropy, right in each), flush=True)


if __name__ == "__main__":
    main()
