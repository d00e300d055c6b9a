"""Whether a package does what it says: ONNX gives what PyTorch gives, and the zoo's own tests pass."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lusco.package.graph import Whole
from lusco.package.parts import INPUT, OUTPUT

TOLERANCE = 1e-4  # of a probability, and of a count or of a part in ten thousand of it
_BRIGHT_COUNTS = 5.0  # mean counts per pixel of the images that are compared


def check_onnx(onnx: bytes, whole: Whole, sides_px: Iterable[int]) -> float:
    """Compare ONNX with PyTorch on images of noise, batches of one and more.

    Parameters
    ----------
    onnx : bytes
        The graph as ONNX.
    whole : Whole
        The same in PyTorch.
    sides_px : iterable of int
        Sides of the images, in pixels.

    Returns
    -------
    float
        The largest difference, as a fraction of the count where that is above one.

    Raises
    ------
    RuntimeError
        If it is above `TOLERANCE`.
    """
    from onnxruntime import InferenceSession

    session = InferenceSession(onnx, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    largest = 0.0
    for batch, side_px in enumerate(sides_px, start=1):
        counts = rng.poisson(rng.gamma(0.2, _BRIGHT_COUNTS / 0.2, (batch, 1, side_px, side_px))).astype(np.float32)
        (got,), expected = session.run([OUTPUT], {INPUT: counts}), whole.compute(counts)
        largest = max(largest, float((np.abs(got - expected) / np.maximum(1, expected)).max()))
    if not largest <= TOLERANCE:
        raise RuntimeError(f"ONNX and PyTorch differ by {largest:.2g}, more than {TOLERANCE:g}")
    return largest


def check_package(path: str | Path) -> None:
    """Run the tests of bioimageio.core: the format, and every kind of weights on the test tensors.

    Raises
    ------
    RuntimeError
        With their summary, if they do not pass.
    """
    from bioimageio.core import test_description

    logging.getLogger("bioimageio").setLevel(logging.WARNING)
    summary = test_description(Path(path), devices=["cpu"])
    if summary.status != "passed":
        raise RuntimeError(summary.format())
