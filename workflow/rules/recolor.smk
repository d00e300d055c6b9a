# The model applied to test composites and to the acquisitions it is meant for.
rule recolor_composites:
    input:
        model=lambda wildcards: model_files(wildcards.model),
        composites=f"{EXPERIMENT}/composites/{{composites}}.arrow",
    output:
        applied("{model}", "{composites}"),
    log:
        f"{LOGS}/recolor_composites_{{composites}}_{{model}}.log",
    wildcard_constraints:
        model=names(APPLICABLE),
        composites=f"test|{names(f'sweep_{sweep}' for sweep in SWEEPS)}",
    conda:
        "../../envs/torch.yaml"
    threads: CONFIG["recolor"]["threads"]
    resources:
        mem_mb=memory(8000),
        gpu=int(CONFIG["recolor"]["device"] == "cuda"),
    params:
        model=subpath(input[0], parent=True),
        settings=settings("recolor", only=["tile_px", "threads", "device"]),
        out=subpath(output[0], parent=True),
        code=code("lusco.recolor"),
    shell:
        "lusco --log {log} recolor-composites {params.model:q} {input.composites}"
        " --settings {params.settings:q} --out {params.out}"


rule recolor_acquisition:
    input:
        model=rules.model.output,
        table=lambda wildcards: table(wildcards.acquisition),
    output:
        image=shown(
            f"{EXPERIMENT}/recolored/{{acquisition}}.ome.tiff",
            "recolored",
            "Recoloured acquisitions",
            acquisition="{acquisition}",
            file="image",
        ),
        # no part of Snakemake's report, which would hold a copy of every localization
        table=f"{EXPERIMENT}/recolored/{{acquisition}}.csv",
        regions=shown(
            f"{EXPERIMENT}/recolored/regions/{{acquisition}}.csv",
            "regions",
            "Recoloured acquisitions",
            acquisition="{acquisition}",
            file="regions",
        ),
        mixture=shown(
            f"{EXPERIMENT}/recolored/mixtures/{{acquisition}}.json",
            "mixture",
            "Recoloured acquisitions",
            acquisition="{acquisition}",
            file="mixture",
        ),
    log:
        f"{LOGS}/recolor_{{acquisition}}.log",
    conda:
        "../../envs/torch.yaml"
    threads: CONFIG["recolor"]["threads"]
    resources:
        mem_mb=memory(8000),
        gpu=int(CONFIG["recolor"]["device"] == "cuda"),
    params:
        model=subpath(input[0], parent=True),
        settings=settings("recolor"),
        code=code("lusco.recolor"),
    shell:
        "lusco --log {log} recolor {params.model} {input.table} --settings {params.settings:q}"
        " --image {output.image} --table {output.table} --regions {output.regions}"
        " --mixture {output.mixture}"
