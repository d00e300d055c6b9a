"""A recoloured acquisition as a figure and for the report's viewer, from what the stages before wrote."""

from functools import partial
from pathlib import Path

import numpy as np

from lusco import figures, image, table
from lusco.figures.print import save_print
from lusco.figures.viewer import described, write_images
from lusco.files import read_csv
from lusco.render import render, render_points


def draw_mixed(
    name: str, localizations: Path, picture: Path, labelled: Path, regions: Path, out: Path, viewer: Path | None
) -> None:
    """Draw and save the figure of an acquisition that the model was applied to, and its image for the viewer.

    Without a file for the viewer, save the figure for print.

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
    viewer : Path or None
        File for the viewer.
    """
    acquisition = table.read(localizations)
    recolored = image.read(picture, own=True)
    structures, pixel_nm = list(recolored.channels), recolored.pixel_nm
    chances = [f"p_{structure}" for structure in structures]
    rows = read_csv(labelled, usecols=lambda column: column in ("rejected", "true_structure", *chances))
    x_nm, y_nm = acquisition.table["x_nm"].to_numpy(), acquisition.table["y_nm"].to_numpy()
    weight = acquisition.table["weight"].to_numpy() if acquisition.is_image else np.ones(len(acquisition))
    x0, _, y0, _ = acquisition.field_nm

    def counts(chosen: np.ndarray) -> np.ndarray:
        return render_points(x_nm[chosen], y_nm[chosen], acquisition.field_nm, pixel_nm, weight[chosen])

    true = foreign = None
    if "true_structure" in rows:
        foreign = counts(
            ~(rows["true_structure"].isna() | rows["true_structure"].isin([*structures, table.UNSPECIFIC])).to_numpy()
        )
        true = np.stack([counts((rows["true_structure"] == structure).to_numpy()) for structure in structures])
    places = read_csv(regions)  # from the first corner of the image, as everything that is drawn
    places = places.assign(x_nm=places["x_nm"] - x0, y_nm=places["y_nm"] - y0)
    measured = render(acquisition, pixel_nm)
    draw = partial(
        figures.mixed,
        name,
        measured,
        recolored.pixels,
        structures,
        pixel_nm,
        true,
        counts(rows["rejected"].to_numpy(dtype=bool)),
        places[places["unfamiliar"].astype(bool)],
        foreign,
    )
    if viewer is None:
        return save_print(draw, out, f"mixed_{name}")
    figures.save(*draw(), out, f"mixed_{name}")

    def of_pixels(chance: str) -> np.ndarray:
        """Mean over the localizations of each pixel, 0 where there are none."""
        total = render_points(x_nm, y_nm, acquisition.field_nm, pixel_nm, weight * rows[chance].to_numpy())
        return np.divide(total, measured, out=np.zeros_like(total), where=measured > 0)

    each = map(of_pixels, chances)
    shown = described(f"mixed/{name}", measured, recolored.pixels, true, each, structures, pixel_nm, places)
    return write_images([shown], viewer)
