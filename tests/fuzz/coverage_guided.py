"""Coverage-guided fuzzing of the readers of acquisitions, for as long as one likes.

    .venv/bin/python tests/fuzz/coverage_guided.py .csv FOLDER_OF_EXAMPLES -max_total_time=600

The first argument is the ending that the files get; the others are libFuzzer's. It looks for bytes that lead
`lusco.ingest` to a traceback, and leaves those that do in a file `crash-...`. It needs atheris, which is installed on
Linux with Python 3.11 only.
"""

import ctypes
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lusco"]):
    from worker import ingested

    from lusco.errors import InputError


# libFuzzer ends the process while it holds Python's lock, and a thread of Arrow that waits for it is itself waited for
END = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)(lambda status, _: os._exit(status))


def main() -> None:
    ending, *libfuzzer = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{ending}"

        def once(data: bytes) -> None:
            path.write_bytes(data)
            with suppress(InputError):  # a sentence is what is promised
                ingested(str(path), {}, {})

        atheris.Setup([sys.argv[0], *libfuzzer], once)
        ctypes.CDLL(None).on_exit(END, None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
