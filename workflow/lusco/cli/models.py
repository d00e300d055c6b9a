"""Commands that train models and apply them."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lusco.cli.options import IS_FIRST, Composites, ModelFolder, Out, Seed, Settings, Structures, Threads, app


@app.command()
def train(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure training acquisitions.")],
    validation: Annotated[Path, typer.Option(help="Validation composites.")],
    smoothing_nm: Annotated[float, typer.Option(help="Smoothing for the scale of each structure.")],
    out: Out,
    seed: Seed = 1,
    settings: Settings = "{}",
    scored: Annotated[bool, typer.Option(help="Choose thresholds; not of a model that is only a start.")] = True,
) -> None:
    """Train a model; an interrupted training is resumed."""
    from lusco.files import alone_in
    from lusco.settings import stage_settings
    from lusco.superpose import read_acquisitions
    from lusco.superpose.composites import open_composites
    from lusco.train import train as run

    composites = open_composites(validation)
    tables = read_acquisitions(acquisitions, composites.structures)
    with alone_in(out) if IS_FIRST else nullcontext():
        run(tables, composites, stage_settings("train", settings), smoothing_nm, seed, out, scored)


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
    mixture: Annotated[Path, typer.Option(help="JSON of what was found, to write.")],
    settings: Settings = "{}",
) -> None:
    """Recolour an acquisition: an image with a channel per structure, and a table of localizations."""
    from lusco import table as tables
    from lusco.model import read_description
    from lusco.recolor import Recolorer, recolor_acquisition
    from lusco.settings import stage_settings

    how = stage_settings("recolor", settings)
    recolorer = Recolorer(folder, read_description(folder), how.tile_px, how.threads, how.device)
    recolor_acquisition(recolorer, tables.read(acquisition), how.crosstalk, image, table, regions, mixture)


@app.command()
def recolor_composites(folder: ModelFolder, composites: Composites, out: Out, settings: Settings = "{}") -> None:
    """Recolour the composites of a split."""
    from lusco.model import check_pixels, check_structures, read_description
    from lusco.recolor import Recolorer
    from lusco.recolor import recolor_composites as run
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites

    description, opened = read_description(folder), open_composites(composites)
    check_structures(description, opened.structures, folder)
    check_pixels(description, opened.pixel_nm, folder)
    how = stage_settings("recolor", settings)
    run(Recolorer(folder, description, how.tile_px, how.threads, how.device), opened, out)


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
    from lusco.model import check_pixels, check_structures, read_description
    from lusco.peers import apply_peer as run
    from lusco.superpose.composites import open_composites

    description, opened = read_description(folder), open_composites(composites)
    check_structures(description, opened.structures, folder)
    check_pixels(description, opened.pixel_nm, folder)
    run(folder, description, opened, threads, out)


@app.command()
def show(
    folder: ModelFolder,
    acquisition: Annotated[Path, typer.Argument(help="Localizations.")],
    out: Out,
) -> None:
    """Render localizations as a model is shown them, for a package of it in another program."""
    from lusco import image, table
    from lusco.model import read_description
    from lusco.recolor.shown import shown

    model, localizations = read_description(folder), table.read(acquisition)
    pixels = shown(localizations, model, acquisition)[None]
    image.write(image.Image(pixels, model.seen_pixel_nm, (localizations.source["structure"],)), out)


@app.command()
def package(folder: ModelFolder, out: Out) -> None:
    """Write a model as a package for the BioImage Model Zoo, a zip with ONNX and TorchScript inside."""
    from lusco.package import package as run

    run(folder, out)
