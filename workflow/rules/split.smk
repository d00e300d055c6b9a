# The split, written down: which acquisition served for what. It tells what a model could not be applied to, so that it
# and what it needs have priority over the training, which does not depend on mixtures.
rule split:
    input:
        [table(a.name) for a in ACQUISITIONS],
    output:
        shown(f"{EXPERIMENT}/splits.tsv", "splits", "Origin", file="splits.tsv"),
    log:
        f"{LOGS}/split.log",
    priority: 1
    conda:
        "../../envs/data.yaml"
    params:
        acquisitions=lambda wildcards, input: [f"{a.split}={a.group}={f}" for a, f in zip(ACQUISITIONS, input)],
        # Snakemake compares only parameters that do not follow from the input
        roles=lambda wildcards: [f"{a.name}={a.split}={a.group}" for a in ACQUISITIONS],
        training=shown_how(),
        code=code("lusco.split"),
    shell:
        "lusco --log {log} split {params.acquisitions:q} {params.training:q} --out {output}"
