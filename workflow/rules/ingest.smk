# Measured acquisitions: fetched where a public repository holds them, then brought into one form.
rule fetch:
    input:
        MANIFEST,
    output:
        str(DATA / "{file}"),
    params:
        code=code("lusco.fetch"),
    log:
        "results/logs/fetch/{file}.log",
    conda:
        "../../envs/data.yaml"
    shell:
        "lusco --log {log} fetch {wildcards.file:q} --manifest {input} --out {output:q}"


rule ingest:
    input:
        lambda wildcards: BY_NAME[wildcards.acquisition].path,
    output:
        table="results/acquisitions/{acquisition}/{key}/localizations.parquet",
        record="results/acquisitions/{acquisition}/{key}/ingested.json",
    wildcard_constraints:
        acquisition=names(MEASURED),
    params:
        options=lambda wildcards: ingest_options(BY_NAME[wildcards.acquisition]),
        settings=settings("ingest"),
        code=code("lusco.ingest"),
    log:
        "results/acquisitions/{acquisition}/{key}/ingest.log",
    resources:
        mem_mb=4000,
    conda:
        "../../envs/data.yaml"
    shell:
        "lusco --log {log} ingest {input:q} --name {wildcards.acquisition} {params.options:q}"
        " --settings {params.settings:q} --record {output.record} --out {output.table}"
