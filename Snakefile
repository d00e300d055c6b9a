# LUSCo: recolour single-dye super-resolution images, and say how far the result can be trusted.
# What runs is decided here and in workflow/rules; how is in the library workflow/lusco.


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/superpose.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/recolor.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/record.smk"
include: "workflow/rules/package.smk"


localrules:
    all,
    fetch,
    figures,
    print_figures,
    recolor,


rule all:
    default_target: True
    input:
        everything(),


# the figures alone, each as SVG and PNG with its CSV
rule figures:
    input:
        rules.draw.output if TESTED else [],
        mixed_figures("png"),


# the same for a journal: 85 or 178 mm wide, letters of 5 points or more, SVG and PNG of 300 dpi
rule print_figures:
    input:
        printed([*(DRAWN if TESTED else []), *(f"mixed_{a.name}" for a in APPLIED)]),


# only apply the model to the mixed acquisitions; never trains when `pretrained` names a model
rule recolor:
    input:
        delivered(),
