"""Recolouring: a trained model applied to composites and to measured mixtures.

Every localization gets probabilities of its own, the mean of several views of the image; the channels are the shares of
what was measured (or, with a regression, what the network predicts).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import image, table
from lusco.answer import Recolored, Temperature, finish
from lusco.colours import on_black
from lusco.errors import Fault, InputError
from lusco.files import atomic, write_array
from lusco.model import ModelDescription
from lusco.novelty import Known
from lusco.recolor.mixture import summarize, write_mixture
from lusco.recolor.shown import check_like_learned
from lusco.render import Points, check_pixels_fit, points_of
from lusco.repeats import Repeats
from lusco.superpose.composites import Composites
from lusco.table import Localizations

CHANNELS = "channels.npy"
PROBABILITIES = "probabilities.npy"
REGIONS = "regions.csv"


class Recolorer:
    """A model ready to be applied.

    Parameters
    ----------
    folder : str or Path
        Folder of the model.
    description : ModelDescription
        Its description.
    tile_px : int
        Side of the tiles in pixels.
    threads : int
        Processor threads to use.
    device : str
        `auto`, or a torch device.

    Raises
    ------
    InputError
        If it is only a start for others.
    """

    def __init__(
        self, folder: str | Path, description: ModelDescription, tile_px: int, threads: int, device: str = "auto"
    ) -> None:
        import torch

        from lusco.model import only_a_start, read_network
        from lusco.train.loop import choose_device

        if not description.usable:
            raise InputError(only_a_start(folder))
        torch.set_num_threads(threads)
        self.description = description
        self.known = Known.of(description.known)
        self.repeats = Repeats(**description.repeats)
        self.network = read_network(folder, description)
        self.axes = np.array(self.known.axes) if self.known.axes else None
        self.tile_px = tile_px
        self.device = choose_device(device)

    def __call__(self, points: Points) -> Recolored:
        """Recolour localizations over an image at the model's pixel size."""
        from lusco.recolor.network import answer_of

        model = self.description
        how = self.tile_px, self.device, self.axes
        answer = answer_of(self.network, model.head, model.scale_counts, self.repeats, points, *how)
        return finish(answer, points, Temperature(**model.temperature), model.sharpness)


def recolor_composites(recolorer: Recolorer, composites: Composites, out: str | Path) -> None:
    """Recolour the composites of a split into a folder of two arrays, memory-mappable.

    `channels.npy` has the shape (composites, structures, side, side), `probabilities.npy` a row per
    localization of the composites one after another and a column per structure; `regions.csv` tells how familiar
    each region of each composite is.
    """
    named = ((name, composites.points(composites.table(index))) for index, name in enumerate(composites.names))
    check_like_learned(named, recolorer.description)
    write_recolored(composites, lambda table: recolorer(composites.points(table)), recolorer.known, out)


def write_recolored(
    composites: Composites,
    recolored: Callable[[pd.DataFrame], Recolored],
    known: Known,
    out: str | Path,
) -> None:
    """Apply any model to the composites of a split and write the folder that `recolor_composites` describes.

    Parameters
    ----------
    composites : Composites
        What to recolour.
    recolored : callable
        From the localizations of a composite to its recoloured image.
    known : Known
        What the model knows.
    out : str or Path
        Folder to write.
    """
    channels, probabilities, regions = [], [], []
    for index in range(len(composites)):
        table = composites.table(index)
        result, points = recolored(table), composites.points(table)
        channels.append(result.channels)
        probabilities.append(result.probabilities)
        judged = known.judge(points, result.probabilities, result.appearance, composites.structures)
        regions.append(judged.assign(composite=composites.names[index]))
    with atomic(out) as partial:
        partial.mkdir()
        write_array(np.stack(channels), partial / CHANNELS)
        write_array(np.concatenate(probabilities), partial / PROBABILITIES)
        pd.concat(regions, ignore_index=True).to_csv(partial / REGIONS, index=False)


def recolor_acquisition(
    recolorer: Recolorer,
    acquisition: Localizations,
    crosstalk: float,
    image_out: Path,
    table_out: Path,
    regions_out: Path,
    mixture_out: Path,
) -> None:
    """Recolour an acquisition: an image with a channel per structure, tables of localizations and regions, a summary.

    Parameters
    ----------
    recolorer : Recolorer
        The model.
    acquisition : Localizations
        What to recolour; the true structures of a scored one go to the column `true_structure`.
    crosstalk : float
        Localizations are rejected below the threshold that keeps crosstalk on validation at this fraction.
    image_out, table_out, regions_out, mixture_out : Path
        Files to write; that of regions tells how familiar each is to the model, the last sums up what was found.

    Raises
    ------
    InputError
        If there is no localization, or they are not like those that the model learned from.
    """
    if not len(acquisition):
        what, mend = "the acquisition has no localizations", "remove it or loosen the filters"
        raise InputError(Fault(acquisition.source["acquisition"], what, mend))
    model = recolorer.description
    check_pixels_fit(acquisition, model.pixel_nm)
    points = points_of(acquisition, model.pixel_nm)
    check_like_learned([(acquisition.source["acquisition"], points)], model)
    result = recolorer(points)
    recolored = image.Image(result.channels, model.pixel_nm, model.structures)
    image.write(recolored, image_out, on_black(len(model.structures)))
    probabilities, appearance = result.probabilities, result.appearance
    del result, recolored  # of large fields, every copy of what has served is gigabytes

    x0, y0 = points.origin_nm
    regions = recolorer.known.judge(points, probabilities, appearance, model.structures)
    del appearance
    with atomic(regions_out) as partial:
        regions.assign(x_nm=regions["x_nm"] + x0, y_nm=regions["y_nm"] + y0).to_csv(partial, index=False)
    localizations = acquisition.table
    named = localizations.rename(columns={"structure": "true_structure"})
    named["structure"] = np.array(model.structures)[probabilities.argmax(1)]
    for index, structure in enumerate(model.structures):
        named[f"p_{structure}"] = probabilities[:, index].astype(np.float32)
    named["rejected"] = pd.Series(probabilities.max(1) < model.threshold(crosstalk), index=named.index)
    table.write_thunderstorm(named, table_out)
    write_mixture(summarize(acquisition.source["acquisition"], named, regions, model.structures), mixture_out)
