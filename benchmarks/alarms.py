"""What raises an alarm, on composites of validation acquisitions, so that how it is raised is chosen without test ones.

    .venv/bin/python benchmarks/alarms.py results/EXPERIMENT unet

Of the model's validation acquisitions, composites are made as for the sweeps, and recoloured. Prints, for each
condition, the fraction of regions that are unlike what the model knows, and of the localizations that keep a colour at
the threshold for 1 % crosstalk, the fraction whose colour is wrong: an alarm should be raised where many are.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from known_regions import read_acquisitions

from lusco.model import read_description
from lusco.recolor import Recolorer
from lusco.superpose.composites import Composites, open_composites
from lusco.sweep import superpose_sweep

NUMBER = 6  # composites of each condition
CROSSTALK = 0.01
LEVELS = {
    "number": [1, 2],
    "density": [0.1, 0.25, 0.5, 1],
    "mixing": [0.1, 0.25],
    "precision_nm": [10, 20],
    "scale": [0.5, 0.75, 1.5, 2],
}


def judged(recolorer: Recolorer, composites: Composites) -> tuple[float, float, float]:
    """Fractions of regions that are unfamiliar, of localizations that keep a colour, and of these with a wrong one."""
    unfamiliar, kept, wrong = [], [], []
    threshold = recolorer.description.threshold(CROSSTALK)
    for index in range(len(composites)):
        own = composites.table(index)
        points = composites.points(own)
        result = recolorer(points)
        probabilities = result.probabilities
        regions = recolorer.known.judge(points, probabilities, result.appearance, composites.structures)
        unfamiliar.append(regions["unfamiliar"])
        bound = ~own["unspecific"].to_numpy()
        accepted = probabilities.max(1)[bound] >= threshold
        kept.append(accepted)
        wrong.append((probabilities.argmax(1) != own["structure"])[bound][accepted])
    return tuple(float(np.concatenate(each).mean()) for each in (unfamiliar, kept, wrong))


def main() -> None:
    """Print a row for each level of each sweep."""
    folder, model = Path(sys.argv[1]), sys.argv[2]
    validation = open_composites(folder / "composites" / "validation.arrow")
    names = sorted({name for sources in validation.sources for name in sources.values()})
    acquisitions = read_acquisitions(names)
    place = folder / "models" / model
    recolorer = Recolorer(place, read_description(place), validation.side_px, torch.get_num_threads())
    with tempfile.TemporaryDirectory() as composed:
        for sweep, levels in LEVELS.items():
            file = Path(composed) / f"{sweep}.arrow"
            how = sweep, levels, NUMBER, validation.side_px, validation.pixel_nm, 0
            superpose_sweep(acquisitions, validation.structures, *how, file)
            composites = open_composites(file)
            for number, level in enumerate(levels):
                own = composites.chosen(range(number * NUMBER, (number + 1) * NUMBER))
                unfamiliar, kept, wrong = judged(recolorer, own)
                found = f"unfamiliar {unfamiliar:.3f}  kept {kept:.3f}  wrong {wrong:.4f}"
                print(f"{sweep:14s} {level:6g}  {found}", flush=True)


if __name__ == "__main__":
    main()
