# One page that opens offline.
rule report_page:
    input:
        model=rules.model.output,
        evaluation=rules.evaluate.output,
        figures=rules.draw.output,
        splits=rules.split.output,
        recolored=recolored(),
    output:
        report(f"{EXPERIMENT}/report.html", category="Report"),
    params:
        config=json.dumps(CONFIG),
        model=f"{EXPERIMENT}/model",
        evaluation=f"{EXPERIMENT}/evaluation",
        figures=f"{EXPERIMENT}/figures",
        recolored=[f"--recolored={a.name}={EXPERIMENT}/recolored/{a.name}.csv" for a in APPLIED],
        code=code("lusco.report"),
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/data.yaml"
    shell:
        "lusco --log {log} report --config {params.config:q} --model {params.model} --evaluation {params.evaluation}"
        " --figures {params.figures} --splits {input.splits} {params.recolored} --out {output}"
