"""Gradient-boosted trees on the neighbourhood of each localization: no image, no network.

Histogram-based boosting of scikit-learn (after LightGBM, Ke et al. 2017) with its default trees. The trees are stored
as plain arrays, because scikit-learn itself could only pickle them.
"""

import logging
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from lusco.answer import Answer, Apply
from lusco.errors import Fault, InputError
from lusco.files import atomic
from lusco.peers import Peer
from lusco.peers.clock import Clock
from lusco.peers.features import features
from lusco.superpose import random_generator
from lusco.superpose.composites import Composites

logger = logging.getLogger(__name__)

FILE = "trees.npz"
PER_COMPOSITE = 2000  # localizations of each composite, drawn at random
DESCRIBING = 0.35  # at most this fraction of the time goes into describing neighbourhoods
KEEP_LEAST = 0.5  # each structure of a training composite is thinned to between this and all, as for our own models
LEAST_ROUNDS, GROWTH = 10, 0.25  # rounds of boosting between two validations: a quarter of those before
PATIENCE = 3  # validations without a better one before stopping
NO_CATEGORIES = np.zeros((0, 8), dtype=np.uint32)


def train(
    training: Composites, validation: Composites, clock: Clock, seed: int, threads: int, folder: Path
) -> dict[str, Any]:
    """Boost until the time is over or validation gets no better; write the trees of the best validation."""
    rng = random_generator(seed, "trees")
    held_out = _sample(validation, 1.0, rng, threads)
    x, y, used = _training_sample(training, clock, rng, threads)
    logger.info("%d localizations of %d composites", len(x), used)
    model = HistGradientBoostingClassifier(warm_start=True, early_stopping=False, random_state=seed)
    best, best_rounds, rounds, waited, each = np.inf, 0, 0, 0, 0.0
    with threadpool_limits(threads):
        while waited < PATIENCE:
            more = max(LEAST_ROUNDS, int(GROWTH * rounds))
            if rounds and not clock.allows(each * more):
                break
            begun = monotonic()
            rounds += more
            model.set_params(max_iter=rounds).fit(x, y)
            loss = log_loss(held_out[1], model.predict_proba(held_out[0]), labels=model.classes_)
            each = (monotonic() - begun) / more
            waited = 0 if loss < best else waited + 1
            if loss < best:
                best, best_rounds = loss, rounds
            logger.info("%d rounds: validation loss %.4f", rounds, loss)
    _write(folder / FILE, model, best_rounds)
    return {"steps": rounds, "best_step": best_rounds, "localizations": len(x), "composites_used": used}


def load(folder: Path, composites: Composites, threads: int) -> Apply:
    """Read the trees written by `train`."""
    with np.load(folder / FILE, allow_pickle=False) as stored:
        nodes, ends, baseline = stored["nodes"], stored["ends"], stored["baseline"]
    trees = [TreePredictor(part, NO_CATEGORIES, NO_CATEGORIES) for part in np.split(nodes, ends[:-1])]

    def apply(table: pd.DataFrame) -> Answer:
        if not len(table):
            return Answer(np.zeros((0, len(composites.structures))))
        described = _describe(composites, table, np.arange(len(table)), threads).astype(np.float64)
        margins = np.tile(baseline, (len(table), 1))
        for index, tree in enumerate(trees):
            unused = np.zeros(described.shape[1], dtype=np.uint32)
            margins[:, index % margins.shape[1]] += tree.predict(described, NO_CATEGORIES, unused, threads)
        if margins.shape[1] == 1:  # of two structures, the trees give the log odds of the second
            margins = np.hstack([np.zeros_like(margins), margins])
        return Answer(margins - np.logaddexp.reduce(margins, 1)[:, None])

    return apply


def _training_sample(
    training: Composites, clock: Clock, rng: np.random.Generator, threads: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Neighbourhoods and structures of training localizations, and the number of composites that there was time for."""
    parts = []
    for place in rng.permutation(len(training)):
        if parts and clock.spent() > DESCRIBING:
            break
        parts.append(_sample(training.chosen([place]), KEEP_LEAST, rng, threads))
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts]), len(parts)


def _sample(
    composites: Composites, keep_least: float, rng: np.random.Generator, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbourhoods and structures of up to `PER_COMPOSITE` localizations of each composite, randomly thinned."""
    described, structures = [], []
    for index in range(len(composites)):
        table = composites.table(index)
        keep = rng.uniform(keep_least, 1, len(composites.structures))
        table = table[rng.random(len(table)) < keep[table["structure"]]]
        chosen = rng.choice(len(table), min(PER_COMPOSITE, len(table)), replace=False)
        described.append(_describe(composites, table, chosen, threads))
        structures.append(table["structure"].to_numpy()[chosen])
    return np.concatenate(described), np.concatenate(structures)


def _describe(composites: Composites, table: pd.DataFrame, chosen: np.ndarray, threads: int) -> np.ndarray:
    if (table["weight"] != 1).any():
        what = "an acquisition is an image, and trees need single localizations"
        raise InputError(Fault("peer `trees`", what, "leave it out of `models`"))
    side_nm = composites.side_px * composites.pixel_nm
    return features(table[["x_nm", "y_nm"]].to_numpy(), chosen, side_nm, threads)


def _write(path: Path, model: HistGradientBoostingClassifier, rounds: int) -> None:
    nodes = [tree.nodes for trees in model._predictors[:rounds] for tree in trees]
    with atomic(path) as partial:
        np.savez_compressed(
            partial,
            nodes=np.concatenate(nodes),
            ends=np.cumsum([len(part) for part in nodes]),
            baseline=model._baseline_prediction.ravel(),
        )


PEER = Peer(train, load, ("scikit-learn",))
