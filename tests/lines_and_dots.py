"""Two structures that are easy to tell apart, and how to learn it in seconds."""

from pathlib import Path

import numpy as np

from lusco import table
from lusco.superpose import superpose
from lusco.superpose.composites import Composites, open_composites

STRUCTURES = ("lines", "dots")
SETTINGS = {
    "features": 4,
    "depth": 2,
    "crop_px": 32,
    "batch": 4,
    "steps": 30,
    "validate_every": 10,
    "learning_rate": 0.01,
    "device": "cpu",
}


def acquisition(structure, index):
    """Horizontal and vertical lines, or tight dots: easy to tell apart."""
    rng = np.random.default_rng([index, len(structure)])
    if structure == "lines":
        along, across = rng.uniform(0, 3000, 4000), np.repeat(rng.uniform(0, 3000, 20), 200)
        flip = np.repeat(rng.random(20) < 0.5, 200)
        xy = np.where(flip, along, across), np.where(flip, across, along)
    else:
        xy = np.clip(np.repeat(rng.uniform(0, 3000, (2, 100)), 40, axis=1) + rng.normal(0, 15, (2, 4000)), 0, 3000)
    source = {"acquisition": f"{structure}_{index}", "structure": structure}
    return table.localizations({"x_nm": xy[0], "y_nm": xy[1]}, (0, 3000, 0, 3000), source)


def in_pairs(source):
    """An acquisition whose localizations come in pairs of successive frames."""
    rng = np.random.default_rng([*map(ord, source.source["acquisition"])])
    places = np.repeat(source.table[["x_nm", "y_nm"]].to_numpy()[::2], 2, axis=0)
    x_nm, y_nm = np.clip(places + rng.normal(0, 10, places.shape), 0, 3000).T
    frame = np.repeat(rng.integers(1, 9_000, len(source) // 2), 2) + np.tile([0, 1], len(source) // 2)
    columns = {"x_nm": x_nm, "y_nm": y_nm, "frame": frame, "uncertainty_nm": np.full(len(source), 10.0)}
    return table.localizations(columns, source.field_nm, source.source)


def write_material(folder: Path) -> list[Path]:
    """Two training acquisitions of each structure, whose files are returned, and `validation.arrow`."""
    files = [folder / f"{structure}_{index}.parquet" for structure in STRUCTURES for index in range(2)]
    for file in files:
        structure, index = file.stem.split("_")
        table.write(acquisition(structure, int(index)), file)
    validation = [acquisition(structure, 7) for structure in STRUCTURES]
    superpose(validation, STRUCTURES, "validation", 3, 64, 20, 1, folder / "validation.arrow")
    return files


def to_learn_from(folder: Path) -> tuple[list[table.Localizations], Composites]:
    """What `write_material` writes, read again."""
    return [table.read(file) for file in write_material(folder)], open_composites(folder / "validation.arrow")
