# What went in, what came out, with which code, on which machine: beside the report, after all but exports and renderings.
rule record:
    input:
        results=summaries(),
        recolored=recolored(),
        model=rules.model.output,
        acquisitions=[table(a.name) for a in ACQUISITIONS],
        sheet=local(CONFIG["acquisitions"]),
        splits=rules.split.output[0],
    output:
        shown(f"{EXPERIMENT}/run.json", "record", "Origin", file="run.json"),
    log:
        f"{LOGS}/record.log",
    conda:
        "../../envs/data.yaml"
    params:
        # all of it, also what no job read: a record says what the run was asked for
        config=lambda wildcards: json.dumps(CONFIG),
        model=lambda wildcards, input: os.path.dirname(input.model[0]),
        results=lambda wildcards, input: [f"--result={file}" for file in input.results],
        # of a thousand acquisitions their folder, because a command cannot name all files
        experiment=subpath(output[0], parent=True),
        code=code("lusco.record"),
    shell:
        "lusco --log {log} record {input.acquisitions} --config {params.config:q} --model {params.model}"
        " --sheet {input.sheet:q} {params.results:q} --splits {input.splits} --recolored {params.experiment}/recolored --out {output}"
