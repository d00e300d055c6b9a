"""Repeats: localizations of one molecule, known by their closeness in space and time, tell its place together.

Where traces say which localizations are of one molecule, as in MINFLUX, these are believed.

A dye blinks, so that a molecule is localized several times within seconds to minutes. How often, and after which
lag, is read from the pairs of close localizations: those in excess of what other molecules give, as in corrections of
counts for blinking (Bohrer et al., Nat Methods 18, 669 (2021)). With that, Bayes' rule says how likely two
localizations are of one molecule, and each is moved to the mean of its likely repeats. Nothing is merged or lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from lusco.errors import Fault, InputError
from lusco.render import NO_TRACE, Points

BINS = 24  # of lags, from one frame to the longest, each longer than the last by the same factor
NEAR_SIGMAS = 2.0  # pairs this close, in standard deviations of their distance in x or y, are counted
USUAL = 1.5  # times the median: localizations less certain than that are not counted
FAR = 0.25  # of the acquisition: at longer lags, pairs are of different molecules
LEAST_SIGMAS = 5.0  # by how much pairs of some lag must exceed what chance gives
MOST = 0.75  # of all repeats: those with longer lags are too few among pairs by chance
COUNTED = 50_000  # localizations of an acquisition in which pairs are counted
REACH = 6.0  # median uncertainties: how far from each other repeats are looked for
BLOCK = 200_000  # localizations at a time, because there are several pairs of each


@dataclass(frozen=True)
class Repeats:
    """How often and when a molecule is localized again.

    Parameters
    ----------
    lag_frames : tuple of int
        Edges of bins of lags, in frames; empty where no repeats are known.
    per_frame : tuple of float
        Expected number of later repeats of a localization in each frame of a bin; one fewer than edges.
    traces : bool
        Whether repeats are told by traces, so that nothing has to be known of them.
    """

    lag_frames: tuple[int, ...] = ()
    per_frame: tuple[float, ...] = ()
    traces: bool = False

    def __bool__(self) -> bool:
        return self.traces or len(self.per_frame) > 0

    @property
    def per_localization(self) -> float:
        """Expected number of later repeats of a localization."""
        return float(np.dot(self.per_frame, np.diff(self.lag_frames)))


def traced(points: Points) -> bool:
    """Whether some localizations are of traces."""
    return points.trace is not None and bool((points.trace != NO_TRACE).any())


def usable(points: Points) -> bool:
    """Whether repeats can be told without traces: the frames are known, and nearly all uncertainties."""
    return _has_frames(points) and points.precision_is_known


def _has_frames(points: Points) -> bool:
    return points.frame is not None and bool(points.frame.any())  # unknown ones are 0


def check_usable(named: Iterable[tuple[str, Points]], repeats: Repeats) -> None:
    """Check that what a model is applied to is like what it learned from.

    Parameters
    ----------
    named : iterable of tuple
        Names, for the error, and localizations. One of several may lack them: of a composite of few localizations,
        more than usual may have no uncertainty, or all may be of a structure that was measured without traces.
    repeats : Repeats
        Of the model.

    Raises
    ------
    InputError
        If the model knows repeats, and all of these localizations lack what tells them.
    """
    if not repeats:
        return
    each = [unusable(name, points, repeats.traces) for name, points in named if len(points)]
    faults = [fault for fault in each if fault]
    if faults and len(faults) == len(each):
        raise InputError(faults[0])


def unusable(name: str, points: Points, by_traces: bool) -> Fault | None:
    """What keeps repeats from being told, by traces or without, if anything does."""
    if traced(points) if by_traces else usable(points):
        return None
    what, mend = _lacking(points, by_traces)
    what = f"{what}, by which the model finds localizations of the same molecule"
    return Fault(name, what, f"{mend}, or use a model that was trained with `settle: false`")


def _lacking(points: Points, by_traces: bool) -> tuple[str, str]:
    if points.of_image:
        return "it is an image and has no localizations", "give those"
    if by_traces:
        return "it names no traces", "export them"
    if not _has_frames(points):
        return "it has no frames", "name their column in `columns`"
    unknown = len(points) - np.count_nonzero(points.uncertainty_is_known)
    what = f"{unknown} of its {len(points)} localizations lack an uncertainty (missing, infinite or not above 0)"
    return what, "name their column in `columns`, or export those that have one"


def learn_repeats(acquisitions: Sequence[Points]) -> Repeats:
    """How often molecules repeat, over all acquisitions.

    Parameters
    ----------
    acquisitions : sequence of Points
        Acquisitions of a single structure each, all of them usable.

    Returns
    -------
    Repeats
        Empty where close pairs are no more frequent at short lags than at long ones.
    """
    longest = max(int(np.ptp(points.frame)) + 1 for points in acquisitions)
    edges = np.unique(np.geomspace(1, max(longest, 2), BINS + 1).round().astype(np.int64))
    excess, variance, number = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1), 0.0
    for points in acquisitions:
        own = _excess(points, edges)
        excess, variance, number = excess + own[0], variance + own[1], number + own[2]
    seen = (excess > LEAST_SIGMAS * np.sqrt(variance)) & (edges[:-1] < FAR * longest)
    if not seen.any():
        return Repeats()
    # what was linked over a few dark frames before has less than chance at the shortest lags
    excess = np.maximum(excess[: np.flatnonzero(seen)[-1] + 1], 0)
    last = 1 + int(np.argmax(np.cumsum(excess) >= MOST * excess.sum()))
    per_frame = excess[:last] / number / np.diff(edges)[:last]
    return Repeats(tuple(map(int, edges[: last + 1])), tuple(map(float, per_frame)))


def _excess(points: Points, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Close pairs per bin of lags beyond those of different molecules, their variance, and of how many localizations.

    What other molecules give follows the times at which localizations were measured, whatever their place, and is as
    frequent as at the longest lags.
    """
    points = points.subset(points.uncertainty_is_known)
    order = np.argsort(points.y_nm, kind="stable")
    first = max(0, (len(order) - COUNTED) // 2)
    some = order[first : first + COUNTED]
    sigma = points.uncertainty_nm[some].astype(np.float64)
    usual = sigma <= USUAL * np.median(sigma)
    some, sigma = some[usual], sigma[usual]
    place, frame = np.column_stack([points.x_nm[some], points.y_nm[some]]), points.frame[some]
    pairs = cKDTree(place).query_pairs(NEAR_SIGMAS * np.sqrt(2) * sigma.max(), output_type="ndarray")
    a, b = pairs.T
    near = np.hypot(*(place[a] - place[b]).T) <= NEAR_SIGMAS * np.hypot(sigma[a], sigma[b])
    lag = np.abs(frame[a[near]] - frame[b[near]])
    close = np.histogram(lag, edges)[0].astype(np.float64)

    times = np.sort(frame)
    before = np.searchsorted(times, np.add.outer(edges, times)).sum(1)  # per edge, over all localizations
    by_chance = np.diff(before).astype(np.float64)
    far = edges[:-1] >= FAR * (np.ptp(times) + 1)
    chance = close[far].sum() / max(by_chance[far].sum(), 1.0) * by_chance
    share = np.mean(usual) * (1 - np.exp(-(NEAR_SIGMAS**2) / 2))  # of the repeats, those that are counted
    return (close - chance) / share, (close + 1) / share**2, float(len(some))


def settled(points: Points, repeats: Repeats) -> Points:
    """The same localizations, each moved to where its molecule most likely is, or to the mean of its trace.

    Parameters
    ----------
    points : Points
        Localizations; they stay where they are if repeats cannot be told, and so do the few without an uncertainty.
    repeats : Repeats
        How often and when a molecule is localized again.
    """
    if repeats.traces:
        return _at_means_of_traces(points) if traced(points) else points
    if not repeats or not usable(points):
        return points
    if not (known := points.uncertainty_is_known).all():
        there = settled(points.subset(known), repeats)
        moved = {name: getattr(points, name).copy() for name in ("x_nm", "y_nm")}
        for name, values in moved.items():
            values[known] = getattr(there, name)
        return replace(points, **moved)
    order = np.argsort(points.y_nm, kind="stable")
    x_nm, y_nm, frame = points.x_nm[order], points.y_nm[order], points.frame[order]
    sigma_nm = points.uncertainty_nm[order].astype(np.float64)
    reach_nm = REACH * float(np.median(sigma_nm))
    frames = int(np.ptp(frame)) + 1
    moved_x, moved_y = np.empty(len(points)), np.empty(len(points))
    for start in range(0, len(points), BLOCK):
        stop = min(start + BLOCK, len(points))
        low, high = np.searchsorted(y_nm, [y_nm[start] - 2 * reach_nm, y_nm[stop - 1] + 2 * reach_nm])
        some = slice(min(low, start), max(high, stop))
        place = np.column_stack([x_nm[some], y_nm[some]])
        place = _settle(place, frame[some], sigma_nm[some], frames, reach_nm, repeats)
        moved_x[order[start:stop]], moved_y[order[start:stop]] = place[start - some.start :][: stop - start].T
    return replace(points, x_nm=moved_x, y_nm=moved_y)


def _at_means_of_traces(points: Points) -> Points:
    """Each localization of a trace at the mean of those, weighted by precision where it is known of all."""
    own = np.flatnonzero(points.trace != NO_TRACE)
    _, trace = np.unique(points.trace[own], return_inverse=True)
    sigma_nm = points.uncertainty_nm[own].astype(np.float64)
    known = (np.isfinite(sigma_nm) & (sigma_nm > 0)).all()
    weight = sigma_nm**-2 if known else np.ones(len(own))
    total = np.bincount(trace, weight)
    moved = {"x_nm": points.x_nm.copy(), "y_nm": points.y_nm.copy()}
    for place in moved.values():
        place[own] = (np.bincount(trace, weight * place[own]) / total)[trace]
    return replace(points, **moved)


def settled_table(table: pd.DataFrame, points: Points, repeats: Repeats) -> pd.DataFrame:
    """A table whose localizations are `points`, with the positions that `settled` gives them."""
    there = settled(points, repeats)
    return table.assign(x_nm=there.x_nm, y_nm=there.y_nm)


def _settle(
    place_nm: np.ndarray, frame: np.ndarray, sigma_nm: np.ndarray, frames: int, reach_nm: float, repeats: Repeats
) -> np.ndarray:
    """Mean of each localization and its likely repeats, shape (n, 2) in nm.

    That two are of one molecule is as likely as their lag and distance are frequent among repeats, against chance:
    the density around them, spread over the `frames` of the acquisition.
    """
    a, b, rate = _pairs(place_nm, frame, reach_nm, repeats)
    around_nm = reach_nm / 2
    others = cKDTree(place_nm).query_ball_point(place_nm, around_nm, return_length=True)
    others = others / (np.pi * around_nm**2 * frames)
    x_nm, y_nm = np.ascontiguousarray(place_nm.T)
    variance = (sigma_nm**2)[a] + (sigma_nm**2)[b]
    squared = (x_nm[a] - x_nm[b]) ** 2 + (y_nm[a] - y_nm[b]) ** 2
    likely = rate * np.exp(-squared / 2 / variance) / (2 * np.pi * variance)
    same = likely / np.sqrt((likely + others[a]) * (likely + others[b]))

    def total(values: np.ndarray) -> np.ndarray:
        """Sum of a value of each localization and those of its likely repeats, weighted by precision."""
        values = values / sigma_nm**2
        n = len(values)
        return values + np.bincount(a, same * values[b], n) + np.bincount(b, same * values[a], n)

    weight = total(np.ones(len(frame)))
    return np.column_stack([total(axis) / weight for axis in (x_nm, y_nm)])


def _pairs(
    place_nm: np.ndarray, frame: np.ndarray, reach_nm: float, repeats: Repeats
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that may be repeats, as two arrays of indices, and how many repeats are expected per frame of their lag."""
    edges = np.asarray(repeats.lag_frames)
    # scaled so that a cube of half-width 1 holds all candidates
    scaled = np.column_stack([place_nm / reach_nm, frame / edges[-1]])
    a, b = np.ascontiguousarray(cKDTree(scaled).query_pairs(1.0, p=np.inf, output_type="ndarray").T)
    bins = np.searchsorted(edges, np.abs(frame[a] - frame[b]), side="right") - 1
    return a, b, np.append(repeats.per_frame, 0.0)[bins]  # none before the first edge (-1), none from the last on
