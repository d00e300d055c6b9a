"""Repeated localizations of one molecule become one: those of a trace, or those close in space and time."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lusco.render import NO_TRACE

_SLACK = 1 + 1e-9  # so that a repeat at exactly the radius counts


def by_trace(table: pd.DataFrame) -> pd.DataFrame:
    """Merge the localizations of each trace; those of none stay."""
    molecule = pd.factorize(table["trace"])[0]
    single = (table["trace"] == NO_TRACE).to_numpy()
    molecule[single] = len(table) + np.arange(single.sum())
    return merge(table, molecule)


def by_radius(table: pd.DataFrame, radius_nm: float, dark_frames: int) -> pd.DataFrame:
    """Merge chains of localizations that follow each other in time at nearly the same place.

    A localization continues at most one earlier one, and is continued by at most one later one: of all pairs within
    `radius_nm` whose frames differ by 1 to `dark_frames` + 1, those that are nearest in time, then in space, are
    linked. Two localizations of the same frame are hence never linked to each other directly.

    Parameters
    ----------
    table : pandas.DataFrame
        With `x_nm`, `y_nm` and `frame`.
    radius_nm : float
        Largest distance of successive repeats, in nm.
    dark_frames : int
        Number of frames for which the molecule may be dark in between.
    """
    frame = table["frame"].to_numpy()
    x_nm, y_nm = table["x_nm"].to_numpy(), table["y_nm"].to_numpy()
    # scaled so that a cube of half-width 1 holds all candidates: few pairs, even where thousands of frames overlap
    scaled = np.column_stack([x_nm / radius_nm, y_nm / radius_nm, frame / (dark_frames + 1)])
    pairs = cKDTree(scaled).query_pairs(_SLACK, p=np.inf, output_type="ndarray")
    earlier_first = frame[pairs[:, 0]] <= frame[pairs[:, 1]]
    earlier, later = np.where(earlier_first[:, None], pairs, pairs[:, ::-1]).T
    gap = frame[later] - frame[earlier]
    distance_nm = np.hypot(x_nm[later] - x_nm[earlier], y_nm[later] - y_nm[earlier])
    near = (gap > 0) & (distance_nm <= radius_nm * _SLACK)
    earlier, later, gap, distance_nm = earlier[near], later[near], gap[near], distance_nm[near]
    order = np.lexsort((later, earlier, distance_nm, gap))
    earlier, later = earlier[order], later[order]
    for end in (0, 1):  # np.unique returns the first, hence nearest, of each
        nearest = np.sort(np.unique((later, earlier)[end], return_index=True)[1])
        earlier, later = earlier[nearest], later[nearest]
    links = coo_array((np.ones(len(earlier), dtype=bool), (earlier, later)), shape=(len(table),) * 2)
    return merge(table, connected_components(links, directed=False)[1])


def merge(table: pd.DataFrame, molecule: np.ndarray) -> pd.DataFrame:
    """One row per molecule, in the order of their first rows.

    The position is the mean, weighted by the inverse variance where all of a molecule's uncertainties are known,
    else by photons where all of those are, else unweighted. The uncertainty is that of the inverse-variance mean
    (NaN where unknown), photons are summed, anything else is that of the first row.

    Parameters
    ----------
    table : pandas.DataFrame
        Localizations, in nm.
    molecule : numpy.ndarray
        Shape (n,), number of each row's molecule.
    """
    _, molecule = np.unique(molecule, return_inverse=True)
    count = int(molecule.max()) + 1
    sigma = table["uncertainty_nm"].to_numpy(dtype=np.float64)
    photons = table["photons"].to_numpy(dtype=np.float64)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(molecule, values, minlength=count)

    def known(values: np.ndarray) -> np.ndarray:
        return total(~(np.isfinite(values) & (values > 0))) == 0

    has_sigma, has_photons = known(sigma), known(photons)
    with np.errstate(divide="ignore"):
        weight = np.where(has_sigma[molecule], sigma**-2.0, np.where(has_photons[molecule], photons, 1.0))
    mass = total(weight)
    first = np.unique(molecule, return_index=True)[1]
    merged = table.iloc[first].copy()
    for axis in ("x_nm", "y_nm", "z_nm"):
        if axis in table:
            # about the first row's position, so that nothing is lost to rounding far from the origin
            start = merged[axis].to_numpy()
            merged[axis] = start + total(weight * (table[axis].to_numpy() - start[molecule])) / mass
    merged["uncertainty_nm"] = np.where(has_sigma, mass**-0.5, np.nan)
    merged["photons"] = total(photons)
    return merged.sort_index(kind="stable")
