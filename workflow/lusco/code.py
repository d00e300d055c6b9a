"""Which code a stage runs: a module of the library and all that it imports from the library.

Snakemake does not see imported modules by itself, and an interrupted training must not go on with other code.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent
_KINDS = (".py", ".html", ".css", ".js")
_IMPORT = re.compile(rb"^[ \t]*from[ \t]+(lusco[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|.*)", re.MULTILINE)
_NAME = re.compile(r"(?<![\w.])\w+")


def code_hash(module: str, library: Path = LIBRARY) -> str:
    """A hash of a module, as `lusco.train`, and of all of the library that it imports.

    Parameters
    ----------
    module : str
        Name of a module or package of the library.
    library : Path
        Folder of the library.

    Returns
    -------
    str
        Twelve digits, the same wherever the library lies.
    """
    digest = hashlib.sha256()
    for file in sorted(_modules(module, library)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _modules(module: str, library: Path) -> set[Path]:
    """Files of a module and of all that it imports from the library."""
    found, waiting = set(), [module]
    while waiting:
        for file in _files_of(waiting.pop(), library):
            if file not in found:
                found.add(file)
                if file.suffix == ".py":
                    waiting += _imports(file.read_bytes())
    return found


def _files_of(module: str, library: Path) -> list[Path]:
    """Files of a package, or the file of a module; none for the library as a whole and for what is no module."""
    path = library.joinpath(*module.split(".")[1:])
    if path.is_dir():
        return [file for file in path.rglob("*") if file.suffix in _KINDS] if path != library else []
    return [path.with_suffix(".py")] if path.with_suffix(".py").exists() else []


@cache
def _imports(source: bytes) -> list[str]:
    """Modules of the library that a file names in `from ... import ...`, wherever in it; it has no other way.

    They are found as text, because parsing every file takes half a second of each start of Snakemake.
    """
    named = [(origin.decode(), _NAME.findall(names.decode())) for origin, names in _IMPORT.findall(source)]
    return [name for origin, names in named for name in (origin, *(f"{origin}.{own}" for own in names))]
