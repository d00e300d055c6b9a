"""No damaged file that LUSCo wrote, and none that a user writes for it, ends in anything but use or sentences."""

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
import yaml
from damage import WORDS, YAMLS, damaged
from hypothesis import given

from lusco import table
from lusco.model import ModelDescription, write_model
from lusco.network import UNet
from lusco.novelty import Known
from lusco.novelty.parts import Part
from lusco.packed import pack
from lusco.superpose.composites import write_composites

SHEET = """# a comment
acquisition\tstructure\tpath\tformat\tpixel_nm\tsplit\tgroup\tregion_nm\tcolumns\ttruth_column
a1\tpores\ta.csv\t\t\ttrain\t1\t\t\t
a2\tpores\ta.csv\tcsv\t100\tvalidation\t2\t0:1e3,0:5\t{"x_nm": "X"}\t
a3\tpores\ta.csv\t\t\ttest\t\t10:20,0:5\t\t
b1\ttubes\tb.csv\t\t\ttrain\t\t\t\t
b2\ttubes\tc.csv\t\t\tvalidation\t\t\t\t
b3\ttubes\td.csv\t\t\t\t\t\t\t
m\tmixed\te.csv\t\t\tapply\t\t\t\tlabel
"""
CONFIG = {
    "experiment": "demo",
    "structures": ["pores", "tubes"],
    "acquisitions": "sheet.tsv",
    "pixel_nm": 20,
    "seed": 3,
    "splits": {"validation": 0.2, "test": 0.3},
    "ingest": {"frames": [1, 9], "merge": "radius", "photons_min": 100.5},
    "train": {"steps": 5, "device": "cpu", "acquisitions": None},
    "models": {"unet": {}, "other": {"head": "regression"}, "trees": {"peer": "trees", "minutes": 2}},
    "evaluate": {"shapes": {"pores": "rings"}},
    "sweeps": {"density": [0.5, 1], "number": [1, 2]},
}
SIMULATION = {
    "field_um": [5, 5.5],
    "frames": 100,
    "structures": {"microtubules": {"labelling": {}}, "mitochondria": {}},
    "mitochondria_lie": "along_microtubules",
    "unspecific_per_um2": [1, 5],
}


@pytest.mark.parametrize(
    ("function", "content"),
    [
        ("read_config", yaml.safe_dump(CONFIG)),
        ("read_simulation", yaml.safe_dump(SIMULATION)),
        ("read_sheet", SHEET),
    ],
)
def test_what_a_user_writes_is_read_or_its_faults_are_said(function, content, folder, reads):
    for name in "abcde":
        (folder / f"{name}.csv").touch()
    path = folder / "written.txt"

    @given(damaged(content.encode(), WORDS if function == "read_sheet" else (*WORDS, *YAMLS)))
    def run(data):
        path.write_bytes(data)
        reads(function, path)

    run()


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_damaged_table_is_read_or_its_fault_is_said(compression, folder, reads):
    path = folder / "t.parquet"
    columns = {"x_nm": np.arange(50.0), "y_nm": np.arange(50.0), "structure": ["pores"] * 50}
    table.write(table.localizations(columns, (0, 50, 0, 50), {"acquisition": "a", "structure": "mixed"}), path)
    pa.parquet.write_table(pa.parquet.read_table(path), path, compression=compression)

    @given(damaged(path.read_bytes()))
    def run(data):
        path.write_bytes(data)
        reads("read_table", path)

    run()


def test_damaged_composites_are_opened_or_their_fault_is_said(folder, reads):
    path = folder / "composites.arrow"
    columns = dict.fromkeys(("photons", "uncertainty_nm", "weight"), np.ones(20, np.float32))
    columns |= {"x_nm": np.arange(20.0), "y_nm": np.arange(20.0), "frame": 1, "row": 2, "unspecific": False}
    columns |= {"trace": np.arange(20) // 2}
    rows = pd.DataFrame(columns | {"structure": np.arange(20) % 2})
    sources = {"pores": "p_1", "tubes": "t_1"}
    write_composites(path, ["pores", "tubes"], 20.0, 32, [(f"test_{number}", sources, rows) for number in range(2)])

    @given(damaged(path.read_bytes()))
    def run(data):
        path.write_bytes(data)
        reads("read_composites", path)

    run()


@pytest.mark.parametrize("file", ["model.json", "weights.safetensors"])
def test_a_damaged_model_is_read_or_its_fault_is_said(file, folder, reads, reader):
    part = Part(pack([[0.5] * 8] * 3), [0.0] * 8, [[1.0] * 8] * 8, [1.5] * 3)
    look = Part(pack([[0.5] * 2] * 3), [0.0] * 2, [[1.0] * 2] * 2, [1.5] * 3)
    known = asdict(Known(64, 4, 4, [part] * 3, [0.9] * 3, [[1.0] * 4] * 2, [look] * 3))
    rejection = [{"threshold": 0.5, "rejected": 0.1, "crosstalk": 0.01}]
    repeats = {"lag_frames": [1, 3, 90], "per_frame": [0.1, 0.01]}
    torch.manual_seed(0)
    write_model(
        folder,
        UNet(2, 4, 1),
        ModelDescription(
            ("pores", "tubes"),
            20.0,
            "shares",
            4,
            1,
            (1.5, 2.5),
            {"typical": 1.1, "exponent": 0.2, "uncertainty_nm": 10.0},
            1.5,
            rejection,
            known,
            {"seed": 1},
            repeats=repeats,
        ),
    )
    content = (folder / file).read_bytes()
    assert reader("read_model", str(folder)) == "", "undamaged, all of it is read"

    @given(damaged(content, WORDS if file == "model.json" else ()))
    def run(data):
        (folder / file).write_bytes(data)
        if file == "weights.safetensors":  # the checksum is right, or nothing would be read
            description = json.loads((folder / "model.json").read_bytes())
            description["weights_sha256"] = hashlib.sha256(data).hexdigest()
            (folder / "model.json").write_text(json.dumps(description))
        reads("read_model", folder)

    run()
