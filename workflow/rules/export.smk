# The localizations of recoloured acquisitions as files of other programs.
rule export_acquisition:
    input:
        f"{EXPERIMENT}/recolored/{{acquisition}}.csv",
    output:
        picasso=f"{EXPERIMENT}/recolored/{{acquisition}}.hdf5",
        described=f"{EXPERIMENT}/recolored/{{acquisition}}.yaml",
        smlm=f"{EXPERIMENT}/recolored/{{acquisition}}.smlm",
    log:
        f"{LOGS}/export_{{acquisition}}.log",
    wildcard_constraints:
        acquisition=names(a.name for a in APPLIED),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
    params:
        pixel_nm=CONFIG["pixel_nm"],
        code=code("lusco.export"),
    shell:
        "lusco --log {log} export {input} --name {wildcards.acquisition} --pixel-nm {params.pixel_nm}"
        " --picasso {output.picasso} --smlm {output.smlm}"
