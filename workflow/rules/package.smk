# The chosen model for the BioImage Model Zoo, written and checked in an environment of its own: that of `make zoo` where
# it is there, otherwise the one that conda made or `lusco` is installed in. Nothing else asks for it.
rule package:
    input:
        model_files(CONFIG["model"]),
        card=model_card(CONFIG["model"]),
    output:
        f"{EXPERIMENT}/package/{CONFIG['experiment']}.zip",
    log:
        f"{LOGS}/package.log",
    conda:
        "../../envs/zoo.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
    params:
        model=subpath(input[0], parent=True),
        read=content("CITATION.cff", "LICENSE", "workflow/schemas/simulation.schema.yaml"),
        code=code("lusco.package"),
    shell:
        'PATH="$LUSCO_PROJECT/.venv-zoo/bin:$PATH" lusco --log {log} package {params.model:q} --out {output}'
