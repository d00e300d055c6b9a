"""The split on disk: which acquisition served for what, and whether a model can be shown all of them alike."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lusco import table
from lusco.errors import Fault, raise_all
from lusco.files import atomic
from lusco.render import Points, by_whole_pixels, points_of
from lusco.repeats import learn_repeats, traced, unusable
from lusco.settings import SHARES, TrainSettings
from lusco.sheet import SIMULATION
from lusco.table import Localizations

COLUMNS = ("acquisition", "structure", "split", "group", "localizations", "field_um", "density_per_um2", "file")


def write_splits(assigned: Sequence[tuple[str, str, Path]], out: str | Path) -> None:
    """Write a row per acquisition, tab-separated, columns `COLUMNS`.

    Parameters
    ----------
    assigned : sequence of tuple
        Split, group and localizations of each acquisition.
    out : str or Path
        File to write.
    """
    with atomic(out) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for split, group, path in assigned:
            rows, (x0, x1, y0, y1), source = table.read_summary(path)
            writer.writerow(
                (
                    source["acquisition"],
                    source["structure"],
                    split,
                    group,
                    rows,
                    f"{(x1 - x0) / 1e3:.2f} x {(y1 - y0) / 1e3:.2f}",
                    f"{rows / ((x1 - x0) * (y1 - y0) / 1e6):.1f}",
                    "" if source["format"] == SIMULATION else source["path"],
                )
            )


@dataclass(frozen=True)
class _Acquisition:
    """What a model can be shown of an acquisition, without its localizations."""

    name: str
    structure: str
    path: Path
    is_traced: bool
    is_image: bool
    without_traces: Fault | None
    without_frames: Fault | None


def check_alike(assigned: Sequence[tuple[str, str, Path]], models: Sequence[TrainSettings]) -> None:
    """Check that what models are for can be shown to them as what they learn from, before they have learnt for hours.

    Parameters
    ----------
    assigned : sequence of tuple
        As for `write_splits`.
    models : sequence of TrainSettings
        How each is trained; the first is applied to mixtures too.

    Raises
    ------
    InputError
        With all acquisitions for validation, test or application that lack what those for training have.
    """
    of = {split: [] for split in ("train", "validation", "test", "apply")}
    for split, _, path in assigned:
        of[split].append(_read(path))
    faults = {}
    for settings in models:
        faults |= {fault.file: fault for fault in _unlike(of, settings) if fault.file not in faults}
        of["apply"] = []
    raise_all(list(faults.values()))


def _unlike(of: Mapping[str, Sequence[_Acquisition]], settings: TrainSettings) -> Iterator[Fault]:
    if settings.head != SHARES:  # it is shown what was measured, by whole pixels
        return
    structures = dict.fromkeys(a.structure for a in of["train"])
    first = [[a for a in of["train"] if a.structure == name][: settings.acquisitions] for name in structures]
    of = {**of, "train": [acquisition for some in first for acquisition in some]}
    if settings.settle:
        yield from _without_repeats(of)
    if settings.subpixels > 1 and not any(a.is_image for a in of["train"] + of["validation"]):
        yield from (by_whole_pixels(a.name) for a in of["test"] + of["apply"] if a.is_image)


def _without_repeats(of: Mapping[str, Sequence[_Acquisition]]) -> Iterator[Fault]:
    """What has no repeats, where a model learns from those."""
    if by_traces := {a.structure for a in of["train"] if a.is_traced}:  # another may have been measured otherwise
        known = [a for a in of["validation"] + of["test"] if a.structure in by_traces]
        yield from (a.without_traces for a in known + of["apply"] if a.without_traces)
    elif not any(a.without_frames for a in of["train"] + of["validation"]):
        lacking = [a.without_frames for a in of["test"] + of["apply"] if a.without_frames]
        if lacking and learn_repeats([_points(table.read(a.path)) for a in of["train"]]):
            yield from lacking


def _read(path: Path) -> _Acquisition:
    acquisition = table.read(path)
    name, structure = acquisition.source["acquisition"], acquisition.source["structure"]
    points = _points(acquisition)
    faults = [unusable(name, points, by_traces) if len(points) else None for by_traces in (True, False)]
    return _Acquisition(name, structure, path, traced(points), points.of_image, *faults)


def _points(acquisition: Localizations) -> Points:
    return points_of(acquisition, 100.0)  # pixels of any size: what repeats does so in none
