"""The command line: `lusco <stage>`, one command per stage, each importing only what it needs."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from lusco.cli import data, models, results  # noqa: F401 they add their commands to the application
from lusco.cli.options import IS_FIRST, app
from lusco.errors import InputError
from lusco.files import writing

logger = logging.getLogger(__name__)


@app.callback()
def log_to(log: Annotated[Path | None, typer.Option(help="Write the log there too.")] = None) -> None:
    """Recolour single-dye super-resolution images, a stage at a time."""
    if log and IS_FIRST:
        with writing(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            logging.getLogger().addHandler(logging.FileHandler(log, mode="w", encoding="utf-8"))


def main() -> None:
    """Run a command; a fault of the input is printed as a sentence each and ends with status 1."""
    logging.basicConfig(level=logging.INFO if IS_FIRST else logging.ERROR, format="%(message)s", stream=sys.stderr)
    logging.raiseExceptions = False  # a log for which the disk has no room must not bury the message that says so
    try:
        app()
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    except Exception:  # a fault of ours: the traceback belongs in the log file too
        logger.exception("LUSCo failed unexpectedly")
        sys.exit(2)
