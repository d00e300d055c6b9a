"""What peers that map an image to images have in common."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.torch import load_file, save
from torch import Tensor

from lusco.answer import Answer
from lusco.files import read_json, write_json
from lusco.heads import TRACE_COUNTS
from lusco.superpose.composites import Composites, count

WEIGHTS = "weights.safetensors"
SETTINGS = "settings.json"


def all_counts(composites: Composites) -> np.ndarray:
    """Counts of all composites, shape (composites, structures, side, side), float32."""
    return np.stack([composites.counts(index) for index in range(len(composites))])


def image_of(table: pd.DataFrame, composites: Composites) -> np.ndarray:
    """Counts of localizations of a composite, whatever their structure, shape (side, side), float32."""
    return count(table.assign(structure=0), 1, composites.side_px, composites.pixel_nm)[0]


def answer(predicted: np.ndarray, table: pd.DataFrame, composites: Composites) -> Answer:
    """Channels as they were predicted in counts, and of each localization its pixel's share of each channel.

    Nothing is negative, and the shares are those of our own regression (`lusco.heads`).
    """
    channels = np.maximum(predicted, 0).astype(np.float32)
    at = channels.reshape(len(channels), -1)[:, composites.points(table).pixel()].T.astype(np.float64) + TRACE_COUNTS
    return Answer(np.log(at / at.sum(1, keepdims=True)), channels)


def write_network(folder: Path, weights: dict[str, Tensor], settings: dict[str, Any]) -> None:
    """Write weights, and whatever else is needed to use them; layers that two names share are written twice."""
    (folder / WEIGHTS).write_bytes(save({name: tensor.cpu().contiguous().clone() for name, tensor in weights.items()}))
    write_json(folder / SETTINGS, json.loads(json.dumps(settings)))


def read_network(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_network` wrote."""
    return load_file(folder / WEIGHTS), read_json(folder / SETTINGS)
