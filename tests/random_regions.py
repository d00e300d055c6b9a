"""Images of random counts and their regions, for tests of novelty."""

import numpy as np
import pandas as pd

from lusco.novelty.learn import learn
from lusco.novelty.regions import WHOLE, describe
from lusco.render import Points

SIDE_PX, REGION_PX, PIXEL_NM, DENSITY = 128, 64, 20.0, 500


def answered(counts, sure=0.5, uncertainty_nm=None):
    """Localizations with these counts per pixel, and the probabilities of a model that is as sure of all."""
    row, column = np.nonzero(counts)
    x_nm, y_nm = (column + 0.5) * PIXEL_NM, (row + 0.5) * PIXEL_NM
    precise = None if uncertainty_nm is None else np.full(len(row), uncertainty_nm)
    points = Points(x_nm, y_nm, counts[row, column], (0, 0), PIXEL_NM, counts.shape, uncertainty_nm=precise)
    return points, np.tile([sure, 1 - sure], (len(row), 1))


def described(counts, around=1, **how):
    """Its regions as a whole."""
    found = describe(*answered(counts, **how), REGION_PX, around)
    return found[found["part"] == WHOLE].assign(composite=0, copy=0).reset_index(drop=True)


def learnt(training, validation, around=1):
    """What is known of regions as a whole, to a model of two structures."""
    return learn(training, validation, 2, REGION_PX, around, SIDE_PX // REGION_PX)


def scattered(rng, density_per_um2=DENSITY, cluster=1):
    """Clusters of `cluster` counts in one pixel, at random places."""
    clusters = density_per_um2 * (SIDE_PX * PIXEL_NM / 1000) ** 2 / cluster
    return (cluster * rng.poisson(clusters / SIDE_PX**2, (SIDE_PX, SIDE_PX))).astype(np.float32)


def regions(number, seed=0, around=1, uncertainty_nm=None, **how):
    """The regions of so many composites."""
    rng = np.random.default_rng(seed)
    images = [scattered(rng, **how) for _ in range(number)]
    return own_acquisition([described(c, around, uncertainty_nm=uncertainty_nm) for c in images])


def own_acquisition(composites):
    """Regions of composites that share no acquisition."""
    named = (
        table.assign(acquisitions=[frozenset({str(k)})] * len(table), composite=k) for k, table in enumerate(composites)
    )
    return pd.concat(named, ignore_index=True)


def knowing(number=60, around=1, **how):
    """What is known after so many training and validation composites."""
    return learnt(regions(number, 2, around, **how), regions(number, 3, around, **how), around)
