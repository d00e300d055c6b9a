# Test acquisitions under changed conditions, to find out where recolouring breaks down
rule sweep:
    input:
        tables("test"),
    output:
        f"{EXPERIMENT}/composites/sweep_{{sweep}}.arrow",
    log:
        f"{LOGS}/sweep_{{sweep}}.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        structures=",".join(CONFIG["structures"]),
        pixel_nm=CONFIG["pixel_nm"],
        seed=CONFIG["seed"],
        levels=lambda wildcards: levels(wildcards.sweep),
        composites=CONFIG["sweeps"]["composites"],
        settings=settings("superpose", only=["crop_px"]),
        code=code("lusco.sweep"),
    shell:
        "lusco --log {log} sweep {input} --kind {wildcards.sweep} --levels {params.levels}"
        " --composites {params.composites} --structures {params.structures} --pixel-nm {params.pixel_nm}"
        " --seed {params.seed} --settings {params.settings:q} --out {output}"


rule sweep_scores:
    input:
        composites=f"{EXPERIMENT}/composites/sweep_{{sweep}}.arrow",
        applied=applied(CONFIG["model"], "sweep_{sweep}"),
        model=model_files(CONFIG["model"])[0],
    output:
        shown(
            f"{EXPERIMENT}/evaluation/sweep_{{sweep}}.csv",
            "tables/sweep",
            "Evaluation",
            "Sweeps",
            table="sweep_{sweep}",
        ),
    log:
        f"{LOGS}/sweep_scores_{{sweep}}.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        applied=lambda wildcards, input: os.path.dirname(input.applied[0]),
        model=subpath(input.model, parent=True),
        levels=lambda wildcards: levels(wildcards.sweep),
        crosstalk=CONFIG["recolor"]["crosstalk"],
        settings=settings("evaluate"),
        seed=CONFIG["seed"],
        code=code("lusco.sweep"),
    shell:
        "lusco --log {log} sweep-scores {input.composites} --applied {params.applied} --model {params.model:q}"
        " --kind {wildcards.sweep} --levels {params.levels} --crosstalk {params.crosstalk}"
        " --settings {params.settings:q} --seed {params.seed} --out {output}"
