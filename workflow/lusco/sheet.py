"""The acquisition sheet: reading it, finding all its faults, and assigning splits reproducibly."""

import csv
import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lusco.errors import Fault, raise_all

COLUMNS = (
    "acquisition",
    "structure",
    "path",
    "format",
    "pixel_nm",
    "split",
    "group",
    "region_nm",
    "columns",
    "truth_column",
)
REQUIRED = ("acquisition", "structure", "path")
SPLITS = ("train", "validation", "test", "apply")
LEARNING = ("train", "validation", "test")
MIXED = "mixed"
SIMULATION = "simulation"

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Acquisition:
    """One row of the sheet.

    Parameters
    ----------
    name : str
        Unique name.
    structure : str
        One of the configured structures, or `mixed`.
    path : Path
        Source file, as the workflow names it.
    format : str
        Name of a format of `lusco ingest`, `simulation`, or empty to tell it by the file.
    pixel_nm : float or None
        Pixel size of an image or of a table in pixels, in nm.
    split : str
        One of `SPLITS`.
    group : str
        Acquisitions of a group (a cell, a day) share a split.
    region_nm : tuple of float or None
        x0, x1, y0, y1 in nm: the part of the field to use.
    columns : str
        JSON mapping of standard column names to those of an uncommon table, or empty.
    truth_column : str
        Column that names each localization's true structure, or empty.
    """

    name: str
    structure: str
    path: Path
    format: str = ""
    pixel_nm: float | None = None
    split: str = ""
    group: str = ""
    region_nm: Region | None = None
    columns: str = ""
    truth_column: str = ""

    @property
    def is_simulated(self) -> bool:
        """Whether `path` describes a simulation rather than holding data."""
        return self.format == SIMULATION


def read_sheet(
    path: str | Path,
    structures: Sequence[str],
    splits: Mapping[str, float],
    seed: int,
    fetchable: Sequence[str | Path] = (),
    learn: bool = True,
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
        found = list(_row_faults(path, line, row, structures, known_files))
        faults += found
        if not found:
            acquisitions.append(_acquisition(path, row))
    names = Counter(row["acquisition"] for _, row in rows)
    for name, count in names.items():
        if count > 1:
            lines = ", ".join(str(line) for line, row in rows if row["acquisition"] == name)
            faults.append(
                Fault(
                    path,
                    f"the acquisition `{name}` stands {count} times",
                    "give each its own name",
                    f"rows {lines}",
                )
            )
    raise_all(faults)
    faults += _group_faults(path, acquisitions)
    raise_all(faults)
    assigned = assign_splits(acquisitions, splits, seed)
    faults += _leaks(path, assigned)
    if learn:
        faults += _too_few(path, assigned, structures)
    raise_all(faults)
    return assigned


def assign_splits(acquisitions: Sequence[Acquisition], splits: Mapping[str, float], seed: int) -> list[Acquisition]:
    """Fill in empty splits: `apply` for mixed ones; for the others by group, in an order hashed from the seed.

    Each structure gets at least one group for test and for validation. An explicit split counts for
    its whole group.
    """
    groups: dict[str, str] = {a.group: a.split for a in acquisitions if a.split and a.structure != MIXED}
    by_structure: dict[str, set[str]] = defaultdict(set)
    for a in acquisitions:
        if a.structure != MIXED and a.split != "apply":
            by_structure[a.structure].add(a.group)
    for structure in sorted(by_structure):
        ranked = sorted(by_structure[structure], key=lambda group: _hash(seed, group))
        for split in ("test", "validation"):
            wanted = max(1, round(splits[split] * len(ranked)))
            wanted -= sum(groups.get(group) == split for group in ranked)
            for group in [group for group in ranked if group not in groups][: max(0, wanted)]:
                groups[group] = split
        for group in ranked:
            groups.setdefault(group, "train")
    return [replace(a, split=a.split or ("apply" if a.structure == MIXED else groups[a.group])) for a in acquisitions]


def parse_region(text: str) -> Region:
    """Read `x0:x1,y0:y1` in nm.

    Raises
    ------
    ValueError
        If the text is something else, or a range is empty.
    """
    number = r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*"
    match = re.fullmatch(f"{number}:{number},{number}:{number}", text)
    if not match:
        raise ValueError(f"`{text}` is not of the form x0:x1,y0:y1")
    x0, x1, y0, y1 = map(float, match.groups())
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"`{text}` is an empty region")
    return x0, x1, y0, y1


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise_all([Fault(path, "the sheet of acquisitions does not exist", "check the key `acquisitions`")])
    except UnicodeDecodeError:
        raise_all([Fault(path, "the sheet is not UTF-8 text", "save it as tab-separated text in UTF-8")])
    reader = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    lines = [(line, row) for line, row in lines if any(row) and not row[0].startswith("#")]
    if not lines:
        raise_all([Fault(path, "the sheet is empty", "write a header and a row per acquisition")])
    header = lines[0][1]
    faults = []
    if missing := [column for column in REQUIRED if column not in header]:
        mend = "add it; columns are separated by tabs, not blanks or commas"
        faults.append(Fault(path, f"the column {', '.join(f'`{c}`' for c in missing)} is missing", mend, "header"))
    if unknown := [column for column in header if column not in COLUMNS]:
        mend = f"known columns are {', '.join(COLUMNS)}"
        faults.append(Fault(path, f"unknown column {', '.join(f'`{c}`' for c in unknown)}", mend, "header"))
    faults += [
        Fault(path, f"the column `{column}` stands {count} times", "keep one of them", "header")
        for column, count in Counter(header).items()
        if count > 1
    ]
    if len(lines) == 1:
        faults.append(Fault(path, "the sheet has a header but no acquisitions", "write a row per acquisition"))
    faults += [
        Fault(path, f"the row has {len(row)} cells, the header {len(header)}", "check its tabs", f"row {line}")
        for line, row in lines[1:]
        if len(row) > len(header)
    ]
    raise_all(faults)
    return [(line, dict.fromkeys(COLUMNS, "") | dict(zip(header, row, strict=False))) for line, row in lines[1:]]


def _row_faults(
    path: Path, line: int, row: Mapping[str, str], structures: Sequence[str], fetchable: set[Path]
) -> Iterator[Fault]:
    place = f"row {line} ({row['acquisition']})"

    def fault(what: str, mend: str) -> Fault:
        return Fault(path, what, mend, place)

    if not re.fullmatch(r"[A-Za-z0-9_.-]+", row["acquisition"]) or set(row["acquisition"]) == {"."}:
        yield fault("the name of the acquisition is not usable", "use letters, digits, `_`, `.` and `-` only")
    if row["structure"] not in structures and row["structure"] != MIXED:
        known = ", ".join([*structures, MIXED])
        yield fault(f"unknown structure `{row['structure']}`", f"use one of {known}, or add it to `structures`")
    if row["split"] not in ("", *SPLITS):
        yield fault(f"unknown split `{row['split']}`", f"use one of {', '.join(SPLITS)}, or leave it empty")
    elif row["structure"] == MIXED and row["split"] not in ("", "apply"):
        yield fault("a mixed acquisition cannot be used to learn from", "set its split to `apply`, or leave it empty")
    if row["pixel_nm"] and not _is_positive(row["pixel_nm"]):
        yield fault(f"the pixel size `{row['pixel_nm']}` is not a positive number", "give it in nm")
    if row["columns"]:
        yield from _columns_faults(row["columns"], fault)
    if row["truth_column"] and row["structure"] != MIXED:
        yield fault("`truth_column` is for mixed acquisitions only", "empty the cell")
    if row["region_nm"]:
        try:
            parse_region(row["region_nm"])
        except ValueError as error:
            yield fault(str(error), "give the region in nm as x0:x1,y0:y1")
    yield from _path_faults(path, row["path"], fetchable, fault)


def _columns_faults(text: str, fault) -> Iterator[Fault]:
    try:
        mapping = json.loads(text)
        valid = isinstance(mapping, dict) and all(isinstance(value, (str, int)) for value in mapping.values())
    except json.JSONDecodeError:
        valid = False
    if not valid:
        yield fault(f"the column mapping `{text}` is not JSON", 'write it like {"x_nm": "X", "y_nm": "Y"}')


def _path_faults(sheet: Path, text: str, fetchable: set[Path], fault) -> Iterator[Fault]:
    if not text:
        yield fault("the path is empty", "give the path of the file, relative to the sheet or absolute")
        return
    if not Path(text).is_absolute() and PurePosixPath(os.path.normpath(text)).parts[:1] == ("..",):
        yield fault(
            f"the path `{text}` leaves the folder of the sheet",
            "move the file there, or give an absolute path",
        )
        return
    source = sheet.parent / text
    if source not in fetchable and not source.is_file():
        yield fault(f"the file `{text}` does not exist", f"check the path; it is looked for at {source}")


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


def _group_faults(path: Path, acquisitions: Sequence[Acquisition]) -> Iterator[Fault]:
    splits: dict[str, set[str]] = defaultdict(set)
    for a in acquisitions:
        if a.structure != MIXED and a.split:
            splits[a.group].add(a.split)
    for group, given in splits.items():
        if len(given) > 1:
            yield Fault(
                path,
                f"the group `{group}` stands in several splits ({', '.join(sorted(given))})",
                "give all its acquisitions the same split",
                "column `split`",
            )


def _leaks(path: Path, acquisitions: Sequence[Acquisition]) -> Iterator[Fault]:
    """Pairs of acquisitions that share (part of) a file across training, validation and test."""
    by_file = defaultdict(list)
    for a in acquisitions:
        if a.split in LEARNING and not a.is_simulated:
            by_file[a.path.resolve()].append(a)
    for same in by_file.values():
        for index, a in enumerate(same):
            for b in same[index + 1 :]:
                if a.split != b.split and _overlap(a.region_nm, b.region_nm):
                    yield Fault(
                        path,
                        f"`{a.name}` ({a.split}) and `{b.name}` ({b.split}) share a part of {a.path.name}",
                        "give them disjoint regions in `region_nm`, or the same split",
                    )


def _overlap(a: Region | None, b: Region | None) -> bool:
    if a is None or b is None:
        return True
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _too_few(path: Path, acquisitions: Sequence[Acquisition], structures: Sequence[str]) -> Iterator[Fault]:
    for structure in structures:
        present = Counter(a.split for a in acquisitions if a.structure == structure)
        if missing := [split for split in LEARNING if not present[split]]:
            total = sum(present[split] for split in LEARNING)
            yield Fault(
                path,
                f"the structure `{structure}` has {total} acquisitions to learn from and none for"
                f" {' and '.join(missing)}",
                "training, validation and test need one each; add acquisitions (or cut a large field by `region_nm`)"
                " and check `split` and `group`",
            )


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def _hash(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()
