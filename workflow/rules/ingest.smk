# Measured acquisitions: fetched where a public repository holds them, then brought into one form.
rule fetch:
    output:
        local(str(DATA / "{file}")),
    log:
        "results/logs/fetch/{file}.log",
    wildcard_constraints:
        file=names(PUBLIC),
    conda:
        "../../envs/data.yaml"
    params:
        manifest=MANIFEST,
        meant=lambda wildcards: PUBLIC[wildcards.file],
        code=code("lusco.fetch"),
    shell:
        "lusco --log {log} fetch {wildcards.file:q} --manifest {params.manifest:q} --out {output:q}"


rule ingest:
    input:
        file=lambda wildcards: source(wildcards.acquisition),
        beside=lambda wildcards: beside(BY_NAME[wildcards.acquisition].path),
    output:
        table="results/acquisitions/{acquisition}/{key}/localizations.parquet",
        record="results/acquisitions/{acquisition}/{key}/ingested.json",
    log:
        "results/acquisitions/{acquisition}/{key}/ingest.log",
    wildcard_constraints:
        acquisition=names(MEASURED),
    priority: 1
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        name=lambda wildcards: wildcards.acquisition,  # in `params` so that a shared training depends on it
        options=lambda wildcards: ingest_options(BY_NAME[wildcards.acquisition]),
        settings=settings("ingest"),
        code=code("lusco.ingest"),
    shell:
        "lusco --log {log} ingest {input.file:q} --name {params.name} {params.options:q}"
        " --settings {params.settings:q} --record {output.record} --out {output.table}"
