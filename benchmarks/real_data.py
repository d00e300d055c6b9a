r"""What a change of multiplicity or density between training and use costs, on real acquisitions.

    .venv/bin/python benchmarks/real_data.py

Each real experiment is trained twice, on localizations as they were acquired and with the repeats of a molecule merged
(by trace where there are traces, else within 30 nm and three dark frames), and each of the two models is applied to
test composites of both kinds, complete and thinned to a quarter: eight numbers for each experiment, of which the
diagonal is what the reports show.
"""

import json
import subprocess
from itertools import product
from pathlib import Path

import pandas as pd

LEVELS = [0.25, 1]
KINDS = {"as acquired": "none", "merged": "radius"}  # traces, where a file names them, are used with `radius` too
EXPERIMENTS = ("real_nanoscale", "real_fields")


def run(experiment: str, name: str, merge: str, pretrained: str) -> Path:
    """Run a variant of an experiment to the scores of its sweep of density; returns the folder of its results."""
    target = Path("results") / name
    target.mkdir(parents=True, exist_ok=True)
    differs = {
        "experiment": name,
        "ingest": {"merge": merge},
        "sweeps": {"density": LEVELS, "composites": 24},
        "pretrained": pretrained,
    }
    (target / "config.yaml").write_text(json.dumps(differs))  # JSON is YAML
    subprocess.run(
        [
            ".venv/bin/snakemake",
            *("--workflow-profile", "workflow/profiles/local"),
            *("--configfile", f"resources/experiments/{experiment}.yaml", str(target / "config.yaml")),
            *("--quiet", "rules", "--"),
            *(f"{target}/evaluation/{file}" for file in ("summary.csv", "sweep_density.csv")),
            f"{target}/model/model.json",
        ],
        check=True,
    )
    return target


def main() -> None:
    rows = []
    for experiment in EXPERIMENTS:
        trained = {kind: run(experiment, f"{experiment}_{merge}", merge, "") for kind, merge in KINDS.items()}
        for own, used in product(KINDS, KINDS):
            folder = trained[own]
            if own != used:
                name = f"{experiment}_{KINDS[own]}_on_{KINDS[used]}"
                folder = run(experiment, name, KINDS[used], str(trained[own] / "model"))
            scores = pd.read_csv(folder / "evaluation" / "sweep_density.csv")
            scores = scores[scores["measure"] == "accuracy"]
            for (level, structure), part in scores.groupby(["level", "structure"], sort=False):
                use = f"{used}, {'complete' if level == 1 else f'{level:.0%}'}"
                rows.append((experiment, structure, own, use, 100 * part["value"].iloc[0]))
    table = pd.DataFrame(rows, columns=["experiment", "structure", "trained on", "applied to", "accuracy"])
    wide = table.pivot_table(
        index=["experiment", "structure", "trained on"], columns="applied to", values="accuracy", sort=False
    )
    print(wide.round(1).to_string())
    wide.round(2).to_csv(Path("results") / "real_data.csv")


if __name__ == "__main__":
    main()
