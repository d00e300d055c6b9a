"""Small files of known content in every format of `lusco ingest`."""

import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pandas as pd
import tifffile
from scipy.io import savemat

X_NM, Y_NM = 225.0, 350.0  # 2.25 and 3.5 pixels of 100 nm from the corner of the first one

ITERATION = [("loc", "<f8", (3,)), ("eco", "<i4")]
MINFLUX = np.dtype([("itr", ITERATION, (5,)), ("tid", "<i4"), ("vld", "?")])


def maker(folder: Path) -> SimpleNamespace:
    """What the writers below need: the folder, and functions that write files of given content into it."""
    return SimpleNamespace(
        folder=folder,
        thunderstorm=partial(write_thunderstorm, folder),
        picasso=partial(write_picasso, folder),
        minflux=partial(write_minflux, folder),
        tiff=partial(write_tiff, folder),
    )


def write_thunderstorm(folder: Path, rows, name: str = "table.csv") -> Path:
    """Write a ThunderSTORM CSV of rows (frame, x, y, photons, uncertainty)."""
    header = '"id","frame","x [nm]","y [nm]","intensity [photon]","uncertainty_xy [nm]"'
    lines = [header, *(",".join(map(str, (number, *row))) for number, row in enumerate(rows, 1))]
    return write_text(folder / name, *lines)


def write_picasso(folder: Path, x_px: float, y_px: float, pixel_nm: float | None = 100.0, **extra) -> Path:
    """Write a Picasso table of one localization, in pixels, with its YAML unless `pixel_nm` is None."""
    path = folder / "picasso.hdf5"
    floats = [(name, "<f4") for name in ("x", "y", "photons", "lpx", "lpy")]
    with h5py.File(path, "w") as file:
        types = [("frame", "<u4"), *floats, ("group", "<i4")]
        file["locs"] = np.array([(3, x_px, y_px, 1000, 0.1, 0.1, 7)], dtype=types)
    if pixel_nm:
        camera = {"Pixelsize": pixel_nm, "Width": 8, "Height": 16} | extra
        path.with_suffix(".yaml").write_text("---\n".join([json.dumps({"Byte Order": "<"}) + "\n", json.dumps(camera)]))
    return path


def write_minflux(folder: Path, last_m, trace=None, valid=True, name: str = "minflux.npy") -> Path:
    """Write a MINFLUX array from last positions (n, 3) in metres, traces and validity."""
    rows = np.zeros(len(last_m), dtype=MINFLUX)
    rows["itr"]["loc"][:, :-1] = 1.0  # earlier iterations are far off
    rows["itr"]["loc"][:, -1] = last_m
    rows["itr"]["eco"][:, -1] = 100
    rows["tid"] = np.arange(len(last_m)) if trace is None else trace
    rows["vld"] = valid
    np.save(folder / name, rows)
    return folder / name


def write_tiff(folder: Path, pixels, pixel_nm: float | None = None, name: str = "image.tif", **options: Any) -> Path:
    """Write a TIFF, with a pixel size if one is given."""
    if pixel_nm:
        options |= {"resolution": (1e7 / pixel_nm,) * 2, "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(folder / name, np.asarray(pixels), **options)
    return folder / name


def locdata():
    """The localization in locan's own type."""
    from locan import LocData

    columns = {"position_x": [X_NM], "position_y": [Y_NM], "frame": [3], "intensity": [1000.0]}
    return LocData.from_dataframe(pd.DataFrame(columns))


def locdata_in_pixels():
    """The same in camera pixels of 100 nm, as it is said of each column."""
    from locan import LocData

    made = LocData.from_dataframe(pd.DataFrame({"position_x": [2.25], "position_y": [3.5], "frame": [3]}))
    for name in ("position_x", "position_y"):
        made.meta.localization_properties.add(name=name, unit="px")
    return made


def write_text(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def thunderstorm_plain(make):
    return make.thunderstorm([(3, X_NM, Y_NM, 1000, 10)]), {}


def thunderstorm_quoted_as_a_whole(make):
    header = '"id,""frame"",""x [nm]"",""y [nm]"",""intensity [photon]"",""uncertainty [nm]"""'
    return write_text(make.folder / "t.csv", header, f"1.0,3.0,{X_NM},{Y_NM},1000,10"), {}


def thunderstorm_micrometres(make):
    header = '"frame","x [µm]","y [µm]","intensity [photon]","uncertainty [nm]"'
    return write_text(make.folder / "t.csv", header, f"3,{X_NM / 1e3},{Y_NM / 1e3},1000,10"), {}


def thunderstorm_pixels(make):
    header = "frame,x [px],y [px],intensity [photon],uncertainty [nm]"
    return write_text(make.folder / "t.csv", header, "3,2.25,3.5,1000,10"), {"pixel_nm": 100.0}


def csv_without_header(make):
    columns = '{"x_nm": 0, "y_nm": 1, "frame": 2, "photons": 3}'
    return write_text(make.folder / "t.csv", f"{X_NM},{Y_NM},3,1000"), {"columns": columns}


def csv_of_names(make):
    columns = '{"x_um": "X", "y_um": "Y", "frame": "t", "photons": "N"}'
    return write_text(make.folder / "t.txt", "t\tX\tY\tN", "3\t0.225\t0.35\t1000"), {"columns": columns}


def csv_of_numpy(make):
    return write_text(make.folder / "t.txt", "# x_nm y_nm frame photons", " 225.0  350.0 3 1.0e+03"), {"format": "csv"}


def csv_with_decimal_commas(make):
    return write_text(make.folder / "t.csv", "x_nm;y_nm;frame;photons", "225,0;350,0;3;1000,0"), {}


def picasso(make):
    return make.picasso(1.75, 3.0), {}


def picasso_pixel_size_of_the_sheet(make):
    return make.picasso(1.75, 3.0, pixel_nm=None), {"pixel_nm": 100.0}


def decode(make, unit="px", scale=1.0):
    path = make.folder / "decode.h5"
    with h5py.File(path, "w") as file:
        file["data/xyz"] = np.array([[1.75 * scale, 3.0 * scale, 5.0]], dtype=np.float32)
        file["data/frame_ix"], file["data/phot"] = [3], [1000.0]
        file["data/xyz_cr"] = h5py.Empty("f4")
        file.create_group("decode")
        file.create_group("meta").attrs.update({"xy_unit": unit, "px_size": [100.0, 100.0]})
    return path, {}


def decode_nm(make):
    return decode(make, "nm", 100.0)


def minflux_npy(make):
    return make.minflux([[X_NM / 1e9, Y_NM / 1e9, 0]]), {}


def minflux_zipped(make):
    path = make.folder / "minflux.npy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(make.minflux([[X_NM / 1e9, Y_NM / 1e9, 0]]), "minflux.npy")
        archive.writestr("__MACOSX/._minflux.npy", b"of no use")
    return path, {}


def minflux_mat(make):
    loc = np.ones((1, 5, 3))
    loc[:, -1] = X_NM / 1e9, Y_NM / 1e9, 0
    path = make.folder / "minflux.mat"
    savemat(path, {"loc": loc, "vld": [[1]], "tid": [[7]], "eco": np.full((1, 5), 1000)})
    return path, {}


def minflux_mat_structure(make):
    loc = np.ones((1, 5, 3))
    loc[:, -1] = X_NM / 1e9, Y_NM / 1e9, 0
    path = make.folder / "minflux.mat"
    savemat(path, {"itr": {"loc": loc}, "vld": [[1]], "tid": [[7]]})
    return path, {}


def asdf(make):
    from locan import save_asdf

    save_asdf(locdata(), make.folder / "t.asdf")
    return make.folder / "t.asdf", {}


def asdf_pixels(make):
    from locan import save_asdf

    save_asdf(locdata_in_pixels(), make.folder / "t.asdf")
    return make.folder / "t.asdf", {"pixel_nm": 100.0}


def smlm(make):
    from locan import save_SMLM

    save_SMLM(locdata(), make.folder / "t.smlm")
    return make.folder / "t.smlm", {}


def rapidstorm(make):
    names = ("Position-0-0", "Position-1-0", "ImageNumber-0-0", "Amplitude-0-0")
    fields = "".join(f'<field identifier="{name}" />' for name in names)
    header = f'# <localizations insequence="true">{fields}</localizations>'
    return write_text(make.folder / "t.txt", header, f"{X_NM} {Y_NM} 3 5000"), {}


def elyra(make):
    header = "Index\tFirst Frame\tPosition X [nm]\tPosition Y [nm]\tPrecision [nm]\tNumber Photons"
    return write_text(make.folder / "t.txt", header, f"1\t3\t{X_NM}\t{Y_NM}\t10\t1000", "\0Pixel size 100"), {}


def nanoimager(make):
    header = "Channel,Frame,X (nm),Y (nm),Z (nm),Photons,Background"
    return write_text(make.folder / "t.csv", header, f"0,3,{X_NM},{Y_NM},0,1000,1"), {}


def smap(make):
    path = make.folder / "t_sml.mat"
    with h5py.File(path, "w") as file:
        for name, value in {"xnm": X_NM, "ynm": Y_NM, "frame": 3, "phot": 1000}.items():
            file[f"saveloc/loc/{name}"] = np.array([[value]], dtype=np.float64)
    return path, {}


# Each takes what `maker` gives, and gives the path and the fields of `lusco.ingest.Source` to read it with.
WRITERS: list[Callable] = [
    thunderstorm_plain,
    thunderstorm_quoted_as_a_whole,
    thunderstorm_micrometres,
    thunderstorm_pixels,
    csv_without_header,
    csv_of_names,
    csv_of_numpy,
    csv_with_decimal_commas,
    picasso,
    picasso_pixel_size_of_the_sheet,
    decode,
    decode_nm,
    minflux_npy,
    minflux_zipped,
    minflux_mat,
    minflux_mat_structure,
    asdf,
    asdf_pixels,
    smlm,
    rapidstorm,
    elyra,
    nanoimager,
    smap,
]
