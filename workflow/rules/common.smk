# Configuration, sheet, paths and code identity; the only Python of the workflow.
import hashlib
import json
import math
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

import lusco
from lusco.code import code_hash
from lusco.config import load_config, named_models, start_of
from lusco.errors import InputError
from lusco.fetch import fetchable
from lusco.files import check_writable, date_back
from lusco.model import learnt_acquisitions, validation_acquisitions
from lusco.sheet_reader import read_sheet

LIBRARY = Path(lusco.__file__).parent
PROJECT = LIBRARY.parents[1].resolve()

# rules find the `lusco` that was installed beside this Snakemake, activated or not; envs/ install it from the project
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]), LUSCO_PROJECT=str(PROJECT)
)


# from where it runs, which is a folder of its own where another workflow uses this one as a module
MANIFEST = os.path.relpath(PROJECT / "resources" / "data_manifest.tsv")
DATA = Path("resources/data")

try:
    PUBLIC = fetchable(MANIFEST)
    CONFIG = load_config(config, ", ".join(map(str, workflow.configfiles)) or "configuration")
    ACQUISITIONS = read_sheet(
        CONFIG["acquisitions"],
        CONFIG["structures"],
        CONFIG["splits"],
        CONFIG["seed"],
        fetchable=[DATA / file for file in PUBLIC],
        learn=not CONFIG["pretrained"],
        models={folder: learnt_acquisitions(folder) for folder in named_models(CONFIG).values()},
        validated={folder: validation_acquisitions(folder) for folder in named_models(CONFIG).values()},
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

# where results really are, if another workflow uses this one as a module under a prefix
RESULTS = workflow.modifier.modify_path("results")
if workflow.is_main_process and (dated := date_back(RESULTS)):
    print(
        f"{dated} files of {RESULTS}/ are dated in the future and now long ago: contents are compared", file=sys.stderr
    )

EXPERIMENT = f"results/{CONFIG['experiment']}"
LOGS = f"{EXPERIMENT}/logs"
MODEL_FILES = ("model.json", "weights.safetensors")
BY_NAME = {a.name: a for a in ACQUISITIONS}
SIMULATED = [a.name for a in ACQUISITIONS if a.is_simulated]
MEASURED = [a.name for a in ACQUISITIONS if not a.is_simulated]
APPLIED = [a for a in ACQUISITIONS if a.split == "apply"]
SCORED = [a.name for a in APPLIED if a.truth_column]
PEERS = {name: how for name, how in CONFIG["models"].items() if "peer" in how}
OWN = [name for name in CONFIG["models"] if name not in PEERS]
COMPARED = [name for name, how in CONFIG["models"].items() if how.get("scored", True)]
APPLICABLE = [name for name in OWN if name in COMPARED]
TESTED = {a.structure for a in ACQUISITIONS if a.split == "test"} == set(CONFIG["structures"])
SWEEPS = [name for name, what in CONFIG["sweeps"].items() if name != "composites" and what and TESTED]


# before the first job, because Snakemake itself answers a folder that it cannot write to by a traceback
onstart:
    try:
        for folder in ("results", EXPERIMENT, LOGS):
            check_writable(folder)
    except InputError as error:
        raise WorkflowError(str(error)) from None


wildcard_constraints:
    acquisition="[A-Za-z0-9_.-]+",
    key="[0-9a-f]{10}",
    split="train|validation|test",
    model="|".join(CONFIG["models"]),
    sweep="|".join(SWEEPS) or "nothing^",


def names(allowed):
    """A wildcard constraint that allows these names only."""
    return "|".join(re.escape(name) for name in allowed) or "nothing^"


@cache
def identity(name):
    """Which way an acquisition is brought in: another way is another folder."""
    a = BY_NAME[name]
    how = CONFIG["seed"] if a.is_simulated else CONFIG["ingest"]
    what = [str(a.path), a.structure, a.format, a.pixel_nm, a.region_nm, a.columns, a.truth_column, how]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:10]


def table(name):
    """The localizations of an acquisition."""
    return f"results/acquisitions/{name}/{identity(name)}/localizations.parquet"


def tables(split):
    """The localizations of all acquisitions of a split."""
    return [table(a.name) for a in ACQUISITIONS if a.split == split]


def learnt_tables(model):
    """The localizations that a model of our own is trained on: of each structure, all or the first so many."""
    number, structures = training(model)["acquisitions"], CONFIG["structures"]
    learnt = [[a for a in ACQUISITIONS if (a.split, a.structure) == ("train", name)] for name in structures]
    first = {a.name for some in learnt for a in some[:number]}
    return [table(a.name) for a in ACQUISITIONS if a.name in first]


def renderings():
    """The renderings of all acquisitions at the pixel size of the experiment."""
    return [table(a.name).replace("localizations.parquet", rendering_name()) for a in ACQUISITIONS]


def rendering_name():
    return f"rendering_{CONFIG['pixel_nm']:g}nm.ome.tiff"


def model_folder(name):
    """Where a model is: trained here, or the pretrained one."""
    return CONFIG["pretrained"] or f"{EXPERIMENT}/models/{name}"


def start_files(name):
    """The model whose weights a training starts from, if any."""
    start = start_of(CONFIG, name)
    if start in CONFIG["models"]:
        return model_files(start)
    return [local(f"{start}/{file}") for file in MODEL_FILES] if start else []


def model_files(name):
    files = [f"{model_folder(name)}/{file}" for file in MODEL_FILES]
    return [local(file) for file in files] if CONFIG["pretrained"] else files


def model_card(name):
    """What the authors of a model say of it, if they do."""
    card = f"{model_folder(name)}/README.md"
    return [local(card) if CONFIG["pretrained"] else card] if os.path.exists(card) else []


def histories():
    """The training history of each of our own models trained here, by name."""
    return {} if CONFIG["pretrained"] else {name: f"{model_folder(name)}/history.csv" for name in OWN}


def applied(model, composites):
    """A model applied to composites: files rather than their folder, because Snakemake compares contents of files only."""
    files = ("channels.npy", "probabilities.npy", "regions.csv")
    return [f"{EXPERIMENT}/models_applied/{model}/{composites}/{file}" for file in files]


def recolored(acquisitions=None):
    """The recoloured image, table, table of regions and summary of each acquisition to which the model is applied."""
    chosen = [a.name for a in APPLIED] if acquisitions is None else acquisitions
    files = ("{}.ome.tiff", "{}.csv", "regions/{}.csv", "mixtures/{}.json")
    return [f"{EXPERIMENT}/recolored/{file.format(name)}" for name in chosen for file in files]


def exported():
    """The recoloured acquisitions in the formats of other programs."""
    return [f"{EXPERIMENT}/recolored/{a.name}.{ending}" for a in APPLIED for ending in ("hdf5", "yaml", "smlm")]


def delivered():
    """The files of each recoloured acquisition for its user, a name and endings, so that in the order of names, by which
    `--batch` divides them, they come acquisition by acquisition.
    """
    return [file for file in recolored() + exported() if Path(file).parent.name == "recolored"]


def products():
    """What an experiment is for; without test acquisitions (pretrained models only) nothing is scored."""
    model = [f"{EXPERIMENT}/model/{file}" for file in MODEL_FILES]
    page = [f"{EXPERIMENT}/report.html", f"{EXPERIMENT}/splits.tsv"]
    return page + (list(rules.evaluate.output) if TESTED else []) + model + recolored() + exported()


def summaries():
    """The products that are not of single acquisitions."""
    single = {*recolored(), *exported()}
    return [file for file in products() if file not in single]


def everything():
    """What `all` makes."""
    return products() + renderings() + [f"{EXPERIMENT}/run.json"]


def mixed_figures(ending):
    """The figure of each acquisition that the model is applied to."""
    return [f"{EXPERIMENT}/figures/mixed_{a.name}.{ending}" for a in APPLIED]


def printed(figures):
    """Figures as a journal prints them, in the width of a column or of a page."""
    return [f"{EXPERIMENT}/figures/print/{name}.{ending}" for name in figures for ending in ("png", "svg")]


def shown(path, caption, category, subcategory=None, **labels):
    """A result that Snakemake's own report shows, with the caption of that name in workflow/report."""
    labels = {"experiment": CONFIG["experiment"], **labels}
    caption = f"../report/{caption}.rst"
    return report(path, caption=caption, category=category, subcategory=subcategory, labels=labels)


def in_use():
    """The configuration without what no job of this experiment reads, which the report leaves out."""
    idle = {"ingest": not MEASURED, "train": CONFIG["pretrained"], "validation_composites": CONFIG["pretrained"]}
    idle |= {"training_composites": not PEERS, "test_composites": not TESTED, "composites": not SWEEPS}

    def used(section):
        return {key: value for key, value in section.items() if not idle.get(key)}

    return used(CONFIG) | {name: used(CONFIG[name]) for name in ("superpose", "sweeps")}


def levels(sweep):
    """The levels of a sweep as the command line takes them."""
    return ",".join(map(str, CONFIG["sweeps"][sweep]))


def settings(stage, only=None):
    """The settings of a stage as JSON for the command line; `only` those that matter to a rule, if not all do."""
    return json.dumps({key: CONFIG[stage][key] for key in only or CONFIG[stage]})


def memory(mb):
    """Memory of a job in MB; a cluster's second attempt gets twice as much."""
    return lambda wildcards, attempt: mb * attempt


def training(model):
    """How a model of our own is trained."""
    how = CONFIG["train"] | {key: value for key, value in CONFIG["models"][model].items() if key != "scored"}
    if how["start_from"] in CONFIG["models"]:
        how["start_from"] = workflow.modifier.modify_path(model_folder(how["start_from"]))
    return how


def shown_how():
    """How each model of our own is shown what it learns from, as options, first that which recolours mixtures; none for
    a pretrained one.
    """
    if CONFIG["pretrained"]:
        return []
    keys = ("head", "settle", "subpixels", "acquisitions")
    chosen_first = sorted(APPLICABLE, key=lambda name: name != CONFIG["model"])
    ways = [json.dumps({key: training(name)[key] for key in keys}) for name in chosen_first]
    return [word for way in dict.fromkeys(ways) for word in ("--training", way)]


def gpus(model):
    """How many GPUs its training asks for."""
    how = training(model)
    return 0 if how["device"] == "cpu" else how["devices"]


def ingest_options(a):
    """The columns of the sheet as options of the command line; empty ones are left out."""
    given = {
        "--format": a.format,
        "--pixel-nm": a.pixel_nm,
        "--region-nm": "{:.15g}:{:.15g},{:.15g}:{:.15g}".format(*a.region_nm) if a.region_nm else "",
        "--columns": a.columns,
        "--truth-column": a.truth_column,
    }
    return ["--structure", a.structure, *(f"{option}={value}" for option, value in given.items() if value)]


def source(name):
    """The file of an acquisition, which no prefix of a module moves."""
    return local(str(BY_NAME[name].path))


def beside(path):
    """The YAML file that Picasso keeps beside a table, if there is one: it holds the pixel size."""
    file = Path(path).with_suffix(".yaml")
    return [local(str(file))] if file.is_file() and is_hdf5(path) else []


def is_hdf5(path):
    """By its first bytes, as readers tell it, or by its name."""
    if Path(path).suffix.lower() in (".hdf5", ".h5"):
        return True
    with open(path, "rb") as table:
        return table.read(4) == b"\x89HDF"


@cache
def code(*modules):
    """A hash of each module and all of the library that it imports: editing one re-runs its stages only."""
    return " ".join(code_hash(module, LIBRARY) for module in modules)


def content(*paths):
    """A hash of files of this project that a stage reads beside its code: not inputs, because they may lie elsewhere."""
    return hashlib.sha256(b"".join((PROJECT / path).read_bytes() for path in paths)).hexdigest()[:12]
