"""Which trainings are the same: settings, acquisitions, composites and code tell them apart."""

import numpy as np
import pytest
from lines_and_dots import SETTINGS, to_learn_from

from lusco import table
from lusco.settings import stage_settings
from lusco.superpose.composites import open_composites, write_composites
from lusco.train.identity import fingerprint


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return to_learn_from(tmp_path_factory.mktemp("material"))


def told(training, validation, settings=None, smoothing_nm=12.0, seed=1, device="cpu", precision="float32"):
    how = stage_settings("train", SETTINGS | (settings or {}))
    return fingerprint(training, validation, how, smoothing_nm, seed, device, precision)


def test_the_same_training_is_known_again(material, tmp_path):
    training, validation = material
    for a in training:
        table.write(a, tmp_path / f"{a.source['acquisition']}.parquet")
    again = [table.read(tmp_path / f"{a.source['acquisition']}.parquet") for a in training]
    assert told(again, validation) == told(*material)


@pytest.mark.parametrize(
    "other",
    [
        {"settings": {"steps": 31}},
        {"smoothing_nm": 13.0},
        {"seed": 2},
        {"device": "cuda"},
        {"precision": "bf16"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_setting_is_another_training(material, other):
    assert told(*material, **other) != told(*material)


def test_the_same_files_filtered_in_another_way_are_another_training(material):
    training, validation = material
    fewer = [table.Localizations(a.table.iloc[1:], a.field_nm, a.source) for a in training]
    assert told(fewer, validation) != told(training, validation)


def test_an_acquisition_of_another_structure_is_another_training(material):
    training, validation = material
    named = [table.Localizations(a.table, a.field_nm, a.source | {"structure": "lines"}) for a in training]
    assert told(named, validation) != told(training, validation)


def test_images_of_other_counts_are_another_training(material):
    training, validation = material

    def as_images(weight):
        tables = [a.table.assign(weight=np.float32(weight)) for a in training]
        return [table.Localizations(t, a.field_nm, a.source) for t, a in zip(tables, training, strict=True)]

    assert told(as_images(2), validation) != told(as_images(3), validation)


def test_validation_composites_of_the_same_names_and_other_content_are_another_training(material, tmp_path):
    training, validation = material
    tables = [validation.table(index) for index in range(len(validation))]
    moved = [*tables[:-1], tables[-1].assign(x_nm=tables[-1]["x_nm"] / 2)]
    written = []
    for name, some in (("same", tables), ("moved", moved)):
        composites = zip(validation.names, validation.sources, some, strict=True)
        file = tmp_path / f"{name}.arrow"
        write_composites(file, validation.structures, validation.pixel_nm, validation.side_px, composites)
        written.append(told(training, open_composites(file)))
    assert written[0] == told(*material) != written[1]


def test_other_code_of_the_training_is_another_training(material, monkeypatch):
    before = told(*material)
    monkeypatch.setattr("lusco.train.identity.code_hash", lambda module: f"{module} edited")
    assert told(*material) != before
