"""What a model found in a mixed acquisition, in a few numbers: a report need not read a thousand tables again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.errors import Fault, InputError
from lusco.files import RECREATE, read_json, write_json
from lusco.novelty import OF


@dataclass(frozen=True)
class Mixture:
    """What the model found in a mixed acquisition.

    Parameters
    ----------
    name : str
        Of the acquisition.
    fractions : mapping of str to float
        Of all its localizations, those accepted as each structure; with `rejected` they sum to 1.
    rejected : float
        Fraction of all its localizations that are too uncertain for a colour.
    accuracy : float or None
        Fraction of all its localizations given to the true structure, none rejected; None where the truth is unknown.
    confidence : float
        Mean over all its localizations of the highest probability.
    unfamiliar : float or None
        Fraction of its regions that are unlike what the model knows; None where none has enough localizations.
    differs_by : str or None
        By what most of these differ most; None where there are none.
    """

    name: str
    fractions: Mapping[str, float]
    rejected: float
    accuracy: float | None
    confidence: float
    unfamiliar: float | None = None
    differs_by: str | None = None


def summarize(name: str, rows: pd.DataFrame, regions: pd.DataFrame, structures: Sequence[str]) -> Mixture:
    """Sum up a recoloured acquisition; a pixel of an image counts its weight.

    Parameters
    ----------
    name : str
        Of the acquisition.
    rows : pandas.DataFrame
        Its recoloured table: columns structure, rejected, p_<structure>, and weight and true_structure if known.
    regions : pandas.DataFrame
        Its table of regions: columns unfamiliar and differs_by.
    structures : sequence of str
        Those the model knows.
    """
    differing = regions.loc[regions["unfamiliar"].astype(bool), "differs_by"]
    weight = rows["weight"].to_numpy() if "weight" in rows else np.ones(len(rows))
    total = weight.sum()
    accepted = ~rows["rejected"].to_numpy(dtype=bool)
    assigned = rows["structure"].to_numpy()
    accuracy = None
    if "true_structure" in rows:
        known = rows["true_structure"].isin(structures).to_numpy()
        right = (rows["true_structure"].to_numpy() == assigned) & known
        if weight[known].sum() > 0:  # in a negative control no structure is one that the model knows
            accuracy = float(weight[right].sum() / weight[known].sum())
    return Mixture(
        name=name,
        fractions={s: float(weight[accepted & (assigned == s)].sum() / total) for s in structures},
        rejected=float(weight[~accepted].sum() / total),
        accuracy=accuracy,
        unfamiliar=float(regions["unfamiliar"].mean()) if len(regions) else None,
        differs_by=_most_common(differing),
        confidence=float(np.average(rows[[f"p_{s}" for s in structures]].max(axis=1), weights=weight)),
    )


def _most_common(differences: pd.Series) -> str | None:
    """By what most differ, whichever structure's it is, and then of which most do."""
    if differences.empty:
        return None
    kinds = differences.str.split(OF).str[0]
    return differences[kinds == kinds.mode().iloc[0]].mode().iloc[0]


def write_mixture(mixture: Mixture, path: Path) -> None:
    """Write as JSON."""
    write_json(path, asdict(mixture))


def read_mixture(path: Path) -> Mixture:
    """Read what `write_mixture` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged or something else.
    """
    content = read_json(path)
    try:
        return Mixture(**content)
    except TypeError:
        raise InputError(Fault(path, "it does not say what was found in an acquisition", RECREATE)) from None
