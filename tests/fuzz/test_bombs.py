"""A few bytes that claim more than any memory end in one sentence and status 1, and take little memory."""

import io
import os
import resource
import struct
import subprocess
import sys
import threading
import zipfile

import h5py
import measured
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import tifffile
from scipy.io import savemat

ADDRESS_SPACE_BYTES = 3 << 30
RESIDENT_KB = 1 << 20
HUGE = 10**6
PATIENCE_S = 120


def csv_of_one_long_line(make):
    return measured.write_text(make.folder / "t.csv", "x_nm,y_nm", "1," * 10**7)


def csv_of_one_long_cell(make):
    return measured.write_text(make.folder / "t.csv", "x_nm,y_nm", f"1,{'2' * 10**7}")


def csv_of_one_long_name(make):
    return measured.write_text(make.folder / "t.csv", "x" * 10**7 + ",y_nm", "1,2")


def csv_of_a_long_heading(make):
    return measured.write_text(make.folder / "t.csv", f"x{' ' * 100_000}y,y", "1,2")


def csv_of_a_million_columns(make):
    return measured.write_text(make.folder / "t.csv", ",".join(map(str, range(10**6))), ",".join("1" * 10**6))


def with_a_gigabyte_of(make, piece, *lines):
    """A table whose last line is that long."""
    path = measured.write_text(make.folder / "t.csv", *lines)
    with path.open("ab") as file:
        for _ in range(1 << 10):
            file.write(piece * ((1 << 20) // len(piece)))
    return path


def csv_whose_second_row_is_a_gigabyte(make):
    return with_a_gigabyte_of(make, b"1,", "x_nm,y_nm", "1,2")


def csv_of_blanks_whose_second_row_is_a_gigabyte(make):
    return with_a_gigabyte_of(make, b"1 ", "x_nm y_nm", "1 2")


def csv_with_a_gigabyte_of_zeros(make):
    path = measured.write_text(make.folder / "t.csv", "x_nm,y_nm", "1,2", "no number,2")
    os.truncate(path, 1 << 30)
    return path


def csv_of_many_short_rows_and_a_bad_one(make):
    path = measured.write_text(make.folder / "t.csv", "x_nm,y_nm", "1,2")
    with path.open("ab") as file:
        file.write(b"1,2\n" * (4 * 10**6) + b"no number,2\n")
    return path


def rapidstorm_whose_heading_is_a_gigabyte(make):
    path = measured.write_text(make.folder / "t.txt", "# <localizations>")
    os.truncate(path, len("# <localizations>"))
    with path.open("ab") as file:
        for _ in range(1 << 10):
            file.write(b"<field/>" * (1 << 17))
    return path


def claimed_tiff(path, side_px, tile_px):
    """A TIFF of `side_px` squared pixels whose every tile has no bytes, or of one strip of four bytes."""
    tiles = (-(-side_px // tile_px)) ** 2 if tile_px else 1
    where = [(322, 4, 1, tile_px), (323, 4, 1, tile_px), (324, 4, tiles, 0), (325, 4, tiles, 0)]
    tags = [(256, 4, 1, side_px), (257, 4, 1, side_px), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    tags += where if tile_px else [(273, 4, 1, 8), (278, 4, 1, side_px), (279, 4, 1, 4)]
    end = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, kind, count, end if count > 1 else value) for tag, kind, count, value in sorted(tags)
    )
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + bytes(4 * tiles))
    return path


def tiff_of_a_million_pixels_a_side(make):
    return claimed_tiff(make.folder / "t.tif", HUGE, 0)


def tiff_of_empty_tiles(make):
    return claimed_tiff(make.folder / "t.tif", 10**5, 4096)


def tiff_of_many_equal_pixels(make):
    path = make.folder / "t.tif"
    pixels = np.broadcast_to(np.ones((1, 1), np.uint8), (12_000, 12_000))
    tifffile.imwrite(path, pixels, compression="zlib", rowsperstrip=1000, resolution=(1e6, 1e6), resolutionunit=3)
    return path


def npy_of_a_huge_shape(make):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": measured.MINFLUX.descr, "fortran_order": False, "shape": (10**12,)}
    )
    (make.folder / "t.npy").write_bytes(header.getvalue() + bytes(1000))
    return make.folder / "t.npy"


def zip_of_a_huge_array(make):
    path = make.folder / "t.npy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.npy", npy_of_a_huge_shape(make).read_bytes())
        archive.infolist()[0].file_size = 10**12
    return path


def smlm_of_a_huge_member(make):
    path, _ = measured.smlm(make)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.bin", b"1")
        archive.getinfo("table-0.bin").file_size = 10**12
    return path


def smlm_of_many_rows(make):
    path, _ = measured.smlm(make)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = members["manifest.json"].replace(b'"rows": "1"', b'"rows": "999999999999"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def mat_of_a_huge_shape(make):
    path = make.folder / "t.mat"
    savemat(path, {"loc": np.ones((1, 5, 3))})
    path.write_bytes(path.read_bytes().replace(struct.pack("<3i", 1, 5, 3), struct.pack("<3i", HUGE, HUGE, 3)))
    return path


def claimed_hdf5(make, name, type, shape, mode="w"):
    with h5py.File(make.folder / "t.h5", mode) as file:
        file.create_dataset(name, shape, type, chunks=True, compression="gzip")
        for group in ("decode", "meta"):
            file.require_group(group)
    return make.folder / "t.h5"


def picasso_of_many_rows(make):
    return claimed_hdf5(make, "locs", [("x", "<f4"), ("y", "<f4")], (10**11,))


def decode_of_many_rows(make):
    return claimed_hdf5(make, "data/xyz", "<f4", (10**11, 3))


def smap_of_many_rows(make):
    return claimed_hdf5(make, "saveloc/loc/xnm", "<f8", (1, 10**11))


def many_empty_datasets(make, names, shape):
    """Each is small enough to be read, all of them are not, and none takes room in the file."""
    for name in names:
        claimed_hdf5(make, name, "<f8", shape, mode="a")
    assert (make.folder / "t.h5").stat().st_size < 20_000
    return make.folder / "t.h5"


def smap_of_many_empty_columns(make):
    columns = ("xnm", "ynm", "znm", "xnmerr", "ynmerr", "phot", "frame")
    return many_empty_datasets(make, [f"saveloc/loc/{name}" for name in columns], (1, 10**8))


def decode_of_many_empty_columns(make):
    return many_empty_datasets(make, [f"data/{name}" for name in ("xyz", "xyz_sig")], (10**8, 3))


def asdf_with(make, old, new):
    path, _ = measured.asdf(make)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


def asdf_of_a_huge_shape(make):
    return asdf_with(make, b"shape: [1, 4]", b"shape: [1000000000, 4]")


def asdf_of_one_row_many_times(make):
    return asdf_with(make, b"shape: [1, 4]", b"shape: [1000000000, 4]\n  strides: [0, 8]")


def asdf_of_lists_of_lists(make):
    lists = b"".join(b"l%d: &l%d [%s]\n" % (n, n, b", ".join([b"*l%d" % (n - 1)] * 9)) for n in range(1, 12))
    return asdf_with(make, b"columns:", b"l0: &l0 [1]\n" + lists + b"columns:")


BOMBS = [
    csv_of_one_long_line,
    csv_of_one_long_cell,
    csv_of_one_long_name,
    csv_of_a_long_heading,
    csv_of_a_million_columns,
    csv_whose_second_row_is_a_gigabyte,
    csv_of_blanks_whose_second_row_is_a_gigabyte,
    csv_with_a_gigabyte_of_zeros,
    csv_of_many_short_rows_and_a_bad_one,
    rapidstorm_whose_heading_is_a_gigabyte,
    tiff_of_a_million_pixels_a_side,
    tiff_of_empty_tiles,
    tiff_of_many_equal_pixels,
    npy_of_a_huge_shape,
    zip_of_a_huge_array,
    smlm_of_a_huge_member,
    smlm_of_many_rows,
    mat_of_a_huge_shape,
    picasso_of_many_rows,
    decode_of_many_rows,
    smap_of_many_rows,
    smap_of_many_empty_columns,
    decode_of_many_empty_columns,
    asdf_of_a_huge_shape,
    asdf_of_one_row_many_times,
    asdf_of_lists_of_lists,
]


def lusco(folder, *command):
    """Run the command line with little memory: its status, its words, and the most memory it took in kB."""
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "lusco", *map(str, command)],
            stdout=said,
            stderr=said,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES,) * 2),
        )
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        _, status, usage = os.wait4(process.pid, 0)
        patience.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, (folder / "said.txt").read_text(), usage.ru_maxrss


@pytest.mark.parametrize("write", BOMBS, ids=lambda write: write.__name__)
def test_a_bomb_is_refused_in_a_sentence(write, tmp_path):
    path = write(measured.maker(tmp_path))
    out, record = tmp_path / "out" / "t.parquet", tmp_path / "out" / "t.json"
    status, said, resident_kb = lusco(
        tmp_path, "ingest", path, "--name=a", "--structure=b", f"--out={out}", f"--record={record}", "--pixel-nm=20"
    )
    path.unlink()  # some take a gigabyte
    assert status == 1, said
    assert said.startswith(f"{path}") and said.endswith(".\n") and said.count("\n") == 1 and len(said) < 2500
    assert resident_kb < RESIDENT_KB
    assert not out.parent.exists()


def test_a_table_of_many_rows_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "t.parquet"
    column = pa.nulls(10**6)
    pa.parquet.write_table(pa.table({str(number): column for number in range(600)}), path)
    status, said, resident_kb = lusco(tmp_path, "render", path, "--pixel-nm=20", f"--out={tmp_path / 't.ome.tiff'}")
    assert status == 1 and said.count("\n") == 1 and "claims to hold" in said
    assert resident_kb < RESIDENT_KB
