"""Read an acquisition sheet, all its faults at once, and assign the splits it leaves open, reproducibly."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from lusco.errors import Fault, InputError, raise_all
from lusco.sheet import COLUMNS, LEARNING, MIXED, Acquisition, parse_region
from lusco.sheet_faults import (
    group_faults,
    half_tested,
    header_faults,
    known_before,
    leaks,
    repeated_names,
    row_faults,
    too_few,
)


def read_sheet(
    path: str | Path,
    structures: Sequence[str],
    splits: Mapping[str, float],
    seed: int,
    fetchable: Sequence[str | Path] = (),
    learn: bool = True,
    models: Mapping[str, Collection[str]] = MappingProxyType({}),
    validated: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Acquisition]:
    """Read and validate a sheet and assign the splits it leaves open.

    Parameters
    ----------
    path : str or Path
        Tab-separated sheet.
    structures : sequence of str
        The configured structures.
    splits : mapping
        Fractions `validation` and `test` of each structure's groups.
    seed : int
        Seed of the assignment.
    fetchable : sequence of str or Path
        Files that need not exist yet because a rule fetches them.
    learn : bool
        Whether each structure needs acquisitions for training, validation and test.
    models : mapping
        For each model to start from or to apply, the names of the acquisitions that it was trained on.
    validated : mapping
        The same of the acquisitions that it was chosen by.

    Returns
    -------
    list of Acquisition
        In the order of the sheet, every split filled in.

    Raises
    ------
    InputError
        With all faults of the sheet at once.
    """
    path = Path(path)
    rows = _rows(path)
    faults: list[Fault] = []
    acquisitions = []
    known_files = {Path(file) for file in fetchable}
    for line, row in rows:
        found = list(row_faults(path, line, row, structures, known_files))
        faults += found
        if not found:
            acquisitions.append(_acquisition(path, row))
    raise_all([*faults, *repeated_names(path, rows), *group_faults(path, acquisitions)])
    assigned = assign_splits(acquisitions, splits, seed) if learn else splits_for_test(acquisitions, models, validated)
    shared = [*leaks(path, assigned), *known_before(path, assigned, models, validated)]
    raise_all([*shared, *(too_few if learn else half_tested)(path, assigned, structures)])
    return assigned


def assign_splits(acquisitions: Sequence[Acquisition], splits: Mapping[str, float], seed: int) -> list[Acquisition]:
    """Fill in empty splits: `apply` for mixed ones; for the others by group, in an order hashed from the seed.

    Each structure gets at least one group for test, for validation and for training as far as its groups
    go. An explicit split counts for its whole group.
    """
    groups: dict[str, str] = {a.group: a.split for a in acquisitions if a.split and a.structure != MIXED}
    by_structure: dict[str, set[str]] = defaultdict(set)
    for a in acquisitions:
        if a.structure != MIXED and a.split != "apply":
            by_structure[a.structure].add(a.group)
    # those with the fewest groups first, lest others take all of these for the same split
    for structure in sorted(by_structure, key=lambda name: (len(by_structure[name]), name)):
        ranked = sorted(by_structure[structure], key=lambda group: _hash(seed, group))
        for split in ("test", "validation"):
            given = [groups.get(group) for group in ranked]
            free = [group for group in ranked if group not in groups]
            others = sum(other not in given for other in LEARNING if other != split)
            wanted = max(1, round(splits[split] * len(ranked))) - given.count(split)
            least = 0 if split in given else 1
            for group in free[: max(least, min(wanted, len(free) - others))]:
                groups[group] = split
        for group in ranked:
            groups.setdefault(group, "train")
    return [replace(a, split=a.split or ("apply" if a.structure == MIXED else groups[a.group])) for a in acquisitions]


def splits_for_test(
    acquisitions: Sequence[Acquisition],
    learnt: Mapping[str, Collection[str]],
    validated: Mapping[str, Collection[str]],
) -> list[Acquisition]:
    """Fill in empty splits where a model is only applied: all groups test it, but those that it knows already."""
    groups: dict[str, str] = {a.group: a.split for a in acquisitions if a.split and a.structure != MIXED}
    for split, models in (("train", learnt), ("validation", validated)):
        known = {name for names in models.values() for name in names}
        for a in acquisitions:
            if a.structure != MIXED and a.name in known:
                groups.setdefault(a.group, split)
    return [
        replace(a, split=a.split or ("apply" if a.structure == MIXED else groups.get(a.group, "test")))
        for a in acquisitions
    ]


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of each row; empty lines and those that start with # are passed over."""
    reader = csv.reader(_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        lines = [(reader.line_num, [_cell(cell) for cell in row]) for row in reader]
    except csv.Error as error:
        what = f"the sheet cannot be read ({error})"
        raise InputError(Fault(path, what, "save it as tab-separated text", f"row {reader.line_num}")) from None
    lines = [(line, row) for line, row in lines if any(row) and not row[0].startswith("#")]
    if not lines:
        raise InputError(Fault(path, "the sheet is empty", "write a header and a row per acquisition"))
    (_, header), *rows = lines
    faults = list(header_faults(path, header))
    if not rows:
        faults.append(Fault(path, "the sheet has a header but no acquisitions", "write a row per acquisition"))
    faults += [
        Fault(path, f"the row has {len(row)} cells, the header {len(header)}", "check its tabs", f"row {line}")
        for line, row in rows
        if len(row) > len(header)
    ]
    raise_all(faults)
    return [(line, dict.fromkeys(COLUMNS, "") | dict(zip(header, row, strict=False))) for line, row in rows]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        fault = Fault(path, "the sheet of acquisitions does not exist", "check the key `acquisitions`")
    except UnicodeDecodeError:
        fault = Fault(path, "the sheet is not UTF-8 text", "save it as tab-separated text in UTF-8")
    except OSError as error:
        fault = Fault(path, f"the sheet cannot be read ({error.strerror})", "check the key `acquisitions`")
    raise InputError(fault)


def _cell(text: str) -> str:
    """A cell as it was meant: spreadsheet programs put cells with quotation marks in quotation marks."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"').strip()
    return text


def _acquisition(sheet: Path, row: Mapping[str, str]) -> Acquisition:
    return Acquisition(
        name=row["acquisition"],
        structure=row["structure"],
        path=sheet.parent / row["path"],
        format=row["format"],
        pixel_nm=float(row["pixel_nm"]) if row["pixel_nm"] else None,
        split=row["split"],
        group=row["group"] or row["acquisition"],
        region_nm=parse_region(row["region_nm"]) if row["region_nm"] else None,
        columns=row["columns"],
        truth_column=row["truth_column"],
    )


def _hash(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()
