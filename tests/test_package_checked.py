"""Packages as other programs take them: what bioimageio.core and onnxruntime make of one, where `make zoo` put them.

That environment has no pytest, and ours none of its packages, so each question is a small program that runs there.
"""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_model import write_small_model

from lusco.model import read_description, read_network
from lusco.package.graph import Whole
from lusco.reach import context_px

PROJECT = Path(__file__).parents[1]
BIN = PROJECT / ".venv-zoo" / "bin"
pytestmark = pytest.mark.skipif(not (BIN / "lusco").exists(), reason="its environment is not installed (`make zoo`)")

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (PROJECT / "workflow", PROJECT / "tests")))}
TOLERANCE = 1e-4  # as documented, of a probability, and of a count or its ten thousandth

VALIDATE = """
import json, sys
from bioimageio.core import test_description
summary = test_description(sys.argv[1], devices=["cpu"])
print(json.dumps([summary.status, [detail.name for detail in summary.details if detail.status != "passed"]]))
"""
COMPUTE = """
import sys
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
for file in sys.argv[2:]:
    (recolored,) = session.run(None, {"counts": np.load(file)})
    np.save(file, recolored)
"""
PREDICT = """
import sys
import numpy as np
from bioimageio.core import Tensor, predict
image = Tensor(np.load(sys.argv[2]), ("batch", "channel", "y", "x"))
result = predict(model=sys.argv[1], inputs={"counts": image})
np.save(sys.argv[2], result.members["recolored"].data.to_numpy())
"""
DIFFER = """
import sys
from small_model import write_small_model
from pathlib import Path
from lusco.model import read_description, read_network
from lusco.package.check import check_onnx
from lusco.package.graph import Whole, to_onnx
folder = Path(sys.argv[1])
model = read_description(folder)
network = read_network(folder, model)
onnx = to_onnx(Whole(network, model).eval(), 32)
network.head.bias.data[0] += 1e-2
check_onnx(onnx, Whole(network, model).eval(), [32])
"""


def ask(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [BIN / "python", "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).poisson(0.7, shape).astype(np.float32)


def packaged(folder: Path, out: Path, place: Path) -> Path:
    """The package that the command writes, run in a folder of its own."""
    place.mkdir(exist_ok=True)
    command = [BIN / "lusco", "package", folder, "--out", out]
    subprocess.run(command, check=True, cwd=place, timeout=300, env=ENVIRONMENT)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_small_model(tmp_path_factory.mktemp("small") / "model")


@pytest.fixture(scope="module")
def package(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("package")
    return packaged(folder, place / "small.zip", place)


def test_bioimageio_accepts_it_with_every_kind_of_weights(package):
    done = ask(VALIDATE, package)
    status, others = json.loads(done.stdout.splitlines()[-1])
    assert status == "passed", done.stderr
    assert others == []


def test_onnx_gives_what_pytorch_gives_at_any_size(folder, package, tmp_path):
    model = read_description(folder)
    whole = Whole(read_network(folder, model), model)
    with zipfile.ZipFile(package) as archive:
        weights = archive.extract("weights.onnx", tmp_path)
    images = [image(1, 1, 64, 64), image(2, 1, 97, 61)]
    files = [tmp_path / f"{index}.npy" for index in range(len(images))]
    for file, given in zip(files, images, strict=True):
        np.save(file, given)
    done = ask(COMPUTE, weights, *files)
    assert done.returncode == 0, done.stderr
    for file, given in zip(files, images, strict=True):
        np.testing.assert_allclose(np.load(file), whole.compute(given), rtol=TOLERANCE, atol=TOLERANCE)


def test_bioimageio_predicts_an_image_of_any_size(folder, package, tmp_path):
    """It surrounds the image by mirror images, as wide as the halo: what lies further inside sees none of them."""
    model = read_description(folder)
    whole = Whole(read_network(folder, model), model)
    given = image(1, 1, 201, 187)
    np.save(tmp_path / "image.npy", given)
    done = ask(PREDICT, package, tmp_path / "image.npy")
    assert done.returncode == 0, done.stderr
    halo = model.subpixels * context_px(model.depth, model.wide_blocks)
    inner = np.s_[:, :, halo:-halo, halo:-halo]
    got, expected = np.load(tmp_path / "image.npy"), whole.compute(given)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got[inner], expected[inner], rtol=TOLERANCE, atol=TOLERANCE)


def test_the_same_model_gives_the_same_bytes_wherever_it_is_packaged(folder, package, tmp_path):
    again = packaged(folder, tmp_path / "again.zip", tmp_path / "elsewhere")
    assert again.read_bytes() == package.read_bytes()


def test_a_package_says_nothing_of_this_computer(package):
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            assert str(PROJECT).encode() not in archive.read(name), name


def test_onnx_that_differs_is_refused(folder):
    done = ask(DIFFER, folder)
    assert done.returncode != 0
    assert "RuntimeError: ONNX and PyTorch differ by" in done.stderr
