# One page that opens offline.
rule report_page:
    input:
        model=rules.model.output,
        evaluation=rules.evaluate.output if TESTED else [],
        figures=rules.draw.output if TESTED else [],
        splits=rules.split.output,
        sweeps=[f"{EXPERIMENT}/evaluation/sweep_{name}.csv" for name in SWEEPS],
        mixtures=[recolored([a.name])[3] for a in APPLIED],
        mixed_figures=mixed_figures("png"),
        viewer=[f"{EXPERIMENT}/viewer/mixed/{a.name}.js" for a in APPLIED],
    output:
        shown(f"{EXPERIMENT}/report.html", "page", "Report"),
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/data.yaml"
    params:
        config=json.dumps(in_use()),
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        evaluation=lambda wildcards, input: [f"--evaluation={os.path.dirname(f)}" for f in input.evaluation[:1]],
        experiment=subpath(output[0], parent=True),
        drawn=[f"--drawn={name}" for name in DRAWN] if TESTED else [],
        mixtures=lambda wildcards, input: [f"--mixture={file}" for file in input.mixtures],
        captions=content(*(f"workflow/report/{name.split('_')[0]}.rst" for name in (*DRAWN, "mixed"))),
        code=code("lusco.report"),
    shell:
        "lusco --log {log} report --config {params.config:q} --model {params.model:q} {params.evaluation:q}"
        " --figures {params.experiment}/figures {params.drawn} --splits {input.splits} {params.mixtures:q}"
        " --viewer {params.experiment}/viewer --out {output}"
