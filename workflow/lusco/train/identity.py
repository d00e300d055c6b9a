"""What shapes a training, as one short name: an interrupted one is resumed only by the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version

from lusco.code import code_hash
from lusco.model import read_description
from lusco.settings import TrainSettings
from lusco.superpose.composites import Composites
from lusco.table import Localizations

# columns that crops, scales and repeats are made of
USED = ("x_nm", "y_nm", "weight", "frame", "uncertainty_nm", "trace")


def fingerprint(
    acquisitions: Sequence[Localizations],
    validation: Composites,
    settings: TrainSettings,
    smoothing_nm: float,
    seed: int,
    device: str,
    precision: str,
) -> str:
    """Identify a training by all that its result depends on: data by their content, settings, code, arithmetic.

    Parameters
    ----------
    acquisitions, validation, settings, smoothing_nm, seed
        As `lusco.train.train` takes them.
    device, precision : str
        What `auto` stands for on this computer.

    Returns
    -------
    str
        Twelve digits.
    """
    numbers = [version(name) for name in ("torch", "lightning", "numpy", "scipy")]
    how = [asdict(settings), smoothing_nm, seed, device, precision, numbers, code_hash("lusco.train")]
    if settings.start_from:
        how.append(read_description(settings.start_from).weights_sha256)
    digest = hashlib.sha256()

    def add(*facts: object) -> None:
        digest.update(json.dumps(facts, sort_keys=True).encode())

    add(how, validation.structures, validation.pixel_nm, validation.side_px, validation.sources)
    for index in range(len(validation)):
        composite = validation.table(index)
        for name in composite:
            digest.update(composite[name].to_numpy().tobytes())
    for a in acquisitions:  # by content: the same file filtered or merged in another way is other data
        add(a.source["acquisition"], a.source["structure"], a.field_nm, a.source.get("pixel_nm"))
        for name in (name for name in USED if name in a.table):
            digest.update(a.table[name].to_numpy().tobytes())
    return digest.hexdigest()[:12]
