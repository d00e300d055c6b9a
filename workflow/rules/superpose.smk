# Fixed composites for validation and test, and for peers to train on; our own training makes its composites on the fly.
NUMBERS = {"train": "training_composites", "validation": "validation_composites", "test": "test_composites"}


rule superpose:
    input:
        lambda wildcards: tables(wildcards.split),
    output:
        f"{EXPERIMENT}/composites/{{split}}.arrow",
    log:
        f"{LOGS}/superpose_{{split}}.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        split=lambda wildcards: wildcards.split,  # in `params` so that a shared training depends on it
        structures=",".join(CONFIG["structures"]),
        pixel_nm=CONFIG["pixel_nm"],
        seed=CONFIG["seed"],
        settings=lambda wildcards: settings("superpose", only=["crop_px", NUMBERS[wildcards.split]]),
        code=code("lusco.superpose"),
    shell:
        "lusco --log {log} superpose {input} --split {params.split} --structures {params.structures}"
        " --pixel-nm {params.pixel_nm} --seed {params.seed} --settings {params.settings:q} --out {output}"
