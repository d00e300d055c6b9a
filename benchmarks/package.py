"""What a package leaves out: its graph beside `lusco recolor`, which averages over eight symmetries.

.venv/bin/python benchmarks/package.py MODEL results/EXPERIMENT/composites/test.arrow
"""

import sys

import numpy as np

from lusco.model import read_description
from lusco.package.graph import Whole
from lusco.recolor import Recolorer
from lusco.superpose.composites import open_composites


def main() -> None:
    """Print how many localizations get the right structure with and without averaging, and how far the two differ."""
    folder, file = sys.argv[1:]
    composites, description = open_composites(file), read_description(folder)
    recolorer = Recolorer(folder, description, composites.side_px, 2, "cpu")
    whole = Whole(recolorer.network, description).eval()
    structures = len(description.structures)
    averaged, plain, true = [], [], []
    for index in range(len(composites)):
        table = composites.table(index)
        table = table[~table["unspecific"]]
        pixel = composites.pixel(table)
        counts = composites.counts(index).sum(0)
        averaged.append(recolorer(counts).probabilities.reshape(structures, -1)[:, pixel])
        plain.append(whole.compute(counts[None, None])[0, structures:].reshape(structures, -1)[:, pixel])
        true.append(table["structure"].to_numpy())
    averaged, plain, true = (np.concatenate(parts, axis=-1) for parts in (averaged, plain, true))
    for name, probabilities in (("averaged over symmetries", averaged), ("the package's graph", plain)):
        print(f"{name}: {(probabilities.argmax(0) == true).mean():.1%} of localizations get the right structure")
    print(f"{(averaged.argmax(0) == plain.argmax(0)).mean():.1%} get the same one")
    print(f"mean difference of probabilities: {np.abs(averaged - plain).mean():.3f}")


if __name__ == "__main__":
    main()
