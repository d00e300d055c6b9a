"""MATLAB files, read in another process first, because SciPy ends its own on some damage, without an exception.

That process imports nothing else, so that it costs half a second.
"""

import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lusco.errors import Fault, InputError
from lusco.files import refuse_claim

if TYPE_CHECKING:
    import numpy as np

_MOST_BYTES = 8  # of an element of an array


def refuse_what_crashes(path: Path) -> None:
    """Try whether a file can be read.

    Raises
    ------
    InputError
        If reading it ends a process. Exceptions are left to `arrays`.
    """
    tried = "import sys; from lusco.matlab import arrays; arrays(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", tried, str(path)], capture_output=True)
    if done.returncode < 0:
        raise InputError(Fault(path, "the MATLAB file is damaged", "copy or export it again"))


def arrays(path: str | Path) -> "dict[str, np.ndarray]":
    """Variables of a file that are arrays, by name.

    Raises
    ------
    InputError
        If the file claims more than any memory.
    """
    import numpy as np
    from scipy.io import loadmat, whosmat

    refuse_claim(sum(math.prod(shape) * _MOST_BYTES for _, shape, _ in whosmat(path)), path)
    return {name: value for name, value in loadmat(path).items() if isinstance(value, np.ndarray)}
