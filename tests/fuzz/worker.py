"""A process that reads files as it is told, with little memory, so that a crash of a C library is its end alone.

Each line of its input is JSON: the name of a function below and its arguments. Each line of its output is what became
of it: nothing, or the sentences of `InputError`, or a traceback.
"""

import json
import logging
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from lusco import table
from lusco.errors import InputError

ADDRESS_SPACE_BYTES = 4 << 30


def ingested(path: str, settings: dict[str, Any], source: dict[str, Any]) -> None:
    """Bring a file in, and write and read again what came of it."""
    from lusco.ingest import Source, ingest
    from lusco.settings import stage_settings

    acquisition, record = ingest(Source(Path(path), "cell_1", "pores", **source), stage_settings("ingest", settings))
    json.dumps(record, allow_nan=False)
    with tempfile.TemporaryDirectory() as folder:
        table.write(acquisition, Path(folder) / "t.parquet")
        check_table(table.read(Path(folder) / "t.parquet"))


def read_table(path: str) -> None:
    check_table(table.read(path))


def check_table(acquisition: table.Localizations) -> None:
    """A table can be used: its coordinates are finite numbers in a field that has an area."""
    x0, x1, y0, y1 = acquisition.field_nm
    assert 0 < acquisition.area_um2 < np.inf
    assert acquisition.table["x_nm"].between(x0, x1).all() and acquisition.table["y_nm"].between(y0, y1).all()
    assert {name: str(acquisition.table[name].dtype) for name in acquisition.table}.items() <= table.COLUMNS.items()
    assert {"acquisition", "structure"} <= set(acquisition.source)


def read_composites(path: str) -> None:
    from lusco.superpose.composites import open_composites

    composites = open_composites(path)
    for index in range(len(composites)):
        assert np.isfinite(composites.counts(index)).all()
        assert np.isfinite(composites.bound(index)).all()


def read_model(folder: str) -> None:
    from lusco.model import read_description
    from lusco.recolor import Recolorer
    from lusco.render import Points

    description = read_description(folder)
    description.threshold(0.01)
    recolorer = Recolorer(folder, description, 64, 1, "cpu")
    assert all(tensor.isfinite().all() for tensor in recolorer.network.state_dict().values())
    x_nm, y_nm = np.random.default_rng(1).uniform(0, 64 * description.pixel_nm, (2, 200))
    points = Points(x_nm, y_nm, None, (0.0, 0.0), description.pixel_nm, (64, 64))
    recolored = recolorer(points)
    recolorer.known.judge(points, recolored.probabilities, recolored.appearance, description.structures)


def read_sheet(path: str) -> None:
    from lusco.sheet_reader import read_sheet

    read_sheet(path, ["pores", "tubes"], {"validation": 0.2, "test": 0.2}, 1)


def read_config(path: str) -> None:
    from lusco.config import load_config
    from lusco.schema import read_yaml

    load_config(read_yaml(path), path)


def read_simulation(path: str) -> None:
    from lusco.simulate import read_description

    read_description(path)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES,) * 2)
    logging.disable()
    warnings.simplefilter("ignore")
    told = {name: function for name, function in globals().items() if callable(function)}
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not answer for us
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = {}
        try:
            told[name](*arguments)
        except InputError as error:
            answer = {"fault": str(error)}
        except BaseException:
            answer = {"traceback": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
