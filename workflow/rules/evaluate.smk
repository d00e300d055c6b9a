# Recoloured composites against the truth that a superposition knows; thresholds come from validation.
TABLES = [
    "distances",
    "overlap",
    "coupling",
    "shapes",
    "regions",
    "assignment",
    "confusion",
    "calibration",
    "unspecific",
    "summary",
    "errors",
]


rule evaluate:
    input:
        composites=f"{EXPERIMENT}/composites/test.arrow",
        applied=[applied(model, "test") for model in COMPARED],
        channels=[applied(model, "test")[0] for model in COMPARED],
        models=[model_files(model)[0] for model in COMPARED],
        scored=[f"{EXPERIMENT}/recolored/{name}.csv" for name in SCORED],
    output:
        [
            shown(f"{EXPERIMENT}/evaluation/{name}.csv", f"tables/{name}", "Evaluation", "Test composites", table=name)
            for name in TABLES
        ],
        f"{EXPERIMENT}/evaluation/metadata.json",
    log:
        f"{LOGS}/evaluate.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        models=lambda wildcards, input: [
            f"--model={model}={os.path.dirname(description)}={os.path.dirname(channels)}"
            for model, description, channels in zip(COMPARED, input.models, input.channels)
        ],
        scored=lambda wildcards, input: [f"--scored={n}={f}" for n, f in zip(SCORED, input.scored)],
        groups=lambda wildcards: [  # as they are, braces too
            f"--group={a.name}={a.group}" for a in ACQUISITIONS if a.split == "test" and a.group != a.name
        ],
        chosen=CONFIG["model"],
        settings=settings("evaluate"),
        seed=CONFIG["seed"],
        out=subpath(output[0], parent=True),
        code=code("lusco.evaluate"),
    shell:
        "lusco --log {log} evaluate {input.composites} {params.models:q} {params.scored:q} {params.groups:q} --chosen {params.chosen}"
        " --settings {params.settings:q} --seed {params.seed} --out {params.out}"
