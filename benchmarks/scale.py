r"""What many and large acquisitions cost: planning, jobs, memory and the arithmetic below them.

    .venv/bin/python benchmarks/scale.py plan [--acquisitions 1000]
    .venv/bin/python benchmarks/scale.py jobs [--acquisitions 16] [--side-um 25] [--localizations 100000]
    .venv/bin/python benchmarks/scale.py grouped [--acquisitions 100] [--side-um 10] [--localizations 16000]
    .venv/bin/python benchmarks/scale.py field [--side-um 100] [--localizations 10000000]

`plan` times how Snakemake finds out what to do for a tenth of so many mixed acquisitions, and for all, for the targets
`recolor` and `all`, and that nothing is left to do (on empty files that Snakemake takes for made). `jobs` brings in,
renders and recolours cells by the shipped model: as jobs of Snakemake, then in this process, and the network's
arithmetic alone, against the machine's matrix products. `grouped` does the same with small ones, submitted by the dozen
with the shipped profile to a Slurm of this machine alone, which has to be installed. `field` brings in, renders,
recolours, exports and draws one large field, a command each, prints memory and time, and whether all of them stay under
4 GB. Everything happens in a temporary folder.
"""

import argparse
import os
import resource
import shutil
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
SIZES = {  # acquisitions, side in um, localizations of each
    "plan": (1000, 25, 1),
    "jobs": (16, 25, 100_000),
    "grouped": (100, 10, 16_000),
    "field": (1, 100, 10_000_000),
}
MOST_GB = 4
# Takes everything for done: empty files, and what Snakemake keeps about them. Its own `--touch` looks, for each file,
# through all that it could touch next.
TAKE = """
import sys
from snakemake import cli
from snakemake.scheduling.job_scheduler import JobScheduler

def schedule(self):
    dag, persistence = self.workflow.dag, self.workflow.persistence
    for level in dag.toposorted(set(dag.needrun_jobs())):
        for job in level:
            for file in job.output:
                file.touch_or_create()
            self.workflow.async_run(persistence.finished(job))
    return True

JobScheduler.schedule = schedule
sys.argv[0] = "snakemake"
cli.main()
"""
OTHER_JOBS = ["--omit-from", "export_acquisition", "draw_mixed", "split", "record"]
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


def write_experiment(folder: Path, number: int, side_um: float, localizations: int, more: str = "") -> None:
    """So many mixed acquisitions, and a configuration that recolours them by the shipped model."""
    names = [f"cell_{index:05d}" for index in range(number)]
    for index, name in enumerate(names):
        write_acquisition(folder / f"{name}.csv", side_um, localizations, index)
    rows = "".join(f"{name}\tmixed\t{name}.csv\n" for name in names)
    (folder / "sheet.tsv").write_text(f"acquisition\tstructure\tpath\n{rows}")
    (folder / "resources").mkdir()
    (folder / "resources" / "data_manifest.tsv").write_bytes((PROJECT / "resources" / "data_manifest.tsv").read_bytes())
    (folder / "config.yaml").write_text(
        f"experiment: scale\nstructures: [{', '.join(STRUCTURES)}]\nacquisitions: sheet.tsv\n"
        f"pixel_nm: {PIXEL_NM}\npretrained: {MODEL}\n{more}"
    )


def snakemake(
    folder: Path, *more: str, profile: str = "local", environment: dict[str, str] | None = None, says: str = ""
) -> float:
    """Seconds that Snakemake takes in a folder; it has to say something, if that is given."""
    fixed = ["--snakefile", PROJECT / "Snakefile", "--workflow-profile", PROJECT / "workflow" / "profiles" / profile]
    command = [sys.executable, "-m", "snakemake", *map(str, fixed), *([] if says else ["--quiet", "all"]), *more]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode()
    assert done.returncode == 0 and says in said, said[-4000:]
    return time.perf_counter() - start


def largest_child_gb() -> float:
    """Memory of the largest process started so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def plan(folder: Path, number: int, side_um: float, localizations: int) -> None:
    """Planning from nothing, and finding that nothing is left to do."""
    write_experiment(folder, number, side_um, localizations)
    tenth = snakemake(folder, "--dry-run", "--batch", "recolor=1/10", "recolor")
    print(
        f"{number} acquisitions, a tenth of them (--batch): {tenth:.1f} s to plan, {largest_child_gb():.2f} GB",
        flush=True,
    )
    for target, jobs in {"recolor": 3 * number + 1, "all": 5 * number + 4}.items():
        plan_target(folder, number, target, jobs)


def plan_target(folder: Path, number: int, target: str, jobs: int) -> None:
    fresh = snakemake(folder, "--dry-run", target)
    take = ["--snakefile", PROJECT / "Snakefile", "--cores", "1", "--quiet", "all", "--", target]
    subprocess.run([sys.executable, "-c", TAKE, *take], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    idle = snakemake(folder, "--dry-run", target, says="Nothing to be done")
    print(
        f"{number} acquisitions, target {target}: {fresh:.1f} s to plan {jobs} jobs,"
        f" {idle:.1f} s to find nothing to do, {largest_child_gb():.2f} GB",
        flush=True,
    )
    shutil.rmtree(folder / "results")


def jobs(folder: Path, number: int, side_um: float, localizations: int) -> None:
    """A cell as jobs, in one process, and as bare arithmetic."""
    write_experiment(folder, number, side_um, localizations)
    seconds = snakemake(folder, "--cores", str(os.cpu_count()), *OTHER_JOBS)
    compare(folder, number, side_um, localizations, "as jobs", seconds / number)


def grouped(folder: Path, number: int, side_um: float, localizations: int) -> None:
    """The same through Slurm, which runs as many of a submission side by side as this machine has cores."""
    sys.path.insert(0, str(PROJECT / "tests"))
    from slurm_cluster import HERE, one_node

    cores = os.cpu_count()
    write_experiment(folder, number, side_um, localizations, "recolor: {threads: 1}\n")
    side_by_side = ["--resources", f"side_by_side={cores}"]
    (folder / "slurm").mkdir()
    with one_node(folder / "slurm", cores) as environment:
        seconds = snakemake(folder, *side_by_side, *HERE, *OTHER_JOBS, profile="slurm", environment=environment)
        listed = subprocess.check_output(["squeue", "-h", "--states=all", "-o", "%A"], env=environment, text=True)
    how = f"in {len(listed.split())} submissions"
    compare(folder, number, side_um, localizations, how, seconds / number)


def compare(folder: Path, number: int, side_um: float, localizations: int, how: str, by_snakemake_s: float) -> None:
    """Seconds of an acquisition by Snakemake, and what this process takes for it, and for the arithmetic alone."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from lusco import image, table
    from lusco.ingest import Source, ingest
    from lusco.model import read_description
    from lusco.recolor import Recolorer, recolor_acquisition
    from lusco.recolor.tiles import apply_to_points
    from lusco.render import points_of, render
    from lusco.settings import stage_settings

    settings, usual = stage_settings("ingest", {}), stage_settings("recolor", {})
    start = time.perf_counter()
    recolorer = Recolorer(MODEL, read_description(MODEL), usual.tile_px, usual.threads, usual.device)
    for index in range(number):
        name = f"cell_{index:05d}"
        acquisition, _ = ingest(Source(folder / f"{name}.csv", name, "mixed"), settings)
        table.write(acquisition, folder / "cell.parquet")
        rendered = image.Image(render(acquisition, PIXEL_NM)[None], PIXEL_NM, ("mixed",))
        image.write(rendered, folder / "rendering.ome.tiff")
        files = (folder / f"again.{ending}" for ending in ("ome.tiff", "csv", "regions.csv", "json"))
        recolor_acquisition(recolorer, acquisition, usual.crosstalk, *files)
    in_process = (time.perf_counter() - start) / number

    points = points_of(acquisition, PIXEL_NM)

    def arithmetic() -> None:
        apply_to_points(recolorer.network, points, usual.tile_px, "cpu")

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
        f"{number} acquisitions of {side_um:g} um, {localizations} localizations: {by_snakemake_s:.2f} s each {how},"
        f" {in_process:.2f} s in one process, {np.median(bare):.2f} s of arithmetic; a thousand like that take"
        f" {by_snakemake_s / 3.6:.2f} h"
    )
    print(
        f"recolouring in eight views: {np.prod(points.shape) / 1e6 / np.median(bare):.2f} megapixels per second,"
        f" {rate / 1e9:.0f} GFLOP/s, {rate / product_rate:.2f} of a matrix product's {product_rate / 1e9:.0f} GFLOP/s"
    )


def field(folder: Path, number: int, side_um: float, localizations: int) -> None:
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
    most = largest_child_gb()
    print(f"{most:.2f} GB at most: {'under' if most < MOST_GB else 'NOT UNDER'} {MOST_GB} GB")
    if most >= MOST_GB:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=SIZES)
    for size, type in (("--acquisitions", int), ("--side-um", float), ("--localizations", int)):
        parser.add_argument(size, type=type)
    given = parser.parse_args()
    asked = (given.acquisitions, given.side_um, given.localizations)
    size = [usual if wanted is None else wanted for usual, wanted in zip(SIZES[given.what], asked, strict=True)]
    with tempfile.TemporaryDirectory() as name:
        {"plan": plan, "jobs": jobs, "grouped": grouped, "field": field}[given.what](Path(name), *size)


if __name__ == "__main__":
    main()
