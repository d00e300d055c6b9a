"""What a model found in a mixed acquisition, in a few numbers: a report need not read a thousand tables again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lusco.errors import Fault, InputError
from lusco.files import RECREATE, read_json, write_json
from lusco.novelty import OF
from lusco.table import UNSPECIFIC


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
        Fraction given to the true structure, none rejected, of those that truly belong to one, whether the model knows
        it or not; None where the truth is unknown.
    confidence : float
        Mean over all its localizations of the highest probability.
    guesses : mapping of str to float
        Of all its localizations, those that are likeliest of each structure, none rejected.
    truth : mapping of str to float
        Of those that truly belong to a structure, the fraction of each, in the order of the channels, before those that
        the model does not know; empty where the truth is unknown.
    unspecific : float or None
        Of all its localizations, those whose truth names no structure; None where the truth is unknown.
    wrong : float or None
        Of those of them that keep a colour, the fraction whose colour is not theirs; None where there are none.
    judged : float
        Of all its localizations, those in regions that have enough of them to be compared with what the model knows.
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
    guesses: Mapping[str, float] = field(default_factory=dict)
    truth: Mapping[str, float] = field(default_factory=dict)
    unspecific: float | None = None
    wrong: float | None = None
    judged: float = 1.0
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
        Its table of regions: columns localizations, unfamiliar and differs_by.
    structures : sequence of str
        Those the model knows.
    """
    differing = regions.loc[regions["unfamiliar"].astype(bool), "differs_by"]
    weight = rows["weight"].to_numpy() if "weight" in rows else np.ones(len(rows))
    accepted = ~rows["rejected"].to_numpy(dtype=bool)
    assigned = rows["structure"].to_numpy()
    true = rows["true_structure"] if "true_structure" in rows else pd.Series("", rows.index)
    known = ~(true.isna() | true.isin(["", UNSPECIFIC])).to_numpy()
    right = known & (true == assigned).to_numpy()
    foreign = sorted(set(true[known]) - set(structures))
    return Mixture(
        name=name,
        fractions={s: _part(weight, accepted & (assigned == s)) for s in structures},
        rejected=_part(weight, ~accepted),
        accuracy=_part(weight, right, known),
        guesses={s: _part(weight, assigned == s) for s in structures},
        truth={s: _part(weight, (true == s).to_numpy(), known) for s in (*structures, *foreign)} if known.any() else {},
        unspecific=_part(weight, ~known) if known.any() else None,
        wrong=_part(weight, accepted & known & ~right, accepted & known),
        judged=float(min(1.0, regions["localizations"].sum() / weight.sum())),  # the last regions may overlap
        unfamiliar=float(regions["unfamiliar"].mean()) if len(regions) else None,
        differs_by=_most_common(differing),
        confidence=float(np.average(rows[[f"p_{s}" for s in structures]].max(axis=1), weights=weight)),
    )


def _part(weight: np.ndarray, chosen: np.ndarray, of: np.ndarray | slice = slice(None)) -> float | None:
    """Of the weight of the rows `of`, the part of those that are chosen; None where there is none."""
    whole = weight[of].sum()
    return float(weight[chosen].sum() / whole) if whole > 0 else None


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
