"""Commands that score, draw and report."""

from pathlib import Path
from typing import Annotated

import typer

from lusco.cli.options import Composites, Levels, Out, Seed, Settings, app, numbers


@app.command()
def evaluate(
    composites: Composites,
    model: Annotated[list[str], typer.Option(help="name=folder of the model=folder of its recoloured composites.")],
    chosen: Annotated[str, typer.Option(help="The model that recoloured the scored acquisitions.")],
    out: Out,
    scored: Annotated[list[str] | None, typer.Option(help="acquisition=its recoloured table.")] = None,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Compare recoloured composites with the truth."""
    from lusco.evaluate import evaluate as run
    from lusco.model import read_description
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites

    models = {}
    for text in model:
        name, folder, applied = text.split("=")
        models[name] = (read_description(folder), Path(applied))
    tables = {name: Path(file) for name, file in (text.split("=", 1) for text in scored or [])}
    run(open_composites(composites), models, tables, chosen, stage_settings("evaluate", settings), seed, out)


@app.command()
def sweep_scores(
    composites: Composites,
    applied: Annotated[Path, typer.Option(help="Folder of their recoloured channels.")],
    model: Annotated[Path, typer.Option(help="Folder of the model that recoloured them.")],
    kind: Annotated[str, typer.Option(help="density, mixing, precision_nm, scale, overlap or number.")],
    levels: Levels,
    crosstalk: Annotated[float, typer.Option(help="Crosstalk that the threshold is chosen for.")],
    out: Out,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Score the composites of a sweep."""
    from lusco.model import read_description
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites
    from lusco.sweep.scores import score_sweep as run

    opened, how = open_composites(composites), stage_settings("evaluate", settings)
    run(opened, applied, read_description(model), kind, numbers(levels), crosstalk, how, seed, out)


@app.command()
def figures(
    composites: Composites,
    applied: Annotated[Path, typer.Option(help="Folder of the recoloured composites of the chosen model.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    evaluation: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    chosen: Annotated[str, typer.Option(help="Name of the chosen model.")],
    crosstalk: Annotated[float, typer.Option(help="Crosstalk that the threshold is chosen for.")],
    out: Out,
    history: Annotated[list[str] | None, typer.Option(help="model=its training history.")] = None,
    mixed: Annotated[list[str] | None, typer.Option(help="acquisition=localizations=image=table=regions.")] = None,
    sweep: Annotated[list[Path] | None, typer.Option(help="Table of a sweep.")] = None,
) -> None:
    """Draw every figure as SVG and PNG, with the CSV it was drawn from."""
    from lusco.figures.draw import draw
    from lusco.model import read_description
    from lusco.superpose.composites import open_composites

    histories = {name: Path(file) for name, file in (text.split("=", 1) for text in history or [])}
    measured = {name: tuple(map(Path, files)) for name, *files in (text.split("=") for text in mixed or [])}
    opened = open_composites(composites)
    draw(opened, applied, read_description(model), evaluation, histories, measured, sweep or [], chosen, crosstalk, out)


@app.command()
def report(
    config: Annotated[str, typer.Option(help="The whole configuration as JSON.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    evaluation: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    figures: Annotated[Path, typer.Option(help="Folder of the figures.")],
    splits: Annotated[Path, typer.Option(help="Table of the splits.")],
    out: Out,
    recolored: Annotated[list[str] | None, typer.Option(help="acquisition=its recoloured table=its regions.")] = None,
) -> None:
    """Write the report, one page that opens offline."""
    import json

    from lusco.files import atomic
    from lusco.model import read_description
    from lusco.report import report as run
    from lusco.report.assemble import assemble

    tables = {name: tuple(map(Path, files)) for name, *files in (text.split("=") for text in recolored or [])}
    content = assemble(json.loads(config), read_description(model), evaluation, figures, splits, tables)
    with atomic(out) as partial:
        partial.write_text(run(content), encoding="utf-8")
