"""Commands that bring in, simulate and superpose acquisitions."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lusco.cli.options import Levels, Out, Pixel, Seed, Settings, Structures, Sweep, app, numbers


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


@app.command()
def split(
    acquisitions: Annotated[list[str], typer.Argument(help="split=group=localizations of each.")],
    out: Out,
    training: Annotated[
        list[str] | None, typer.Option(help="Settings of each training, as JSON; mixtures are for the first.")
    ] = None,
) -> None:
    """Write down which acquisition serves for what, and check that models can be shown all of them alike."""
    from lusco.settings import stage_settings
    from lusco.split import check_alike, write_splits

    assigned = []
    for text in acquisitions:
        name, _, rest = text.partition("=")
        group, _, path = rest.rpartition("=")  # a group may have a `=`, our own paths have none
        assigned.append((name, group, Path(path)))
    if training:
        check_alike(assigned, [stage_settings("train", how) for how in training])
    write_splits(assigned, out)


@app.command()
def superpose(
    acquisitions: Annotated[list[Path], typer.Argument(help="Single-structure acquisitions of the split.")],
    split: Annotated[Literal["train", "validation", "test"], typer.Option(help="What they serve for.")],
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
    kind: Annotated[Sweep, typer.Option(help="What is changed.")],
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
    run(tables, names, kind, numbers(levels), composites, side_px, pixel_nm, seed, out)
