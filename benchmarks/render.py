"""Rendering 10^7 localizations into 2048 x 2048 pixels, against np.bincount on a ready flat index.

    .venv/bin/python benchmarks/render.py

Both are timed in turn in one run; the ratio is what counts.
"""

import time

import numpy as np

from lusco.render import render_points

LOCALIZATIONS, SIDE_PX, PIXEL_NM, REPEATS = 10_000_000, 2048, 20.0, 7


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def flat_bincount(x_nm: np.ndarray, y_nm: np.ndarray) -> np.ndarray:
    """The fastest plain NumPy: truncate, flatten, count; coordinates are known to lie inside."""
    index = (y_nm / PIXEL_NM).astype(np.int64) * SIDE_PX + (x_nm / PIXEL_NM).astype(np.int64)
    return np.bincount(index, minlength=SIDE_PX**2)


def main() -> None:
    rng = np.random.default_rng(0)
    side_nm = SIDE_PX * PIXEL_NM
    x_nm, y_nm = rng.uniform(0, side_nm, (2, LOCALIZATIONS))
    field_nm = (0.0, side_nm, 0.0, side_nm)
    assert np.array_equal(render_points(x_nm, y_nm, field_nm, PIXEL_NM).ravel(), flat_bincount(x_nm, y_nm))
    ours, plain = [], []
    for _ in range(REPEATS):
        ours.append(seconds(lambda: render_points(x_nm, y_nm, field_nm, PIXEL_NM)))
        plain.append(seconds(lambda: flat_bincount(x_nm, y_nm)))
    ratio = np.median(np.array(ours) / np.array(plain))
    print(f"lusco {np.median(ours):.3f} s, np.bincount {np.median(plain):.3f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
