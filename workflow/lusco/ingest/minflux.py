"""MINFLUX exports: NumPy structured arrays (also zipped) and MATLAB files, in metres.

A row is a localization of several iterations, or (Imspector since m2410) one of its iterations, the last of which is
marked by `fnl`; the last iteration is the position, `tid` names the molecule's trace, `vld` says whether the
localization is valid. The rows carry times rather than frames, so there is none.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from lusco.errors import Fault, InputError
from lusco.files import refuse_claim
from lusco.ingest.raw import UNCHANGED, Raw, Source, as_numbers, missing, reading, truth
from lusco.matlab import arrays, refuse_what_crashes

_NM_PER_M = 1e9
_NOTE_Z = "z is left out: it must be scaled by the refractive index first"
_NOTE_PHOTONS = "photons are the effective counts of the last iteration (`eco`)"


def read_npy(source: Source) -> Raw:
    """Read a structured array, from `.npy` or from the only member of a zip archive."""
    path = source.path
    data = _member(path) if zipfile.is_zipfile(path) else path.read_bytes()
    with reading(path, "minflux_npy"):
        try:
            rows = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            what = "it holds pickled Python objects, which could run any code on being read"
            raise InputError(Fault(path, what, "export it as a plain structured array")) from None
    names = rows.dtype.names or ()
    inner = rows["itr"].dtype.names or () if "itr" in names else ()
    if "loc" in names and not inner:
        return _localizations(source, {name: rows[name] for name in names})
    if "loc" not in inner:
        mend = "export the localizations with all iterations as .npy"
        raise InputError(missing(path, ["itr.loc"], [*names, *(f"itr.{name}" for name in inner)], mend))
    fields = {name: rows[name] for name in names if name != "itr"}
    fields |= {name: rows["itr"][name] for name in ("loc", "eco") if name in inner}
    return _localizations(source, fields)


def read_mat(source: Source) -> Raw:
    """Read a MATLAB file with the variables `loc`, `vld` and `tid`, or with `loc` inside a structure `itr`."""
    path = source.path
    refuse_what_crashes(path)
    with reading(path, "minflux_mat"):
        variables = arrays(path)
        if "itr" in variables and variables["itr"].dtype.names:
            iterations = variables.pop("itr")
            variables |= {name: np.asarray(iterations[name].item()) for name in iterations.dtype.names}
    if "loc" not in variables:
        raise InputError(missing(path, ["loc"], variables, "export the localizations with all iterations"))
    rows = len(np.atleast_1d(variables["loc"]))
    flat = {name: value.ravel() for name, value in variables.items() if value.size == rows and name != "loc"}
    per_iteration = {name: variables[name] for name in ("loc", "eco") if name in variables}
    return _localizations(source, flat | per_iteration)


def _member(path: Path) -> bytes:
    """The one array in a zip archive, read in memory."""
    with reading(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        files = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        arrays = [name for name in files if name.endswith(".npy")]
        if len(arrays) != 1:
            inside = ", ".join(files[:8]) or "nothing"
            what = f"the archive holds {len(arrays)} arrays (.npy) instead of one; inside is {inside}"
            raise InputError(Fault(path, what, "pack one array per archive"))
        refuse_claim(archive.getinfo(arrays[0]).file_size, path)
        return archive.read(arrays[0])


def _localizations(source: Source, fields: dict[str, np.ndarray]) -> Raw:
    """Localizations from fields of shape (n,), and `loc` and `eco` of shape (n, ...) or (n, iterations, ...)."""
    mend = "export the localizations with all iterations"
    loc_m = fields["loc"]
    if loc_m.ndim not in (2, 3) or loc_m.shape[-1] != 3 or 0 in loc_m.shape[1:]:
        what = f"`loc` has the shape {loc_m.shape} instead of (localizations, iterations, 3)"
        raise InputError(Fault(source.path, what, mend))
    loc_m = as_numbers(source.path, "loc", loc_m)
    for name in fields.keys() & {"vld", "eco", "tid", "fnl", *({"itr"} if loc_m.ndim == 2 else ())}:
        shape = fields[name].shape
        is_per_iteration = name == "eco" and len(shape) == 2 and shape[1] > 0
        if fields[name].dtype.kind not in "biuf" or shape[: 1 if is_per_iteration else None] != loc_m.shape[:1]:
            raise InputError(Fault(source.path, f"`{name}` is not one number per localization", mend))
    last_m = loc_m[:, -1] if loc_m.ndim == 3 else loc_m
    final = _final(fields) if loc_m.ndim == 2 else np.ones(len(last_m), dtype=bool)
    valid = fields["vld"].astype(bool) if "vld" in fields else np.ones(len(last_m), dtype=bool)
    columns = {"x_nm": last_m[:, 0] * _NM_PER_M, "y_nm": last_m[:, 1] * _NM_PER_M}
    notes = []
    kept = final & valid
    if np.any(last_m[kept, 2]):
        notes.append(_NOTE_Z)
    if "eco" in fields:
        columns["photons"] = fields["eco"][:, -1] if fields["eco"].ndim > 1 else fields["eco"]
        notes.append(_NOTE_PHOTONS)
    if "tid" in fields:
        columns["trace"] = fields["tid"]
    columns |= truth(source.path, source.truth_column, {name: fields[name] for name in fields.keys() - {"loc"}})
    columns = {name: values[kept] for name, values in columns.items()}
    dropped = {"an earlier iteration": int((~final).sum()), "not valid (vld)": int((final & ~valid).sum())}
    return Raw(columns, UNCHANGED, dropped=dropped, notes=tuple(notes))


def _final(fields: dict[str, np.ndarray]) -> np.ndarray:
    """Which rows are the last iteration of a localization, where each iteration may have a row."""
    if "fnl" in fields:
        return fields["fnl"].astype(bool)
    if "itr" in fields and len(fields["itr"]):
        return fields["itr"] == fields["itr"].max()
    return np.ones(len(fields["loc"]), dtype=bool)
