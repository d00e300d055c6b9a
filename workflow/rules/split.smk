# The split, written down: which acquisition served for what.
rule split:
    input:
        [table(a.name) for a in ACQUISITIONS],
    output:
        shown(f"{EXPERIMENT}/splits.tsv", "splits", "Origin", file="splits.tsv"),
    log:
        f"{LOGS}/split.log",
    conda:
        "../../envs/data.yaml"
    params:
        acquisitions=lambda wildcards, input: [f"{a.split}={a.group}={f}" for a, f in zip(ACQUISITIONS, input)],
        # Snakemake compares only parameters that do not follow from the input
        roles=lambda wildcards: [f"{a.name}={a.split}={a.group}" for a in ACQUISITIONS],
        code=code("lusco.split"),
    shell:
        "lusco --log {log} split {params.acquisitions:q} --out {output}"
