"""Localizations in HDF5: SMAP, in nm; Picasso and DECODE, both in camera pixels whose centres are whole numbers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from lusco.errors import Fault, InputError
from lusco.files import refuse_claim
from lusco.ingest.raw import (
    CENTRE,
    UNCHANGED,
    Raw,
    Source,
    as_numbers,
    missing,
    no_pixel_size,
    overruled,
    reading,
    rms,
    truth,
)

_HALF_PIXEL = 0.5
_SMAP = {"xnm": "x_nm", "ynm": "y_nm", "znm": "z_nm", "frame": "frame", "phot": "photons"}
_SMAP_ERRORS = ("xnmerr", "ynmerr")
_DECODE = ("xyz", "xyz_sig", "frame_ix", "phot")
_LARGEST_CAMERA = 1e6  # pixels on a side, and nm per pixel


def member(file: h5py.Group, name: str, path: Path) -> h5py.Group | h5py.Dataset | None:
    """A group or dataset of a file, without anything that it says lies in another file.

    Parameters
    ----------
    file : h5py.Group
        Where to look.
    name : str
        Names of groups and of what is meant, separated by `/`.
    path : Path
        The file, for messages.

    Returns
    -------
    h5py.Group or h5py.Dataset or None
        None if it is not there.

    Raises
    ------
    InputError
        If it is a link, or if its data lie in another file.
    """
    item: Any = file
    for part in name.split("/"):
        link = item.get(part, getlink=True) if isinstance(item, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise InputError(_elsewhere(path, name))
        item = item[part]
    if isinstance(item, h5py.Dataset) and (item.is_virtual or item.external):
        raise InputError(_elsewhere(path, name))
    return item


def members(group: h5py.Group, names: Iterable[str], path: Path) -> dict[str, h5py.Dataset]:
    """Those datasets of a group that are there and hold something.

    Raises
    ------
    InputError
        As `member` does, or if they claim to be too large to be read, all of them together.
    """
    items = {name: member(group, name, path) for name in names}
    found = {name: item for name, item in items.items() if isinstance(item, h5py.Dataset) and item.shape is not None}
    refuse_claim(sum(item.nbytes for item in found.values()), path)
    return found


def _elsewhere(path: Path, name: str) -> Fault:
    mend = "copy the data themselves into one file, as by `h5repack` or by saving it again"
    return Fault(path, f"`{name}` is a link or lies in another file, which is not followed", mend)


def read_picasso(source: Source) -> Raw:
    """Read Picasso's dataset `locs`; pixel size and camera size come from the YAML file of the same name."""
    path = source.path
    with reading(path, "picasso"), h5py.File(path) as file:
        dataset = members(file, ["locs"], path).get("locs")
        locs = None if dataset is None else dataset[()]
    if locs is None or locs.dtype.names is None:
        raise InputError(Fault(path, "it has no table `locs`, so it is not from Picasso", "check `format`"))
    if absent := [name for name in ("x", "y") if name not in locs.dtype.names]:
        raise InputError(missing(path, absent, locs.dtype.names, "save it again from Picasso"))
    beside = path.with_suffix(".yaml")
    camera = _picasso_yaml(beside)
    pixel_nm = source.pixel_nm or camera.get("Pixelsize")
    if pixel_nm is None:
        raise InputError(
            Fault(
                path,
                "the pixel size is not known",
                f"put {beside.name} with `Pixelsize` beside it, or give `pixel_nm`",
            )
        )
    notes = overruled(source, camera.get("Pixelsize"))
    offset_px = dict(zip("xy", camera.get("Offset (px)", (0, 0)), strict=True))
    columns = {
        f"{axis}_nm": (as_numbers(path, axis, locs[axis]) + _HALF_PIXEL - offset_px[axis]) * pixel_nm for axis in "xy"
    }
    if {"lpx", "lpy"} <= set(locs.dtype.names):
        errors_px = (as_numbers(path, name, locs[name]) for name in ("lpx", "lpy"))
        columns["uncertainty_nm"] = rms(path, *errors_px) * pixel_nm
    # `group` numbers what was picked or clustered, a structure or a cell, and so no molecule
    standard = {"z": "z_nm", "frame": "frame", "photons": "photons"}
    columns |= {standard[name]: locs[name] for name in standard if name in locs.dtype.names}
    columns |= truth(path, source.truth_column, {name: locs[name] for name in locs.dtype.names})
    field_nm = None
    if "Width" in camera and "Height" in camera:
        x0, y0 = (-offset_px[axis] * pixel_nm for axis in "xy")
        field_nm = (x0, x0 + camera["Width"] * pixel_nm, y0, y0 + camera["Height"] * pixel_nm)
    return Raw(columns, CENTRE, field_nm, notes=notes, beside=beside if camera else None)


def _picasso_yaml(beside: Path) -> dict[str, Any]:
    """The documents of the YAML file beside a Picasso table as one mapping; empty without the file."""
    if not beside.is_file():
        return {}
    with reading(beside, "YAML"):
        documents = list(yaml.safe_load_all(beside.read_text(encoding="utf-8")))
    merged = {key: value for document in documents if isinstance(document, dict) for key, value in document.items()}
    for key in ("Pixelsize", "Width", "Height"):
        if key in merged and not (isinstance(merged[key], (int, float)) and 0 < merged[key] < _LARGEST_CAMERA):
            what = f"`{merged[key]}` is not a positive number, or too large"
            raise InputError(Fault(beside, what, "correct it", f"key `{key}`"))
    offset = merged.get("Offset (px)", [0, 0])
    if not (isinstance(offset, list) and len(offset) == 2 and all(_is_offset(number) for number in offset)):
        raise InputError(Fault(beside, f"`{offset}` is not two numbers of pixels", "correct it", "key `Offset (px)`"))
    return merged


def _is_offset(number: Any) -> bool:
    return isinstance(number, (int, float)) and abs(number) < _LARGEST_CAMERA


def read_decode(source: Source) -> Raw:
    """Read a DECODE emitter file; its pixel size per axis comes from the file unless the sheet gives one.

    DECODE counts from the centre of the first pixel in both its units, px and nm (nm = px * pixel size);
    z is in nm always.
    """
    path = source.path
    with reading(path, "decode"), h5py.File(path) as file:
        if not isinstance(member(file, "data/xyz", path), h5py.Dataset) or not member(file, "meta", path):
            raise InputError(Fault(path, "it has no `data/xyz` and `meta`, so it is not from DECODE", "check `format`"))
        used = [name for name in (*_DECODE, source.truth_column) if name]
        data = {name: item[()] for name, item in members(file["data"], used, path).items()}
        meta = {name: file["meta"].attrs.get(name) for name in ("xy_unit", "px_size")}
    unit = "px" if meta["xy_unit"] is None else str(meta["xy_unit"])
    if unit not in ("px", "nm"):
        raise InputError(Fault(path, f"the unit `{unit}` is neither px nor nm", "save it again from DECODE", "`meta`"))
    size_nm = np.full(2, source.pixel_nm) if source.pixel_nm else meta["px_size"]
    if size_nm is None and unit == "px":
        raise InputError(no_pixel_size(path))
    size_nm = np.zeros(2) if size_nm is None else as_numbers(path, "px_size", np.asarray(size_nm))
    said_nm = None if meta["px_size"] is None else as_numbers(path, "px_size", np.asarray(meta["px_size"]))
    notes = () if said_nm is None else overruled(source, float(said_nm.mean()))
    scale = size_nm if unit == "px" else np.ones(2)
    for name in {"xyz", "xyz_sig"} & data.keys():
        data[name] = as_numbers(path, name, data[name])
        if data[name].ndim != 2 or data[name].shape[1] != 3 or size_nm.shape != (2,):
            what = f"`{name}` has the shape {data[name].shape} and `px_size` the shape {size_nm.shape}"
            raise InputError(Fault(path, what, "they should be (localizations, 3) and (2,); save it again from DECODE"))
    xy_nm = data["xyz"][:, :2] * scale + _HALF_PIXEL * size_nm
    columns = {"x_nm": xy_nm[:, 0], "y_nm": xy_nm[:, 1], "z_nm": data["xyz"][:, 2]}
    if "xyz_sig" in data:
        columns["uncertainty_nm"] = rms(path, *(data["xyz_sig"][:, :2] * scale).T)
    for name, standard in (("frame_ix", "frame"), ("phot", "photons")):
        if name in data:
            columns[standard] = data[name]
    columns |= truth(path, source.truth_column, {name: value for name, value in data.items() if value.ndim == 1})
    return Raw(columns, CENTRE if size_nm.any() else UNCHANGED, notes=notes)


def read_smap(source: Source) -> Raw:
    """Read the localizations of a SMAP file (MATLAB 7.3), one dataset of shape (1, n) per quantity."""
    path = source.path
    with reading(path, "smap"), h5py.File(path) as file:
        group = member(file, "saveloc/loc", path)
        if group is None:
            raise InputError(Fault(path, "it has no `saveloc/loc`, so it is not from SMAP", "check `format`"))
        names = [name for name in group if name in (*_SMAP, *_SMAP_ERRORS, source.truth_column)]
        data = {name: item[0] for name, item in members(group, names, path).items()}
        present = list(group)
    if absent := [name for name in ("xnm", "ynm") if name not in data]:
        raise InputError(missing(path, absent, present, "export it with coordinates"))
    columns = {standard: as_numbers(path, name, data[name]) for name, standard in _SMAP.items() if name in data}
    if set(_SMAP_ERRORS) <= data.keys():
        columns["uncertainty_nm"] = rms(path, *(as_numbers(path, name, data[name]) for name in _SMAP_ERRORS))
    return Raw(columns | truth(path, source.truth_column, data), UNCHANGED)
