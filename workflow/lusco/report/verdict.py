"""From numbers to words: what counts as good, and the sentence for each number.

The one place where "good" is defined. A verdict is the worst grade of its numbers; numbers that could not be
measured are named and do not raise it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot, isnan

from lusco.figures.style import ALL, shown
from lusco.report.content import ReportContent

GOOD, FAIR, POOR, UNKNOWN = "good", "fair", "poor", "not measured"


@dataclass(frozen=True)
class Criterion:
    """Where good and fair end.

    Parameters
    ----------
    good, fair : float
        The worst value, a fraction, that is still good and still fair.
    why : str
        Where the limits come from.
    """

    good: float
    fair: float
    why: str

    def grade(self, value: float) -> str:
        """Grade of a value; the smaller is the better one if `good` is below `fair`."""
        if isnan(value):
            return UNKNOWN
        sign = 1 if self.good < self.fair else -1
        return next(
            (word for word, limit in ((GOOD, self.good), (FAIR, self.fair)) if sign * (value - limit) <= 0), POOR
        )


CRITERIA = {
    "accuracy": Criterion(0.90, 0.75, "one wrong in ten is little to the eye, one in four shows in every filament"),
    "crosstalk": Criterion(1.25, 2.0, "crosstalk on the test composites, as a multiple of the target"),
    "rejected": Criterion(0.40, 0.60, "CC-DeepSTORM (optical) rejects 40 %, as stated by its authors"),
    "gap_closed_mse": Criterion(0.80, 0.50, "the original system reaches medians of 0.47 to 0.52"),
    "gap_closed_dssim": Criterion(0.66, 0.27, "the original system reaches medians of 0.27 to 0.66"),
    "expected_calibration_error": Criterion(0.03, 0.08, "smaller than what a reader of a percentage would notice"),
}

LITTLE = 0.03  # of localizations more that are right: not worth new acquisitions
WORDS = {
    GOOD: "The colours can be trusted on material like the training data.",
    FAIR: "The colours are usable with care.",
    POOR: "The colours should not be relied on yet.",
    UNKNOWN: "There is no measured basis for a verdict.",
}

NOT_MEASURED = {
    "gap_closed": "no reference above zero to compare with: too few test composites, or an empty channel",
    "accuracy": "no test localization of it has a known structure",
    "crosstalk": "no localization was given to it at that rejection",
    "rejected_at_1pct_crosstalk": "crosstalk stays above 1 % however many are rejected",
    "expected_calibration_error": "no test localization was given to it",
}


@dataclass(frozen=True)
class Finding:
    """One headline number.

    Parameters
    ----------
    label, number, sentence : str
        As shown.
    grade : str
        Good, fair, poor or not measured.
    why : str
        What the grade is based on.
    """

    label: str
    number: str
    sentence: str
    grade: str
    why: str


def findings(content: ReportContent) -> list[Finding]:
    """Headline numbers of the chosen model, each with its sentence and grade."""
    return [number(content) for number in (_accuracy, _crosstalk, _rejected, _closeness, _similarity, _calibration)]


def verdict(found: Sequence[Finding]) -> tuple[str, str, str]:
    """The worst grade of the findings, that grade in words, and a sentence that names the weakest points."""
    grades = {finding.grade for finding in found}
    worst = next((grade for grade in (POOR, FAIR, GOOD) if grade in grades), UNKNOWN)
    because = [f"What holds them back: {_named(found, worst)}."] if worst in (FAIR, POOR) else []
    if UNKNOWN in grades:
        because.append(f"Not measured: {_named(found, UNKNOWN)}.")
    return worst, WORDS[worst], " ".join(because)


def more_acquisitions(content: ReportContent) -> str:
    """What further training acquisitions could bring, in a sentence: what is lost between known and unknown ones."""
    if not {"train", "validation"} <= set(content.accuracies):
        return ""
    known, unknown = (content.accuracies[split] for split in ("train", "validation"))
    lost = round(known["accuracy"], 3) - round(unknown["accuracy"], 3)  # as they are printed
    error = 2 * hypot(*(split.get("error", float("nan")) for split in (known, unknown)))
    right = f"{100 * known['accuracy']:.1f} %", f"{100 * unknown['accuracy']:.1f} %"
    measured = (
        f"In composites of the training acquisitions the model gives {right[0]} of the localizations of a structure to"
        f" it, in those of the validation acquisitions {right[1]}, averaged over structures"
        f" ({known['composites']} and {unknown['composites']} composites; a difference of {100 * lost:.1f} points"
        f"{'' if isnan(error) else f', give or take {100 * error / 2:.1f}'})."
    )
    if isnan(error):
        return f"{measured} A single acquisition of a structure does not tell whether more would help."
    if lost > error:
        return f"{measured} With more acquisitions of each structure it would know the others better."
    if lost + error > LITTLE:
        return f"{measured} So few acquisitions do not tell whether more of them would help."
    return f"{measured} More acquisitions would change little."


def _named(found: Sequence[Finding], grade: str) -> str:
    return ", ".join(finding.label.lower() for finding in found if finding.grade == grade)


def reason(measure: str) -> str:
    """Why a value of a measure of the summary is not a number."""
    return next((why for key, why in NOT_MEASURED.items() if measure.startswith(key)), "not measured")


def per_hundred(fraction: float) -> str:
    """A fraction as a number out of 100, with two digits, and at most two behind the point."""
    value = 100 * fraction
    if abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.2g}" if abs(value) >= 0.1 or value == 0 else f"{value:.2f}"


def percent(fraction: float, error: float = float("nan")) -> str:
    """A fraction in percent, with its standard error where one is known, or a dash."""
    if isnan(fraction):
        return "\N{EN DASH}"
    value = per_hundred(fraction)
    return f"{value} %" if isnan(error) else f"{value} \N{PLUS-MINUS SIGN} {per_hundred(error)} %"


def _give_or_take(error: float) -> str:
    """A standard error in words, if it is known."""
    return "" if isnan(error) else f" (give or take {per_hundred(error)})"


def _finding(label: str, key: str, value: float, sentence: Callable[[], str], graded: float | None = None) -> Finding:
    criterion = CRITERIA[key]
    text = reason(key).capitalize() + "." if isnan(value) else sentence()
    return Finding(label, percent(value), text, criterion.grade(value if graded is None else graded), criterion.why)


def _accuracy(content: ReportContent) -> Finding:
    value, give_or_take = content.value("accuracy"), _give_or_take(content.error("accuracy"))
    return _finding(
        "Accuracy",
        "accuracy",
        value,
        lambda: (
            f"Of 100 localizations in the test composites, {per_hundred(value)}{give_or_take} are given"
            " to the structure they come from when every one is given a colour."
        ),
    )


def _crosstalk(content: ReportContent) -> Finding:
    value, target = _at_threshold(content, "crosstalk"), content.crosstalk_target
    form = ".2f" if content.threshold <= 0.99 else ".3f"  # above, thresholds lie closer
    reached = content.on_validation.get("crosstalk", 0.0)
    chosen = f"The threshold was set for {per_hundred(target)}"
    if reached > target:
        chosen += (
            f", which none reached on validation composites: this one came closest there, to {per_hundred(reached)}"
        )
    return _finding(
        "Wrong colours",
        "crosstalk",
        value,
        lambda: (
            f"Of 100 localizations that keep their colour at the chosen threshold ({content.threshold:{form}}),"
            f" {per_hundred(value)} belong to another structure{_bound_to_none(content)}. {chosen}."
        ),
        graded=value / target,
    )


def _bound_to_none(content: ReportContent) -> str:
    """That crosstalk is without localizations of no structure, and how many these are, where that is known."""
    nothing, rows = content.unspecific_at_threshold(), content.at_threshold()
    if nothing.empty or ALL not in rows.index:
        return ""
    bound = rows.loc[ALL, "localizations"] * (1 - rows.loc[ALL, "rejected"])
    unbound = nothing["localizations"].iloc[0] * nothing["fraction"].sum()
    part = unbound / (bound + unbound) if unbound else 0.0
    return f", not counting {per_hundred(part)} of 100 that belong to none" if part else ""


def _rejected(content: ReportContent) -> Finding:
    value = _at_threshold(content, "rejected")
    return _finding(
        "Localizations left without colour",
        "rejected",
        value,
        lambda: (
            f"The price of that purity: {per_hundred(value)} of 100 localizations are too uncertain to be"
            f" coloured.{_if_fewer_were_rejected(content, value)}"
        ),
    )


def _if_fewer_were_rejected(content: ReportContent, rejected: float) -> str:
    """What a threshold that rejects 30 % would cost, where that is fewer."""
    wrong = content.value("crosstalk_at_30pct_rejected")
    if rejected <= 0.3 or isnan(wrong):
        return ""
    return f" If only 30 were left without, {per_hundred(wrong)} of 100 coloured ones would have a wrong colour."


def _closeness(content: ReportContent) -> Finding:
    return _gap(content, "gap_closed_mse", "Closeness to the true images", "by squared error")


def _similarity(content: ReportContent) -> Finding:
    return _gap(content, "gap_closed_dssim", "Likeness of the fine structure", "by structural similarity")


def _gap(content: ReportContent, measure: str, label: str, by: str) -> Finding:
    values = {name: content.value(measure, name) for name in content.structures}
    known = {name: value for name, value in values.items() if not isnan(value)}
    worst = min(known, key=known.__getitem__, default="")
    value, give_or_take = known.get(worst, float("nan")), _give_or_take(content.error(measure, worst))
    return _finding(
        label,
        measure,
        value,
        lambda: (
            f"The worst structure, {shown(worst)}, is {per_hundred(value)} %{give_or_take} of the way"
            f" from chance (an image of the same structure from elsewhere) to the perfect image, {by}."
            if value >= 0
            else f"The worst structure, {shown(worst)}, is further from its true image than chance is, {by}."
        ),
    )


def _calibration(content: ReportContent) -> Finding:
    value = content.value("expected_calibration_error")
    return _finding(
        "Error of stated confidence",
        "expected_calibration_error",
        value,
        lambda: f"How sure the model says it is, as a percentage, is off by {per_hundred(value)} points on average.",
    )


def _at_threshold(content: ReportContent, column: str) -> float:
    rows = content.at_threshold()
    return float(rows.loc[ALL, column]) if ALL in rows.index else float("nan")
