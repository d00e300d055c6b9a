# What went in, what came out, with which code, on which machine: beside the report, after everything else.
rule record:
    input:
        products(),
        model=rules.model.output,
        acquisitions=[table(a.name) for a in ACQUISITIONS],
    output:
        f"{EXPERIMENT}/run.json",
    log:
        f"{LOGS}/record.log",
    conda:
        "../../envs/data.yaml"
    params:
        config=json.dumps(CONFIG),
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        results=[f"--result={file}" for file in products() if not file.startswith(f"{EXPERIMENT}/recolored/")],
        code=code("lusco.record"),
    shell:
        "lusco --log {log} record {input.acquisitions} --config {params.config:q} --model {params.model}"
        " {params.results:q} --out {output}"
