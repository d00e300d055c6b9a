"""Files that are whole but hold anything under the names that are looked for end in a table or in sentences."""

import json

import h5py
import measured
import numpy as np
import pyarrow as pa
import pyarrow.parquet
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csc_array

from lusco import table

TYPES = ("f8", "f8", "f4", ">f8", "f2", "i1", "i4", "i8", "u8", "?", "c8", "S3")
SHAPES = ((), (0,), (1,), (3,), (1, 3), (3, 1), (3, 2), (3, 3), (0, 3), (3, 5, 3), (3, 0, 3), (2, 3))
VALUES = (0, 1, 2.5, -1, 250, 1e-320, 1e15, 1e300, np.nan, np.inf, 2**53 + 2, 2**63)
SETTINGS = ({}, {"merge": "trace"}, {"merge": "radius"}, {"frames": [0, 9], "uncertainty_nm_max": 50})


def full(shape, values, type):
    """An array of these values in turn."""
    with np.errstate(all="ignore"):
        return np.resize(np.array(values, np.float64), shape).astype(type)


@st.composite
def arrays(draw, usual):
    """An array of the usual shape and type, or of any."""
    values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))
    is_usual = draw(st.sampled_from((True, True, False)))
    return full(usual if is_usual else draw(st.sampled_from(SHAPES)), values, draw(st.sampled_from(TYPES)))


def any_of(usual):
    """Arrays by name; one in ten is missing."""
    return st.fixed_dictionaries({}, optional={name: arrays(shape) for name, shape in usual.items()})


def columns(rows, names):
    """A structured array whose every field has any type."""
    field = st.tuples(st.sampled_from(TYPES), st.sampled_from(((), (), (), (2,), (1,))))
    types = st.fixed_dictionaries({}, optional=dict.fromkeys(names, field))

    def build(types, values):
        made = np.zeros(rows, [(name, type, shape) for name, (type, shape) in types.items()])
        for name, (type, shape) in types.items():
            made[name] = full((*np.atleast_1d(rows), *shape), values, type)
        return made

    return st.builds(build, types, st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))


SOURCE = st.fixed_dictionaries(
    {"pixel_nm": st.sampled_from((None, 1.0, 100.0, 1e-300, 1e300))}, optional={"truth_column": st.sampled_from("xst")}
)


@given(columns(3, ("x", "y", "z", "frame", "photons", "lpx", "lpy", "group")), SOURCE, st.sampled_from(SETTINGS))
def test_any_picasso_table(folder, reads, rows, source, settings):
    assume(rows.dtype.names)
    with h5py.File(folder / "t.h5", "w") as file:
        file["locs"] = rows
    reads("ingested", folder / "t.h5", settings, source)


DECODE = {"xyz": (3, 3), "xyz_sig": (3, 3), "frame_ix": (3,), "phot": (3,)}


@given(any_of(DECODE), any_of({"px_size": (2,), "xy_unit": ()}), SOURCE, st.sampled_from(("px", "nm", None)))
def test_any_decode_table(folder, reads, data, meta, source, unit):
    with h5py.File(folder / "t.h5", "w") as file:
        file.create_group("decode")
        file.create_group("meta").attrs.update(meta | ({"xy_unit": unit} if unit else {}))
        for name, values in data.items():
            file[f"data/{name}"] = values
    reads("ingested", folder / "t.h5", {}, source)


@given(any_of(dict.fromkeys(("xnm", "ynm", "znm", "frame", "phot", "xnmerr", "ynmerr", "t"), (1, 3))), SOURCE)
def test_any_smap_table(folder, reads, data, source):
    with h5py.File(folder / "t.h5", "w") as file:
        file.create_group("saveloc/loc")
        for name, values in data.items():
            file[f"saveloc/loc/{name}"] = values
    reads("ingested", folder / "t.h5", {}, source)


@given(columns((3, 5), ("loc", "eco")), columns(3, ("tid", "vld", "t")), SOURCE, st.sampled_from(SETTINGS))
def test_any_minflux_array(folder, reads, inner, outer, source, settings):
    rows = np.zeros(3, [("itr", inner.dtype, (5,)), *outer.dtype.descr])
    rows["itr"] = inner
    for name in outer.dtype.names:
        rows[name] = outer[name]
    np.save(folder / "t.npy", rows)
    reads("ingested", folder / "t.npy", settings, source)


@given(any_of({"loc": (3, 5, 3), "vld": (3, 1), "tid": (1, 3), "eco": (3, 5), "t": (3,)}), st.booleans(), SOURCE)
def test_any_minflux_matlab_file(folder, reads, data, is_inside, source):
    data |= {"s": csc_array((3, 3))}
    savemat(folder / "t.mat", {"itr": data} if is_inside else data)
    reads("ingested", folder / "t.mat", {"merge": "trace"}, source)


@given(arrays((3, 4)), st.sampled_from((None, 20, 0.01, 1e5)), SOURCE)
def test_any_image(folder, reads, pixels, pixel_nm, source):
    assume(pixels.size and pixels.ndim > 1 and pixels.dtype.kind != "S")
    measured.write_tiff(folder, pixels, pixel_nm, photometric="minisblack")
    reads("ingested", folder / "image.tif", {}, source)


OPTIONAL = table.COLUMNS.keys() - set(table.REQUIRED)
CELLS = st.lists(st.sampled_from((None, *VALUES)), min_size=3, max_size=3)


@given(
    st.fixed_dictionaries(dict.fromkeys(table.REQUIRED, CELLS), optional=dict.fromkeys(OPTIONAL, CELLS)),
    st.sampled_from((None, None, "x_nm", "frame")),
    st.lists(st.sampled_from(VALUES), min_size=4, max_size=4),
)
def test_any_table(folder, reads, cells, unusual, field_nm):
    made = {}
    for name, values in cells.items():
        is_text = name in (unusual, "structure")
        numbers = full(3, [value or 0 for value in values], "f8" if is_text else table.COLUMNS[name])
        mask = np.array([value is None for value in values])
        made[name] = pa.array(map(str, values)) if is_text else pa.array(numbers, mask=mask)
    metadata = json.dumps({"field_nm": field_nm, "source": {"acquisition": "a", "structure": "b"}})
    pa.parquet.write_table(pa.table(made).replace_schema_metadata({b"lusco": metadata}), folder / "t.parquet")
    reads("read_table", folder / "t.parquet")
