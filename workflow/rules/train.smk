# Training sees the acquisitions of its own split and the validation composites, and nothing that changes often.
rule train:
    input:
        tables=tables("train"),
        validation=f"{EXPERIMENT}/composites/validation.arrow",
        start=lambda wildcards: start_files(wildcards.model),
    output:
        f"{EXPERIMENT}/models/{{model}}/model.json",
        f"{EXPERIMENT}/models/{{model}}/weights.safetensors",
        f"{EXPERIMENT}/models/{{model}}/history.csv",
    log:
        f"{LOGS}/train_{{model}}.log",
    benchmark:
        f"{LOGS}/train_{{model}}.benchmark.tsv"
    wildcard_constraints:
        model=names([] if CONFIG["pretrained"] else OWN),
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
        gpu=1,
    params:
        settings=lambda wildcards: settings("train", wildcards.model),
        smoothing_nm=CONFIG["evaluate"]["smoothing_nm"],
        seed=CONFIG["seed"],
        out=subpath(output[0], parent=True),
        code=code("lusco.train"),
    shell:
        "lusco --log {log} train {input.tables} --validation {input.validation} --settings {params.settings:q}"
        " --smoothing-nm {params.smoothing_nm} --seed {params.seed} --threads {threads} --out {params.out}"


# the chosen model, in one place for all experiments
rule model:
    input:
        model_files(CONFIG["model"]),
    output:
        f"{EXPERIMENT}/model/model.json",
        f"{EXPERIMENT}/model/weights.safetensors",
    log:
        f"{LOGS}/model.log",
    conda:
        "../../envs/torch.yaml"
    params:
        structures=",".join(CONFIG["structures"]),
        folder=subpath(input[0], parent=True),
        out=subpath(output[0], parent=True),
        code=code("lusco.model"),
    shell:
        "lusco --log {log} model {params.folder:q} --structures {params.structures} --out {params.out}"
