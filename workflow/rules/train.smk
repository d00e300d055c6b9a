# Training sees the acquisitions of its own split and the validation composites, and nothing that changes often.
rule train:
    input:
        tables=lambda wildcards: learnt_tables(wildcards.model),
        validation=f"{EXPERIMENT}/composites/validation.arrow",
        start=lambda wildcards: start_files(wildcards.model),
    output:
        description=f"{EXPERIMENT}/models/{{model}}/model.json",
        weights=f"{EXPERIMENT}/models/{{model}}/weights.safetensors",
        history=f"{EXPERIMENT}/models/{{model}}/history.csv",
    log:
        f"{LOGS}/train_{{model}}.log",
    wildcard_constraints:
        model=names([] if CONFIG["pretrained"] else OWN),
    # shared between working copies where Snakemake is told of a folder for it, see docs/cluster.md
    cache: "omit-software"
    conda:
        "../../envs/torch.yaml"
    threads: lambda wildcards: training(wildcards.model)["devices"] * training(wildcards.model)["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * training(wildcards.model)["devices"] * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=lambda wildcards: gpus(wildcards.model),
    params:
        settings=lambda wildcards: json.dumps(training(wildcards.model)),
        scored=lambda wildcards: [] if wildcards.model in COMPARED else ["--no-scored"],
        smoothing_nm=CONFIG["evaluate"]["smoothing_nm"],
        seed=CONFIG["seed"],
        out=subpath(output[0], parent=True),
        code=code("lusco.train"),
    shell:
        "lusco --log {log} train {input.tables} --validation {input.validation} --settings {params.settings:q} {params.scored}"
        " --smoothing-nm {params.smoothing_nm} --seed {params.seed} --out {params.out}"


# the chosen model, in one place for all experiments
rule model:
    input:
        model_files(CONFIG["model"]),
    output:
        shown(f"{EXPERIMENT}/model/model.json", "model", "Origin", file="model.json"),
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
