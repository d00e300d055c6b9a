# Counts per pixel of an acquisition, for looking at it.
rule render:
    input:
        "results/acquisitions/{acquisition}/{key}/localizations.parquet",
    output:
        "results/acquisitions/{acquisition}/{key}/rendering_{pixel}nm.ome.tiff",
    log:
        "results/acquisitions/{acquisition}/{key}/rendering_{pixel}nm.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        code=code("lusco.render", "lusco.image"),
    shell:
        "lusco --log {log} render {input} --pixel-nm {wildcards.pixel} --out {output}"
