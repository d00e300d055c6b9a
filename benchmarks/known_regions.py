"""What a model knows, learned again, its weights and thresholds as they are: after a change of novelty.

    .venv/bin/python benchmarks/known_regions.py resources/models/NAME results/EXPERIMENT OUT

Reads the acquisitions that the model learned from, of `results/acquisitions`, and the validation composites of the
experiment that trained it, and writes the model with the regions that it knows, and how much better it does on what it
learned from, into a new folder OUT.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from lusco import table
from lusco.answer import Answer, Temperature
from lusco.calibrate import KNOWN, known_regions
from lusco.files import read_json, write_json
from lusco.model import (
    DESCRIPTION,
    VERSION,
    WEIGHTS,
    ModelDescription,
    read_description,
    read_network,
    write_description,
)
from lusco.novelty import nothing_known
from lusco.recolor.network import answer_of
from lusco.repeats import Repeats
from lusco.superpose import composites_of
from lusco.superpose.composites import open_composites
from lusco.table import Localizations


def read_acquisitions(names: Sequence[str]) -> list[Localizations]:
    """The newest table of each acquisition that was made."""
    made = [Path("results/acquisitions").glob(f"{name}/*/localizations.parquet") for name in names]
    return [table.read(max(files, key=lambda file: file.stat().st_mtime)) for files in made]


def forgetful(folder: Path, composite_px: int, out: Path) -> ModelDescription:
    """Copy a model, of whatever version, without what it knows of regions, which other versions may say otherwise."""
    content = read_json(folder / DESCRIPTION)
    nothing = nothing_known(len(content["structures"]), content["pixel_nm"], composite_px)
    out.mkdir(parents=True)
    shutil.copyfile(folder / WEIGHTS, out / WEIGHTS)
    write_json(out / DESCRIPTION, content | {"version": VERSION, "known": asdict(nothing)})
    return read_description(out)


def main() -> None:
    """Learn and write."""
    folder, experiment, out = map(Path, sys.argv[1:4])
    validation = open_composites(experiment / "composites" / "validation.arrow")
    description = forgetful(folder, validation.side_px, out)
    own = description.training["acquisitions"]
    acquisitions = read_acquisitions([name for structure in description.structures for name in own[structure]])
    seed, threads = description.training["seed"], torch.get_num_threads()
    network, repeats = read_network(out, description), Repeats(**description.repeats)
    how = "train", KNOWN * len(validation), validation.side_px, description.pixel_nm, seed
    training = (
        (frozenset(sources.values()), composite)
        for _, sources, composite in composites_of(acquisitions, description.structures, *how)
    )

    def look(composite) -> Answer:
        points = validation.points(composite)
        scale, axes = description.scale_counts, np.eye(description.features)
        return answer_of(network, description.head, scale, repeats, points, validation.side_px, "cpu", axes)

    torch.set_num_threads(1)
    known, accuracy = known_regions(look, Temperature(**description.temperature), training, validation, seed, threads)
    learned = {"known": asdict(known), "training": description.training | {"accuracy": accuracy}}
    write_description(out, replace(description, **learned))


if __name__ == "__main__":
    main()
