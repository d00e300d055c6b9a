"""The whole model in one graph: counts per pixel in, recoloured channels and calibrated probabilities out.

What `lusco recolor` does beside it, averaging over eight views and tiling, is left to the program that runs it.
"""

import io
import logging
import warnings
import zipfile

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lusco.heads import HEADS
from lusco.model import ModelDescription
from lusco.network import UNet
from lusco.package.parts import INPUT, OUTPUT, as_zip
from lusco.reach import coarsest_px

OPSET = 18  # of ONNX; what runtimes of the last years read

# where TorchScript keeps the paths of the source files on this computer, and a name that follows from them
_OF_THIS_COMPUTER = (".debug_pkl", "serialization_id")


class Whole(nn.Module):
    """Network, head, temperature and sharpness of a model.

    Parameters
    ----------
    network : UNet
        The network.
    model : ModelDescription
        What its output means.
    """

    def __init__(self, network: UNet, model: ModelDescription) -> None:
        super().__init__()
        self.network = network
        self.step_px = network.subpixels * coarsest_px(network.depth)
        self.head = HEADS[model.head]
        self.temperature = model.temperature["typical"]  # an image has no uncertainties
        self.sharpness = model.sharpness
        self.register_buffer("scale", torch.tensor(model.scale_counts, dtype=torch.float32).reshape(-1, 1, 1))

    def forward(self, counts: Tensor) -> Tensor:
        """Map counts, shape (batch, 1, rows, columns), to (batch, 2 * structures, rows, columns).

        These are the channels, in counts, and after them the probabilities. The image may have any size: as
        `lusco recolor` does, zeros are added after the last row and column for what the network needs.
        """
        rows, columns = counts.shape[-2:]
        z = self.network(functional.pad(counts, (0, -columns % self.step_px, 0, -rows % self.step_px)))
        z = z[:, :, :rows, :columns]
        logs = self.head.log_probabilities(z, self.scale)
        probabilities = torch.softmax(logs / self.temperature, 1)
        shares = torch.softmax(logs * (self.sharpness / self.temperature), 1)
        return torch.cat([self.head.channels(z, shares, counts, self.scale), probabilities], 1)

    def compute(self, counts: np.ndarray) -> np.ndarray:
        """The same for arrays, on one processor thread, so that its number does not show in the last digits."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                return self(torch.from_numpy(counts)).numpy()
        finally:
            torch.set_num_threads(threads)


def to_onnx(whole: Whole, side_px: int) -> bytes:
    """The graph as ONNX for any batch, rows and columns, without the paths of this computer.

    Parameters
    ----------
    whole : Whole
        The graph.
    side_px : int
        Side of the image with which it is followed, in pixels.
    """
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    for talkative in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about torch
        program = torch.onnx.export(
            whole,
            (_example(side_px),),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: "batch", 2: "rows", 3: "columns"},),
        )
    ClearMetadataAndDocStringPass()(program.model)
    return program.model_proto.SerializeToString()


def to_torchscript(whole: Whole, side_px: int) -> bytes:
    """The graph as TorchScript for any batch, rows and columns, without the paths of this computer.

    Parameters
    ----------
    whole : Whole
        The graph.
    side_px : int
        Side of the image with which it is followed, in pixels.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch goes on to other formats, the zoo's programs do not
        torch.jit.save(torch.jit.trace(whole, _example(side_px), check_trace=False), buffer)
    with zipfile.ZipFile(buffer) as archive:
        kept = [name for name in archive.namelist() if not name.endswith(_OF_THIS_COMPUTER)]
        return as_zip({name: archive.read(name) for name in kept}, zipfile.ZIP_STORED)


def _example(side_px: int) -> Tensor:
    return torch.ones(2, 1, side_px, side_px)  # two images, because a batch of one is taken for a constant
