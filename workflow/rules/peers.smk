# Models by others, on the same composites and for a given time, in an environment of their own: that of `make peers`
# where it is there, otherwise the one that conda made or `lusco` is installed in.
rule train_peer:
    input:
        tables=tables("train"),
        training=f"{EXPERIMENT}/composites/train.arrow",
        validation=f"{EXPERIMENT}/composites/validation.arrow",
    output:
        description=f"{EXPERIMENT}/models/{{model}}/model.json",
        files=directory(f"{EXPERIMENT}/models/{{model}}/peer"),
    log:
        f"{LOGS}/train_{{model}}.log",
    benchmark:
        f"{LOGS}/train_{{model}}.benchmark.tsv"
    wildcard_constraints:
        model=names(PEERS),
    conda:
        "../../envs/peers.yaml"
    threads: CONFIG["train"]["threads"]  # those of our own training
    resources:
        mem_mb=memory(8000),
        runtime=lambda wildcards: 60 + 2 * math.ceil(PEERS[wildcards.model]["minutes"]),
    params:
        peer=lambda wildcards: PEERS[wildcards.model]["peer"],
        minutes=lambda wildcards: PEERS[wildcards.model]["minutes"],
        smoothing_nm=CONFIG["evaluate"]["smoothing_nm"],
        seed=CONFIG["seed"],
        out=subpath(output.description, parent=True),
        code=code("lusco.peers"),
    shell:
        'PATH="$LUSCO_PROJECT/.venv-peers/bin:$PATH"'
        " lusco --log {log} train-peer {input.tables} --peer {params.peer} --minutes {params.minutes}"
        " --training {input.training} --validation {input.validation} --smoothing-nm {params.smoothing_nm}"
        " --seed {params.seed} --threads {threads} --out {params.out}"


rule apply_peer:
    input:
        description=f"{EXPERIMENT}/models/{{model}}/model.json",
        files=f"{EXPERIMENT}/models/{{model}}/peer",
        composites=f"{EXPERIMENT}/composites/test.arrow",
    output:
        applied("{model}", "test"),
    log:
        f"{LOGS}/apply_peer_{{model}}.log",
    wildcard_constraints:
        model=names(PEERS),
    conda:
        "../../envs/peers.yaml"
    threads: 4
    resources:
        mem_mb=memory(8000),
    params:
        model=subpath(input.description, parent=True),
        out=subpath(output[0], parent=True),
        code=code("lusco.peers"),
    shell:
        'PATH="$LUSCO_PROJECT/.venv-peers/bin:$PATH"'
        " lusco --log {log} apply-peer {params.model} {input.composites} --threads {threads} --out {params.out}"
