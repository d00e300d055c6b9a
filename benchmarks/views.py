"""What looking at an image in eight views is worth, and what a package for the BioImage Model Zoo leaves out.

    .venv/bin/python benchmarks/views.py MODEL results/EXPERIMENT/composites/validation.arrow [test.arrow ...]

Of each file prints a row for one view of positions as measured, which is what a package gives, and, of positions as the
model was shown them, for one view, for the eight directions with the same pixels, and for the eight directions with
pixels that begin elsewhere in each, which is what `lusco recolor` does.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from lusco.answer import soften
from lusco.evaluate.assignment import ALL, accepted_counts, assignment_table, crosstalk_at
from lusco.model import read_description, read_network
from lusco.network import UNet
from lusco.recolor.tiles import apply_symmetric, apply_to_points
from lusco.render import Points
from lusco.repeats import Repeats, settled
from lusco.superpose.composites import open_composites


def one_view(network: UNet, points: Points) -> np.ndarray:
    """Output of the network for each localization, shape (structures, n)."""
    points = points.finer(network.subpixels)
    pixel = points.pixel()
    with torch.inference_mode():
        output = network(torch.from_numpy(points.counts(pixel))[None, None])[0]
    return output.flatten(1)[:, pixel].numpy()


def eight_directions(network: UNet, points: Points) -> np.ndarray:
    """The same, averaged over rotations and mirror images."""
    points = points.finer(network.subpixels)
    pixel = points.pixel()
    output = apply_symmetric(network, points.counts(pixel), max(points.shape), "cpu")
    return output.reshape(len(output), -1)[:, pixel]


def eight_views(network: UNet, points: Points) -> np.ndarray:
    """The same, averaged over directions and beginnings of pixels."""
    return apply_to_points(network, points, max(points.shape), "cpu")[0]


WAYS: dict[str, tuple[Callable[[UNet, Points], np.ndarray], bool]] = {  # and whether positions are settled first
    "one view as measured": (one_view, False),
    "one view": (one_view, True),
    "eight directions": (eight_directions, True),
    "eight directions and pixels": (eight_views, True),
}


def main() -> None:
    """Print cross-entropy, accuracy and crosstalk of each way; localizations without a structure are left out."""
    folder, *files = sys.argv[1:]
    description = read_description(folder)
    network, repeats = read_network(folder, description), Repeats(**description.repeats)
    for file in files:
        composites = open_composites(file)
        for name, (way, settles) in WAYS.items():
            logs, truth = [], []
            for index in range(len(composites)):
                table = composites.table(index)
                bound = ~table["unspecific"].to_numpy()
                points = composites.points(table)
                shown = settled(points, repeats) if settles else points
                logs.append(way(network, shown).T[bound] / description.temperature["typical"])
                truth.append(table["structure"].to_numpy()[bound])
            probabilities, true = soften(np.concatenate(logs), 1.0), np.concatenate(truth)
            accepted = accepted_counts(probabilities, true, np.ones(len(true)))
            curve = assignment_table(accepted, composites.structures)
            curve = curve[curve["structure"] == ALL]
            print(
                f"{Path(file).stem:10s} {name:28s}"
                f" cross-entropy {-np.log(probabilities[np.arange(len(true)), true]).mean():.4f}"
                f"  accuracy {(probabilities.argmax(1) == true).mean():.4f}"
                f"  crosstalk at 30 % rejected {crosstalk_at(curve, 0.3):.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
