"""Training crops and validation composites as torch data sets: pairs of composite and channels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor, from_numpy
from torch.utils.data import DataLoader, Dataset, Sampler

from lusco.render import points_of
from lusco.repeats import Repeats, settled_table
from lusco.superpose import random_generator, training_crop
from lusco.superpose.composites import Composites, count
from lusco.superpose.pieces import Field, prepare
from lusco.table import Localizations


def training_fields(
    acquisitions: Sequence[Localizations],
    structures: Sequence[str],
    pixel_nm: float,
    repeats: Repeats,
    keep_min: float,
    seed: int,
) -> tuple[list[Field], ...]:
    """Acquisitions prepared for cutting, a list for each structure, as `repeats` settle them.

    Fewer localizations settle less well. What is thinned for a crop therefore comes from a version of the acquisition
    that was halved before, as often as `keep_min` asks, so that it has at most twice the localizations needed.
    """
    fractions = [1.0]
    while repeats and fractions[-1] / 2 > keep_min:
        fractions.append(fractions[-1] / 2)
    fields = []
    for acquisition in acquisitions:
        own = fractions[:1] if acquisition.is_image else fractions  # nothing of it is moved
        first, *thinned = (_settled(acquisition, pixel_nm, repeats, fraction, seed) for fraction in own)
        fields.append(replace(first, thinned=tuple(thinned)))
    return tuple([field for field in fields if field.structure == structure] for structure in structures)


def _settled(acquisition: Localizations, pixel_nm: float, repeats: Repeats, fraction: float, seed: int) -> Field:
    rng = random_generator(seed, "thinned", acquisition.source["acquisition"], str(fraction))
    row = np.flatnonzero(rng.random(len(acquisition)) < fraction)
    some = replace(acquisition, table=acquisition.table.iloc[row])
    field = prepare(replace(some, table=settled_table(some.table, points_of(some, pixel_nm), repeats)), pixel_nm)
    return replace(field, row=row[field.row], kept=fraction)


class Crops(Dataset):
    """Endless training crops; crop i depends on the seed and i only, so that training can be resumed.

    Parameters
    ----------
    fields : sequence of sequence of Field
        Training acquisitions of each structure.
    side_px : int
        Side of a crop in pixels.
    pixel_nm : float
        Pixel size in nm.
    keep_min, absent : float
        See `lusco.superpose.training_crop`.
    seed : int
        Seed of the experiment.
    """

    def __init__(
        self,
        fields: Sequence[Sequence[Field]],
        side_px: int,
        pixel_nm: float,
        keep_min: float,
        absent: float,
        seed: int,
    ) -> None:
        self.arguments = (fields, side_px, pixel_nm, keep_min, absent)
        self.seed = seed

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Composite, shape (1, side, side), and channels, shape (structures, side, side), in counts."""
        return _pair(training_crop(*self.arguments, random_generator(self.seed, "crop", index)))


class FixedComposites(Dataset):
    """The composites of a split as pairs of composite and channels, in counts, as `repeats` settle them.

    Pixels have sides of so many `subpixels` times less than those of the composites.
    """

    def __init__(self, composites: Composites, repeats: Repeats, subpixels: int = 1) -> None:
        tables = (composites.table(index) for index in range(len(composites)))
        size = (len(composites.structures), composites.side_px * subpixels, composites.pixel_nm / subpixels)
        self.counts = [count(settled_table(table, composites.points(table), repeats), *size) for table in tables]

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Composite, shape (1, side, side), and channels, shape (structures, side, side)."""
        return _pair(self.counts[index])


class Successive(Sampler):
    """Indices in order, each epoch beginning where the one before ended; of each batch, the share of a process.

    Parameters
    ----------
    batch : int
        Number of indices of a batch, of all processes together.
    batches_per_epoch : int
        Number of batches of an epoch.
    rank, processes : int
        Number of this process among those that share the batches.
    epoch : int
        The first epoch; a resumed training sets it.
    """

    def __init__(self, batch: int, batches_per_epoch: int, rank: int = 0, processes: int = 1, epoch: int = 0) -> None:
        self.batch = batch
        self.batches_per_epoch = batches_per_epoch
        self.share = batch // processes
        self.rank = rank
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches_per_epoch * self.share

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.batches_per_epoch
        self.epoch += 1
        for number in range(first, first + self.batches_per_epoch):
            start = number * self.batch + self.rank * self.share
            yield from range(start, start + self.share)


def training_loader(
    crops: Crops, batch: int, batches_per_epoch: int, rank: int, processes: int, workers: int
) -> DataLoader:
    """Loader of a process's share of the training crops, made by other processes while the network computes."""
    return DataLoader(
        crops,
        batch_size=batch // processes,
        sampler=Successive(batch, batches_per_epoch, rank, processes),
        num_workers=workers,
        prefetch_factor=4,
        persistent_workers=True,
    )


def _pair(counts: np.ndarray) -> tuple[Tensor, Tensor]:
    channels = from_numpy(counts)
    return channels.sum(0, keepdim=True), channels
