"""Training: it learns, repeats itself exactly, resumes, and calibrates on validation only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lines_and_dots import SETTINGS, STRUCTURES, acquisition, in_pairs, to_learn_from

from lusco.calibrate import KNOWN
from lusco.errors import InputError
from lusco.model import learnt_acquisitions, read_description, validation_acquisitions
from lusco.novelty import learn
from lusco.recolor import Recolorer
from lusco.settings import stage_settings
from lusco.superpose import composites_of, superpose
from lusco.superpose.composites import open_composites
from lusco.train import _check_sizes, _repeats, train
from lusco.train.loop import choose_precision


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return to_learn_from(tmp_path_factory.mktemp("material"))


def run(material, out, **settings):
    training, validation = material
    how = stage_settings("train", SETTINGS | settings)
    train(training, validation, how, 12.0, 1, out)
    return out


@pytest.fixture(scope="module")
def trained(material, tmp_path_factory):
    return run(material, tmp_path_factory.mktemp("trained"))


def test_the_loss_falls_below_chance(trained):
    history = pd.read_csv(trained / "history.csv")
    assert history["step"].tolist() == [10, 20, 30]
    assert history["validation_loss"].min() < 0.9 * np.log(2)


def test_the_same_seed_gives_the_same_bytes(material, trained, tmp_path):
    again = run(material, tmp_path)
    for file in ("weights.safetensors", "model.json", "history.csv"):
        assert (again / file).read_bytes() == (trained / file).read_bytes()


def test_repeats_are_learnt_where_frames_and_uncertainties_are_known(material, tmp_path):
    """Localizations come in pairs of successive frames; of the plain material nothing is known."""
    training, validation = ([in_pairs(acquisition(s, i)) for s in STRUCTURES] for i in (0, 7))
    superpose(validation, STRUCTURES, "validation", 3, 64, 20, 1, tmp_path / "validation.arrow")
    pairs = training, open_composites(tmp_path / "validation.arrow")
    repeats = read_description(run(pairs, tmp_path / "pairs", steps=10)).repeats
    assert repeats["lag_frames"] == [1, 2]
    assert repeats["per_frame"][0] == pytest.approx(0.5, rel=0.15)  # of two localizations, the first has a later one
    nothing = {"lag_frames": [], "per_frame": [], "traces": False}
    assert read_description(run(pairs, tmp_path / "measured", steps=10, settle=False)).repeats == nothing
    assert read_description(run(pairs, tmp_path / "image", steps=10, head="regression")).repeats == nothing
    assert read_description(run(material, tmp_path / "plain", steps=10)).repeats == nothing


def test_repeats_are_learnt_only_where_each_structure_to_validate_on_has_what_tells_them(tmp_path):
    """One structure whose frames are not known is enough, though composites have frames of the other."""
    training, validation = ([in_pairs(acquisition(s, i)) for s in STRUCTURES] for i in (0, 7))
    training = [replace(a, table=a.table.assign(trace=-1)) for a in training]
    settings = stage_settings("train", SETTINGS)

    def validated(*changed):
        file = tmp_path / "validation.arrow"
        superpose([validation[0], *changed], STRUCTURES, "validation", 3, 64, 20, 1, file)
        return open_composites(file)

    assert _repeats(training, validated(validation[1]), settings)
    without_frames = replace(validation[1], table=validation[1].table.assign(frame=0))
    assert not _repeats(training, validated(without_frames), settings)
    traced = [training[0], replace(training[1], table=training[1].table.assign(trace=range(len(training[1]))))]
    own = {"trace": range(len(validation[1]))}
    assert _repeats(traced, validated(replace(validation[1], table=validation[1].table.assign(**own))), settings).traces
    with pytest.raises(InputError, match="it names no traces"):
        _repeats(traced, validated(validation[1]), settings)


def test_the_network_sees_parts_of_pixels_unless_there_are_images(material, trained, tmp_path):
    training, validation = material
    assert read_description(trained).subpixels == 2
    assert read_description(run(material, tmp_path / "whole", steps=10, subpixels=1)).subpixels == 1
    assert read_description(run(material, tmp_path / "image", steps=10, head="regression")).subpixels == 1
    first = training[0].table
    centre = {name: 20 * np.floor(first[name] / 20).clip(upper=149) + 10 for name in ("x_nm", "y_nm")}
    pixels = replace(training[0], table=first.assign(weight=np.float32(2), **centre))
    pixels.source["pixel_nm"] = 20
    with_image = ([pixels, *training[1:]], validation)
    assert read_description(run(with_image, tmp_path / "with_image", steps=10)).subpixels == 1


def test_traces_are_believed_rather_than_close_pairs(tmp_path):
    """Of one structure only there are traces, as where the others were measured otherwise."""

    def with_traces(source):
        trace = np.repeat(np.arange(len(source) // 2), 2)
        return replace(source, table=source.table.assign(trace=trace)) if "dots" in source.source.values() else source

    training, validation = ([with_traces(in_pairs(acquisition(s, i))) for s in STRUCTURES] for i in (0, 7))
    superpose(validation, STRUCTURES, "validation", 3, 64, 20, 1, tmp_path / "validation.arrow")
    folder = run((training, open_composites(tmp_path / "validation.arrow")), tmp_path / "traces", steps=10)
    assert read_description(folder).repeats == {"lag_frames": [], "per_frame": [], "traces": True}


def test_numbers_too_small_to_matter_cost_no_time(trained):
    """Those below the least normal number are taken for zero, since some processors compute with them very slowly."""
    assert (torch.full((1000,), 1e-30) * torch.full((1000,), 1e-10)).max() == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_the_configuration_says_how_many_threads_compute(material, trained, tmp_path, threads):
    """And not the machine, nor what another computation in this process left behind."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        run(material, tmp_path, threads=threads, steps=10)
        assert torch.get_num_threads() == threads
        torch.set_num_threads(3)
        Recolorer(tmp_path, read_description(tmp_path), 64, threads, "cpu")
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_an_interrupted_training_resumes_to_the_same_model(material, trained, tmp_path, monkeypatch):
    """The second validation is interrupted; the next run goes on from the first and ends as if nothing had been."""
    from lusco.train import loop

    original = loop._History.on_validation_end

    def interrupted(self, trainer, module):
        if trainer.global_step == 20:
            raise RuntimeError("the power fails")
        original(self, trainer, module)

    monkeypatch.setattr(loop._History, "on_validation_end", interrupted)
    with pytest.raises(RuntimeError, match="power"):
        run(material, tmp_path)
    monkeypatch.setattr(loop._History, "on_validation_end", original)
    assert list(tmp_path.glob(".unfinished-*/last.ckpt"))
    run(material, tmp_path)
    assert not list(tmp_path.glob(".unfinished-*"))
    for file in ("weights.safetensors", "history.csv"):
        assert (tmp_path / file).read_bytes() == (trained / file).read_bytes()


def test_an_interrupted_training_goes_on_from_its_last_validation_even_if_that_was_no_better(
    material, tmp_path, monkeypatch
):
    from lusco.train import loop

    def worse_and_worse(self, batch):
        if self.trainer.global_step == 30:
            raise RuntimeError("the power fails")
        self.log("validation_loss", float(self.trainer.global_step), on_epoch=True, batch_size=1)

    monkeypatch.setattr(loop._Module, "validation_step", worse_and_worse)
    with pytest.raises(RuntimeError, match="power"):
        run(material, tmp_path)
    (last,) = tmp_path.glob(".unfinished-*/last.ckpt")
    assert torch.load(last, weights_only=True)["global_step"] == 20


def test_a_training_with_other_settings_is_not_resumed(material, trained, tmp_path):
    stale = tmp_path / ".unfinished-0123456789ab"
    stale.mkdir()
    (stale / "last.ckpt").write_bytes(b"not a checkpoint of this training")
    run(material, tmp_path)
    assert not stale.exists()


def test_there_are_never_more_steps_than_asked_for(material, tmp_path):
    run(material, tmp_path, steps=10, validate_every=3)
    assert pd.read_csv(tmp_path / "history.csv")["step"].tolist() == [3, 6, 9]


def test_a_field_that_can_be_rendered_can_be_learnt_from_in_parts_of_pixels(material, tmp_path, monkeypatch):
    monkeypatch.setattr("lusco.render.MAX_PIXELS", 150**2)  # 3000 nm in pixels of 20 nm
    run(material, tmp_path, steps=1, validate_every=1, subpixels=2)
    assert read_description(tmp_path).subpixels == 2


def test_early_stopping_keeps_the_best_weights(material, tmp_path):
    run(material, tmp_path, learning_rate=10.0, steps=80, patience=2)  # so high that it diverges in any precision
    history = pd.read_csv(tmp_path / "history.csv")
    training = read_description(tmp_path).training
    assert training["best_step"] == history["step"][history["validation_loss"].idxmin()]
    assert training["steps"] < 80


def test_a_model_says_where_it_comes_from(trained):
    description = read_description(trained)
    assert description.training["acquisitions"] == {"lines": ["lines_0", "lines_1"], "dots": ["dots_0", "dots_1"]}
    assert description.pixel_nm == 20
    assert description.rejection[0]["rejected"] == 0
    composites = {split: found["composites"] for split, found in description.training["accuracy"].items()}
    assert composites == {"train": 3 * KNOWN, "validation": 3}


def test_regions_are_known_with_the_acquisitions_of_their_composites(material, tmp_path, monkeypatch):
    seen = {}

    def learn_from(training, validation, *how):
        seen.update(training=list(training), validation=list(validation))
        return learn.learn_from(seen["training"], seen["validation"], *how)

    monkeypatch.setattr("lusco.calibrate.learn_from", learn_from)
    run(material, tmp_path, steps=10)
    names = [each.acquisitions for each in seen["training"]]
    drawn = composites_of(material[0], STRUCTURES, "train", 3 * KNOWN, 64, 20, 1)
    sources = [frozenset(named.values()) for _, named, _ in drawn]
    assert names == [each for each in sources for _ in range(3)], "as it is, varied, one structure alone"
    assert set().union(*names) == {"lines_0", "lines_1", "dots_0", "dots_1"}
    assert {each.acquisitions for each in seen["validation"]} == {frozenset({"lines_7", "dots_7"})}
    for each in seen["training"] + seen["validation"]:
        assert each.appearance.shape == (len(each.points), SETTINGS["features"])


def test_a_network_that_divides_knows_how_what_it_learned_from_looks_to_it(material, trained, tmp_path):
    known = read_description(trained).known
    assert 0 < len(known["axes"]) <= len(known["axes"][0]) == SETTINGS["features"]
    assert len(known["appearance"]) == 1 + len(STRUCTURES)
    image = read_description(run(material, tmp_path, steps=10, head="regression")).known
    assert image["axes"] == image["appearance"] == []


def test_more_gpus_than_there_are_is_a_fault(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    how = stage_settings("train", SETTINGS | {"devices": 4})
    with pytest.raises(InputError, match="4 devices are asked for, and there are 1"):
        _check_sizes(64, how, "cuda")
    _check_sizes(64, how, "cpu")


def test_a_batch_that_processes_cannot_share_is_named(material, tmp_path):
    with pytest.raises(InputError, match="3 devices cannot share a batch of 4"):
        run(material, tmp_path, devices=3)


def test_bf16_is_chosen_only_where_the_processor_computes_in_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert choose_precision("auto", "cpu") == "float32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert choose_precision("auto", "cpu") == "bf16"
    assert choose_precision("float32", "cpu") == "float32"


def test_a_training_that_diverges_is_a_fault(material, tmp_path):
    with pytest.raises(InputError, match=r"key `train\.learning_rate`: the training diverged"):
        run(material, tmp_path, learning_rate=1e30)
    assert not (tmp_path / "model.json").exists()


def test_training_starts_where_another_ended(material, trained, tmp_path):
    run(material, tmp_path, start_from=str(trained), steps=1, validate_every=1, learning_rate=1e-9)
    end = pd.read_csv(trained / "history.csv")["validation_loss"].min()
    assert pd.read_csv(tmp_path / "history.csv")["validation_loss"].iloc[0] == pytest.approx(end, abs=1e-4)


def test_a_model_that_is_only_a_start_has_the_same_weights_and_cannot_be_applied(material, trained, tmp_path):
    training, validation = material
    train(training, validation, stage_settings("train", SETTINGS), 12.0, 1, tmp_path / "start", scored=False)
    assert (tmp_path / "start" / "weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()
    description = read_description(tmp_path / "start")
    assert description.training["accuracy"] == {} and description.known["appearance"] == []
    with pytest.raises(InputError, match=r"only a start for others .* no thresholds were chosen"):
        Recolorer(tmp_path / "start", description, 64, 1)
    how = {"steps": 1, "validate_every": 1, "learning_rate": 1e-9}
    for start in ("start", str(trained)):
        run(material, tmp_path / f"from_{Path(start).name}", start_from=str(tmp_path / start), **how)
    weights = [file.read_bytes() for file in tmp_path.glob("from_*/weights.safetensors")]
    assert len(weights) == 2 and weights[0] == weights[1]


def test_a_model_remembers_what_the_one_it_started_from_was_trained_on(material, trained, tmp_path):
    training, validation = material
    others = [replace(a, source=a.source | {"acquisition": f"other_{a.source['acquisition']}"}) for a in training]
    run((others, validation), tmp_path, start_from=str(trained), steps=1, validate_every=1)
    own = {a.source["acquisition"] for a in (*training, *others)}
    assert learnt_acquisitions(tmp_path) == own
    assert validation_acquisitions(tmp_path) == {"lines_7", "dots_7"}


def test_only_the_first_acquisitions_of_each_structure_are_used(material, tmp_path):
    run(material, tmp_path, acquisitions=1, steps=1, validate_every=1)
    used = read_description(tmp_path).training["acquisitions"]
    assert used == {structure: [f"{structure}_0"] for structure in STRUCTURES}
