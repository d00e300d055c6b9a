# Recoloured composites against the truth that a superposition knows; thresholds come from validation.
rule evaluate:
    input:
        composites=f"{EXPERIMENT}/composites/test.arrow",
        applied=[applied(model, "test") for model in CONFIG["models"]],
        models=[f"{model_folder(model)}/model.json" for model in CONFIG["models"]],
        scored=[f"{EXPERIMENT}/recolored/{name}.csv" for name in SCORED],
    output:
        expand(
            f"{EXPERIMENT}/evaluation/{{table}}",
            table=[
                "distances.csv",
                "overlap.csv",
                "coupling.csv",
                "shapes.csv",
                "regions.csv",
                "assignment.csv",
                "calibration.csv",
                "unspecific.csv",
                "summary.csv",
                "metadata.json",
            ],
        ),
    log:
        f"{LOGS}/evaluate.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        models=[
            f"--model={model}={model_folder(model)}={os.path.dirname(applied(model, 'test')[0])}"
            for model in CONFIG["models"]
        ],
        scored=[f"--scored={name}={EXPERIMENT}/recolored/{name}.csv" for name in SCORED],
        chosen=CONFIG["model"],
        settings=settings("evaluate"),
        seed=CONFIG["seed"],
        out=subpath(output[0], parent=True),
        code=code("lusco.evaluate"),
    shell:
        "lusco --log {log} evaluate {input.composites} {params.models:q} {params.scored:q} --chosen {params.chosen}"
        " --settings {params.settings:q} --seed {params.seed} --out {params.out}"
