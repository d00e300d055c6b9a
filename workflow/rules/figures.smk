# Every figure as SVG and PNG with the CSV it was drawn from.
FIGURES = {
    name: name
    for name, drawn in {
        "schematic": True,
        "examples": True,
        "channels": True,
        "distances": True,
        "overlap": True,
        "coupling": SCORED,
        "shapes": set(CONFIG["structures"]) & set(CONFIG["evaluate"]["shapes"]),
        "crosstalk": True,
        "calibration": True,
        "peers": len(CONFIG["models"]) > 1,
        "loss": histories(),
    }.items()
    if drawn
}
FIGURES |= {f"sweep_{name}": "sweep" for name in SWEEPS} | {f"mixed_{a.name}": "mixed" for a in APPLIED}


rule draw:
    input:
        composites=f"{EXPERIMENT}/composites/test.arrow",
        applied=f"{EXPERIMENT}/models_applied/{CONFIG['model']}/test",
        model=rules.model.output,
        evaluation=rules.evaluate.output,
        histories=histories().values(),
        sweeps=[f"{EXPERIMENT}/evaluation/sweep_{name}.csv" for name in SWEEPS],
        localizations=[table(a.name) for a in APPLIED],
        recolored=recolored(),
    output:
        [
            report(f"{EXPERIMENT}/figures/{name}.png", caption=f"../report/{caption}.rst", category="Figures")
            for name, caption in FIGURES.items()
        ],
        expand(f"{EXPERIMENT}/figures/{{figure}}.{{ending}}", figure=FIGURES, ending=["svg", "csv"]),
    log:
        f"{LOGS}/figures.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
    params:
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        evaluation=lambda wildcards, input: os.path.dirname(input.evaluation[0]),
        histories=[f"--history={name}={file}" for name, file in histories().items()],
        sweeps=lambda wildcards, input: [f"--sweep={file}" for file in input.sweeps],
        mixed=[f"--mixed={a.name}={table(a.name)}={'='.join(recolored([a.name]))}" for a in APPLIED],
        chosen=CONFIG["model"],
        crosstalk=CONFIG["recolor"]["crosstalk"],
        out=subpath(output[0], parent=True),
        code=code("lusco.figures"),
    shell:
        "lusco --log {log} figures {input.composites} --applied {input.applied} --model {params.model:q}"
        " --evaluation {params.evaluation} {params.histories:q} {params.mixed:q} {params.sweeps:q} --chosen {params.chosen}"
        " --crosstalk {params.crosstalk} --out {params.out}"
