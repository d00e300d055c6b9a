# Fixed composites for validation and test; training composites are made on the fly.
rule superpose:
    input:
        lambda wildcards: tables(wildcards.split),
    output:
        f"{EXPERIMENT}/composites/{{split}}.arrow",
    params:
        structures=",".join(CONFIG["structures"]),
        pixel_nm=CONFIG["pixel_nm"],
        seed=CONFIG["seed"],
        settings=settings("superpose"),
        code=code("lusco.superpose"),
    log:
        f"{LOGS}/superpose_{{split}}.log",
    resources:
        mem_mb=4000,
    conda:
        "../../envs/data.yaml"
    shell:
        "lusco --log {log} superpose {input} --split {wildcards.split} --structures {params.structures}"
        " --pixel-nm {params.pixel_nm} --seed {params.seed} --settings {params.settings:q} --out {output}"
