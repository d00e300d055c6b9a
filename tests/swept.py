"""Composites of a sweep, made up of localizations that lie anywhere."""

import numpy as np

from lusco import table as tables
from lusco.superpose.composites import open_composites
from lusco.sweep import superpose_sweep

STRUCTURES, SIDE_PX, PIXEL_NM, NUMBER = ("a", "b", "c"), 64, 20.0, 3


def uniform():
    """An acquisition of each structure, of localizations anywhere."""
    rng = np.random.default_rng(0)
    return [
        tables.localizations(
            {
                "x_nm": rng.uniform(0, 6000, 20_000),
                "y_nm": rng.uniform(0, 6000, 20_000),
                "uncertainty_nm": np.full(20_000, 6.0),
            },
            (0, 6000, 0, 6000),
            {"acquisition": f"{structure}_1", "structure": structure},
        )
        for structure in STRUCTURES
    ]


def made(acquisitions, folder, sweep, levels):
    """The composites of each level of a sweep."""
    out = folder / f"{sweep}.arrow"
    superpose_sweep(acquisitions, STRUCTURES, sweep, levels, NUMBER, SIDE_PX, PIXEL_NM, 1, out)
    composites = open_composites(out)
    assert len(composites) == NUMBER * len(levels)
    return {level: composites.chosen(range(NUMBER * k, NUMBER * (k + 1))) for k, level in enumerate(levels)}
