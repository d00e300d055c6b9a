"""Cells of text tables: how a table is written, its numbers as arrays, and the place of a bad cell."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lusco.errors import Fault, InputError

LONGEST_LINE = 1 << 18  # bytes; surely enough for the header and the first row
_AT_A_TIME = 1 << 16  # bytes
_END = re.compile(rb"\r\n|\r|\n")  # of a line, as Arrow sees it
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_INK = re.compile(rb"\S")


@dataclass(frozen=True)
class Layout:
    """How a text table is written.

    Parameters
    ----------
    header : tuple of str
        Column names; empty if the table has none.
    delimiter : str
        Character between cells; a blank stands for any white space.
    width : int
        Number of cells in the first row; 0 if there is no row.
    skip : int
        Lines before the first row.
    decimal : str
        Decimal mark.
    """

    header: tuple[str, ...]
    delimiter: str
    width: int
    skip: int
    decimal: str

    @property
    def names(self) -> list[str]:
        """Names of the columns, or their numbers from 0 where the table has no header."""
        return list(self.header) or [str(index) for index in range(self.width)]


def layout(path: Path, numbers: Sequence[int] = ()) -> Layout:
    """Tell delimiter, header and decimal mark from the first lines.

    Parameters
    ----------
    path : Path
        The table.
    numbers : sequence of int
        Columns known to hold numbers; where none is named, all of a table without a header do.
    """
    with path.open("rb") as file:
        head = file.read(LONGEST_LINE)
    lines = _lines(_decode(head))
    skip = 0
    comment = ""
    while skip < len(lines) and (not lines[skip].strip() or lines[skip].startswith(("#", "%"))):
        comment = lines[skip].lstrip("#% ") or comment
        skip += 1
    first = lines[skip] if skip < len(lines) else ""
    delimiter = _delimiter(first)
    cells = _split(first, delimiter)
    header: tuple[str, ...] = ()
    told = [cells[index] for index in numbers if 0 <= index < len(cells)] or cells
    counted = len(cells) > 1 and cells == [str(index) for index in range(len(cells))]  # as pandas names columns
    if first and (counted or not _are_numbers(told, delimiter)):
        header, skip = tuple(cells), skip + 1
        while skip < len(lines) and not lines[skip].strip():
            skip += 1
        first = lines[skip] if skip < len(lines) else ""
        cells = _split(first, delimiter) if first else []
    elif len(names := _split(comment, _delimiter(comment))) == len(cells):
        header = tuple(names)  # `# x y frame`, as NumPy writes it
    if header and len(cells) == len(header) + 1 and not cells[-1]:
        header = (*header, "")  # every row ends with a delimiter
    decimal = "," if delimiter == ";" and any("," in cell and "." not in cell for cell in cells) else "."
    return Layout(header, delimiter, len(cells) if first else 0, skip, decimal)


def read_cells(path: Path, found: Layout, numbers: list[int], texts: list[int]) -> dict[int, np.ndarray]:
    """Columns by index: `numbers` as float64 (NaN where empty), `texts` as str."""
    if not found.width:
        raise InputError(Fault(path, "the table has a header but no rows", "check that its export was completed"))
    data = _content(path)
    if found.delimiter == " ":
        data = re.sub(rb"(?m)^ | $", b"", re.sub(rb"[ \t\r]+", b" ", data))
    encoding = "utf8" if _is_utf8(data[:LONGEST_LINE]) else "latin-1"
    types = dict.fromkeys(map(str, numbers), pa.float64()) | dict.fromkeys(map(str, texts), pa.string())
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            pa.csv.ReadOptions(
                skip_rows=found.skip,
                column_names=[str(index) for index in range(found.width)],
                encoding=encoding,
            ),
            pa.csv.ParseOptions(delimiter=found.delimiter),
            pa.csv.ConvertOptions(
                column_types=types, include_columns=list(types), decimal_point=found.decimal, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeError) as error:
        raise InputError(_bad_row(path, found, numbers, str(error), data)) from None
    cells = {int(name): table[name].to_numpy() for name in types}
    for index in texts:
        cells[index] = np.array([value.strip() for value in cells[index]], dtype=object)
    return cells


def _content(path: Path) -> bytes:
    """A text table up to a zero byte, after which Elyra appends other things.

    Raises
    ------
    InputError
        If a line is too long, before the rest of it is read.
    """
    content, line_bytes = bytearray(), 0
    with path.open("rb") as file:
        while part := file.read(_AT_A_TIME):
            part, zero, _ = part.partition(b"\0")
            content += part
            end = max(part.rfind(b"\n"), part.rfind(b"\r"))
            line_bytes = len(part) - 1 - end if end >= 0 else line_bytes + len(part)
            if line_bytes > LONGEST_LINE:
                number = 1 + sum(1 for _ in _END.finditer(content))
                what = f"the row is longer than {LONGEST_LINE // 1024} kB, so it holds no localization"
                raise InputError(
                    Fault(path, what, "check that it is a text table, or export it again", f"row {number}")
                )
            if zero:
                break
    return bytes(content)


def _bad_row(path: Path, found: Layout, numbers: list[int], detail: str, data: bytes) -> Fault:
    """The first row that is not one: found line by line, because lists of lines take many times the memory."""
    encoding = "utf-8" if _is_utf8(data[:LONGEST_LINE]) else "latin-1"
    for number, match in enumerate(_LINE.finditer(data), 1):
        line = match[1].decode(encoding, errors="replace")
        if number <= found.skip or not line.strip():
            continue
        cells = _split(line, found.delimiter)
        if len(cells) != found.width:
            what = f"the row has {len(cells)} cells, the first one {found.width}"
            mend = (
                "check the row" if _INK.search(data, match.end()) else "the file seems cut off; copy or export it again"
            )
            return Fault(path, what, mend, f"row {number}")
        for index in numbers:
            if cells[index] and not _is_number(cells[index], found.decimal):
                place = f"row {number}, column `{found.names[index]}`"
                return Fault(path, f"`{cells[index]}` is not a number", "correct or remove the row", place)
    return Fault(path, f"the table cannot be read ({detail})", "export it again as comma-separated text")


def _delimiter(line: str) -> str:
    return next((mark for mark in ("\t", ";", ",") if mark in line), " ")


def _split(line: str, delimiter: str) -> list[str]:
    """Cells of a line; a line that is quoted as a whole, its quotes doubled, is unquoted first."""
    line = line.strip("\r\n") if delimiter == "\t" else line.strip()
    if delimiter == " ":
        return [cell.strip('"') for cell in line.split()]
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [""])
        if len(cells) == 1 and delimiter in cells[0]:
            cells = next(csv.reader([cells[0]], delimiter=delimiter))
    except csv.Error:  # a cell longer than any name or number
        cells = [line]
    return [cell.strip() for cell in cells]


def _are_numbers(cells: list[str], delimiter: str) -> bool:
    decimal = "," if delimiter == ";" else "."
    return any(cells) and all(_is_number(cell, decimal) or _is_number(cell) for cell in cells if cell)


def _is_number(cell: str, decimal: str = ".") -> bool:
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _lines(text: str) -> list[str]:
    """Lines as Arrow counts them; `splitlines` would also end one at `\x85`, which is an ellipsis on Windows."""
    return re.split(r"\r\n|\r|\n", text)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # a character cut by the end of the head
    return True


def _decode(data: bytes) -> str:
    return data.decode("utf-8-sig" if _is_utf8(data) else "latin-1", errors="replace")
