"""Whether an image is like what the model knows, region by region.

A region is described as a whole and by what the model takes for each structure (`lusco.novelty.regions`). The novelty
of a description is the distance to its nearest neighbours among those of the same part in composites of the training
acquisitions, in units of the distance that few known ones exceed (`lusco.novelty.learn`). How the localizations of a
part look to the network is compared likewise, on its own: among features that tell so much, those that are counted
would be lost. A region is as new as the newest of its descriptions: a wrong pixel size or a foreign structure may show
in what is taken for one structure and not in the whole. Or it is as new as the field around it, as large as a
composite: what is a little unlike everywhere is told by all regions together (`lusco.novelty.limits`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lusco.novelty.limits import of_field
from lusco.novelty.parts import Part, nothing
from lusco.novelty.regions import (
    FEATURES,
    LESS_AND_MORE,
    PLACE,
    WHOLE,
    appearance_of,
    describe,
    fields_around,
    region_px,
    regions_across,
    structures_in,
    surroundings,
)
from lusco.render import Points

OTHER_SHAPES = "other shapes"  # by which a region differs that looks unlike any
OF = " of "  # between what differs and the structure whose it is


@dataclass(frozen=True)
class Known:
    """Regions of composites of the training acquisitions, and how far from them is too far.

    Parameters
    ----------
    side_px : int
        Side of a region in pixels.
    surroundings : int
        Regions on a side of the square over which descriptions are averaged.
    across : int
        Regions on a side of a field: of a composite, and of the square over which novelty is averaged.
    parts : list of Part
        What is known of regions as a whole, then of each structure.
    fields : list of float
        Beyond which the mean novelty of a field is too much, by the mean number of structures described in its regions.
    axes : list of list of float
        Along which the appearance of localizations is told, shape (axes, last features of the network).
    appearance : list of Part
        How the whole, then each structure, looks to the network, along these axes; empty of a model without such.
    """

    side_px: int
    surroundings: int
    across: int
    parts: list[Part]
    fields: list[float]
    axes: list[list[float]] = field(default_factory=list)
    appearance: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Known":
        """From its fields as plain values, as `dataclasses.asdict` gives them."""
        lists = {name: [Part(**part) for part in content[name]] for name in ("parts", "appearance")}
        return cls(**{**content, **lists})

    def novelty(self, regions: pd.DataFrame) -> np.ndarray:
        """Novelty of each row of `describe`, whatever lies around its region."""
        return self._compared(regions, structures_in(regions))[0]

    def judge(
        self,
        points: Points,
        probabilities: np.ndarray,
        appearance: np.ndarray | None,
        structures: Sequence[str],
    ) -> pd.DataFrame:
        """The regions of localizations with probabilities, shape (n, structures).

        Their `appearance` along the axes, shape (n, axes), is needed where it is known of the model.

        Returns
        -------
        pandas.DataFrame
            Columns `PLACE`, `novelty`, `unfamiliar`, and `differs_by`: that of `LESS_AND_MORE` by which an unfamiliar
            region, or a structure in it, differs most from the known ones that are nearest, or `OTHER_SHAPES`; of a
            region that is unfamiliar for the field around it, by which the newest region of that field does.
        """
        described = describe(points, probabilities, self.side_px, self.surroundings, appearance)
        number = structures_in(described)
        novelty, differences = self._compared(described, number)
        newest = described.assign(novelty=novelty).groupby(PLACE[:2], sort=False)["novelty"].idxmax().to_numpy()
        regions, novelty, number = described.loc[newest], novelty[newest], number[newest]
        words = [
            _of_structure(difference, part, structures)
            for difference, part in zip(differences[newest], regions["part"], strict=True)
        ]
        shape = [regions_across(self.side_px, length) for length in points.shape]
        told = self._with_fields(fields_around(regions, self.across, shape), novelty, number, words)
        return pd.concat([regions[PLACE].reset_index(drop=True), told], axis=1)

    def _with_fields(
        self, fields: Sequence[np.ndarray], novelty: np.ndarray, number: np.ndarray, words: Sequence[str]
    ) -> pd.DataFrame:
        """Regions with this novelty, number of structures and difference, or those of the fields around them."""
        told = []
        for region, own in enumerate(fields):
            new, teller = of_field(novelty[own], number[own], self.across, self.fields), own[novelty[own].argmax()]
            if new <= novelty[region]:
                new, teller = novelty[region], region
            told.append((round(new, 3), new > 1, words[teller] if new > 1 else ""))
        columns = ["novelty", "unfamiliar", "differs_by"]
        return pd.DataFrame(told, columns=columns).astype({"novelty": float, "unfamiliar": bool})

    def _compared(self, regions: pd.DataFrame, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Novelty of each row, with so many structures in its region, and by what it differs most, in words."""
        novelty, differences = np.zeros(len(regions)), np.full(len(regions), "", dtype=object)
        for index, part in enumerate(self.parts):
            own = (regions["part"] == index).to_numpy()
            novelty[own], apart = part.compared(regions.loc[own, FEATURES].to_numpy(), number[own])
            differences[own] = [_difference(row) for row in apart]
        columns = appearance_of(regions)
        for index, part in enumerate(self.appearance):
            own = np.flatnonzero(regions["part"] == index)
            looks, _ = part.compared(regions.iloc[own][columns].to_numpy(), number[own])
            farther = looks > novelty[own]
            novelty[own[farther]], differences[own[farther]] = looks[farther], OTHER_SHAPES
        return novelty, differences


def _difference(apart: np.ndarray) -> str:
    """By which feature a description differs most, in words."""
    most = int(np.abs(apart).argmax())
    return LESS_AND_MORE[FEATURES[most]][int(apart[most] > 0)]


def _of_structure(difference: str, part: int, structures: Sequence[str]) -> str:
    return difference if part == WHOLE else f"{difference}{OF}{structures[part - 1].replace('_', ' ')}"


def nothing_known(structures: int, pixel_nm: float, composite_px: int) -> Known:
    """To a model that knows nothing of regions, none is unfamiliar; parameters as of `learn.learn_from`."""
    side_px = region_px(pixel_nm, composite_px)
    parts = [nothing(len(FEATURES), structures)] * (structures + 1)
    around, across = surroundings(side_px, composite_px), regions_across(side_px, composite_px)
    return Known(side_px, around, across, parts, [1.0] * (structures + 1))
