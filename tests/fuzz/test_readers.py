"""No damaged acquisition ends in anything but a table that can be used, or sentences that say what is wrong."""

import io
import zipfile

import measured
import numpy as np
import pytest
from damage import WORDS, YAMLS, damaged
from hypothesis import given
from hypothesis import strategies as st
from recolored import PIXEL_NM, recolored_table

from lusco.export import export
from lusco.ingest import FORMATS

TEXTS = ("thunderstorm", "csv", "rapidstorm", "elyra", "nanoimager")
SETTINGS = ({}, {"merge": "trace"}, {"photons_min": 1}, {"frames": [0, 9], "uncertainty_nm_max": 50})


def image(make):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    return make.tiff(pixels, 20), {}


def image_compressed(make):
    return make.tiff(np.ones((20, 30), np.float32), 20, compression="zlib", tile=(16, 16)), {}


def image_ome(make):
    metadata = {"axes": "YX", "PhysicalSizeX": 20, "PhysicalSizeXUnit": "nm"}
    return make.tiff(np.ones((3, 4), np.uint8), name="image.ome.tif", metadata=metadata), {}


def image_imagej(make):
    return make.tiff(np.ones((3, 4), np.uint8), 20, imagej=True, metadata={"unit": "nm", "axes": "YX"}), {}


def exported(make):
    recolored_table(make.folder / "a.csv")
    export(make.folder / "a.csv", "a", PIXEL_NM, make.folder / "a.hdf5", make.folder / "a.smlm")


def picasso_exported(make):
    exported(make)
    return make.folder / "a.hdf5", {}


def smlm_of_channels(make):
    exported(make)
    return make.folder / "a.smlm", {"truth_column": "channel"}


def is_text(write):
    return write.__name__.startswith(TEXTS)


WRITERS = [*measured.WRITERS, image, image_compressed, image_ome, image_imagej, picasso_exported, smlm_of_channels]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_damaged_acquisition_is_read_or_its_fault_is_said(write, folder, reads):
    path, options = write(measured.maker(folder))
    content = path.read_bytes()
    formats = ["", write.__name__.partition("_")[0]] if is_text(write) else [""]

    @given(damaged(content, WORDS if is_text(write) else ()), st.sampled_from(SETTINGS), st.sampled_from(formats))
    def run(data, settings, format):
        path.write_bytes(data)
        reads("ingested", path, settings, {"format": format} | options)

    run()


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_any_format_may_be_named(write, folder, reads):
    path, options = write(measured.maker(folder))
    for format in FORMATS:
        reads("ingested", path, {}, options | {"format": format})


@pytest.mark.parametrize("truth", ["frame", "id", "eco", "locs", "none"])
def test_any_column_may_be_named_as_the_truth(truth, folder, reads):
    for write in WRITERS:
        path, options = write(measured.maker(folder))
        reads("ingested", path, {}, options | {"truth_column": truth})


@pytest.mark.parametrize("write", [measured.picasso, picasso_exported], ids=lambda write: write.__name__)
def test_a_damaged_yaml_beside_a_table_is_read_or_its_fault_is_said(write, folder, reads):
    path, options = write(measured.maker(folder))
    beside = path.with_suffix(".yaml")

    @given(damaged(beside.read_bytes(), (*WORDS, *YAMLS)))
    def run(data):
        beside.write_bytes(data)
        reads("ingested", path, {}, options)

    run()


ARCHIVES = [measured.smlm, smlm_of_channels, measured.minflux_zipped]


@pytest.mark.parametrize("write", ARCHIVES, ids=lambda write: write.__name__)
def test_damaged_members_of_an_archive_are_read_or_their_fault_is_said(write, folder, reads):
    path, options = write(measured.maker(folder))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    @given(
        st.sampled_from(sorted(members)).flatmap(lambda name: st.tuples(st.just(name), damaged(members[name], WORDS)))
    )
    def run(changed):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, data in {**members, changed[0]: changed[1]}.items():
                archive.writestr(name, data)
        path.write_bytes(packed.getvalue())
        reads("ingested", path, {}, options)

    run()
