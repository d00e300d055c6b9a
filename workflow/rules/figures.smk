# Every figure as SVG and PNG with the CSV it was drawn from; they answer the questions of the report.
FIGURES = {
    "Recoloured": ["examples", "channels"],
    "How sure are we?": ["crosstalk", "calibration", "distances"],
    "What you would measure on it": ["shapes"] if set(CONFIG["structures"]) & set(CONFIG["evaluate"]["shapes"]) else [],
    "The models compared": ["peers"] if len(COMPARED) > 1 else [],
    "What would go wrong?": ["overlap", "coupling"] if SCORED else ["overlap"],
    "Where it breaks down": [f"sweep_{name}" for name in SWEEPS],
    "How was it made?": ["schematic", "loss"] if histories() else ["schematic"],
}
DRAWN = [name for names in FIGURES.values() for name in names]
EXAMPLE = APPLIED[0].name if APPLIED else ""


rule draw:
    input:
        composites=f"{EXPERIMENT}/composites/test.arrow",
        applied=applied(CONFIG["model"], "test"),
        model=rules.model.output,
        evaluation=rules.evaluate.output,
        histories=histories().values(),
        sweeps=[f"{EXPERIMENT}/evaluation/sweep_{name}.csv" for name in SWEEPS],
        example=[table(EXAMPLE), recolored([EXAMPLE])[0]] if EXAMPLE else [],
    output:
        [
            shown(f"{EXPERIMENT}/figures/{name}.png", name.split("_")[0], "Figures", question, figure=name)
            for question, names in FIGURES.items()
            for name in names
        ],
        expand(f"{EXPERIMENT}/figures/{{figure}}.{{ending}}", figure=DRAWN, ending=["svg", "csv"]),
        viewer=f"{EXPERIMENT}/viewer/composites.js",
    log:
        f"{LOGS}/figures.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        applied=lambda wildcards, input: os.path.dirname(input.applied[0]),
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        evaluation=lambda wildcards, input: os.path.dirname(input.evaluation[0]),
        histories=lambda wildcards, input: [f"--history={n}={f}" for n, f in zip(histories(), input.histories)],
        sweeps=lambda wildcards, input: [f"--sweep={file}" for file in input.sweeps],
        mixed=lambda wildcards, input: [f"--mixed={'='.join(input.example)}"] if EXAMPLE else [],
        chosen=CONFIG["model"],
        crosstalk=CONFIG["recolor"]["crosstalk"],
        out=subpath(output[0], parent=True),
        code=code("lusco.figures"),
        viewer=lambda wildcards, output: f"--viewer={output.viewer}",
    shell:
        "lusco --log {log} figures {input.composites} --applied {params.applied} --model {params.model:q}"
        " --evaluation {params.evaluation} {params.histories:q} {params.mixed:q} {params.sweeps:q} --chosen {params.chosen}"
        " --crosstalk {params.crosstalk} --out {params.out} {params.viewer}"


# in the widths of a journal's columns
use rule draw as draw_print with:
    output:
        printed(DRAWN),
    log:
        f"{LOGS}/figures_print.log",
    params:
        viewer="",


# by itself, so that a new acquisition is drawn without drawing anything else again
rule draw_mixed:
    input:
        table=lambda wildcards: table(wildcards.acquisition),
        recolored=lambda wildcards: recolored([wildcards.acquisition]),
    output:
        shown(
            f"{EXPERIMENT}/figures/mixed_{{acquisition}}.png",
            "mixed",
            "Recoloured acquisitions",
            acquisition="{acquisition}",
            file="picture",
        ),
        multiext(f"{EXPERIMENT}/figures/mixed_{{acquisition}}", ".svg", ".csv"),
        viewer=f"{EXPERIMENT}/viewer/mixed/{{acquisition}}.js",
    log:
        f"{LOGS}/figure_{{acquisition}}.log",
    wildcard_constraints:
        acquisition=names(a.name for a in APPLIED),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        image=lambda wildcards, input: input.recolored[0],
        labelled=lambda wildcards, input: input.recolored[1],
        regions=lambda wildcards, input: input.recolored[2],
        out=subpath(output[0], parent=True),
        viewer=lambda wildcards, output: f"--viewer={output.viewer}",
        code=code("lusco.figures.draw_mixed"),
    shell:
        "lusco --log {log} figure-mixed {input.table} --name {wildcards.acquisition} --image {params.image}"
        " --table {params.labelled} --regions {params.regions} --out {params.out} {params.viewer}"


use rule draw_mixed as draw_mixed_print with:
    output:
        printed(["mixed_{acquisition}"]),
    log:
        f"{LOGS}/print_figure_{{acquisition}}.log",
    params:
        viewer="",
