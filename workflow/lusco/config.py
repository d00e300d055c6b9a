"""The configuration of an experiment, validated against the schema, with its defaults.

Apart from the settings of stages, because only the workflow reads it, and a stage that runs again where this is edited
would run again for nothing.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lusco.errors import Fault, InputError, raise_all
from lusco.model import SIZE, ModelDescription, only_a_start, read_description, size_of
from lusco.schema import check, read_yaml
from lusco.settings import SCHEMA, unfit_sizes

OF_IMAGES = ("careamics_unet", "microsplit")  # peers that see images
PATCH_OF_PEERS_PX = 64  # that they learn from
STEP_OF_PEERS_PX = 16  # they halve a whole image up to four times, and pad none


def load_config(config: dict[str, Any], file: str | Path) -> dict[str, Any]:
    """Validate a whole configuration and fill in the defaults.

    Parameters
    ----------
    config : dict
        As read from YAML.
    file : str or Path
        Its file, for messages.

    Returns
    -------
    dict
        A new configuration in which every key of the schema is present.

    Raises
    ------
    InputError
        With all faults of the configuration at once.
    """
    full = check(config, read_yaml(SCHEMA), file)
    own = [name for name, how in full["models"].items() if "peer" not in how and how.get("scored", True)]
    full["model"] = full["model"] or next(iter(own or full["models"]))
    shapes = full["evaluate"]["shapes"]
    full["evaluate"]["shapes"] = {str(name): shape for name, shape in shapes.items()}  # YAML takes 488 for a number
    # Snakemake knows a folder by one name only
    for how in (full, full["train"], *full["models"].values()):
        how |= {key: os.path.normpath(how[key]) for key in ("pretrained", "start_from") if how.get(key)}
    raise_all(_contradictions(full, file))
    if full["pretrained"]:  # in the place of all that the experiment would train
        full["models"], full["train"]["start_from"] = {full["model"]: {}}, ""
    for name, how in full["models"].items():
        if "peer" not in how and start_of(full, name):
            full["models"][name] = _size(full, name, config.get("train", {})) | how
    raise_all(dict.fromkeys(_unfit_sizes(full, file)))
    return full


def _contradictions(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """What a schema cannot see: keys that do not go together, and a model that is not there."""
    if full["model"] not in full["models"]:
        mend = f"name one of {', '.join(full['models'])}"
        yield Fault(file, f"there is no model `{full['model']}`", mend, "key `model`")
    yield from _unlike_peers(full, file)
    yield from _unlike_starts(full, file)
    for key in ("structures", "models"):
        if len({name.lower() for name in full[key]}) < len(full[key]):
            yield Fault(file, f"two {key} differ only in upper and lower case", "rename one", f"key `{key}`")
    usual = read_yaml(SCHEMA)["properties"]["evaluate"]["properties"]["shapes"]["default"]
    if foreign := sorted(set(full["evaluate"]["shapes"]) - set(full["structures"]) - set(usual)):
        mend = f"name some of {', '.join(full['structures'])}"
        yield Fault(file, f"there is no structure `{foreign[0]}`", mend, "key `evaluate.shapes`")
    if max(full["sweeps"]["number"], default=1) > len(full["structures"]):
        mend = f"name numbers up to {len(full['structures'])}"
        yield Fault(file, "more structures are asked for than there are", mend, "key `sweeps.number`")
    if full["splits"]["validation"] + full["splits"]["test"] >= 1:
        yield Fault(file, "validation and test leave nothing to train on", "lower one of the fractions", "key `splits`")
    if (frames := full["ingest"]["frames"]) and frames[0] > frames[1]:
        what = f"the range {frames} starts above its end"
        yield Fault(file, what, "swap the two", "key `ingest.frames`")
    if set("{}") & set(full["acquisitions"]):
        what = f"the path `{full['acquisitions']}` holds braces, which Snakemake takes for wildcards"
        yield Fault(file, what, "rename the sheet", "key `acquisitions`")
    if full["pretrained"] and "=" in full["pretrained"]:
        yield Fault(file, "the path of the model has a `=`", "rename the folder", "key `pretrained`")
    yield from _unfit_models(full, file)
    yield from _endless_starts(full, file)


def named_models(full: Mapping[str, Any]) -> dict[str, str]:
    """Folders of the models that a configuration applies or starts from, by the key that names each."""
    starts = {"train.start_from": full["train"]["start_from"]}
    starts |= {f"models.{name}.start_from": how.get("start_from", "") for name, how in full["models"].items()}
    named = {"pretrained": full["pretrained"]}
    named |= {key: start for key, start in starts.items() if start not in full["models"]}  # those are yet to be trained
    return {key: folder for key, folder in named.items() if folder}


def start_of(full: Mapping[str, Any], name: str) -> str:
    """What the training of a model starts from: another model of the experiment, a folder, or nothing (empty)."""
    return full["models"][name].get("start_from", full["train"]["start_from"])


def _size(full: dict[str, Any], name: str, train: Mapping[str, Any]) -> dict[str, int]:
    """The size of a model's network where it is not the default: given, in `train` too, or that of its start."""
    start = start_of(full, name)
    size = _size(full, start, train) if start in full["models"] else size_of(start) if start else {}
    return size | {key: value for key, value in (train | full["models"][name]).items() if key in SIZE}


def _unfit_sizes(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Networks that composites or crops do not fit, or that cannot take the weights they would start from."""
    if full["pretrained"]:
        return
    for name in (name for name, how in full["models"].items() if "peer" not in how):
        how = full["train"] | full["models"][name]
        yield from unfit_sizes(how, full["superpose"]["crop_px"], file)
        if start := start_of(full, name):
            given = full["train"] | full["models"][start] if start in full["models"] else size_of(start)
            same = all(how[key] == given[key] for key in ("features", "depth"))
            if not same or how["wide_blocks"] < given["wide_blocks"]:
                size = "{features} features, depth {depth} and {wide_blocks} wide blocks".format_map(given)
                mend = "leave out `features` and `depth`, and ask for as many wide blocks or more"
                what = f"the model to start from has {size}, which `{name}` has not"
                yield Fault(file, what, mend, f"key `models.{name}`")


def _endless_starts(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Models that start from a peer, whose weights are others, or in the end from themselves."""
    models = full["models"]
    for name in (name for name, how in models.items() if "peer" not in how):
        passed = [name]
        while (start := start_of(full, passed[-1])) in models and "peer" not in models[start] and start not in passed:
            passed.append(start)
        key = (
            f"key `models.{passed[-1]}.start_from`" if "start_from" in models[passed[-1]] else "key `train.start_from`"
        )
        if start in models and "peer" in models[start]:
            yield Fault(file, f"the model `{start}` is a peer, whose weights are others", "name one of our own", key)
        elif start == name:
            yield Fault(file, f"`{name}` would start from itself", "name another model, or none (empty)", key)


def _unfit_models(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Keys that name the folder of a model where there is none or one of other pixels, or that Snakemake misreads."""
    for key, folder in named_models(full).items():
        if set("{}") & set(folder):
            what = f"the path `{folder}` holds braces, which Snakemake takes for wildcards"
            yield Fault(file, what, "rename the folder", f"key `{key}`")
        elif key.endswith("start_from") and _is_product(folder, full["experiment"]):
            what = f"the model in `{folder}` is a result of this experiment, which would be made again from itself"
            yield Fault(file, what, "name a copy of it elsewhere, or change `experiment`", f"key `{key}`")
        elif key == "pretrained" and Path(folder).resolve() == Path("results", full["experiment"], "model").resolve():
            what = f"`{folder}` is where this experiment puts the model that it applies"
            yield Fault(file, what, "name that of another experiment, or change `experiment`", f"key `{key}`")
        elif not all((Path(folder) / part).is_file() for part in ("model.json", "weights.safetensors")):
            mend = "give a folder with model.json and weights.safetensors, or leave it empty to train"
            yield Fault(file, f"there is no model in the folder `{folder}`", mend, f"key `{key}`")
        elif (model := _described(folder)) and model.pixel_nm != full["pixel_nm"]:
            what = f"the model in `{folder}` has pixels of {model.pixel_nm:g} nm, not {full['pixel_nm']:g}"
            yield Fault(file, what, "set `pixel_nm` to that of the model, or name another model", f"key `{key}`")
        elif key == "pretrained" and model:
            if not model.usable:
                what, mend = only_a_start(folder).what, only_a_start(folder).mend
                yield Fault(file, what, mend, f"key `{key}`")
            if model.structures != tuple(full["structures"]):
                what = f"the model in `{folder}` knows the structures {', '.join(model.structures)}"
                yield Fault(file, what, "name these, in its order, or train another", "key `structures`")
            # the scale of its images is that of images so smoothed
            own, asked = (how.get("smoothing_nm") for how in (model.training, full["evaluate"]))
            if own not in (None, asked):
                what = f"the model in `{folder}` knows images that are smoothed by {own:g} nm, not by {asked:g}"
                yield Fault(file, what, f"set `smoothing_nm` to {own:g}", "key `evaluate.smoothing_nm`")


def _is_product(folder: str, experiment: str) -> bool:
    """Whether a folder lies where an experiment writes its models."""
    results = Path("results", experiment).resolve()
    return any(Path(folder).resolve().is_relative_to(results / own) for own in ("model", "models"))


def _described(folder: str) -> ModelDescription | None:
    """The description of a model on disk; None if it is damaged, which is told by the stage that needs it."""
    try:
        return read_description(folder)
    except InputError:
        return None


def _unlike_starts(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Where models that are only a start for others are no start, or are to be applied."""
    for name, how in full["models"].items():
        if how.get("scored", True) or "peer" in how:
            continue
        if name == full["model"]:
            what = f"the model `{name}`, which recolours, has `scored: false`"
            yield Fault(file, what, "name, or add, a model without it", "key `model`")
        elif name not in (start_of(full, other) for other in full["models"]):
            what = f"`{name}` has `scored: false`, and no model starts from it"
            yield Fault(file, what, "remove the one or the other", f"key `models.{name}`")


def _unlike_peers(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Where the models that are peers are not given as such, or stand where only an own model can."""
    peers = [name for name, how in full["models"].items() if "peer" in how]
    for name, how in full["models"].items():
        keys = set(how) - {"peer", "minutes"}
        if name in peers and keys:
            what = f"`{min(keys)}` is a setting of our own network, and the model is a peer"
            yield Fault(file, what, "a peer takes `minutes` only; remove the one or the other", f"key `models.{name}`")
        elif name in peers and "minutes" not in how:
            yield Fault(file, "missing `minutes`", "say how long the peer may train", f"key `models.{name}`")
        elif name not in peers and "minutes" in how:
            mend = "give `steps`, or name a `peer`"
            yield Fault(file, "`minutes` is for peers only", mend, f"key `models.{name}`")
    side_px = full["superpose"]["crop_px"]
    if any(full["models"][name]["peer"] in OF_IMAGES for name in peers):
        if side_px < PATCH_OF_PEERS_PX:
            what = f"composites of {side_px} pixels are smaller than what a peer learns from"
            yield Fault(file, what, f"make them {PATCH_OF_PEERS_PX} pixels or larger", "key `superpose.crop_px`")
        elif side_px % STEP_OF_PEERS_PX:
            what = f"composites of {side_px} pixels cannot be halved as often as a peer does"
            yield Fault(file, what, f"take a multiple of {STEP_OF_PEERS_PX}", "key `superpose.crop_px`")
    if full["model"] in peers:
        what = f"the model `{full['model']}` is a peer, and only a network of our own recolours acquisitions"
        yield Fault(file, what, "name, or add, a model without `peer`", "key `model`")
    if peers and full["pretrained"]:
        what = f"with a pretrained model nothing is trained, and the peer `{peers[0]}` would have to be"
        yield Fault(file, what, "leave out the one or the other", "key `pretrained`")
