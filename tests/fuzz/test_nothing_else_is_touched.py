"""Nothing in a file is executed, no other file is read because of it, and no name in it leads out of the results."""

import contextlib
import os
import pickle

import h5py
import measured
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lusco.config import load_config
from lusco.errors import InputError
from lusco.schema import read_yaml
from lusco.sheet_reader import read_sheet
from lusco.simulate import read_description

LOCS = np.array([(2.0, 3.0)], dtype=[("x", "<f4"), ("y", "<f4")])
LEAST = {"experiment": "demo", "structures": ["pores", "tubes"], "acquisitions": "sheet.tsv", "pixel_nm": 20}


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def executed(tmp_path):
    """A folder that exists once something was executed."""
    return tmp_path / "executed"


def pickled(make, executed):
    np.save(make.folder / "t.npy", np.array([Touch(executed)], dtype=object), allow_pickle=True)
    return make.folder / "t.npy"


def pickled_in_a_field(make, executed):
    """NumPy reads objects from a pickle wherever the type says that there are some."""
    path = make.folder / "t.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": [("itr", [("loc", "|O")]), ("tid", "<i4")], "fortran_order": False, "shape": (1,)}
        )
        pickle.dump(Touch(executed), file)
    return path


def bare_pickle(make, executed):
    (make.folder / "t.npy").write_bytes(pickle.dumps(Touch(executed)))
    return make.folder / "t.npy"


def tagged_yaml(make, executed):
    path = make.picasso(1, 2)
    path.with_suffix(".yaml").write_text(tag(executed))
    return path


def tagged_asdf(make, executed):
    path, _ = measured.asdf(make)
    path.write_bytes(path.read_bytes().replace(b"columns:", b"more: %s\ncolumns:" % tag(executed).encode()))
    return path


def tag(executed):
    return f'!!python/object/apply:os.mkdir ["{executed}"]'


@pytest.mark.parametrize(
    ("write", "format"),
    [
        (pickled, "minflux_npy"),
        (pickled_in_a_field, "minflux_npy"),
        (bare_pickle, "minflux_npy"),
        (tagged_yaml, "picasso"),
        (tagged_asdf, "asdf"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bringing_in_a_file_executes_nothing(write, format, make, bring, executed):
    path = write(make, executed)
    with contextlib.suppress(InputError):
        bring(path, format=format)
    assert not executed.exists()


@pytest.mark.parametrize("read", [read_yaml, read_description])
def test_reading_yaml_executes_nothing(read, tmp_path, executed):
    (tmp_path / "t.yaml").write_text(f"experiment: {tag(executed)}")
    with pytest.raises(InputError, match="is not YAML"):
        read(tmp_path / "t.yaml")
    assert not executed.exists()


def external_link(file, other):
    file["locs"] = h5py.ExternalLink(other, "locs")


def soft_link_to_an_external_one(file, other):
    file["elsewhere"] = h5py.ExternalLink(other, "/")
    file["locs"] = h5py.SoftLink("/elsewhere/locs")


def virtual_dataset(file, other):
    layout = h5py.VirtualLayout(shape=(1,), dtype=LOCS.dtype)
    layout[:] = h5py.VirtualSource(other, "locs", shape=(1,))
    file.create_virtual_dataset("locs", layout)


def external_bytes(file, other):
    file.create_dataset("locs", (1,), LOCS.dtype, external=[(other, 0, 8)])


@pytest.mark.parametrize("link", [external_link, soft_link_to_an_external_one, virtual_dataset, external_bytes])
def test_hdf5_is_not_followed_to_another_file(link, tmp_path, bring):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["locs"] = LOCS
    with h5py.File(tmp_path / "t.h5", "w") as file:
        link(file, str(tmp_path / "other.h5"))
    with pytest.raises(InputError, match=r"t\.h5: `locs` is a link or lies in another file, which is not followed"):
        bring(tmp_path / "t.h5", pixel_nm=100.0)


@pytest.mark.parametrize("group", ["saveloc/loc", "data"])
def test_groups_are_not_followed_to_another_file(group, tmp_path, bring):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other[f"{group}/xnm"] = [[1.0]]
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_group("decode")
        file[group] = h5py.ExternalLink(str(tmp_path / "other.h5"), group)
    with pytest.raises(InputError, match="is a link or lies in another file"):
        bring(tmp_path / "t.h5", format="smap" if "loc" in group else "decode")


@pytest.mark.parametrize(
    "data",
    [
        b"{$ref: 'other.asdf#/data'}",
        b"!core/ndarray-1.1.0\n  source: other.asdf\n  datatype: float64\n  byteorder: little\n  shape: [1, 4]",
    ],
)
def test_asdf_is_not_followed_to_another_file(data, make, bring):
    path, _ = measured.asdf(make)
    content = path.read_bytes()
    (make.folder / "other.asdf").write_bytes(content)
    start, end = content.index(b"data: "), content.index(b"meta: ")
    path.write_bytes(content[:start] + b"data: " + data + b"\n" + content[end:])
    with pytest.raises(InputError, match=r"lies in another file, `other\.asdf"):
        bring(path)


PARTS = st.sampled_from(["..", ".", "/", "\\", "~", "a", "-", "\n", "\0", "$HOME", "é", " ", "\u2028"])


@given(st.lists(PARTS, min_size=1, max_size=5).map("".join), st.sampled_from(["experiment", "structures", "models"]))
def test_no_name_in_a_configuration_is_a_path(name, key):
    given = {"experiment": name, "structures": ["pores", name], "models": {name: {}}}[key]
    try:
        load_config(LEAST | {key: given}, "config.yaml")
    except InputError:
        return
    assert not set(name) & set("/\\\n\0~$ ") and name not in (".", "..")


@given(st.lists(PARTS, min_size=1, max_size=5).map("".join))
def test_no_name_of_an_acquisition_is_a_path(folder, name):
    (folder / "t.csv").touch()
    (folder / "sheet.tsv").write_text(f"acquisition\tstructure\tpath\n{name}\tmixed\tt.csv\n", encoding="utf-8")
    try:
        acquisitions = read_sheet(folder / "sheet.tsv", ["pores"], {"validation": 0.2, "test": 0.2}, 1, learn=False)
    except InputError:
        return
    for name in (acquisition.name for acquisition in acquisitions):
        assert not set(name) & set("/\\\n\0~$ ") and name not in (".", "..")
