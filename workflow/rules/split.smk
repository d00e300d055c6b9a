# The split, written down: which acquisition served for what.
rule split:
    input:
        [table(a.name) for a in ACQUISITIONS],
    output:
        f"{EXPERIMENT}/splits.tsv",
    log:
        f"{LOGS}/split.log",
    conda:
        "../../envs/data.yaml"
    params:
        acquisitions=[f"{a.split}={a.group}={table(a.name)}" for a in ACQUISITIONS],
        code=code("lusco.split"),
    shell:
        "lusco --log {log} split {params.acquisitions:q} --out {output}"
