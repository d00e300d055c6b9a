"""The command line: `lusco <stage>`, one command per stage, each importing only what it needs."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from lusco.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Recolour single-dye super-resolution images, a stage at a time.",
)

Out = Annotated[Path, typer.Option(help="File or folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed; the same seed gives the same bytes.")]
Settings = Annotated[str, typer.Option(help="JSON, or a YAML file, of what differs from the defaults.")]
Pixel = Annotated[float, typer.Option(help="Pixel size in nm.")]


def main() -> None:
    """Run a command; a fault of the input is printed as a sentence each and ends with status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


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


if __name__ == "__main__":
    main()
