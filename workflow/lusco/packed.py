"""Tables of numbers as a text in JSON: a fifth of the size of lists, and read without a look at each number."""

import base64

import numpy as np
from numpy.typing import ArrayLike

_NUMBER = np.dtype("<f2")  # three digits


def pack(rows: ArrayLike) -> str:
    """Rows of numbers, row after row, as base64 of little-endian halves."""
    return base64.b64encode(np.asarray(rows).astype(_NUMBER).tobytes()).decode()


def unpack(text: str, columns: int) -> np.ndarray:
    """Rows that `pack` made a text of, shape (rows, columns).

    Raises
    ------
    ValueError
        If the text is none of these, or of rows of other lengths, or if a number is not finite.
    """
    rows = np.frombuffer(base64.b64decode(text, validate=True), _NUMBER).reshape(-1, columns).astype(np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("a number is not finite")
    return rows
