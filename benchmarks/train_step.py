"""The training step of the default configuration against the machine's own matrix-product rate.

    .venv/bin/python benchmarks/train_step.py

Prints the floating-point rate of the step (forward, backward, update), of a matrix product in the same
arithmetic and of one in bfloat16 (emulated where the processor has none), measured in turn in one run, and how
much of the step's time a crop would keep it waiting if crops were made by one other process.
"""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from lusco import table
from lusco.heads import HEADS
from lusco.network import UNet
from lusco.settings import stage_settings
from lusco.superpose import by_structure
from lusco.train.crops import Crops
from lusco.train.loop import WEIGHT_DECAY, choose_precision
from lusco.train.muon import muon

STRUCTURES, PIXEL_NM, REPEATS, MATRIX = ("a", "b", "c"), 20.0, 7, 2048


def acquisition(structure: str) -> table.Localizations:
    """Uniform localizations at the density of the demo: 50,000 in 10 x 10 um."""
    x_nm, y_nm = np.random.default_rng(len(structure)).uniform(0, 10_000, (2, 50_000))
    source = {"acquisition": structure, "structure": structure}
    return table.localizations({"x_nm": x_nm, "y_nm": y_nm}, (0, 10_000, 0, 10_000), source)


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    settings = stage_settings("train", {})
    bf16 = choose_precision("auto", "cpu") == "bf16"
    dtype = torch.bfloat16 if bf16 else torch.float32
    network = UNet(len(STRUCTURES), settings.features, settings.depth, settings.subpixels, settings.wide_blocks).to(
        memory_format=torch.channels_last
    )
    optimizer = muon(network, settings.learning_rate, WEIGHT_DECAY)
    fields = by_structure([acquisition(structure) for structure in STRUCTURES], STRUCTURES, PIXEL_NM)
    side_px, pixel_nm = settings.crop_px * settings.subpixels, PIXEL_NM / settings.subpixels
    crops = Crops(fields, side_px, pixel_nm, settings.keep_fraction_min, settings.absent, 1)
    pairs = [crops[index] for index in range(settings.batch)]
    composite, counts = (torch.stack(part) for part in zip(*pairs, strict=True))
    a, b = torch.randn(2, MATRIX, MATRIX).to(dtype)
    half = a.bfloat16(), b.bfloat16()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            output = network(composite)
        total, number = HEADS["shares"].loss(output.float(), counts, None)
        (total / number).backward()
        optimizer.step()
        optimizer.zero_grad()

    with FlopCounterMode(display=False) as counter:
        step()
    steps, products, halves, making = [], [], [], []
    for _ in range(REPEATS):
        steps.append(seconds(step))
        products.append(seconds(lambda: [a @ b for _ in range(10)]) / 10)
        halves.append(seconds(lambda: half[0] @ half[1]))
        making.append(seconds(lambda: [crops[index] for index in range(settings.batch)]))
    step_rate = counter.get_total_flops() / np.median(steps) / 1e9
    product_rate, half_rate = (2 * MATRIX**3 / np.median(times) / 1e9 for times in (products, halves))
    print(
        f"{dtype}, {torch.get_num_threads()} threads: step {np.median(steps):.3f} s at {step_rate:.0f} GFLOP/s,"
        f" matrix product {product_rate:.0f} GFLOP/s, ratio {step_rate / product_rate:.2f};"
        f" matrix product in bfloat16 {half_rate:.0f} GFLOP/s, ratio {step_rate / half_rate:.2f};"
        f" making its crops takes {np.median(making) / np.median(steps):.2f} of the step"
    )


if __name__ == "__main__":
    main()
