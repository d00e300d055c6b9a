"""The formats by name, and how to tell which one a file has: by its content rather than its extension."""

import zipfile
from collections.abc import Callable

import h5py

from lusco.errors import Fault, InputError
from lusco.ingest import cells, hdf5, minflux, others, picture, text
from lusco.ingest.raw import Raw, Source, reading

FORMATS: dict[str, Callable[[Source], Raw]] = {
    **{name: text.reader(name) for name in ("thunderstorm", "elyra", "nanoimager")},
    "rapidstorm": text.read_rapidstorm,
    "csv": text.read_csv,
    "picasso": hdf5.read_picasso,
    "decode": hdf5.read_decode,
    "smap": hdf5.read_smap,
    "minflux_npy": minflux.read_npy,
    "minflux_mat": minflux.read_mat,
    "image": picture.read_image,
    **{name: others.reader(name) for name in ("asdf", "smlm")},
}

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEAD = 4096


def detect(source: Source) -> str:
    """Name of a file's format.

    Raises
    ------
    InputError
        If it cannot be told.
    """
    with source.path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_TIFF):
        return "image"
    if head.startswith(b"\x93NUMPY"):
        return "minflux_npy"
    if head.startswith(b"#ASDF"):
        return "asdf"
    if head.startswith(b"PK"):
        return _zipped(source)
    if head.startswith(b"\x89HDF") or head.startswith(b"MATLAB 7.3"):
        return _hdf5(source)
    if head.startswith(b"MATLAB 5"):
        return "minflux_mat"
    if b"\0" in head.partition(b"\n")[0]:
        raise _unknown(source, "neither its content nor its extension is known")
    return _text(source, head)


def _zipped(source: Source) -> str:
    with reading(source.path, "a zip archive"), zipfile.ZipFile(source.path) as archive:
        return "smlm" if "manifest.json" in archive.namelist() else "minflux_npy"


def _hdf5(source: Source) -> str:
    with reading(source.path, "HDF5"), h5py.File(source.path) as file:
        names = list(file)
        for name, group in (("picasso", "locs"), ("smap", "saveloc"), ("decode", "decode")):
            if group in names:
                return name
        inside = ", ".join(names) or "nothing"
    raise _unknown(source, f"it is HDF5 with {inside} in it, from no program known here")


def _text(source: Source, head: bytes) -> str:
    if head.startswith(b"# <localizations"):
        return "rapidstorm"
    if source.columns:
        return "csv"
    header = cells.layout(source.path).header
    headings = dict(filter(None, map(text.heading, header)))
    if "position x" in headings:
        return "elyra"
    if "X (nm)" in header and "Channel" in header:
        return "nanoimager"
    if headings.get("x") and headings.get("y"):
        return "thunderstorm"
    if {"x_nm", "y_nm"} <= set(header):
        return "csv"
    if header:
        names = ", ".join(f"`{name}`" for name in header)
        raise _unknown(source, f"it has the columns {names}, which belong to no format known here")
    raise _unknown(source, "it is a table without a header")


def _unknown(source: Source, what: str) -> InputError:
    mend = f"name the format, one of {', '.join(FORMATS)}, or map the columns of a text table with `columns`"
    return InputError(Fault(source.path, what, mend, "`format`"))
