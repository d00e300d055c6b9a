"""What the package of a model makes run."""

import pytest
from dag import planned, planned_files, pretend
from toy import CONFIG, edit, put_model

PRETRAINED = CONFIG | {"pretrained": "models/published"}


@pytest.fixture
def published(fresh):
    put_model(fresh / "models" / "published")
    return fresh


def test_a_trained_model_is_packaged_alone(done):
    assert planned(done, CONFIG, ["package"]) == {"package": 1}
    assert planned_files(done, CONFIG, ["package"]) == {"results/toy/package/toy.zip"}


def test_a_pretrained_model_is_packaged_without_any_data(published):
    assert planned(published, PRETRAINED, ["package"]) == {"package": 1}


def test_an_edited_package_touches_nothing_else(done):
    pretend(done, CONFIG, ["package"])
    edit(done / "library" / "lusco" / "package" / "readme.py")
    assert planned(done, CONFIG, ["package"]) == {"package": 1}
    assert planned(done, CONFIG) == {}


def test_a_new_card_is_packaged(published):
    pretend(published, PRETRAINED, ["package"])
    assert planned(published, PRETRAINED, ["package"]) == {}
    (published / "models" / "published" / "README.md").write_text("# A card\n")
    assert planned(published, PRETRAINED, ["package"]) == {"package": 1}
