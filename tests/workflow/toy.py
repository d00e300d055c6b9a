"""A small experiment, and the jobs it takes."""

from pathlib import Path

STRUCTURES = ["microtubules", "nuclear_pores"]
CONFIG = {
    "experiment": "toy",
    "structures": STRUCTURES,
    "acquisitions": "resources/toy.tsv",
    "pixel_nm": 20,
}
HEADER = "acquisition\tstructure\tpath\tformat\tsplit\ttruth_column"
LEARNT = [
    f"{structure}_{split}\t{structure}\tsimulations/{structure}.yaml\tsimulation\t{split}\t"
    for structure in STRUCTURES
    for split in ("train", "validation", "test")
]
MEASURED = "cell_1\tmixed\tcell_1.csv\t\t\t"
SCORED = "mixture\tmixed\tsimulations/mixed_three.yaml\tsimulation\t\tstructure"

TESTING = {"recolor_composites": 1, "evaluate": 1, "draw": 1, "report_page": 1, "record": 1}
AFTER_TRAINING = TESTING | {"model": 1, "recolor_acquisition": 2, "export_acquisition": 2, "draw_mixed": 2}
AFTER_EVALUATION = {"draw": 1, "report_page": 1, "record": 1}
EVERYTHING = {
    "simulate": 7,
    "ingest": 1,
    "render": 8,
    "split": 1,
    "superpose": 2,
    "train": 1,
    **AFTER_TRAINING,
}


def write_sheet(folder: Path, rows: list[str], name: str = "toy.tsv") -> None:
    (folder / "resources" / name).write_text("\n".join([HEADER, *rows]) + "\n")


def edit(path: Path) -> None:
    path.write_text(path.read_text() + ("<!-- -->" if path.suffix == ".html" else "\n# edited\n"))


def put_model(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.json", "weights.safetensors"):
        (folder / name).touch()
