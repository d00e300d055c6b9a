"""The HTML page: numbers to rows, figures to embedded images, all names escaped."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from lusco import __version__
from lusco.colours import ON_BLACK
from lusco.figures.shapes import LABELS, paired
from lusco.figures.style import ALL, shown
from lusco.report import failures
from lusco.report.content import Mixture, ReportContent
from lusco.report.verdict import CRITERIA, FAIR, GOOD, POOR, findings, more_acquisitions, percent, reason, verdict
from lusco.report.viewer import viewer
from lusco.whole import check_end

CAPTIONS = Path(__file__).parents[2] / "report"  # the same captions that Snakemake's own report shows
EMBEDDED_BYTES = 8_000_000  # pictures of mixed acquisitions that are part of the page; the others lie beside it
MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".csv": "text/csv"}
MEASURES = {
    "accuracy": "Given to the right structure, none rejected",
    "crosstalk_at_30pct_rejected": "Crosstalk with 30 % rejected",
    "rejected_at_1pct_crosstalk": "Rejected for 1 % crosstalk",
    "expected_calibration_error": "Error of stated confidence",
    "gap_closed_mse": "Gap closed, squared error, from chance to perfect",
    "gap_closed_dssim": "Gap closed, 1 - SSIM, from chance to perfect",
    "gap_closed_mse_floor": "Gap closed, squared error, from chance to noise floor",
    "gap_closed_dssim_floor": "Gap closed, 1 - SSIM, from chance to noise floor",
}


def report(content: ReportContent) -> str:
    """Return the report as one HTML page that needs no other file; the same content gives the same text.

    Parameters
    ----------
    content : ReportContent
        Its figures are read from disk; a name whose file does not exist is left out.

    Returns
    -------
    str
        HTML, to be written as UTF-8.

    Raises
    ------
    InputError
        If a file of a figure or of the viewer was cut off.
    """
    environment = Environment(
        loader=PackageLoader("lusco.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.filters["percent"] = percent
    found = findings(content)
    figures = _figures(content.figures)
    mixtures = [_mixture(content, mixture) for mixture in content.mixed]
    doubtful = [shown(item["mixture"].name) for item in mixtures if item["warnings"]]
    grade, words, because = verdict(found)
    return environment.get_template("template.html").render(
        content=content,
        figures=figures,
        grade=grade,
        words=words,
        because=because,
        more_acquisitions=more_acquisitions(content),
        doubtful=doubtful,
        symbols={GOOD: "✔", FAIR: "◐", POOR: "✘"},
        findings=found,
        colours={name: ON_BLACK[index % len(ON_BLACK)] for index, name in enumerate(content.structures)},
        mixtures=mixtures,
        overview=_overview(content) if len(mixtures) > 1 else [],
        tested_on=content.tested_on(),
        trained_on=_trained_on(content.training),
        beside=sum(figure["beside"] for figure in figures.values()),
        viewer=viewer(content),
        scores=_scores(content),
        measures=MEASURES.values(),
        criteria=CRITERIA,
        models=_models(content),
        shapes=_shapes(content),
        coupled=list(failures.coupled(content)),
        breakdown=[*failures.breakdown(content), *failures.absent(content)],
        confusions=[
            *failures.confusions(content),
            *failures.unspecific(content),
            *failures.overlap_errors(content),
            *failures.false_alarms(content),
        ],
        taken_for=list(failures.taken_for(content)),
        worst=failures.worst_composites(content).to_dict("records"),
        splits=_splits(content.splits),
        config=yaml.safe_dump(_plain(content.config), sort_keys=False, allow_unicode=True),
        version=__version__,
    )


def _figures(paths: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Image and table (addresses), caption and title of each figure whose file exists, by name, in the order given.

    They are part of the page, but of mixed acquisitions so many only as there is room for; the others lie beside it.
    """
    figures = {}
    left = EMBEDDED_BYTES
    for name, path in paths.items():
        if not path.is_file():
            continue
        check_end(path)
        beside = name.startswith("mixed_") and path.stat().st_size > left
        if name.startswith("mixed_") and not beside:
            left -= path.stat().st_size
        table = path.with_suffix(".csv")
        if table.is_file():
            check_end(table)
        figures[name] = {
            "image": f"{path.parent.name}/{path.name}" if beside else _data(path),
            "beside": beside,
            "file": path.name,
            "table": _data(table) if table.is_file() else None,
            "table_file": table.name,
            "caption": caption(name),
            "title": shown(name),
        }
    return figures


def _data(path: Path) -> str:
    """An image as an address that holds it."""
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{MEDIA[path.suffix]};base64,{encoded}"


def caption(name: str) -> str:
    """Caption of a figure; all `mixed_<acquisition>` share one, all `sweep_<name>` too. Empty if none."""
    shared = next((kind for kind in ("mixed", "sweep") if name.startswith(f"{kind}_")), name)
    file = CAPTIONS / f"{shared}.rst"
    return " ".join(file.read_text(encoding="utf-8").split()) if file.is_file() else ""


def _mixture(content: ReportContent, mixture: Mixture) -> dict[str, Any]:
    total = sum(mixture.fractions.values()) + mixture.rejected
    return {
        "mixture": mixture,
        "parts": [(name, mixture.fractions.get(name, 0.0)) for name in content.structures],
        "total": total if total > 0 else 1.0,
        "foreign": {name: part for name, part in mixture.truth.items() if name not in content.structures},
        "warnings": list(failures.warnings(content, mixture)),
    }


def _overview(content: ReportContent) -> list[tuple[str, list[str]]]:
    """What was found in each mixed acquisition in a line of numbers, and what in the test composites, to compare."""

    def line(*numbers: float | None) -> list[str]:
        return [percent(float("nan") if number is None else number) for number in numbers]

    rows = [
        (
            mixture.name,
            line(
                *(mixture.guesses.get(name) for name in content.structures),
                *(mixture.rejected, mixture.confidence, mixture.unfamiliar, mixture.accuracy, mixture.wrong),
            ),
        )
        for mixture in content.mixed
    ]
    tested = content.at_threshold()
    if ALL in tested.index:
        of_all, nothing = tested.loc[ALL], [None] * len(content.structures)
        known = (of_all["rejected"], content.known_confidence(), content.false_alarms())
        rows.append(("test composites", line(*nothing, *known, content.value("accuracy"), of_all["crosstalk"])))
    return rows


def _scores(content: ReportContent) -> dict[str, Any]:
    """The summary of the chosen model as a table: a row per measure, a column per structure; and why values miss."""
    names = [*content.structures, ALL]
    rows, missing = [], {}
    own = content.summary[content.summary["model"] == content.model]
    for measure, label in MEASURES.items():
        present = set(own.loc[own["measure"] == measure, "structure"])
        if not present:
            continue
        values = {name: content.value(measure, name) for name in names}
        cells = (percent(value, content.error(measure, name)) for name, value in values.items())
        rows.append([label, *(cell if name in present else "" for name, cell in zip(names, cells, strict=True))])
        for name, value in values.items():
            if name in present and pd.isna(value):
                missing.setdefault(reason(measure), {}).setdefault(label, []).append(shown(name))
    unmeasured = {why: [f"{label} ({', '.join(of)})" for label, of in what.items()] for why, what in missing.items()}
    known = any(not pd.isna(content.error(measure, name)) for measure in MEASURES for name in names)
    return {"names": names, "rows": rows, "missing": unmeasured, "errors": known}


def _models(content: ReportContent) -> list[dict[str, Any]]:
    """Compare the models by structure and by the summary's rows of `all`, or the median where there is none."""
    table = content.summary[content.summary["measure"].isin(MEASURES)]
    compared = []
    for model in table["model"].unique():
        values = table[table["model"] == model].pivot(index="measure", columns="structure", values="value")
        values = values.reindex(index=list(MEASURES), columns=[*content.structures, ALL])
        gaps = values.index.str.startswith("gap_closed")  # what has no row of all; others may have no value
        values.loc[gaps, ALL] = values.loc[gaps, list(content.structures)].median(axis=1)
        for structure in values:
            row = {"model": model, "structure": structure, "values": values[structure].tolist()}
            compared.append(row | {"whole": structure == ALL, "chosen": model == content.model})
    return compared if len(set(table["model"])) > 1 else []


def _trained_on(training: Mapping[str, Any]) -> str:
    """How the model was trained, in a sentence, as far as it says."""
    if "steps" not in training or not training.get("acquisitions"):
        return ""
    each = {name: len(acquisitions) for name, acquisitions in training["acquisitions"].items()}
    numbers = sorted(set(each.values()))
    number = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    start = (training.get("settings") or {}).get("start_from")
    begun = f" from the weights of {start}" if start else ""
    of = f"{number} acquisition{'' if number == '1' else 's'} of each structure"
    return f"The model was trained for {training['steps']:,} steps{begun}, on {of}."


def _shapes(content: ReportContent) -> list[tuple[str, str, str, str, str, str]]:
    """Structure, measure, its median on true and on recoloured channels, the median error of a composite, and between
    what the error is in nine of ten.

    All are of the same composites: those that have something to measure, or all where none has.
    """
    if content.shapes is None:
        return []
    table = paired(content.shapes[content.shapes["model"] == content.model])
    if table.empty:
        return []
    is_there = table["truth"] > 0
    nowhere = ~is_there.groupby([table["structure"], table["measure"]]).transform("any")
    table = table[is_there | nowhere]
    table = table.assign(error=table["predicted"] / table["truth"].where(table["truth"] > 0) - 1)
    of_each = table.groupby(["structure", "measure"], sort=False)
    medians = of_each[["truth", "predicted", "error"]].median()
    medians[["low", "high"]] = of_each["error"].quantile([0.05, 0.95]).unstack()
    return [
        (
            shown(row.Index[0]),
            LABELS[row.Index[1]],
            f"{row.truth:.3g}",
            f"{row.predicted:.3g}",
            *(
                ("\N{EN DASH}", "")
                if pd.isna(row.error)
                else (f"{_signed(row.error)} %", f"{_signed(row.low)} to {_signed(row.high)} %")
            ),
        )
        for row in medians.itertuples()
    ]


def _signed(fraction: float) -> str:
    """A fraction in percent with its sign, and with one digit behind the point; nothing is less than nothing."""
    return f"{round(100 * fraction, 1) + 0.0:+.1f}"


def _splits(splits: pd.DataFrame) -> dict[str, Any]:
    """The table of splits, with readable headings and missing values as dashes; what has no file was simulated."""
    headings = {"field_um": "field [µm]", "density_per_um2": "density [1/µm²]"}
    numbers = {"density_per_um2", "localizations"} & set(splits.columns)
    text = splits.assign(**{name: splits[name].map(_grouped) for name in numbers}).astype(object)
    text = text.assign(file=text["file"].fillna("simulated"))
    text = text.where(text.notna() & (text != ""), "\N{EN DASH}")
    rows = [[str(value) for value in row] for row in text.to_numpy()]
    return {
        "headings": [headings.get(name, shown(name)) for name in text.columns],
        "numbers": [name in numbers for name in text.columns],
        "rows": rows,
    }


def _grouped(value: float) -> str | None:
    """A number as people read it: 12,345 or 0.123."""
    if pd.isna(value):
        return None
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def _plain(value: Any) -> Any:
    """Mappings, sequences and paths as YAML writes them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
