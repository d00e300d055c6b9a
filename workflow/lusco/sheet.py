"""What a row of the acquisition sheet says.

`lusco.sheet_reader` reads a sheet, `lusco.sheet_faults` finds what is wrong in it.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

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
FORMATS = (  # of `lusco.ingest`, which takes longer to import
    "thunderstorm",
    "elyra",
    "nanoimager",
    "rapidstorm",
    "csv",
    "picasso",
    "decode",
    "smap",
    "minflux_npy",
    "minflux_mat",
    "image",
    "asdf",
    "smlm",
)
IDLE = {  # cells of a row that a format does not look at
    **{name: ("columns",) for name in FORMATS if name != "csv"},
    **dict.fromkeys(("smap", "minflux_npy", "minflux_mat"), ("pixel_nm", "columns")),  # their positions are in nm or m
    "image": ("columns", "truth_column"),
    SIMULATION: ("pixel_nm", "region_nm", "columns"),
}
LENGTHS, UNITS = ("x", "y", "z", "uncertainty"), ("nm", "um", "mm", "m", "px")  # of standard names in `columns`
COUNTS = ("frame", "photons", "trace")
MAX_POSITION_NM = 1e12  # 1 km from the origin; farther away a float64 has lost the nanometre's fractions
MIN_WIDTH_NM = 1.0

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


def without_meaning(format: str, filled: Collection[str]) -> str:
    """What is said of cells that are filled and have no meaning with a format; empty if there are none."""
    if not (idle := [f"`{name}`" for name in IDLE.get(format, ()) if name in filled]):
        return ""
    return f"{', '.join(idle)} {'have' if len(idle) > 1 else 'has'} no meaning with the format `{format}`"


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
    if min(x1 - x0, y1 - y0) < MIN_WIDTH_NM:
        raise ValueError(f"`{text}` is narrower than {MIN_WIDTH_NM:g} nm")
    if max(map(abs, (x0, x1, y0, y1))) > MAX_POSITION_NM:
        raise ValueError(f"`{text}` reaches beyond {MAX_POSITION_NM:g} nm")
    return x0, x1, y0, y1


def mapping_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a mapping `columns`, and the mend, if anything is."""
    try:
        mapping = json.loads(text)
    except (ValueError, RecursionError):
        mapping = None
    if not isinstance(mapping, dict) or not all(type(value) in (str, int) for value in mapping.values()):
        return (
            "the mapping `columns` is not JSON of names or numbers",
            'write it like {"x_nm": "X", "y_nm": "Y", "frame": 2}',
        )
    known = [*(f"{length}_{unit}" for length in LENGTHS for unit in UNITS), *COUNTS]
    if unknown := [name for name in mapping if name not in known]:
        names = ", ".join(f"`{name}`" for name in unknown)
        return f"the mapping `columns` has the unknown name {names}", f"known names are {', '.join(known)}"
    quantities = [name if name in COUNTS else name.rpartition("_")[0] for name in mapping]
    if twice := _repeated(quantities):
        return f"the mapping `columns` says twice which column is `{twice}`", "name each once"
    if twice := _repeated(mapping.values()):
        return f"the mapping `columns` names the column `{twice}` twice", "name a column for each"
    return None


def _repeated(names: Iterable[str | int]) -> str | int | None:
    """The first that comes twice."""
    return next((name for name, times in Counter(names).items() if times > 1), None)
