# Acquisitions described by a file rather than measured.
rule simulate:
    input:
        description=lambda wildcards: source(wildcards.acquisition),
    output:
        "results/acquisitions/{acquisition}/{key}/localizations.parquet",
    log:
        "results/acquisitions/{acquisition}/{key}/simulate.log",
    wildcard_constraints:
        acquisition=names(SIMULATED),
    conda:
        "../../envs/data.yaml"
    params:
        structure=lambda wildcards: BY_NAME[wildcards.acquisition].structure,
        seed=CONFIG["seed"],
        defaults=content("workflow/schemas/simulation.schema.yaml"),
        code=code("lusco.simulate"),
    shell:
        "lusco --log {log} simulate {input.description:q} --name {wildcards.acquisition} --structure {params.structure}"
        " --seed {params.seed} --out {output}"
