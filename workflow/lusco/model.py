"""A trained model on disk: a folder of `weights.safetensors` and `model.json`, never a pickle.

The description is read without torch, so that stages which only need a scale or a threshold start fast.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lusco.errors import Fault, InputError
from lusco.files import RESTORE, atomic, read_json, write_json
from lusco.packed import unpack
from lusco.schema import check, read_yaml
from lusco.settings import SHARES

if TYPE_CHECKING:
    from lusco.network import UNet

FORMAT = "lusco-model"
VERSION = 13
SIZE = ("features", "depth", "wide_blocks")  # what a network has in common with the one whose weights it takes
MODEL_SCHEMA = Path(__file__).parents[1] / "schemas" / "model.schema.yaml"
WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"


@dataclass(frozen=True)
class ModelDescription:
    """Everything about a model but its weights.

    Parameters
    ----------
    structures : tuple of str
        Structures in the order of the channels.
    pixel_nm : float
        Pixel size it was trained at, in nm.
    head : str
        A name in `lusco.heads.HEADS`, or that of a peer in `lusco.peers`.
    features, depth : int
        Size of the U-Net; 0 for a peer.
    scale_counts : tuple of float
        Scale of each structure's images, in counts per pixel, from the training acquisitions.
    temperature : dict
        Divides log probabilities, the fields of `lusco.answer.Temperature`; fitted on validation composites.
    sharpness : float
        Power of the calibrated probabilities that makes the shares of the channels; chosen on validation composites.
    rejection : list of dict
        On validation composites: `threshold`, and the `rejected` fraction and `crosstalk` it gives.
    known : dict
        Regions that the model knows, the fields of `lusco.novelty.Known`.
    training : dict
        Settings, seed, acquisitions, steps and versions of the training.
    weights_sha256 : str
        Checksum of the weights; empty for a peer.
    subpixels : int
        In how many parts the network sees the side of a pixel.
    wide_blocks : int
        Further, dilated blocks of the U-Net.
    repeats : dict
        How molecules repeat, the fields of `lusco.repeats.Repeats`; without bins or traces, positions are shown as
        measured.
    """

    structures: tuple[str, ...]
    pixel_nm: float
    head: str
    features: int
    depth: int
    scale_counts: tuple[float, ...]
    temperature: dict[str, float]
    sharpness: float
    rejection: list[dict[str, float]]
    known: dict[str, Any]
    training: dict[str, Any]
    weights_sha256: str = ""
    subpixels: int = 1
    wide_blocks: int = 0
    repeats: dict[str, Any] = field(default_factory=lambda: {"lag_frames": [], "per_frame": []})

    @property
    def seen_pixel_nm(self) -> float:
        """Side of what the network sees as a pixel, in nm."""
        return self.pixel_nm / self.subpixels

    @property
    def divides(self) -> bool:
        """Whether the channels are shares of what was measured, as `lusco.heads` has it, without torch."""
        return self.head == SHARES

    @property
    def usable(self) -> bool:
        """Whether thresholds were chosen for it; not for a model that is only a start for others."""
        return self.training.get("scored", True)

    def threshold(self, crosstalk: float) -> float:
        """The lowest threshold whose crosstalk on validation is at or under `crosstalk`.

        Where none is, the threshold with the least crosstalk.
        """
        good = [entry["threshold"] for entry in self.rejection if entry["crosstalk"] <= crosstalk]
        if good:
            return min(good)
        return min(self.rejection, key=lambda entry: (entry["crosstalk"], entry["threshold"]))["threshold"]


def write_model(folder: str | Path, network: "UNet", description: ModelDescription) -> None:
    """Write weights and description; the checksum of the weights is filled in.

    The description is written last, so that a folder with one is complete.
    """
    from safetensors.torch import save

    folder = Path(folder)
    weights = save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    with atomic(folder / WEIGHTS) as partial:
        partial.write_bytes(weights)
    write_description(folder, replace(description, weights_sha256=hashlib.sha256(weights).hexdigest()))


def write_description(folder: str | Path, description: ModelDescription) -> None:
    """Write the description of a model."""
    write_json(Path(folder) / DESCRIPTION, {"format": FORMAT, "version": VERSION, **asdict(description)})


def read_description(folder: str | Path) -> ModelDescription:
    """Read the description of a model.

    Raises
    ------
    InputError
        If the folder holds no model of LUSCo, or a damaged one.
    """
    file = Path(folder) / DESCRIPTION
    content = read_json(file)
    foreign = "it is no model of LUSCo; give a folder that `lusco train` wrote"
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(Fault(file, "the description has another format", foreign))
    if content.get("version") != VERSION:
        raise InputError(
            Fault(file, f"the model has version {content.get('version')}, not {VERSION}", "train it again")
        )
    fields = ModelDescription.__dataclass_fields__
    if missing := sorted(set(fields) - set(content)):
        raise InputError(Fault(file, f"the description lacks {', '.join(missing)}", RESTORE))
    content = check({name: content[name] for name in fields}, read_yaml(MODEL_SCHEMA), file)
    if len(content["scale_counts"]) != len(content["structures"]):
        raise InputError(Fault(file, "it has not one scale per structure", RESTORE, "key `scale_counts`"))
    if len(content["known"]["parts"]) != 1 + len(content["structures"]):
        raise InputError(
            Fault(file, "it has not one part for whole regions and one for each structure", RESTORE, "key `known`")
        )
    if not _holds_together(content["known"], content["features"]):
        raise InputError(Fault(file, "what it knows of regions does not hold together", RESTORE, "key `known`"))
    edges = content["repeats"]["lag_frames"]
    if len(edges) != len(content["repeats"]["per_frame"]) + bool(edges) or edges != sorted(set(edges)):
        raise InputError(Fault(file, "the bins of repeats do not hold together", RESTORE, "key `repeats`"))
    for name in ("structures", "scale_counts"):
        content[name] = tuple(content[name])
    return ModelDescription(**content)


def _holds_together(known: dict[str, Any], features: int) -> bool:
    """Whether all that is known of parts has as many numbers as it must, and the axes are those of the network."""
    parts, axes, looks = known["parts"], known["axes"], known["appearance"]
    if len(looks) != (len(parts) if axes else 0) or any(len(axis) != features for axis in axes):
        return False
    if any(len(part["mean"]) != len(axes) for part in looks):
        return False
    by_number = known["fields"], *(part["distances"] for part in (*parts, *looks))
    if any(len(limits) != len(parts) for limits in by_number):  # of no structure to all of them
        return False
    try:
        for part in (*parts, *looks):
            unpack(part["features"], len(part["mean"]))
    except ValueError:
        return False
    return all([*map(len, part["whitening"])] == [len(part["mean"])] * len(part["mean"]) for part in (*parts, *looks))


def size_of(folder: str | Path) -> dict[str, int]:
    """The size of the network of a model, by the settings of a training that have it; so large are those it starts."""
    description = read_description(folder)
    return {key: getattr(description, key) for key in SIZE}


def learnt_acquisitions(folder: str | Path) -> set[str]:
    """Names of the acquisitions that a model, or the one it started from, was trained on; none if it is damaged."""
    training = _training(folder)
    own = training.get("acquisitions", {}).values()
    return {*training.get("learnt_before", ()), *(name for names in own for name in names)}


def validation_acquisitions(folder: str | Path) -> set[str]:
    """Names of those by which weights and thresholds of a model, or of the one it started from, were chosen."""
    return set(_training(folder).get("validated_on", ()))


def _training(folder: str | Path) -> dict[str, Any]:
    try:
        return read_description(folder).training
    except InputError:  # told by the stage that needs the model
        return {}


def only_a_start(folder: str | Path) -> Fault:
    """That a model cannot be applied, because no thresholds were chosen for it."""
    what = "the model is only a start for others (`scored: false`), for which no thresholds were chosen"
    return Fault(folder, what, "name one that started from it, or train it without `scored: false`")


def check_structures(description: ModelDescription, structures: Sequence[str], file: str | Path) -> None:
    """Check that a model tells apart exactly the given structures, in this order.

    Raises
    ------
    InputError
        If it does not.
    """
    if description.structures != tuple(structures):
        known, wanted = ", ".join(description.structures), ", ".join(structures)
        raise InputError(
            Fault(
                file,
                f"the model knows the structures {known}, the configuration asks for {wanted}",
                "set `structures` to those of the model, in its order, or train another",
            )
        )


def check_pixels(description: ModelDescription, pixel_nm: float, file: str | Path) -> None:
    """Check that a model has pixels of the given size.

    Raises
    ------
    InputError
        If it has not.
    """
    if description.pixel_nm != pixel_nm:
        what = f"the model has pixels of {description.pixel_nm:g} nm, not {pixel_nm:g}"
        raise InputError(Fault(file, what, "set `pixel_nm` to that of the model, or name another model"))


def start_network(network: "UNet", structures: Sequence[str], pixel_nm: float, folder: str | Path) -> None:
    """Give a new network the weights of a model, and the outputs of those structures that both have.

    They may see pixels in different parts, and it may have further wide blocks; then it begins with nearly the model's
    answers.

    Parameters
    ----------
    network : UNet
        Changed in place.
    structures : sequence of str
        Structures in the order of its channels; those that the model does not have keep their first weights.
    pixel_nm : float
        Pixel size it is to be trained at, in nm.
    folder : str or Path
        Folder of the model.

    Raises
    ------
    InputError
        If the model is of another size, or of another pixel size.
    """
    from lusco.network import in_parts

    description = read_description(folder)
    check_pixels(description, pixel_nm, folder)
    known = in_parts(read_network(folder, description), network.subpixels)
    own, given = network.state_dict(), known.state_dict()
    same = (network.features, network.depth) == (known.features, known.depth)
    if not same or network.wide_blocks < known.wide_blocks:
        size = f"{known.features} features, depth {known.depth} and {known.wide_blocks} wide blocks"
        mend = "set `train.features` and `train.depth` to these, and `train.wide_blocks` to as many or more"
        raise InputError(Fault(folder, f"the model to start from has {size}", mend))
    for name in ("head.weight", "head.bias"):
        each = len(own[name]) // len(structures)  # outputs of a structure, one after another
        start = given.pop(name)
        for index, structure in enumerate(structures):
            if structure in description.structures:
                place = description.structures.index(structure)
                own[name][index * each : (index + 1) * each] = start[place * each : (place + 1) * each]
    network.load_state_dict(own | given)


def read_network(folder: str | Path, description: ModelDescription) -> "UNet":
    """Build the network of a model and load its weights.

    Raises
    ------
    InputError
        If the weights are missing, damaged, or those of another network.
    """
    import torch
    from safetensors.torch import load

    from lusco.network import UNet

    file = Path(folder) / WEIGHTS
    try:
        weights = file.read_bytes()
    except FileNotFoundError:
        raise InputError(Fault(file, "the weights of the model do not exist", RESTORE)) from None
    if hashlib.sha256(weights).hexdigest() != description.weights_sha256:
        raise InputError(Fault(file, "the weights are damaged: their checksum is not that in model.json", RESTORE))
    own = description
    size = (len(own.structures), own.features, own.depth, own.subpixels, own.wide_blocks)
    with torch.device("meta"):  # takes no memory, whatever size is claimed
        shapes = {name: tensor.shape for name, tensor in UNet(*size).state_dict().items()}
    try:
        tensors = load(weights)
    except Exception:  # besides its own, safetensors raises what torch makes of a claim
        tensors = {}
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
        raise InputError(Fault(file, "the weights do not fit the network in model.json", RESTORE))
    network = UNet(*size)
    network.load_state_dict(tensors)
    if not all(tensor.isfinite().all() for tensor in network.state_dict().values()):
        raise InputError(Fault(file, "some of the weights are NaN or infinite", RESTORE))
    return network.eval()
