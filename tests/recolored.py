"""A small recoloured table of known content."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lusco import table

STRUCTURES = ("tubes", "pores", "nothing")
PIXEL_NM = 20.0
NUMBER = 500


def recolored_table(path: Path, **changes: Any) -> pd.DataFrame:
    """A table as `lusco recolor` writes it, of localizations that fill a field of 2 x 1 um from its very corner."""
    rng = np.random.default_rng(1)
    chance = rng.uniform(0.1, 0.9, NUMBER).round(4)
    columns = {
        "x_nm": np.r_[0.0, rng.uniform(0, 2000, NUMBER - 2), 2000].round(3),
        "y_nm": np.r_[0.0, rng.uniform(0, 1000, NUMBER - 2), 1000].round(3),
        "frame": rng.integers(1, 100, NUMBER),
        "photons": rng.uniform(100, 1000, NUMBER).round(1),
        "uncertainty_nm": rng.uniform(5, 20, NUMBER).round(3),
        "structure": np.where(chance > 0.5, "tubes", "pores"),
        "p_tubes": chance,
        "p_pores": 1 - chance,
        "p_nothing": 0.0,
        "rejected": np.abs(chance - 0.5) < 0.1,
    }
    rows = pd.DataFrame(columns).assign(**changes)
    table.write_thunderstorm(rows, path)
    return rows
