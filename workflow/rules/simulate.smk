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
    priority: 1
    conda:
        "../../envs/data.yaml"
    params:
        name=lambda wildcards: wildcards.acquisition,  # in `params` so that a shared training depends on it
        structure=lambda wildcards: BY_NAME[wildcards.acquisition].structure,
        seed=CONFIG["seed"],
        defaults=content("workflow/schemas/simulation.schema.yaml"),
        code=code("lusco.simulate"),
    shell:
        "lusco --log {log} simulate {input.description:q} --name {params.name} --structure {params.structure}"
        " --seed {params.seed} --out {output}"
