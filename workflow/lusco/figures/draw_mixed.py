"""The figure of a recoloured acquisition, drawn from what the stages before wrote."""

from pathlib import Path

import numpy as np
import pandas as pd

from lusco import figures, image, table
from lusco.files import read_csv
from lusco.render import render, render_points


def draw_mixed(name: str, localizations: Path, picture: Path, labelled: Path, regions: Path, out: Path) -> None:
    """Draw and save the figure of an acquisition that the model was applied to.

    Parameters
    ----------
    name : str
        Of the acquisition.
    localizations : Path
        The acquisition.
    picture, labelled, regions : Path
        Its recoloured image, recoloured table and table of regions.
    out : Path
        Folder for the figure.
    """
    acquisition = table.read(localizations)
    recolored = image.read(picture, own=True)
    rows = read_csv(labelled, usecols=lambda name: name in ("rejected", "true_structure"))
    x_nm, y_nm = acquisition.table["x_nm"].to_numpy(), acquisition.table["y_nm"].to_numpy()
    weight = acquisition.table["weight"].to_numpy() if acquisition.is_image else np.ones(len(acquisition))

    def counts(chosen: np.ndarray) -> np.ndarray:
        return render_points(x_nm[chosen], y_nm[chosen], acquisition.field_nm, recolored.pixel_nm, weight[chosen])

    structures, true = list(recolored.channels), None
    if "true_structure" in rows:
        true = np.stack([counts((rows["true_structure"] == structure).to_numpy()) for structure in structures])
    drawing = figures.mixed(
        name,
        render(acquisition, recolored.pixel_nm),
        recolored.pixels,
        structures,
        recolored.pixel_nm,
        true,
        counts(rows["rejected"].to_numpy(dtype=bool)),
        _unfamiliar(read_csv(regions), acquisition.field_nm),
    )
    figures.save(*drawing, out, f"mixed_{name}")


def _unfamiliar(regions: pd.DataFrame, field_nm: tuple[float, float, float, float]) -> pd.DataFrame:
    """The unfamiliar regions, from the first corner of the image."""
    own = regions[regions["unfamiliar"].astype(bool)]
    return own.assign(x_nm=own["x_nm"] - field_nm[0], y_nm=own["y_nm"] - field_nm[2])
