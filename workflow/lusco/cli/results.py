"""Commands that score, draw and report."""

from pathlib import Path
from typing import Annotated

import typer

from lusco.cli.options import Composites, Levels, Out, Pixel, Seed, Settings, Sweep, app, numbers

Viewer = Annotated[Path | None, typer.Option(help="File for the report's viewer to write.")]


@app.command()
def evaluate(
    composites: Composites,
    model: Annotated[list[str], typer.Option(help="name=folder of the model=folder of its recoloured composites.")],
    chosen: Annotated[str, typer.Option(help="The model that recoloured the scored acquisitions.")],
    out: Out,
    scored: Annotated[list[str] | None, typer.Option(help="acquisition=its recoloured table.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="acquisition=its group, where it has one.")] = None,
    seed: Seed = 1,
    settings: Settings = "{}",
) -> None:
    """Compare recoloured composites with the truth."""
    from lusco.evaluate import evaluate as run
    from lusco.model import read_description
    from lusco.settings import stage_settings
    from lusco.superpose.composites import open_composites

    def pairs(texts: list[str] | None) -> dict[str, str]:
        for text in texts or []:
            if "=" not in text:
                raise typer.BadParameter(f"`{text}` is not two things with a `=` between them")
        return dict(text.split("=", 1) for text in texts or [])

    models = {}
    for text in model:
        if text.count("=") != 2:
            raise typer.BadParameter(f"`{text}` is not a name, a model and what it recoloured, with a `=` between each")
        name, folder, applied = text.split("=")
        models[name] = (read_description(folder), Path(applied))
    tables = {name: Path(file) for name, file in pairs(scored).items()}
    how = stage_settings("evaluate", settings)
    run(open_composites(composites), models, tables, pairs(group), chosen, how, seed, out)


@app.command()
def sweep_scores(
    composites: Composites,
    applied: Annotated[Path, typer.Option(help="Folder of their recoloured channels.")],
    model: Annotated[Path, typer.Option(help="Folder of the model that recoloured them.")],
    kind: Annotated[Sweep, typer.Option(help="What was changed.")],
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
    mixed: Annotated[str, typer.Option(help="localizations=image of an acquisition it was applied to.")] = "",
    sweep: Annotated[list[Path] | None, typer.Option(help="Table of a sweep.")] = None,
    viewer: Viewer = None,
) -> None:
    """Draw every figure as SVG and PNG, with the CSV it was drawn from; without a file for the viewer, for print."""
    from lusco.figures import save
    from lusco.figures.draw import drawings, view
    from lusco.figures.print import save_print
    from lusco.model import read_description
    from lusco.superpose.composites import open_composites

    histories = {name: Path(file) for name, file in (text.split("=", 1) for text in history or [])}
    measured = tuple(map(Path, mixed.split("="))) if mixed else None
    opened = open_composites(composites)
    described = read_description(model)
    for name, draw in drawings(
        opened, applied, described, evaluation, histories, measured, sweep or [], chosen, crosstalk
    ):
        if viewer:
            save(*draw(), out, name)
        else:
            save_print(draw, out, name)
    if viewer:
        view(opened, applied, viewer)


@app.command()
def figure_mixed(
    acquisition: Annotated[Path, typer.Argument(help="Localizations of the acquisition.")],
    name: Annotated[str, typer.Option(help="Name of the acquisition.")],
    image: Annotated[Path, typer.Option(help="Its recoloured image.")],
    table: Annotated[Path, typer.Option(help="Its recoloured table.")],
    regions: Annotated[Path, typer.Option(help="Its table of regions.")],
    out: Out,
    viewer: Viewer = None,
) -> None:
    """Draw a recoloured acquisition as SVG and PNG, with its CSV; without a file for the viewer, for print."""
    from lusco.figures.draw_mixed import draw_mixed

    draw_mixed(name, acquisition, image, table, regions, out, viewer)


@app.command()
def export(
    table: Annotated[Path, typer.Argument(help="Recoloured table.")],
    name: Annotated[str, typer.Option(help="Name of the acquisition.")],
    pixel_nm: Pixel,
    picasso: Annotated[Path, typer.Option(help="HDF5 to write, its YAML beside it.")],
    smlm: Annotated[Path, typer.Option(help=".smlm file to write.")],
) -> None:
    """Write the localizations of a recoloured acquisition for Picasso and ShareLoc."""
    from lusco.export import export as run

    run(table, name, pixel_nm, picasso, smlm)


@app.command()
def record(
    acquisitions: Annotated[list[Path], typer.Argument(help="Localizations of every acquisition.")],
    config: Annotated[str, typer.Option(help="The whole configuration as JSON.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    sheet: Annotated[Path, typer.Option(help="Sheet of the acquisitions.")],
    splits: Annotated[Path, typer.Option(help="Table of the splits.")],
    recolored: Annotated[Path, typer.Option(help="Folder of recoloured acquisitions, whose checksums are kept.")],
    out: Out,
    result: Annotated[list[Path] | None, typer.Option(help="File whose checksum is kept.")] = None,
) -> None:
    """Write down what went into a run, what came out, with which code, on which machine."""
    import json

    from lusco.model import read_description
    from lusco.record import write_record

    write_record(json.loads(config), sheet, acquisitions, read_description(model), result or [], splits, recolored, out)


@app.command()
def report(
    config: Annotated[str, typer.Option(help="The configuration as JSON.")],
    model: Annotated[Path, typer.Option(help="Folder of the chosen model.")],
    figures: Annotated[Path, typer.Option(help="Folder of the figures.")],
    splits: Annotated[Path, typer.Option(help="Table of the splits.")],
    viewer: Annotated[Path, typer.Option(help="Folder of the viewer's images.")],
    out: Out,
    evaluation: Annotated[Path | None, typer.Option(help="Folder of the evaluation, if anything was scored.")] = None,
    drawn: Annotated[list[str] | None, typer.Option(help="A figure to show, not of a mixed acquisition.")] = None,
    mixture: Annotated[list[Path] | None, typer.Option(help="What was found in an acquisition.")] = None,
) -> None:
    """Write the report, one page that opens offline."""
    import json

    from lusco.files import atomic
    from lusco.model import read_description
    from lusco.report import report as run
    from lusco.report.assemble import assemble

    description = read_description(model)
    content = assemble(json.loads(config), description, evaluation, figures, drawn or [], splits, mixture or [], viewer)
    with atomic(out) as partial:
        partial.write_text(run(content), encoding="utf-8")
