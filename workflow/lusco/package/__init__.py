"""A model as a package for the BioImage Model Zoo, which napari, ilastik and deepImageJ run without LUSCo.

A package is one zip: the weights as ONNX and as TorchScript, `rdf.yaml` that describes them in version 0.5 of the zoo's
format, test tensors that say what they must give, and a README for people. It is checked before it gets its name: what
`bioimageio.core` does not accept, or `onnxruntime` computes differently, is never written.
"""

import logging
from importlib.util import find_spec
from pathlib import Path

from lusco.errors import Fault, InputError
from lusco.files import atomic
from lusco.heads import HEADS
from lusco.model import ModelDescription, read_description, read_network
from lusco.package.check import check_onnx, check_package
from lusco.package.describe import describe
from lusco.package.example import cover, example_counts
from lusco.package.graph import Whole, to_onnx, to_torchscript
from lusco.package.parts import (
    CARD,
    COVER,
    INPUT,
    LICENSE,
    ONNX,
    OUTPUT,
    RDF,
    README,
    TORCHSCRIPT,
    Files,
    as_npy,
    as_yaml,
    sizes,
    tensor_file,
    write,
)
from lusco.package.readme import readme
from lusco.repeats import Repeats

logger = logging.getLogger(__name__)

PROJECT = Path(__file__).parents[3]
NEEDED = ("bioimageio", "onnx", "onnxruntime", "onnxscript")


def package(folder: str | Path, out: str | Path) -> None:
    """Write a model as a package, once it has passed the zoo's own tests; the same model gives the same bytes.

    Parameters
    ----------
    folder : str or Path
        Folder of a model of LUSCo's own; a `README.md` in it goes along as the model's card.
    out : str or Path
        File to write, ending in `.zip`.

    Raises
    ------
    InputError
        If the model cannot be read or is a peer's, or if what writes and checks packages is not installed here.
    """
    check_possible(out)
    model = read_description(folder)
    if model.head not in HEADS:
        what = f"it is a model by others (`{model.head}`), which cannot be packaged"
        raise InputError(Fault(folder, what, "give one that `lusco train` wrote"))
    whole = Whole(read_network(folder, model), model).eval()
    smallest_px, _, _ = sizes(model.depth, model.subpixels, model.wide_blocks)
    onnx = to_onnx(whole, smallest_px)
    difference = check_onnx(onnx, whole, (smallest_px, smallest_px + 1))
    logger.info("ONNX and PyTorch differ by at most %.1g of a count or of the probabilities", difference)
    weights = {ONNX: onnx, TORCHSCRIPT: to_torchscript(whole, smallest_px)}
    with atomic(out) as partial:
        write(contents(folder, model, whole, weights), partial)
        check_package(partial)
    logger.info("%s passes the tests of bioimageio.core", out)


def check_possible(out: str | Path) -> None:
    """Check that a package can be written here, before anything takes time.

    Raises
    ------
    InputError
        If the file is to be no zip, or if packages are missing.
    """
    if Path(out).suffix != ".zip":
        raise InputError(Fault(out, "a package is a zip file", "give a name that ends in `.zip`"))
    if missing := [name for name in NEEDED if not find_spec(name)]:
        what = f"{', '.join(missing)}, with which packages are written and checked, cannot be imported"
        mend = "run `make zoo`, and then Snakemake with the target `package`, or `.venv-zoo/bin/lusco`"
        raise InputError(Fault(out, what, mend))


def contents(folder: str | Path, model: ModelDescription, whole: Whole, weights: Files) -> Files:
    """Every file of a package by its name.

    Parameters
    ----------
    folder : str or Path
        Folder of the model.
    model : ModelDescription
        Its description.
    whole : Whole
        Its graph.
    weights : dict
        The graph in formats of the zoo, by file name.
    """
    sizes_px = sizes(model.depth, model.subpixels, model.wide_blocks)
    counts = example_counts(model.structures, model.seen_pixel_nm, sizes_px, Repeats(**model.repeats))
    recolored = whole.compute(counts)
    card = Path(folder) / "README.md"
    files = {
        **weights,
        tensor_file(INPUT): as_npy(counts),
        tensor_file(OUTPUT): as_npy(recolored),
        COVER: cover(counts[0, 0], recolored[0, : len(model.structures)], model.seen_pixel_nm),
        README: readme(model, has_card=card.is_file()).encode(),
        LICENSE: (PROJECT / LICENSE).read_bytes(),
    }
    if card.is_file():
        files[CARD] = card.read_bytes()
    parameters = sum(tensor.numel() for tensor in whole.network.parameters())
    return {RDF: as_yaml(describe(model, files, parameters, PROJECT / "CITATION.cff")), **files}
