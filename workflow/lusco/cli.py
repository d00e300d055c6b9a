"""The command line: `lusco <stage>`, one command per stage, each importing only what it needs."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from lusco.errors import InputError

logger = logging.getLogger(__name__)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[Path, typer.Option(help="File or folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed; the same seed gives the same bytes.")]
Settings = Annotated[str, typer.Option(help="JSON, or a YAML file, of what differs from the defaults.")]
Pixel = Annotated[float, typer.Option(help="Pixel size in nm.")]
Structures = Annotated[str, typer.Option(help="Structures, separated by commas, in the order of the channels.")]
Threads = Annotated[int, typer.Option(help="Processor threads.", min=1)]
Composites = Annotated[Path, typer.Argument(help="Composites written by superpose.")]
Levels = Annotated[str, typer.Option(help="Levels of the sweep, separated by commas.")]
ModelFolder = Annotated[Path, typer.Argument(help="Folder of a trained model.")]


def main() -> None:
    """Run a command; a fault of the input is printed as a sentence each and ends with status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    except Exception:  # a fault of ours: the traceback belongs in the log file too
        logger.exception("LUSCo failed unexpectedly")
        sys.exit(2)


@app.command()
def simulate(
    description: Annotated[Path, typer.Argument(help="YAML file that describes the acquisition.")],
    name: Annotated[str, typer.Option(help="Name of the acquisition; part of its seed.")],
    structure: Annotated[str, typer.Option(help="Structure, or mixed.")],
    out: Out,
    seed: Seed = 1,
) -> None:
    """Simulate an acquisition."""
    from lusco import table
    from lusco.simulate import read_description
    from lusco.simulate import simulate as run

    table.write(run(read_description(description), name, structure, seed), out)


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="Localization table or image.")],
    name: Annotated[str, typer.Option(help="Name of the acquisition.")],
    structure: Annotated[str, typer.Option(help="Structure, or mixed.")],
    out: Out,
    record: Annotated[Path, typer.Option(help="JSON file for what was read, dropped and why.")],
    format: Annotated[str, typer.Option(help="Format; told by the file if empty.")] = "",
    pixel_nm: Annotated[float | None, typer.Option(help="Pixel size of the source in nm.")] = None,
    region_nm: Annotated[str, typer.Option(help="x0:x1,y0:y1 in nm.")] = "",
    columns: Annotated[str, typer.Option(help="JSON mapping of columns.")] = "",
    truth_column: Annotated[str, typer.Option(help="Column of the true structure.")] = "",
    settings: Settings = "{}",
) -> None:
    """Bring in a measured acquisition."""
    from lusco import table
    from lusco.files import write_json
    from lusco.ingest import Source
    from lusco.ingest import ingest as run
    from lusco.settings import stage_settings

    source = Source(path, name, structure, format, pixel_nm, region_nm, columns, truth_column)
    acquisition, what_happened = run(source, stage_settings("ingest", settings))
    write_json(record, what_happened)
    table.write(acquisition, out)


@app.command()
def render(
    path: Annotated[Path, typer.Argument(help="Localizations.")],
    pixel_nm: Pixel,
    out: Out,
) -> None:
    """Render localizations as counts per pixel."""
    from lusco import image, table
    from lusco.render import render as run

    acquisition = table.read(path)
    pixels = run(acquisition, pixel_nm)[None]
    image.write(image.Image(pixels, pixel_nm, (acquisition.source["structure"],)), out)


@app.callback()
def log_to(log: Annotated[Path | None, typer.Option(help="Write the log there too.")] = None) -> None:
    """Recolour single-dye super-resolution images, a stage at a time."""
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        logging.getLogger().addHandler(logging.FileHandler(log, mode="w", encoding="utf-8"))


@app.command()
def fetch(
    file: Annotated[str, typer.Argument(help="A file of the manifest.")],
    manifest: Annotated[Path, typer.Option(help="Sheet of files, addresses and checksums.")],
    out: Out,
) -> None:
    """Fetch a public acquisition, or take it from the folder that LUSCO_DATA names."""
    from lusco.fetch import fetch as run

    run(file, manifest, out)


@app.command()
def split(
    acquisitions: Annotated[list[str], typer.Argument(help="split=group=localizations of each.")], out: Out
) -> None:
    """Write down which acquisition serves for what."""
    from lusco.split import write_splits

    assigned = (text.split("=", 2) for text in acquisitions)
    write_splits([(name, group, Path(path)) for name, group, path in assigned], out)


@app.command()
def superpose(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure acquisitions of the split.")],
    split: Annotated[str, typer.Option(help="train, validation or test.")],
    structures: Structures,
    pixel_nm: Pixel,
    out: Out,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Superpose acquisitions to the fixed composites of a split."""
    from lusco.settings import stage_settings
    from lusco.superpose import read_acquisitions
    from lusco.superpose import superpose as run

    how = stage_settings("superpose", settings)
    number = {"train": how.training_composites, "validation": how.validation_composites, "test": how.test_composites}[
        split
    ]
    names = structures.split(",")
    run(read_acquisitions(acquisitions, names), names, split, number, how.crop_px, pixel_nm, seed, out)


@app.command()
def sweep(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure test acquisitions.")],
    kind: Annotated[str, typer.Option(help="density, mixing, precision_nm, scale, overlap or number.")],
    levels: Levels,
    composites: Annotated[int, typer.Option(help="Composites per level.")],
    structures: Structures,
    pixel_nm: Pixel,
    out: Out,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Superpose test acquisitions under changed conditions."""
    from lusco.settings import stage_settings
    from lusco.superpose import read_acquisitions
    from lusco.sweep import superpose_sweep as run

    names, side_px = structures.split(","), stage_settings("superpose", settings).crop_px
    tables = read_acquisitions(acquisitions, names)
    run(tables, names, kind, _numbers(levels), composites, side_px, pixel_nm, seed, out)


@app.command()
def train(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure training acquisitions.")],
    validation: Annotated[Path, typer.Option(help="Validation composites.")],
    smoothing_nm: Annotated[float, typer.Option(help="Smoothing for the scale of each structure.")],
    out: Out,
    seed: Seed = 1,
    threads: Threads = 1,
    settings: Settings = "{}",
) -> None:
    """Train a model; an interrupted training is resumed."""
    from lusco.settings import stage_settings
    from lusco.superpose import read_acquisitions
    from lusco.superpose.composites import open_composites
    from lusco.train import train as run

    composites = open_composites(validation)
    tables = read_acquisitions(acquisitions, composites.structures)
    run(tables, composites, stage_settings("train", settings), smoothing_nm, seed, threads, out)


@app.command()
def model(
    folder: ModelFolder,
    structures: Structures,
    out: Out,
    half: Annotated[bool, typer.Option("--half", help="Store numbers of 16 bits: half the size, to hand on.")] = False,
) -> None:
    """Check a model and copy it."""
    from lusco.model import check_structures, read_description, read_network, write_model

    description = read_description(folder)
    check_structures(description, structures.split(","), folder)
    network = read_network(folder, description)
    write_model(out, network.half() if half else network, description)


@app.command()
def recolor(
    folder: ModelFolder,
    acquisition: Annotated[Path, typer.Argument(help="Localizations to recolour.")],
    image: Annotated[Path, typer.Option(help="OME-TIFF to write.")],
    table: Annotated[Path, typer.Option(help="CSV to write.")],
    regions: Annotated[Path, typer.Option(help="CSV of how familiar each region is, to write.")],
    threads: Threads = 1,
    settings: Settings = "{}",
) -> None:
    """Recolour an acquisition: an image with a channel per structure, and a table of localizations."""
    from lusco import table as tables
    from lusco.model import read_description
    from lusco.recolor import Recolorer, recolor_acquisition
    from lusco.settings import stage_settings

    how = stage_settings("recolor", settings)
    recolorer = Recolorer(folder, read_description(folder), how.tile_px, threads)
    recolor_acquisition(recolorer, tables.read(acquisition), how.crosstalk, image, table, regions)


@app.command()
def recolor_composites(
    folder: ModelFolder, composites: Composites, out: Out, threads: Threads = 1, settings: Settings = "{}"
) -> None:
    """Recolour the composites of a split."""
    from lusco.model import check_structures, read_description
    from lusco.recolor import Recolorer
    from lusco.recolor import recolor_composites as run
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites

    description, opened = read_description(folder), open_composites(composites)
    check_structures(description, opened.structures, folder)
    run(Recolorer(folder, description, stage_settings("recolor", settings).tile_px, threads), opened, out)


@app.command()
def train_peer(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure training acquisitions.")],
    peer: Annotated[str, typer.Option(help="careamics_unet, microsplit or trees.")],
    minutes: Annotated[float, typer.Option(help="Wall time of the training.")],
    training: Annotated[Path, typer.Option(help="Training composites.")],
    validation: Annotated[Path, typer.Option(help="Validation composites.")],
    smoothing_nm: Annotated[float, typer.Option(help="Smoothing for the scale of each structure.")],
    out: Out,
    seed: Seed = 1,
    threads: Threads = 1,
) -> None:
    """Train a model by others for a given time."""
    from lusco.peers import train_peer as run
    from lusco.superpose import read_acquisitions
    from lusco.superpose.composites import open_composites

    composites = open_composites(validation)
    tables = read_acquisitions(acquisitions, composites.structures)
    run(peer, tables, open_composites(training), composites, minutes, smoothing_nm, seed, threads, out)


@app.command()
def apply_peer(folder: ModelFolder, composites: Composites, out: Out, threads: Threads = 1) -> None:
    """Recolour the composites of a split by a trained peer."""
    from lusco.model import check_structures, read_description
    from lusco.peers import apply_peer as run
    from lusco.superpose.composites import open_composites

    description, opened = read_description(folder), open_composites(composites)
    check_structures(description, opened.structures, folder)
    run(folder, description, opened, threads, out)


@app.command()
def evaluate(
    composites: Composites,
    model: Annotated[list[str], typer.Option(help="name=folder of the model=folder of its recoloured composites.")],
    chosen: Annotated[str, typer.Option(help="The model that recoloured the scored acquisitions.")],
    out: Out,
    scored: Annotated[list[str] | None, typer.Option(help="acquisition=its recoloured table.")] = None,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Compare recoloured composites with the truth."""
    from lusco.evaluate import evaluate as run
    from lusco.model import read_description
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites

    models = {}
    for text in model:
        name, folder, applied = text.split("=")
        models[name] = (read_description(folder), Path(applied))
    tables = {name: Path(file) for name, file in (text.split("=", 1) for text in scored or [])}
    run(open_composites(composites), models, tables, chosen, stage_settings("evaluate", settings), seed, out)


@app.command()
def sweep_scores(
    composites: Composites,
    applied: Annotated[Path, typer.Option(help="Folder of their recoloured channels.")],
    model: Annotated[Path, typer.Option(help="Folder of the model that recoloured them.")],
    kind: Annotated[str, typer.Option(help="density, mixing, precision_nm, scale, overlap or number.")],
    levels: Levels,
    crosstalk: Annotated[float, typer.Option(help="Crosstalk that the threshold is chosen for.")],
    out: Out,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Score the composites of a sweep."""
    from lusco.model import read_description
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites
    from lusco.sweep.scores import score_sweep as run

    opened, how = open_composites(composites), stage_settings("evaluate", settings)
    run(opened, applied, read_description(model), kind, _numbers(levels), crosstalk, how, seed, out)


@app.command()
def figures(
    composites: Composites,
    applied: Annotated[Path, typer.Option(help="Folder of the recoloured composites of the chosen model.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    evaluation: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    chosen: Annotated[str, typer.Option(help="Name of the chosen model.")],
    crosstalk: Annotated[float, typer.Option(help="Crosstalk that the threshold is chosen for.")],
    out: Out,
    history: Annotated[list[str] | None, typer.Option(help="model=its training history.")] = None,
    mixed: Annotated[list[str] | None, typer.Option(help="acquisition=localizations=image=table=regions.")] = None,
    sweep: Annotated[list[Path] | None, typer.Option(help="Table of a sweep.")] = None,
) -> None:
    """Draw every figure as SVG and PNG, with the CSV it was drawn from."""
    from lusco.figures.draw import draw
    from lusco.model import read_description
    from lusco.superpose.composites import open_composites

    histories = {name: Path(file) for name, file in (text.split("=", 1) for text in history or [])}
    measured = {name: tuple(map(Path, files)) for name, *files in (text.split("=") for text in mixed or [])}
    opened = open_composites(composites)
    draw(opened, applied, read_description(model), evaluation, histories, measured, sweep or [], chosen, crosstalk, out)


@app.command()
def report(
    config: Annotated[str, typer.Option(help="The whole configuration as JSON.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    evaluation: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    figures: Annotated[Path, typer.Option(help="Folder of the figures.")],
    splits: Annotated[Path, typer.Option(help="Table of the splits.")],
    out: Out,
    recolored: Annotated[list[str] | None, typer.Option(help="acquisition=its recoloured table=its regions.")] = None,
) -> None:
    """Write the report, one page that opens offline."""
    import json

    from lusco.files import atomic
    from lusco.model import read_description
    from lusco.report import report as run
    from lusco.report.assemble import assemble

    tables = {name: tuple(map(Path, files)) for name, *files in (text.split("=") for text in recolored or [])}
    content = assemble(json.loads(config), read_description(model), evaluation, figures, splits, tables)
    with atomic(out) as partial:
        partial.write_text(run(content), encoding="utf-8")


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
