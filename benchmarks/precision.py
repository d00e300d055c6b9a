"""Whether the confidence is right for precise and for less precise localizations, and what its temperature buys there.

    .venv/bin/python benchmarks/precision.py results/EXPERIMENT unet

Reads the recoloured test composites of a model and prints, for all localizations and for each fifth of them by stated
uncertainty, how many keep a colour if the least sure 30 % of all lose theirs, how many of these are wrong, and how many
were to be expected: with the temperature as it rises with the uncertainty, and with that of a typical localization
for all.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.answer import Temperature, soften
from lusco.model import read_description
from lusco.recolor import PROBABILITIES
from lusco.superpose.composites import open_composites

REJECTED = 0.3
GROUPS = 5


def print_rows(name: str, probabilities: np.ndarray, truth: np.ndarray, uncertainty_nm: np.ndarray) -> None:
    """A row for all, and one for each group."""
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != truth
    accepted = confidence > np.quantile(confidence, REJECTED)
    edges = np.quantile(uncertainty_nm, np.linspace(0, 1, GROUPS + 1))
    group = np.clip(np.searchsorted(edges, uncertainty_nm) - 1, 0, GROUPS - 1)
    rows = [(edges[0], edges[-1], np.ones(len(group), dtype=bool))]
    rows += [(edges[index], edges[index + 1], group == index) for index in range(GROUPS)]
    for low, high, own in rows:
        kept = own & accepted
        print(
            f"{name:6s} {low:5.1f} to {high:5.1f} nm  accepted {kept.sum() / own.sum():.2f}"
            f"  wrong {wrong[kept].mean():.4f}  expected {1 - confidence[kept].mean():.4f}"
        )


def main() -> None:
    folder, model = Path(sys.argv[1]), sys.argv[2]
    temperature = Temperature(**read_description(folder / "models" / model).temperature)
    composites = open_composites(folder / "composites" / "test.arrow")
    table = pd.concat([composites.table(index) for index in range(len(composites))], ignore_index=True)
    probabilities = np.load(folder / "models_applied" / model / "test" / PROBABILITIES)
    of_each = temperature.of(composites.points(table))
    same = soften(np.log(np.maximum(probabilities, 1e-30)) * of_each, temperature.typical)
    bound = ~table["unspecific"].to_numpy()
    truth, uncertainty_nm = (table[name].to_numpy()[bound] for name in ("structure", "uncertainty_nm"))
    for name, each in (("rising", probabilities), ("same", same)):
        print_rows(name, each[bound], truth, uncertainty_nm)


if __name__ == "__main__":
    main()
