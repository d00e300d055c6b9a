"""What a model is shown of an acquisition, and whether that is like what it learned from."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lusco.errors import InputError
from lusco.model import ModelDescription
from lusco.render import Points, by_whole_pixels, check_pixels_fit, points_of, shape_px
from lusco.repeats import Repeats, check_usable, settled
from lusco.table import Localizations


def check_like_learned(named: Iterable[tuple[str, Points]], model: ModelDescription) -> None:
    """Check that localizations, each set with its name, are such as the model learned from.

    Raises
    ------
    InputError
        If they lack what tells repeats, or are an image where the model sees positions within pixels.
    """
    named = list(named)
    check_usable(named, Repeats(**model.repeats))
    images = [name for name, points in named if points.of_image]
    if images and model.subpixels > 1:
        raise InputError(by_whole_pixels(images[0]))


def shown(acquisition: Localizations, model: ModelDescription, file: str | Path = "") -> np.ndarray:
    """The image in which the network of a model sees an acquisition, neither turned nor shifted.

    Parameters
    ----------
    acquisition : Localizations
        What to show.
    model : ModelDescription
        The model.
    file : str or Path
        Named in the error.

    Returns
    -------
    numpy.ndarray
        Counts per pixel of `model.seen_pixel_nm`, shape (rows, columns), float32: localizations lie at the mean of
        their likely repeats, or of their trace, if the model learned so.

    Raises
    ------
    InputError
        If the acquisition is not like what the model learned from, or the image would be absurdly large.
    """
    shape_px(acquisition.field_nm, model.seen_pixel_nm, file)
    check_pixels_fit(acquisition, model.pixel_nm, file)
    points = points_of(acquisition, model.pixel_nm)
    check_like_learned([(acquisition.source["acquisition"], points)], model)
    seen = settled(points, Repeats(**model.repeats)).finer(model.subpixels)
    return seen.counts(seen.pixel())
