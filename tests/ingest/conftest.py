"""Fixtures of ingest: bring a file in, and write small ones of known content."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from lusco.ingest import Source, ingest
from lusco.settings import stage_settings

ITERATION = [("loc", "<f8", (3,)), ("eco", "<i4")]
MINFLUX = np.dtype([("itr", ITERATION, (5,)), ("tid", "<i4"), ("vld", "?")])


@pytest.fixture
def bring() -> Callable:
    """Ingest a file: `bring(path, settings, **fields of Source)` gives the acquisition and the record."""

    def run(path, settings=None, **source):
        given = Source(Path(path), "cell_1", "pores")
        return ingest(dataclasses.replace(given, **source), stage_settings("ingest", settings or {}))

    return run


@pytest.fixture
def thunderstorm(tmp_path) -> Callable:
    """Write a ThunderSTORM CSV of rows (frame, x, y, photons, uncertainty)."""

    def write(rows, name="table.csv"):
        header = '"id","frame","x [nm]","y [nm]","intensity [photon]","uncertainty_xy [nm]"'
        lines = [header, *(",".join(map(str, (number, *row))) for number, row in enumerate(rows, 1))]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def picasso(tmp_path) -> Callable:
    """Write a Picasso table of one localization, in pixels, with its YAML unless `pixel_nm` is None."""

    def write(x_px, y_px, pixel_nm=100.0, **extra):
        path = tmp_path / "picasso.hdf5"
        types = [("frame", "<u4"), ("x", "<f4"), ("y", "<f4"), ("photons", "<f4"), ("lpx", "<f4"), ("lpy", "<f4")]
        with h5py.File(path, "w") as file:
            file["locs"] = np.array([(3, x_px, y_px, 1000, 0.1, 0.1)], dtype=types)
        if pixel_nm:
            camera = {"Pixelsize": pixel_nm, "Width": 8, "Height": 16} | extra
            path.with_suffix(".yaml").write_text(
                "---\n".join([json.dumps({"Byte Order": "<"}) + "\n", json.dumps(camera)])
            )
        return path

    return write


@pytest.fixture
def minflux(tmp_path) -> Callable:
    """Write a MINFLUX array from last positions (n, 3) in metres, traces and validity."""

    def write(last_m, trace=None, valid=True, name="minflux.npy"):
        rows = np.zeros(len(last_m), dtype=MINFLUX)
        rows["itr"]["loc"][:, :-1] = 1.0  # earlier iterations are far off
        rows["itr"]["loc"][:, -1] = last_m
        rows["itr"]["eco"][:, -1] = 100
        rows["tid"] = np.arange(len(last_m)) if trace is None else trace
        rows["vld"] = valid
        path = tmp_path / name
        np.save(path, rows)
        return path

    return write


@pytest.fixture
def tiff(tmp_path) -> Callable:
    """Write a TIFF, with a pixel size if one is given."""

    def write(pixels, pixel_nm=None, name="image.tif", **options):
        path = tmp_path / name
        if pixel_nm:
            options |= {"resolution": (1e7 / pixel_nm,) * 2, "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(path, np.asarray(pixels), **options)
        return path

    return write
