"""A model of two structures with random weights, for tests that need one but not a good one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lusco.model import ModelDescription, write_model
from lusco.network import UNet
from lusco.packed import pack

TEMPERATURE = {"typical": 1.1, "exponent": 0.2, "uncertainty_nm": 10.0}
REJECTION = [
    {"threshold": 0.0, "rejected": 0.0, "crosstalk": 0.2},
    {"threshold": 0.5, "rejected": 0.1, "crosstalk": 0.008},
    {"threshold": 0.9, "rejected": 0.4, "crosstalk": 0.001},
]
KNOWN = {
    "side_px": 16,
    "surroundings": 1,
    "across": 1,
    "fields": [1.0] * 3,
    "parts": [
        {
            "features": pack([[0.0] * 8]),
            "mean": [0.0] * 8,
            "whitening": [[float(i == j) for j in range(8)] for i in range(8)],
            "distances": [1.0] * 3,
        }
    ]
    * 3,
}
DESCRIPTION = ModelDescription(
    ("rings", "lines"), 20.0, "shares", 4, 2, (1.5, 2.5), TEMPERATURE, 1.5, REJECTION, KNOWN, {"seed": 1}
)


def write_small_model(folder: Path, head: str = "shares", subpixels: int = 1, **knows: Any) -> Path:
    """Write it; its output is far from indifferent, so that temperature, sharpness and head all show."""
    torch.manual_seed(0)
    network = UNet(2, DESCRIPTION.features, DESCRIPTION.depth, subpixels)
    network.head.weight.data *= 30
    write_model(folder, network, replace(DESCRIPTION, head=head, subpixels=subpixels, **knows))
    return folder
