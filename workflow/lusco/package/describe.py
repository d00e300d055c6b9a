"""What `rdf.yaml` says: the description of a model as the BioImage Model Zoo reads it.

Written as version 0.5.4 of its format, which programs of the last years read; newer ones convert it.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from lusco.model import ModelDescription
from lusco.package.check import TOLERANCE
from lusco.package.graph import OPSET
from lusco.package.parts import (
    CARD,
    COVER,
    INPUT,
    LICENSE,
    ONNX,
    OUTPUT,
    README,
    TORCHSCRIPT,
    Files,
    channels,
    sizes,
    tensor_file,
)
from lusco.package.readme import FORBIDDEN, LIMITATIONS, in_words, summary
from lusco.reach import PATCH_PX
from lusco.schema import read_yaml

FORMAT_VERSION = "0.5.4"
LICENSE_ID = "BSD-3-Clause"
ARCHITECTURE = {
    "text": "Ronneberger, Fischer and Brox 2015, U-Net: the architecture that the network varies",
    "doi": "10.1007/978-3-319-24574-4_28",
}
TAGS = (
    "single-molecule-localization-microscopy",
    "smlm",
    "super-resolution",
    "multiplexing",
    "structure-separation",
    "unet",
    "2d",
    "pytorch",
    "onnx",
)
WHAT = {
    INPUT: "localizations per pixel, of all structures in one image",
    OUTPUT: "localizations per pixel of each structure, then how likely those of a pixel are of each (p_)",
}


def describe(model: ModelDescription, files: Files, parameters: int, citation: str | Path) -> dict[str, Any]:
    """Everything that `rdf.yaml` says.

    Parameters
    ----------
    model : ModelDescription
        The model.
    files : dict
        The other files of the package, whose checksums it holds.
    parameters : int
        Number of weights.
    citation : str or Path
        CITATION.cff, which names the authors.
    """
    cited = read_yaml(citation)
    return {
        "format_version": FORMAT_VERSION,
        "type": "model",
        "name": f"LUSCo recolouring of {len(model.structures)} structures",
        "description": summary(model),
        "authors": [{"name": name} for name in authors(cited)],
        "license": LICENSE_ID,
        "cite": [*citations(cited), ARCHITECTURE],
        "tags": [*TAGS, *model.structures],
        "documentation": README,
        "covers": [COVER],
        "attachments": [file(name, files) for name in (CARD, LICENSE) if name in files],
        "inputs": [_input(model, files)],
        "outputs": [_output(model, files)],
        "weights": {
            "torchscript": file(TORCHSCRIPT, files)
            | {"pytorch_version": torch.__version__.split("+")[0], "comment": "traced from the PyTorch network"},
            "onnx": file(ONNX, files)
            | {"opset_version": OPSET, "parent": "torchscript", "comment": "exported from the same PyTorch network"},
        },
        "config": {"bioimageio": _card(model, parameters), "lusco": _origin(model)},
    }


def authors(cited: dict[str, Any]) -> list[str]:
    """Names of the authors in a CITATION.cff, of persons and of groups."""
    parts = ("given-names", "name-particle", "family-names", "name-suffix")
    return [each.get("name") or " ".join(each[part] for part in parts if part in each) for each in cited["authors"]]


def citations(cited: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What a CITATION.cff asks to cite, as far as it can be looked up: the zoo takes nothing without DOI or address."""
    for work in (cited, *cited.get("references", [])):
        where = {key: work[key] for key in ("doi", "url") if key in work}
        if where:
            yield {"text": work["title"], **where}


def file(name: str, files: Files) -> dict[str, str]:
    """A file of the package and its checksum."""
    return {"source": name, "sha256": hashlib.sha256(files[name]).hexdigest()}


def _input(model: ModelDescription, files: Files) -> dict[str, Any]:
    smallest, step, _ = sizes(model.depth, model.subpixels, model.wide_blocks)
    size = {"size": {"min": smallest, "step": step}, "concatenable": True}
    channel = {"type": "channel", "channel_names": [INPUT]}
    return _tensor(INPUT, files) | {"axes": [{"type": "batch"}, channel, *_plane(model, {"y": size, "x": size})]}


def _output(model: ModelDescription, files: Files) -> dict[str, Any]:
    halo = sizes(model.depth, model.subpixels, model.wide_blocks)[2]
    size = {axis: {"size": {"tensor_id": INPUT, "axis_id": axis}, "halo": halo} for axis in ("y", "x")}
    channel = {"type": "channel", "channel_names": channels(model.structures)}
    return _tensor(OUTPUT, files) | {"axes": [{"type": "batch"}, channel, *_plane(model, size)]}


def _tensor(name: str, files: Files) -> dict[str, Any]:
    return {
        "id": name,
        "description": WHAT[name],
        "data": {"type": "float32", "range": [0.0, None]},
        "test_tensor": file(tensor_file(name), files),
    }


def _plane(model: ModelDescription, size: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for axis in ("y", "x"):
        yield {"type": "space", "id": axis, "unit": "nanometer", "scale": model.seen_pixel_nm, **size[axis]}


def _card(model: ModelDescription, parameters: int) -> dict[str, Any]:
    """What the zoo shows of a model beside its format."""
    patch = PATCH_PX * model.subpixels
    return {
        "reproducibility_tolerance": [{"relative_tolerance": TOLERANCE, "absolute_tolerance": TOLERANCE}],
        "architecture_type": "U-Net",
        "architecture_description": f"Residual U-Net on patches of {patch} x {patch} pixels, without"
        f" normalization layers, {model.features} features, {model.depth} further halvings,"
        f" {model.wide_blocks} dilated blocks.",
        "modality": "single-molecule localization microscopy",
        "target_structure": [in_words(name) for name in model.structures],
        "task": "separation of structures in one dye",
        "out_of_scope_use": " ".join(FORBIDDEN),
        "bias_risks_limitations": {"limitations": " ".join(LIMITATIONS)},
        "model_parameter_count": parameters,
    }


def _origin(model: ModelDescription) -> dict[str, Any]:
    """How the model came about."""
    training = model.training
    acquisitions = {name: len(listed) for name, listed in training.get("acquisitions", {}).items()}
    known = {key: training[key] for key in ("lusco", "seed", "steps") if key in training}
    return {**known, "training_acquisitions": acquisitions, "weights_sha256": model.weights_sha256}
