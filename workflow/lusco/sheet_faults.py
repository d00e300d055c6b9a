"""What can be wrong in an acquisition sheet: in its header, in a row, and among its rows."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path, PurePosixPath

from lusco.errors import Fault
from lusco.sheet import (
    COLUMNS,
    FORMATS,
    LEARNING,
    MIXED,
    REQUIRED,
    SIMULATION,
    SPLITS,
    Acquisition,
    Region,
    mapping_fault,
    parse_region,
    without_meaning,
)

MAX_NAME = 100  # letters; names of files that hold it have some more

# Takes what is wrong and the mend; the sheet and the row are known to it.
MakeFault = Callable[[str, str], Fault]


def header_faults(sheet: Path, header: Sequence[str]) -> Iterator[Fault]:
    """Missing, unknown and repeated columns."""
    if missing := [column for column in REQUIRED if column not in header]:
        mend = "add it; columns are separated by tabs, not blanks or commas"
        yield Fault(sheet, f"the column {_quoted(missing)} is missing", mend, "header")
    if unknown := [column for column in header if column not in COLUMNS]:
        yield Fault(sheet, f"unknown column {_quoted(unknown)}", f"known columns are {', '.join(COLUMNS)}", "header")
    for column, count in Counter(header).items():
        if count > 1:
            yield Fault(sheet, f"the column `{column}` stands {count} times", "keep one of them", "header")


def row_faults(
    sheet: Path, line: int, row: Mapping[str, str], structures: Sequence[str], fetchable: set[Path]
) -> Iterator[Fault]:
    """Everything wrong within one row.

    Parameters
    ----------
    sheet : Path
        The sheet, for messages and because paths are relative to it.
    line : int
        Line of the row in the sheet.
    row : mapping
        Cells by column, `COLUMNS`.
    structures : sequence of str
        The configured structures.
    fetchable : set of Path
        Files that need not exist yet because a rule fetches them.
    """

    def fault(what: str, mend: str) -> Fault:
        return Fault(sheet, what, mend, f"row {line} ({row['acquisition']})")

    if not re.fullmatch(r"[A-Za-z0-9_.-]+", row["acquisition"]) or set(row["acquisition"]) == {"."}:
        yield fault("the name of the acquisition is not usable", "use letters, digits, `_`, `.` and `-` only")
    if len(row["acquisition"]) > MAX_NAME:
        yield fault("the name of the acquisition is too long for a file", f"use at most {MAX_NAME} letters")
    if row["structure"] not in structures and row["structure"] != MIXED:
        known = ", ".join([*structures, MIXED])
        yield fault(f"unknown structure `{row['structure']}`", f"use one of {known}, or add it to `structures`")
    yield from _split_faults(row, fault)
    yield from _format_faults(row, fault)
    if row["pixel_nm"] and not _is_positive(row["pixel_nm"]):
        yield fault(f"the pixel size `{row['pixel_nm']}` is not a positive number", "give it in nm")
    if row["columns"] and (wrong := mapping_fault(row["columns"])):
        yield fault(*wrong)
    if row["truth_column"] and row["structure"] != MIXED:
        yield fault("`truth_column` is for mixed acquisitions only", "empty the cell")
    if row["region_nm"]:
        try:
            parse_region(row["region_nm"])
        except ValueError as error:
            yield fault(str(error), "give the region in nm as x0:x1,y0:y1")
    yield from _path_faults(sheet, row["path"], fetchable, fault)


def repeated_names(sheet: Path, rows: Sequence[tuple[int, Mapping[str, str]]]) -> Iterator[Fault]:
    """Acquisitions that share a name, also where only upper and lower case differ: some file systems cannot tell."""
    lines = defaultdict(list)
    for line, row in rows:
        lines[row["acquisition"].lower()].append((line, row["acquisition"]))
    for same in lines.values():
        if len(same) > 1:
            place = f"rows {', '.join(str(line) for line, _ in same)}"
            names = sorted({name for _, name in same})
            what = f"the acquisition {_quoted(names)} stands {len(same)} times"
            if len(names) > 1:
                what = f"the acquisitions {_quoted(names)} differ only in upper and lower case"
            yield Fault(sheet, what, "give each its own name", place)


def group_faults(sheet: Path, acquisitions: Sequence[Acquisition]) -> Iterator[Fault]:
    """Groups to which the sheet gives more than one split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for a in acquisitions:
        if a.structure != MIXED and a.split:
            splits[a.group].add(a.split)
    for group, given in splits.items():
        if len(given) > 1:
            what = f"the group `{group}` stands in several splits ({', '.join(sorted(given))})"
            yield Fault(sheet, what, "give all its acquisitions the same split", "column `split`")


def leaks(sheet: Path, acquisitions: Sequence[Acquisition]) -> Iterator[Fault]:
    """Pairs of acquisitions that share (part of) a file across training, validation and test."""
    by_file = defaultdict(list)
    for a in acquisitions:
        if a.split in LEARNING and not a.is_simulated:
            by_file[a.path.resolve()].append(a)
    for same in by_file.values():
        for a, b in combinations(same, 2):
            if a.split != b.split and _overlap(a.region_nm, b.region_nm):
                yield Fault(
                    sheet,
                    f"`{a.name}` ({a.split}) and `{b.name}` ({b.split}) share a part of {a.path.name}",
                    "give them disjoint regions in `region_nm`, or the same split",
                )


def known_before(
    sheet: Path,
    acquisitions: Sequence[Acquisition],
    learnt: Mapping[str, Collection[str]],
    validated: Mapping[str, Collection[str]],
) -> Iterator[Fault]:
    """Acquisitions for validation or test that a model to start from, or to apply, was trained on or chosen by."""
    ways = (("validation", "trained on", learnt), ("test", "trained on", learnt), ("test", "chosen by", validated))
    for split, way, models in ways:
        for model, names in models.items():
            if known := [f"`{a.name}`" for a in acquisitions if a.split == split and a.name in names]:
                some = ", ".join(known[:3]) + (" and others" if len(known) > 3 else "")
                use, other = ("training", "train") if way == "trained on" else ("validation", "validation")
                yield Fault(
                    sheet,
                    f"the model {model} was {way} {some}, which {split} must not share with {use}",
                    f"give them the split `{other}`, or other names if they are other acquisitions",
                )


def half_tested(sheet: Path, acquisitions: Sequence[Acquisition], structures: Sequence[str]) -> Iterator[Fault]:
    """Structures without a test acquisition where others have one, so that there could be no test composites."""
    tested = {a.structure for a in acquisitions if a.split == "test"}
    lacking = [f"`{structure}`" for structure in structures if structure not in tested]
    if tested and lacking:
        what = f"the model cannot be tested, because there is no acquisition for test of {', '.join(lacking)}"
        yield Fault(sheet, what, "give one of each structure, or of none")


def too_few(sheet: Path, acquisitions: Sequence[Acquisition], structures: Sequence[str]) -> Iterator[Fault]:
    """Structures without acquisitions for training, validation or test."""
    for structure in structures:
        present = Counter(a.split for a in acquisitions if a.structure == structure)
        if missing := [split for split in LEARNING if not present[split]]:
            total = sum(present[split] for split in LEARNING)
            yield Fault(
                sheet,
                f"the structure `{structure}` has {total} acquisition{'' if total == 1 else 's'} to learn from and none"
                f" for {' and '.join(missing)}",
                "training, validation and test need one each; add acquisitions (or cut a large field by `region_nm`)"
                " and check `split` and `group`",
            )


def _split_faults(row: Mapping[str, str], fault: MakeFault) -> Iterator[Fault]:
    if row["split"] not in ("", *SPLITS):
        yield fault(f"unknown split `{row['split']}`", f"use one of {', '.join(SPLITS)}, or leave it empty")
    elif row["structure"] == MIXED and row["split"] not in ("", "apply"):
        yield fault("a mixed acquisition cannot be used to learn from", "set its split to `apply`, or leave it empty")


def _format_faults(row: Mapping[str, str], fault: MakeFault) -> Iterator[Fault]:
    """An unknown format, and cells that have no meaning with it."""
    if row["format"] not in ("", SIMULATION, *FORMATS):
        known = ", ".join([*FORMATS, SIMULATION])
        yield fault(f"unknown format `{row['format']}`", f"use one of {known}, or leave it empty")
    if what := without_meaning(row["format"], [name for name in row if row[name]]):
        yield fault(what, "empty the cells")


def _path_faults(sheet: Path, text: str, fetchable: set[Path], fault: MakeFault) -> Iterator[Fault]:
    if not text:
        yield fault("the path is empty", "give the path of the file, relative to the sheet or absolute")
        return
    if not Path(text).is_absolute() and PurePosixPath(os.path.normpath(text)).parts[:1] == ("..",):
        mend = "move the file there, or give an absolute path"
        yield fault(f"the path `{text}` leaves the folder of the sheet", mend)
        return
    source = sheet.parent / text
    if set("{}") & set(str(source)):
        yield fault(
            f"the path `{source}` holds braces, which Snakemake takes for wildcards", "rename the file or folder"
        )
        return
    if source not in fetchable and not _is_file(source):
        yield fault(f"the file `{text}` does not exist", f"check the path; it is looked for at {source}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for any file
        return False


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def _overlap(a: Region | None, b: Region | None) -> bool:
    if a is None or b is None:
        return True
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
