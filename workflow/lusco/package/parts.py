"""What the files of a package are called, how they become bytes, and which sizes of images it takes."""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lusco.reach import coarsest_px, context_px

RDF, README, CARD, LICENSE, COVER = "rdf.yaml", "README.md", "MODEL_CARD.md", "LICENSE", "cover.png"
ONNX, TORCHSCRIPT = "weights.onnx", "weights.torchscript.pt"
INPUT = "counts"
OUTPUT = "recolored"  # one, because ilastik runs no model with several

Files = dict[str, bytes]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold
_READABLE = 0o644 << 16  # mode of a file, where a zip keeps it


def sizes(depth: int, subpixels: int, wide_blocks: int) -> tuple[int, int, int]:
    """Smallest side of a tile, the step to the next larger, and the halo, all in what the network sees as pixels.

    The halo is what tiles must overlap so that they join without seams; something must be left when it is cut off.
    Whole images may have any size.
    """
    step, halo = subpixels * coarsest_px(depth), subpixels * context_px(depth, wide_blocks)
    return 2 * halo + step, step, halo


def channels(structures: Sequence[str]) -> list[str]:
    """Names of the channels of the output: the structures, and the probability of each, named as in LUSCo's tables.

    The format takes identifiers only, so that `alpha-tubulin` is called `alpha_tubulin`, and `53BP1` `_53BP1`.
    """
    names = [re.sub(r"\W", "_", name) for name in structures]
    names = [name if name.isidentifier() and not iskeyword(name) else f"_{name}" for name in names]
    return [*names, *(f"p_{name}" for name in names)]


def tensor_file(tensor: str) -> str:
    """The name of the file with the test tensor of an input or output."""
    return f"test_{tensor}.npy"


def as_npy(array: np.ndarray) -> bytes:
    """An array as a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def as_yaml(content: dict[str, Any]) -> bytes:
    """A mapping of JSON values as a YAML file, in its own order."""
    content = json.loads(json.dumps(content, allow_nan=False))  # parts that are one object would become references
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120).encode()


def write(files: Files, path: str | Path) -> None:
    """Write files into a zip; the same files give the same bytes."""
    Path(path).write_bytes(as_zip(files, zipfile.ZIP_DEFLATED))


def as_zip(files: Files, compression: int) -> bytes:
    """Files as a zip without dates; `compression` as in the module `zipfile`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr = compression, _READABLE
            archive.writestr(entry, content)
    return buffer.getvalue()
