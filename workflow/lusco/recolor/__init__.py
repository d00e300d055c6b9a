"""Recolouring: a trained model applied to composites and to measured mixtures.

Every localization gets the probabilities of the pixel it lies in; the channels are the shares of what was
measured (or, with a regression, what the network predicts).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lusco import image, table
from lusco.colours import on_black
from lusco.files import atomic, write_array
from lusco.model import ModelDescription
from lusco.novelty import Known
from lusco.recolor.mixture import summarize, write_mixture
from lusco.render import pixel_index, render
from lusco.superpose.composites import Composites
from lusco.table import Localizations

CHANNELS = "channels.npy"
PROBABILITIES = "probabilities.npy"
REGIONS = "regions.csv"


@dataclass(frozen=True)
class Recolored:
    """A recoloured image.

    Parameters
    ----------
    channels : numpy.ndarray
        Counts per structure and pixel, shape (structures, rows, columns), float32.
    probabilities : numpy.ndarray
        Calibrated probability of each structure in each pixel, same shape.
    """

    channels: np.ndarray
    probabilities: np.ndarray


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
    """

    def __init__(
        self, folder: str | Path, description: ModelDescription, tile_px: int, threads: int, device: str = "auto"
    ) -> None:
        import torch

        from lusco.model import read_network
        from lusco.train.loop import choose_device

        torch.set_num_threads(threads)
        self.description = description
        self.known = Known(**description.known)
        self.network = read_network(folder, description)
        self.tile_px = tile_px
        self.device = choose_device(device)

    def __call__(self, counts: np.ndarray) -> Recolored:
        """Recolour an image of counts, shape (rows, columns), at the model's pixel size."""
        import torch

        from lusco.calibrate import soften
        from lusco.heads import HEADS
        from lusco.recolor.tiles import apply_symmetric

        model = self.description
        head = HEADS[model.head]
        output = apply_symmetric(self.network, counts, self.tile_px, self.device)
        scale = torch.tensor(model.scale_counts, dtype=torch.float32).reshape(-1, 1, 1)
        channels, probabilities = output, np.empty_like(output)  # in place, as a large field's take a gigabyte each
        for start in range(0, len(counts), self.tile_px):
            rows = slice(start, start + self.tile_px)
            z = torch.from_numpy(output[:, rows])[None]
            logs = head.log_probabilities(z, scale).numpy()
            probabilities[:, rows] = soften(logs, model.temperature)[0]
            shares = torch.from_numpy(soften(logs, model.temperature / model.sharpness))
            channels[:, rows] = head.channels(z, shares, torch.from_numpy(counts[None, None, rows]), scale)[0].numpy()
        return Recolored(channels, probabilities)


def recolor_composites(recolorer: Recolorer, composites: Composites, out: str | Path) -> None:
    """Recolour the composites of a split into a folder of two arrays, memory-mappable.

    `channels.npy` has the shape (composites, structures, side, side), `probabilities.npy` a row per
    localization of the composites one after another and a column per structure; `regions.csv` tells how familiar
    each region of each composite is.
    """

    def recolored(table: pd.DataFrame) -> tuple[Recolored, np.ndarray]:
        pixel = composites.pixel(table)
        counts = np.bincount(pixel, table["weight"], minlength=composites.side_px**2).astype(np.float32)
        result = recolorer(counts.reshape(composites.side_px, -1))
        return result, result.probabilities.reshape(len(composites.structures), -1)[:, pixel].T

    write_recolored(composites, recolored, recolorer.known, out)


def write_recolored(
    composites: Composites,
    recolored: Callable[[pd.DataFrame], tuple[Recolored, np.ndarray]],
    known: Known,
    out: str | Path,
) -> None:
    """Apply any model to the composites of a split and write the folder that `recolor_composites` describes.

    Parameters
    ----------
    composites : Composites
        What to recolour.
    recolored : callable
        Gives, for the localizations of a composite, its recoloured image and the probability of each structure for
        each localization, shape (n, structures).
    known : Known
        What the model knows.
    out : str or Path
        Folder to write.
    """
    channels, probabilities, regions = [], [], []
    for index in range(len(composites)):
        result, of_localizations = recolored(composites.table(index))
        channels.append(result.channels)
        probabilities.append(of_localizations)
        judged = known.judge(composites.counts(index).sum(0), result.probabilities, composites.pixel_nm)
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
    """
    model = recolorer.description
    counts = render(acquisition, model.pixel_nm)
    result = recolorer(counts)
    recolored = image.Image(result.channels, model.pixel_nm, model.structures)
    image.write(recolored, image_out, on_black(len(model.structures)))
    of_pixels = result.probabilities
    del result, recolored  # of large fields, every copy of what has served is gigabytes

    localizations = acquisition.table
    x0, _, y0, _ = acquisition.field_nm
    regions = recolorer.known.judge(counts, of_pixels, model.pixel_nm)
    with atomic(regions_out) as partial:
        regions.assign(x_nm=regions["x_nm"] + x0, y_nm=regions["y_nm"] + y0).to_csv(partial, index=False)
    x_nm, y_nm = localizations["x_nm"].to_numpy(), localizations["y_nm"].to_numpy()
    pixel = pixel_index(x_nm, y_nm, (x0, y0), model.pixel_nm, counts.shape)
    probabilities = of_pixels.reshape(len(model.structures), -1)[:, pixel].T
    del of_pixels
    named = localizations.rename(columns={"structure": "true_structure"})
    named["structure"] = np.array(model.structures)[probabilities.argmax(1)]
    for index, structure in enumerate(model.structures):
        named[f"p_{structure}"] = probabilities[:, index].astype(np.float32)
    named["rejected"] = pd.Series(probabilities.max(1) < model.threshold(crosstalk), index=named.index)
    table.write_thunderstorm(named, table_out)
    write_mixture(summarize(acquisition.source["acquisition"], named, regions, model.structures), mixture_out)
