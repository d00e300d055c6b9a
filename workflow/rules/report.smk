# One page that opens offline.
rule report_page:
    input:
        model=rules.model.output,
        evaluation=rules.evaluate.output,
        figures=rules.draw.output,
        splits=rules.split.output,
        sweeps=[f"{EXPERIMENT}/evaluation/sweep_{name}.csv" for name in SWEEPS],
        mixtures=[recolored([a.name])[3] for a in APPLIED],
        mixed_figures=mixed_figures("png"),
        viewer=[f"{EXPERIMENT}/viewer/composites.js", *(f"{EXPERIMENT}/viewer/mixed/{a.name}.js" for a in APPLIED)],
    output:
        shown(f"{EXPERIMENT}/report.html", "page", "Report"),
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/data.yaml"
    params:
        config=json.dumps(in_use()),
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        evaluation=lambda wildcards, input: os.path.dirname(input.evaluation[0]),
        figures=lambda wildcards, input: os.path.dirname(input.figures[0]),
        viewer=lambda wildcards, input: os.path.dirname(input.viewer[0]),
        mixtures=lambda wildcards, input: [f"--mixture={file}" for file in input.mixtures],
        captions=content(*(f"workflow/report/{name.split('_')[0]}.rst" for name in (*DRAWN, "mixed"))),
        code=code("lusco.report"),
    shell:
        "lusco --log {log} report --config {params.config:q} --model {params.model:q} --evaluation {params.evaluation}"
        " --figures {params.figures} --splits {input.splits} {params.mixtures:q} --viewer {params.viewer} --out {output}"
