"""Tables and images made up to be drawn."""

import itertools
from itertools import combinations

import numpy as np
import pandas as pd

from lusco import figures

SCALES = (0.5, 0.75, 1.0, 1.5, 2.0)
LONG = [
    "microtubules",
    "nuclear_pores",
    "outer_mitochondrial_membrane",
    "clathrin_coated_pits",
    "actin_stress_fibres",
    "peroxisomes",
    "endoplasmic_reticulum",
    "lysosomal_membrane_proteins",
]
SCORES = ("accuracy", "crosstalk_at_30pct_rejected", "expected_calibration_error", "rejected_at_1pct_crosstalk")
COMPARISONS = {"model": 1.0, "floor": 0.5, "composite": 2.0, "shuffled_pixels": 5.0, "shuffled_pairs": 4.0}


def distances_of(structures, models=("unet",), composites=9):
    """Composite k of a comparison with factor f has the distance f (k + 1) / 100 (mse) or f (k + 1) / 50 (dssim)."""
    rows = [
        (model, f"c{k}", structure, distance, comparison, factor * (k + 1) / divisor)
        for model, structure, (distance, divisor) in itertools.product(
            models, structures, [("mse", 100), ("dssim", 50)]
        )
        for comparison, factor in COMPARISONS.items()
        for k in range(composites)
    ]
    return pd.DataFrame(rows, columns=["model", "composite", "structure", "distance", "comparison", "value"])


def overlap_of(structures, models=("unet",), composites=5):
    rows = [
        (model, f"c{k}", a, b, measure, source, 0.1 * k + (0.05 if source == "model" else 0))
        for model, (a, b), k in itertools.product(models, combinations(structures, 2), range(composites))
        for measure in ("manders_a", "manders_b", "iou", "pearson")
        for source in ("truth", "model")
    ]
    columns = ["model", "composite", "structure_a", "structure_b", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def shapes_of(structures, models=("unet",), composites=5):
    rows = [
        (model, f"c{k}", structure, "rings", measure, source, 50.0 + k + (5 + k / 10) * (source == "model"))
        for model, structure, k in itertools.product(models, structures, range(composites))
        for measure in ("count_per_um2", "radius_nm")
        for source in ("truth", "model")
    ]
    columns = ["model", "composite", "structure", "shape", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def sweep_of(structures, name="density", levels=(0.1, 0.5, 1.0)):
    rows = [
        (name, level, 12, structure, measure, value * level)
        for structure in (*structures, "all")
        for level in levels
        for measure, value in (("accuracy", 0.9), ("gap_closed_dssim", 0.8), ("crosstalk", 0.02), ("rejected", 0.5))
    ]
    rows += [(name, level, 12, "all", "shared", 0.2 + 0.1 * level) for level in levels]
    return pd.DataFrame(rows, columns=["sweep", "level", "composites", "structure", "measure", "value"])


def coupling_of():
    rows = [
        ("unet", f"mix_{k}", f"0_{w}", "a", "b", measure, source, 0.1 * k + 0.05 * w + 0.1 * (source == "model"))
        for k in range(2)
        for w in range(4)
        for measure in ("manders_a", "manders_b", "iou", "pearson", "pair_correlation")
        for source in ("truth", "model")
    ]
    columns = ["model", "acquisition", "window", "structure_a", "structure_b", "measure", "source", "value"]
    return pd.DataFrame(rows, columns=columns)


def assignment_of(structures, models=("unet",)):
    rows = [
        (model, "", threshold, structure, threshold * 0.6, 0.1 * np.exp(-5 * threshold), 1 - threshold, 1000)
        for model, structure, threshold in itertools.product(models, [*structures, "all"], np.linspace(0, 0.9, 10))
    ]
    columns = ["model", "acquisition", "threshold", "structure", "rejected", "crosstalk", "recall", "localizations"]
    return pd.DataFrame(rows, columns=columns)


def calibration_of(structures, models=("unet",)):
    rows = [
        (model, structure, index, 0.35 + 0.1 * index, 0.33 + 0.1 * index, 100 * (index + 1))
        for model, structure, index in itertools.product(models, [*structures, "all"], range(6))
    ]
    return pd.DataFrame(rows, columns=["model", "structure", "bin", "confidence", "accuracy", "localizations"])


def history_of(models=("unet",)):
    rows = [
        (model, step, 1 / step, (step - 300) ** 2 / 1e5 + 0.1 if step % 100 == 0 else np.nan, 1e-3)
        for model in models
        for step in range(10, 501, 10)
    ]
    columns = ["model", "step", "train_loss", "validation_loss", "learning_rate"]
    return pd.DataFrame(rows, columns=columns)


def images_of(number, size=48):
    truth = np.random.default_rng(1).poisson(0.3, (number, size, size)).astype(np.float32)
    composite = truth.sum(axis=0)
    return composite, np.broadcast_to(composite / number, truth.shape), truth


def summary_of(structures, models=("unet",)):
    """Gap closed has no row of all structures; it falls with each model, to far below chance."""
    rows = [
        (model, structure, measure, 0.9 - 1.5 * index if measure.startswith("gap") else 0.1 * index)
        for index, model in enumerate(models)
        for structure in [*structures, "all"]
        for measure in ("gap_closed_mse", "gap_closed_dssim", *SCORES)
        if structure != "all" or measure in SCORES
    ]
    return pd.DataFrame(rows, columns=["model", "structure", "measure", "value"])


def draw_all(structures, models=("unet",)):
    composite, prediction, truth = images_of(len(structures))
    scales = dict.fromkeys(structures, 2.0)
    yield "schematic", figures.schematic(list(truth), composite, prediction, None, None, structures, 20.0)
    yield "examples", figures.examples([("worst: c7", composite, prediction, truth)], structures, 20.0, scales)
    yield "channels", figures.channels("c7", prediction, truth, structures, 20.0, scales)
    yield "distances", figures.distances(distances_of(structures, models), structures)
    yield "overlap", figures.overlap(overlap_of(structures, models), structures)
    yield "shapes", figures.shapes(shapes_of(structures, models), structures)
    yield "coupling", figures.coupling(coupling_of())
    yield "sweep", figures.sweep(sweep_of(structures), structures)
    yield "sweep_scale", figures.sweep(sweep_of(structures, "scale", SCALES), structures)
    yield "crosstalk", figures.crosstalk(assignment_of(structures, models), structures, dict.fromkeys(models, 0.5))
    yield "calibration", figures.calibration(calibration_of(structures, models), structures)
    yield "peers", figures.peers(summary_of(structures, models), structures)
    yield "loss", figures.loss(history_of(models))
    unfamiliar = pd.DataFrame({"x_nm": [0.0], "y_nm": [0.0], "side_nm": [640.0]})
    yield "mixed", figures.mixed("cell_1", composite, prediction, structures, 20.0, None, composite, unfamiliar)
