r"""What many and large acquisitions cost: planning, jobs, memory and the arithmetic below them.

    .venv/bin/python benchmarks/scale.py plan [--acquisitions 1000]
    .venv/bin/python benchmarks/scale.py jobs [--acquisitions 16]
    .venv/bin/python benchmarks/scale.py field [--side-um 100] [--localizations 10000000]

`plan` times how Snakemake finds out what to do for so many mixed acquisitions, and that nothing is left to do (by dates
alone, on empty files). `jobs` recolours cells of 25 um with 10^5 localizations by the shipped model: as jobs of
Snakemake, then in this process, and the network's arithmetic alone, against the machine's matrix products.
`field` brings in, renders, recolours, exports and draws one large field, a command each, and prints memory and time.
Everything happens in a temporary folder.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

PROJECT = Path(__file__).parents[1]
MODEL = PROJECT / "resources" / "models" / "five_structures"
STRUCTURES = ["microtubules", "nuclear_pores", "mitochondria", "clathrin_pits", "actin"]
PIXEL_NM = 20
CELL_UM, CELL_LOCALIZATIONS = 25, 100_000
MATRIX = 2048


def write_acquisition(path: Path, side_um: float, localizations: int, seed: int) -> None:
    """A ThunderSTORM table of uniform localizations: for cost, what they show does not matter."""
    rng = np.random.default_rng(seed)
    x_nm, y_nm = rng.uniform(0, 1000 * side_um, (2, localizations)).round(2)
    columns = {
        "frame": np.sort(rng.integers(1, 60_000, localizations)),
        "x [nm]": x_nm,
        "y [nm]": y_nm,
        "intensity [photon]": rng.gamma(2, 500, localizations).round(1),
        "uncertainty_xy [nm]": rng.gamma(9, 1, localizations).round(2),
    }
    pa.csv.write_csv(pa.table(columns), path)


def write_experiment(folder: Path, number: int, localizations: int) -> None:
    """So many mixed acquisitions, and a configuration that recolours them by the shipped model."""
    names = [f"cell_{index:05d}" for index in range(number)]
    for index, name in enumerate(names):
        write_acquisition(folder / f"{name}.csv", CELL_UM, localizations, index)
    rows = "".join(f"{name}\tmixed\t{name}.csv\n" for name in names)
    (folder / "sheet.tsv").write_text(f"acquisition\tstructure\tpath\n{rows}")
    (folder / "resources").mkdir()
    (folder / "resources" / "data_manifest.tsv").write_bytes((PROJECT / "resources" / "data_manifest.tsv").read_bytes())
    (folder / "config.yaml").write_text(
        f"experiment: scale\nstructures: [{', '.join(STRUCTURES)}]\nacquisitions: sheet.tsv\n"
        f"pixel_nm: {PIXEL_NM}\npretrained: {MODEL}\n"
    )


def snakemake(folder: Path, *more: str) -> float:
    """Seconds that Snakemake takes in a folder."""
    profile = PROJECT / "workflow" / "profiles" / "local"
    fixed = ["--snakefile", PROJECT / "Snakefile", "--workflow-profile", profile, "--quiet", "all"]
    command = [sys.executable, "-m", "snakemake", *map(str, fixed), *more]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def largest_child_gb() -> float:
    """Memory of the largest process started so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def plan(folder: Path, number: int) -> None:
    """Planning from nothing, and finding that nothing is left to do."""
    write_experiment(folder, number, 1)
    fresh = snakemake(folder, "--dry-run", "recolor")
    listed = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", "--summary", "recolor"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines()[1:]:
        file = folder / line.split("\t")[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    idle = snakemake(folder, "--dry-run", "--rerun-triggers", "mtime", "--", "recolor")
    print(
        f"{number} acquisitions: {fresh:.1f} s to plan {3 * number + 1} jobs, {idle:.1f} s to find nothing to do,"
        f" {largest_child_gb():.2f} GB"
    )


def jobs(folder: Path, number: int) -> None:
    """A cell as jobs, in one process, and as bare arithmetic."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from lusco import table
    from lusco.ingest import Source, ingest
    from lusco.model import read_description
    from lusco.recolor import Recolorer, recolor_acquisition
    from lusco.recolor.tiles import apply_to_points
    from lusco.render import points_of
    from lusco.settings import stage_settings

    write_experiment(folder, number, CELL_LOCALIZATIONS)
    as_jobs = snakemake(folder, "--cores", str(os.cpu_count())) / number

    settings, how = stage_settings("ingest", {}), stage_settings("recolor", {})
    start = time.perf_counter()
    recolorer = Recolorer(MODEL, read_description(MODEL), how.tile_px, how.threads, how.device)
    for index in range(number):
        name = f"cell_{index:05d}"
        acquisition, _ = ingest(Source(folder / f"{name}.csv", name, "mixed"), settings)
        table.write(acquisition, folder / "cell.parquet")
        files = (folder / f"again.{ending}" for ending in ("ome.tiff", "csv", "regions.csv", "json"))
        recolor_acquisition(recolorer, acquisition, how.crosstalk, *files)
    in_process = (time.perf_counter() - start) / number

    points = points_of(acquisition, PIXEL_NM)

    def arithmetic() -> None:
        apply_to_points(recolorer.network, points, how.tile_px, "cpu")

    with FlopCounterMode(display=False) as counter:
        arithmetic()
    a, b = torch.randn(2, MATRIX, MATRIX)
    bare, products = [], []
    for _ in range(5):
        start = time.perf_counter()
        arithmetic()
        bare.append(time.perf_counter() - start)
        start = time.perf_counter()
        a @ b
        products.append(time.perf_counter() - start)
    rate, product_rate = counter.get_total_flops() / np.median(bare), 2 * MATRIX**3 / np.median(products)
    print(
        f"a cell of {CELL_UM} um, {CELL_LOCALIZATIONS} localizations: {as_jobs:.1f} s as jobs, {in_process:.1f} s in"
        f" one process, {np.median(bare):.1f} s of arithmetic; a thousand cells as jobs take {as_jobs / 3.6:.1f} h"
    )
    print(
        f"recolouring in eight views: {np.prod(points.shape) / 1e6 / np.median(bare):.2f} megapixels per second,"
        f" {rate / 1e9:.0f} GFLOP/s, {rate / product_rate:.2f} of a matrix product's {product_rate / 1e9:.0f} GFLOP/s"
    )


def field(folder: Path, side_um: float, localizations: int) -> None:
    """Memory and time of each stage for one large field."""
    write_acquisition(folder / "field.csv", side_um, localizations, 0)
    stages = {
        "ingest": "ingest field.csv --name field --structure mixed --record field.json --out field.parquet",
        "render": f"render field.parquet --pixel-nm {PIXEL_NM} --out field.ome.tiff",
        "recolor": f"recolor {MODEL} field.parquet --image recolored.ome.tiff --table recolored.csv"
        " --regions regions.csv --mixture mixture.json",
        "export": f"export recolored.csv --name field --pixel-nm {PIXEL_NM} --picasso field.hdf5 --smlm field.smlm",
        "figure-mixed": "figure-mixed field.parquet --name field --image recolored.ome.tiff --table recolored.csv"
        " --regions regions.csv --out figures --viewer viewer.js",
    }
    for stage, arguments in stages.items():
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "lusco", *arguments.split()], cwd=folder, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, f"{stage} failed"
        print(f"{stage}: {used.ru_maxrss * 1024 / 1e9:.2f} GB, {time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["plan", "jobs", "field"])
    parser.add_argument("--acquisitions", type=int)
    parser.add_argument("--side-um", type=float, default=100)
    parser.add_argument("--localizations", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.what == "plan":
            plan(Path(name), given.acquisitions or 1000)
        elif given.what == "jobs":
            jobs(Path(name), given.acquisitions or 16)
        else:
            field(Path(name), given.side_um, given.localizations)


if __name__ == "__main__":
    main()
