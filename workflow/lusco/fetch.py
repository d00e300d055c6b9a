"""Get a public file that an experiment needs, by its address and checksum in `resources/data_manifest.tsv`.

Without a network, the environment variable `LUSCO_DATA` names a folder that holds the files under the same names.
"""

import csv
import difflib
import hashlib
import os
import shutil
from pathlib import Path

from lusco.errors import Fault, InputError
from lusco.files import atomic

COLUMNS = ("file", "url", "sha256", "licence")
_OFFLINE = "or set LUSCO_DATA to a folder that holds the file under this name"


def fetch(file: str, manifest: Path, out: Path) -> None:
    """Copy a file from `LUSCO_DATA` if that is set, else download it; either way its checksum must be right.

    Parameters
    ----------
    file : str
        Name in the manifest's column `file`.
    manifest : Path
        Tab-separated, columns `COLUMNS`.
    out : Path
        File to write, atomically.

    Raises
    ------
    InputError
        If the manifest does not have the file, it cannot be had, or it is not the one the manifest means.
    """
    url, sha256 = _entry(file, manifest)
    folder = os.environ.get("LUSCO_DATA")
    with atomic(out) as partial:
        if folder:
            _copy(Path(folder) / file, sha256, partial)
        else:
            _download(url, sha256, partial)


def fetchable(manifest: str | Path) -> dict[str, tuple[str, str]]:
    """Address and checksum of each file of a manifest.

    Raises
    ------
    InputError
        If the manifest is missing or lacks a column.
    """
    try:
        lines = Path(manifest).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(Fault(manifest, "the manifest does not exist", "check the path")) from None
    rows = list(csv.DictReader(lines, delimiter="\t"))
    if absent := [column for column in COLUMNS if rows and column not in rows[0]]:
        raise InputError(Fault(manifest, f"the column `{absent[0]}` is missing", "add it", "header"))
    return {row["file"]: (row["url"], row["sha256"]) for row in rows}


def _entry(file: str, manifest: Path) -> tuple[str, str]:
    entries = fetchable(manifest)
    if file not in entries:
        close = difflib.get_close_matches(file, entries, 1)
        mend = f"did you mean `{close[0]}`" if close else "add its address and checksum"
        raise InputError(Fault(manifest, f"there is no file `{file}` in it", mend))
    return entries[file]


def _copy(source: Path, sha256: str, partial: Path) -> None:
    if not source.is_file():
        mend = "put it there, or unset LUSCO_DATA to download it"
        raise InputError(Fault(source, "the file does not exist in the folder LUSCO_DATA", mend))
    shutil.copyfile(source, partial)
    with partial.open("rb") as copied:
        found = hashlib.file_digest(copied, "sha256").hexdigest()
    if found != sha256:
        what = f"the file is not the one meant: its sha256 is {found[:12]}... instead of {sha256[:12]}..."
        raise InputError(Fault(source, what, "replace it by the original, or unset LUSCO_DATA to download it"))


def _download(url: str, sha256: str, partial: Path) -> None:
    import pooch
    import requests

    try:
        pooch.retrieve(url, f"sha256:{sha256}", fname=partial.name, path=partial.parent, progressbar=False)
    except requests.HTTPError as error:
        what = f"the server refused it ({error.response.status_code})"
        raise InputError(Fault(url, what, f"look for its new address, {_OFFLINE}")) from None
    except requests.RequestException:
        what = "it cannot be downloaded, there seems to be no network"
        raise InputError(Fault(url, what, f"connect and try again, {_OFFLINE}")) from None
    except ValueError:  # pooch's checksum fault
        what = "the downloaded file is not the one meant, its sha256 differs"
        raise InputError(Fault(url, what, f"try again, {_OFFLINE}")) from None
