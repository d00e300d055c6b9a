"""What went wrong where the truth is known, and signs that it goes wrong where it is not."""

from collections.abc import Iterator, Sequence
from math import isnan

import numpy as np
import pandas as pd

from lusco.figures.coupling import paired, slope
from lusco.figures.style import ALL, shown
from lusco.novelty.regions import LEAST_COUNTS
from lusco.report.content import Mixture, ReportContent
from lusco.report.verdict import CRITERIA, GOOD, per_hundred

UNLIKE_TESTS = 0.10  # a mixture this much less sure, or this much more rejected, than test composites is pointed out
MOSTLY_REJECTED = 0.9  # fraction of a mixture
UNFAMILIAR = 0.05  # fraction of unfamiliar regions from which, being twice that of known data, it is pointed out
MOSTLY_JUDGED = 0.5  # fraction of a mixture's localizations from which on its regions stand for it
OFTEN = 0.1  # fraction of false alarms from which they are said to tell little
OVERLAP_BIAS = 0.02  # median error of an overlap, a fraction, from which it is pointed out
WORST_SHOWN = 5
CONDITIONS = {
    "density": "With {percent} % of all localizations",
    "mixing": "With {percent} % of one structure's localizations and the others complete",
    "number": "With {level:g} of the structures present",
    "precision_nm": "With {level:g} nm added to the scatter of each position",
    "scale": "With positions multiplied by {level:g}, as by a wrong pixel size",
    "overlap": "Where {shared} % of the localizations share a square of 100 nm with another structure",
}
AS_THEY_ARE = {"density": 1, "mixing": 1, "precision_nm": 0, "scale": 1}  # levels at which nothing is changed


def confusions(content: ReportContent) -> Iterator[str]:
    """Yield a sentence on the structure with the most foreign localizations, and one on that with the most lost."""
    rows = content.at_threshold().drop(index=ALL, errors="ignore")
    foreign, found = rows["crosstalk"].dropna(), rows["recall"].dropna()
    if len(foreign):
        yield (
            f"Most often mistaken: of 100 localizations coloured as {shown(foreign.idxmax())},"
            f" {per_hundred(foreign.max())} belong to another structure."
        )
    if len(found):
        yield (
            f"Most often lost: of 100 localizations that truly are {shown(found.idxmin())}, {per_hundred(found.min())}"
            " get that colour; the others are rejected or given to another structure."
        )


def taken_for(content: ReportContent) -> Iterator[tuple[str, list[tuple[str, list[float]]]]]:
    """Yield what is taken for what, as a title and a row of fractions for each structure.

    Of each true structure what it is given to, none rejected; then, at the threshold, of each colour what it truly is.
    """
    if content.confusion is None:
        return
    found, coloured = content.confused(0.0), content.confused(content.threshold).T
    for title, counts in (
        ("Rows: what localizations truly are; columns: what they are given to, none rejected", found),
        ("Rows: the colour that localizations keep at the chosen threshold; columns: what they truly are", coloured),
    ):
        whole = counts.sum(axis=1)
        parts = counts.div(whole.where(whole > 0), axis=0)
        yield title, [(name, list(row)) for name, row in zip(parts.index, parts.to_numpy(), strict=True)]


def unspecific(content: ReportContent) -> Iterator[str]:
    """Yield a sentence on where localizations that belong to no structure end up."""
    rows = content.unspecific_at_threshold()
    if rows.empty:
        return
    given = ", ".join(f"{per_hundred(part)} that of {shown(name)}" for name, part in rows["fraction"].items())
    coloured = rows["fraction"].sum()
    yield (
        f"Bound to nothing: of 100 unspecific localizations, {per_hundred(1 - coloured)} are rejected and"
        f" {per_hundred(coloured)} get a colour, {given} ({rows['localizations'].iloc[0]:,} in all, left out of"
        " accuracy and crosstalk)."
    )


def false_alarms(content: ReportContent) -> Iterator[str]:
    """Yield a sentence on how often regions of the test composites, which are known, are called unfamiliar."""
    regions = content.known_regions()
    if not (regions["novelty"] > 0).any():  # a model that knows of no regions calls none unfamiliar
        return
    part = content.false_alarms()
    often = " So an alarm says little here." if part > OFTEN else ""
    yield (
        f"False alarms: of the {len(regions):,} regions of these composites, whose structures the model knows,"
        f" {per_hundred(part)} % are called unlike anything that it knows.{often}"
    )


def overlap_errors(content: ReportContent) -> Iterator[str]:
    """Yield a sentence on the pair of structures whose overlap is most wrongly reported."""
    if content.overlap is None:
        return
    table = content.overlap[content.overlap["measure"].str.startswith("manders")]
    table = table[table["model"] == content.model]
    keys = ["structure_a", "structure_b", "measure"]
    medians = table.pivot_table(index=keys, columns="source", values="value", aggfunc="median", sort=False)
    medians = medians.reindex(columns=["truth", "model"]).dropna()
    error = medians["model"] - medians["truth"]
    if error.empty:
        return
    a, b, measure = worst = error.abs().idxmax()
    inner, outer = (a, b) if measure == "manders_a" else (b, a)
    if abs(error[worst]) < OVERLAP_BIAS:
        yield f"Overlap between structures is reported within {per_hundred(OVERLAP_BIAS)} points for every pair."
        return
    yield (
        f"Overlap: of the signal of {shown(inner)}, {per_hundred(medians.loc[worst, 'truth'])} % truly lies where"
        f" {shown(outer)} are; the recoloured images say {per_hundred(medians.loc[worst, 'model'])} %. That is the"
        " largest error of all pairs (medians of the test composites)."
    )


def coupled(content: ReportContent) -> Iterator[str]:
    """Yield what overlap measured on recoloured images is worth, for the pair whose true overlap differs most, and
    which pair is measured worst, if it is another.
    """
    if content.coupling is None or content.coupling.empty:
        return
    table = paired(content.coupling)
    table = table[table["measure"] == "manders_a"].assign(error=lambda rows: rows["predicted"] - rows["truth"])
    pairs = table.groupby(["structure_a", "structure_b"])
    spread = pairs["truth"].agg(lambda truth: truth.max() - truth.min())
    if spread.empty or isnan(share := slope(own := _pair(table, *spread.idxmax()))):
        return
    a, b = spread.idxmax()
    bias = pairs["error"].median()
    most = own.loc[own["truth"].idxmax()]
    yield (
        f"In {_windows(own)} whose truth is known, {per_hundred(own['truth'].min())} to {per_hundred(most['truth'])} %"
        f" of the signal of {shown(a)} lies where {shown(b)} are. Measured on recoloured images it is"
        f" {_too(bias[a, b])} in the median, and {per_hundred(most['predicted'])} % where it is most; a difference of"
        f" 10 points between two of them is seen as one of {10 * share:.1f}."
    )
    yield from _near(content, a, b)
    worst = bias.abs().idxmax()
    if worst != (a, b):
        part, whole = map(shown, worst)
        yield f"Worst measured of all pairs is how much of {part} lies in {whole}: {_too(bias[worst])}."


def _windows(table: pd.DataFrame) -> str:
    """The windows of a pair in words: acquisitions, or parts of them."""
    mixtures = table["acquisition"].nunique()
    of = f"{mixtures} mixture{'s' if mixtures > 1 else ''}"
    return of if len(table) == mixtures else f"{len(table)} parts of {of}"


def _near(content: ReportContent, a: str, b: str) -> Iterator[str]:
    """Yield how much closer than by chance a pair lies at the most, and how much that is on recoloured images."""
    table = paired(content.coupling)
    near = _pair(table[table["measure"] == "pair_correlation"], a, b)
    if len(near):
        most = near.loc[near["truth"].idxmax()]
        yield (
            f"Localizations of one within 100 nm of the other are at the most {_times(most['truth'])} times as many as"
            f" by chance; there, recoloured images say {_times(most['predicted'])}."
        )


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"


def _too(bias: float) -> str:
    return f"{per_hundred(abs(bias))} points too {'high' if bias > 0 else 'low'}"


def _pair(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    return table[(table["structure_a"] == a) & (table["structure_b"] == b)]


def breakdown(content: ReportContent) -> Iterator[str]:
    """Yield what each sweep does where it is worst: to the accuracy, at the threshold, and whether it is noticed."""
    for name, table in content.sweeps.items():
        scores = table.pivot_table(index="level", columns=["structure", "measure"], values="value")
        if (ALL, "accuracy") not in scores:  # nothing is left at any level
            continue
        accuracy = scores[ALL, "accuracy"].dropna()
        worst, best = accuracy.idxmin(), accuracy.idxmax()
        shared = scores[ALL, "shared"]
        thinned = name == "mixing"  # scores are those of the structure that is
        whose = "of its localizations" if thinned else "localizations"

        def condition(level: float, name: str = name, shared: pd.Series = shared) -> str:
            if level == AS_THEY_ARE.get(name):
                return "As they are"
            return CONDITIONS[name].format(level=level, percent=per_hundred(level), shared=per_hundred(shared[level]))

        other = f" ({condition(best).lower()}, {per_hundred(accuracy[best])})" if len(accuracy) > 1 else ""
        yield (
            f"{condition(worst)}, {per_hundred(accuracy[worst])} of 100 {whose} are given to the right"
            f" structure{other}.{_at_threshold(scores.loc[worst], content.structures, thinned)}"
        )


def _at_threshold(scores: pd.Series, structures: Sequence[str], thinned: bool) -> str:
    """What a level of a sweep means for what keeps a colour, for the worst structure and for the alarm, if measured."""
    said = ""
    rejected, wrong = (scores.get((ALL, measure), np.nan) for measure in ("rejected", "crosstalk"))
    if not isnan(rejected):
        said += f" The threshold then rejects {per_hundred(rejected)} %{' of them' if thinned else ''}"
        if not isnan(wrong):
            said += f", and {per_hundred(wrong)} % of {'what gets its colour' if thinned else 'the others'} are wrong"
        found = {name: scores.get((name, "accuracy"), np.nan) for name in structures}
        found = {name: value for name, value in found.items() if not isnan(value)}
        if len(found) > 1:
            least = min(found, key=found.__getitem__)
            said += f"; of {shown(least)}, none rejected, {per_hundred(found[least])} % are found"
        said += "."
    flagged = scores.get((ALL, "unfamiliar"), np.nan)
    return said if isnan(flagged) else f"{said} {per_hundred(flagged)} % of the regions are flagged as unfamiliar."


def absent(content: ReportContent) -> Iterator[str]:
    """Yield what is invented: on empty background, and of structures that are not there."""
    if "number" not in content.sweeps:
        return
    table = content.sweeps["number"]
    invented = table[(table["measure"] == "invented") & (table["level"] < len(content.structures))]
    if invented.empty:
        return
    few = invented.loc[invented["value"].idxmax()]
    empty = "Where nothing was measured, nothing is drawn: channels are shares of the localizations. "
    how_many = "none" if few["value"] == 0 else f"at most {per_hundred(few['value'])}"
    with_few = "" if few["value"] == 0 else f"with {few['level']:g} of them present; "
    yield (
        f"{empty if content.divides else ''}Where some of the structures are absent, {how_many} of 100 localizations"
        " get the colour of an absent one at the chosen threshold"
        f" ({with_few}{few['composites']} composites for each number)."
    )


def gaps(content: ReportContent, distance: str = "dssim") -> pd.DataFrame:
    """How far each channel of the test composites came out.

    Parameters
    ----------
    content : ReportContent
        What is reported.
    distance : str
        `dssim` (1 - SSIM) or `mse`.

    Returns
    -------
    pandas.DataFrame
        Columns composite, structure, gap_closed (1 - distance / median distance of shuffled pairs); empty without
        distances.
    """
    columns = ["composite", "structure", "gap_closed"]
    if content.distances is None:
        return pd.DataFrame(columns=columns)
    table = content.distances.query("model == @content.model and distance == @distance")
    chance = table[table["comparison"] == "shuffled_pairs"].groupby("structure")["value"].median()
    own = table[table["comparison"] == "model"]
    gap = 1 - own["value"] / own["structure"].map(chance).replace(0, np.nan)  # no chance, no gap
    return own.assign(gap_closed=gap).dropna(subset="gap_closed")[columns]


def worst_composites(content: ReportContent) -> pd.DataFrame:
    """The `WORST_SHOWN` channels of test composites that came out worst, worst first, as `gaps` gives them."""
    return gaps(content).sort_values("gap_closed", kind="stable").head(WORST_SHOWN)


def warnings(content: ReportContent, mixture: Mixture) -> Iterator[str]:
    """Yield a sentence for each sign that a mixed acquisition is unlike what the model was tested on."""
    sure, rows = content.known_confidence(), content.at_threshold()
    if mixture.confidence < sure - UNLIKE_TESTS:
        yield (
            f"The model is less sure here ({per_hundred(mixture.confidence)} %) than on the test composites"
            f" ({per_hundred(sure)} %): this sample differs from the training data."
        )
    if ALL in rows.index and mixture.rejected > rows.loc[ALL, "rejected"] + UNLIKE_TESTS:
        yield (
            f"More localizations stay without colour ({per_hundred(mixture.rejected)} %) than on the test composites"
            f" ({per_hundred(rows.loc[ALL, 'rejected'])} %)."
        )
    if mixture.rejected > MOSTLY_REJECTED:
        whole = "; the channels of the image leave nothing out" if content.divides else ""
        yield (
            f"Nearly all of it ({per_hundred(mixture.rejected)} %) is too uncertain for the"
            f" {per_hundred(content.crosstalk_target)} % of crosstalk that were asked for. A higher recolor.crosstalk"
            f" in the configuration keeps more{whole}."
        )
    known = 0.0 if (unscored := isnan(content.false_alarms())) else content.false_alarms()
    if mixture.unfamiliar is not None and mixture.unfamiliar > max(2 * known, UNFAMILIAR):
        beside = "" if unscored else f" (of the test composites' regions, {per_hundred(known)} %)"
        yield (
            f"{per_hundred(mixture.unfamiliar)} % of its regions are unlike anything the model knows{beside}, most of"
            f" all by {mixture.differs_by}. Possible causes: another density, precision or pixel size than it knows,"
            " or structures it does not know. Colours there may mean nothing; see which in the figure."
        )
    if mixture.judged < MOSTLY_JUDGED:
        yield (
            f"Too sparse to be compared with what the model knows: {per_hundred(mixture.judged)} % of its localizations"
            f" lie in regions that have {LEAST_COUNTS}. No alarm says little here."
        )
    target = content.crosstalk_target
    if mixture.wrong is not None and CRITERIA["crosstalk"].grade(mixture.wrong / target) != GOOD:
        yield (
            f"Of the localizations that keep a colour here, {per_hundred(mixture.wrong)} % have a wrong one; the"
            f" threshold was set for {per_hundred(target)} %."
        )
    if mixture.accuracy is not None and mixture.confidence > mixture.accuracy + UNLIKE_TESTS:
        yield (
            f"The model is surer ({per_hundred(mixture.confidence)} %) than it is right"
            f" ({per_hundred(mixture.accuracy)} %): do not trust its confidence on this kind of sample."
        )
