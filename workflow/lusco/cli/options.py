"""The application, and options that several commands share."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# of the processes that share a training, the first speaks and writes; the others only say what ended them
IS_FIRST = os.environ.get("LOCAL_RANK", "0") == "0"

LEAST_PIXEL_NM = 0.01  # anything positive

Out = Annotated[Path, typer.Option(help="File or folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed; the same seed gives the same bytes.")]
Settings = Annotated[str, typer.Option(help="JSON, or a YAML file, of what differs from the defaults.")]
Pixel = Annotated[float, typer.Option(help="Pixel size in nm.", min=LEAST_PIXEL_NM)]
Structures = Annotated[str, typer.Option(help="Structures, separated by commas, in the order of the channels.")]
Threads = Annotated[int, typer.Option(help="Processor threads.", min=1)]
Composites = Annotated[Path, typer.Argument(help="Composites written by superpose.")]
Sweep = Literal["density", "mixing", "precision_nm", "scale", "overlap", "number"]
Levels = Annotated[str, typer.Option(help="Levels of the sweep, separated by commas.")]
ModelFolder = Annotated[Path, typer.Argument(help="Folder of a trained model.")]


def numbers(text: str) -> list[float]:
    """Numbers separated by commas."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"`{text}` is not numbers separated by commas") from None
