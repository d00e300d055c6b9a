"""Localizations in HDF5: Picasso and DECODE, both in camera pixels whose centres are whole numbers."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from lusco.errors import Fault, InputError
from lusco.ingest.raw import CENTRE, UNCHANGED, Raw, Source, missing, no_pixel_size, reading, rms, truth

_HALF_PIXEL = 0.5


def read_picasso(source: Source) -> Raw:
    """Read Picasso's dataset `locs`; pixel size and camera size come from the YAML file of the same name."""
    path = source.path
    with reading(path, "picasso"), h5py.File(path) as file:
        locs = file["locs"][()] if isinstance(file.get("locs"), h5py.Dataset) else None
    if locs is None or locs.dtype.names is None:
        raise InputError(Fault(path, "it has no table `locs`, so it is not from Picasso", "check `format`"))
    if absent := [name for name in ("x", "y") if name not in locs.dtype.names]:
        raise InputError(missing(path, absent, locs.dtype.names, "save it again from Picasso"))
    camera = _picasso_yaml(path)
    pixel_nm = source.pixel_nm or camera.get("Pixelsize")
    if pixel_nm is None:
        raise InputError(
            Fault(
                path,
                "the pixel size is not known",
                f"put {path.with_suffix('.yaml').name} with `Pixelsize` beside it, or give `pixel_nm`",
            )
        )
    columns = {f"{axis}_nm": (locs[axis].astype(np.float64) + _HALF_PIXEL) * pixel_nm for axis in "xy"}
    if {"lpx", "lpy"} <= set(locs.dtype.names):
        columns["uncertainty_nm"] = rms(locs["lpx"], locs["lpy"]) * pixel_nm
    for name, standard in (("z", "z_nm"), ("frame", "frame"), ("photons", "photons"), ("group", "trace")):
        if name in locs.dtype.names:
            columns[standard] = locs[name]
    columns |= truth(path, source.truth_column, {name: locs[name] for name in locs.dtype.names})
    field_nm = None
    if "Width" in camera and "Height" in camera:
        field_nm = (0.0, camera["Width"] * pixel_nm, 0.0, camera["Height"] * pixel_nm)
    return Raw(columns, CENTRE, field_nm)


def _picasso_yaml(path: Path) -> dict[str, Any]:
    """The documents of the YAML file beside a Picasso table as one mapping; empty without the file."""
    beside = path.with_suffix(".yaml")
    if not beside.is_file():
        return {}
    with reading(beside, "YAML"):
        documents = list(yaml.safe_load_all(beside.read_text(encoding="utf-8")))
    merged = {key: value for document in documents if isinstance(document, dict) for key, value in document.items()}
    for key in ("Pixelsize", "Width", "Height"):
        if key in merged and not (isinstance(merged[key], (int, float)) and merged[key] > 0):
            raise InputError(Fault(beside, f"`{merged[key]}` is not a positive number", "correct it", f"key `{key}`"))
    return merged


def read_decode(source: Source) -> Raw:
    """Read a DECODE emitter file; its pixel size per axis comes from the file unless the sheet gives one.

    DECODE counts from the centre of the first pixel in both its units, px and nm (nm = px * pixel size);
    z is in nm always.
    """
    path = source.path
    with reading(path, "decode"), h5py.File(path) as file:
        if "data/xyz" not in file or "meta" not in file:
            raise InputError(Fault(path, "it has no `data/xyz` and `meta`, so it is not from DECODE", "check `format`"))
        data = {name: item[()] for name, item in file["data"].items() if item.shape is not None}
        meta = dict(file["meta"].attrs)
    unit = str(meta.get("xy_unit", "px"))
    size_nm = np.full(2, source.pixel_nm) if source.pixel_nm else meta.get("px_size")
    if size_nm is None and unit == "px":
        raise InputError(no_pixel_size(path))
    scale = np.asarray(size_nm, dtype=np.float64) if unit == "px" else np.ones(2)
    shift_nm = np.zeros(2) if size_nm is None else _HALF_PIXEL * np.asarray(size_nm, dtype=np.float64)
    xy_nm = data["xyz"][:, :2].astype(np.float64) * scale + shift_nm
    columns = {"x_nm": xy_nm[:, 0], "y_nm": xy_nm[:, 1], "z_nm": data["xyz"][:, 2]}
    if "xyz_sig" in data:
        columns["uncertainty_nm"] = rms(*(data["xyz_sig"][:, :2] * scale).T)
    for name, standard in (("frame_ix", "frame"), ("phot", "photons")):
        if name in data:
            columns[standard] = data[name]
    columns |= truth(path, source.truth_column, {name: value for name, value in data.items() if value.ndim == 1})
    return Raw(columns, UNCHANGED if size_nm is None else CENTRE)
