r"""What a change of multiplicity or density between training and use costs, on real acquisitions.

    .venv/bin/python benchmarks/real_data.py [real_nanoscale|real_fields ...] [--cores 2]

Each real experiment is trained three times, with positions as measured: on localizations as they were acquired; with
the repeats of a molecule merged (by trace where there are traces, else within 30 nm and three dark frames); and as
acquired, but thinned to anything down to a tenth while training. Each model is applied to test composites as acquired
and merged, complete and thinned to a quarter.
"""

import argparse
import json
import subprocess
from itertools import product
from pathlib import Path

import pandas as pd

LEVELS = [0.25, 1]
KINDS = {"as acquired": "none", "merged": "radius"}  # traces, where a file names them, are used with `radius` too
TRAININGS = {
    "as acquired": ("none", {}),
    "merged": ("radius", {}),
    "as acquired, thinned": ("none", {"keep_fraction_min": 0.1}),
}
LIKE_NEW = {"learning_rate": 0.003, "validate_every": 100}  # the defaults, which suit a training from nothing
EXPERIMENTS = ("real_nanoscale", "real_fields")


def run(experiment: str, name: str, merge: str, train: dict, pretrained: str, cores: int) -> Path:
    """Run a variant of an experiment to the scores of its sweep of density; returns the folder of its results."""
    target = Path("results") / name
    target.mkdir(parents=True, exist_ok=True)
    differs = {
        "experiment": name,
        "ingest": {"merge": merge},
        # what repeats do to positions as measured, to a network that learns from these acquisitions only
        "train": {"settle": False, "subpixels": 1, "steps": 800, "start_from": ""} | LIKE_NEW | train,
        "sweeps": {"density": LEVELS, "composites": 24},
        "pretrained": pretrained,
    }
    (target / "config.yaml").write_text(json.dumps(differs))  # JSON is YAML
    subprocess.run(
        [
            ".venv/bin/snakemake",
            *("--workflow-profile", "workflow/profiles/local", "--cores", str(cores), "--quiet", "all"),
            *("--configfile", f"resources/experiments/{experiment}.yaml", str(target / "config.yaml"), "--"),
            *(f"{target}/evaluation/{file}" for file in ("summary.csv", "sweep_density.csv")),
            f"{target}/model/model.json",
        ],
        check=True,
    )
    return target


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("experiments", nargs="*", default=EXPERIMENTS)
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    cores = given.cores
    rows = []
    for experiment in given.experiments:
        for index, (training, (merge, train)) in enumerate(TRAININGS.items()):
            own = run(experiment, f"{experiment}_{index}", merge, train, "", cores)
            for kind, level in product(KINDS, LEVELS):
                folder = own
                if KINDS[kind] != merge:
                    name = f"{experiment}_{index}_on_{KINDS[kind]}"
                    folder = run(experiment, name, KINDS[kind], {}, str(own / "model"), cores)
                scores = pd.read_csv(folder / "evaluation" / "sweep_density.csv")
                scores = scores[(scores["measure"] == "accuracy") & (scores["level"] == level)]
                use = f"{kind}, {'complete' if level == 1 else f'{level:.0%}'}"
                rows += [
                    (experiment, name, training, use, 100 * value)
                    for name, value in zip(scores["structure"], scores["value"], strict=True)
                ]
    table = pd.DataFrame(rows, columns=["experiment", "structure", "trained on", "applied to", "accuracy"])
    keys = ["experiment", "structure", "trained on"]
    wide = table.pivot_table(index=keys, columns="applied to", values="accuracy", sort=False)
    print(wide.round(1).to_string())
    wide.round(2).to_csv(Path("results") / "real_data.csv")


if __name__ == "__main__":
    main()
