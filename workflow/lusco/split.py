"""The split on disk: which acquisition served for training, validation, test or application."""

import csv
from collections.abc import Sequence
from pathlib import Path

from lusco import table
from lusco.files import atomic

COLUMNS = ("acquisition", "structure", "split", "group", "localizations", "field_um", "density_per_um2")


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
                )
            )
