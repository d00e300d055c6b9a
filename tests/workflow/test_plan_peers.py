"""What models by others make run."""

from dag import commands, planned, planned_files, pretend
from toy import AFTER_EVALUATION, CONFIG, EVERYTHING, edit

PEERS = {
    "models": {"unet": {}, "forest": {"peer": "trees", "minutes": 1}, "split": {"peer": "microsplit", "minutes": 2}}
}
TRAINING_OF_PEERS = {"superpose": 1, "train_peer": 2, "apply_peer": 2}


def test_peers_are_trained_on_composites_of_their_own_and_compared(fresh):
    jobs = planned(fresh, CONFIG | PEERS)
    assert jobs == EVERYTHING | {"train_peer": 2, "apply_peer": 2, "superpose": 3}
    files = planned_files(fresh, CONFIG | PEERS)
    assert {f"results/toy/figures/peers.{ending}" for ending in ("png", "svg", "csv")} <= files
    assert "results/toy/models/unet/history.csv" in files
    assert "results/toy/models/forest/history.csv" not in files


def test_peers_run_in_the_environment_beside_the_project_wherever_the_run_is(fresh):
    for command in commands(fresh, CONFIG | PEERS, ["train_peer", "apply_peer"]):
        assert command.startswith('PATH="$LUSCO_PROJECT/.venv-peers/bin:$PATH" lusco ')


def test_peers_beside_a_model_that_is_there_train_nothing_else(done):
    assert planned(done, CONFIG | PEERS) == {**TRAINING_OF_PEERS, "evaluate": 1, **AFTER_EVALUATION}


def test_only_the_chosen_model_is_swept(fresh):
    jobs = planned(fresh, CONFIG | PEERS | {"sweeps": {"density": [0.5, 1]}})
    assert jobs["recolor_composites"] == 2, "the test composites and those of the sweep"
    assert jobs["apply_peer"] == 2


def test_a_peer_given_more_time_is_trained_alone(done):
    pretend(done, CONFIG | PEERS)
    assert planned(done, CONFIG | PEERS) == {}
    models = PEERS["models"] | {"forest": {"peer": "trees", "minutes": 3}}
    expected = {"train_peer": 1, "apply_peer": 1, "evaluate": 1, **AFTER_EVALUATION}
    assert planned(done, CONFIG | {"models": models}) == expected


def test_an_edited_peer_does_not_touch_our_own_models(done):
    pretend(done, CONFIG | PEERS)
    edit(done / "library" / "lusco" / "peers" / "features.py")
    expected = {"train_peer": 2, "apply_peer": 2, "evaluate": 1, **AFTER_EVALUATION}
    assert planned(done, CONFIG | PEERS) == expected


def test_more_training_composites_concern_peers_only(done):
    more = {"superpose": {"training_composites": 7}}
    assert planned(done, CONFIG | more) == {"record": 1}, "it holds the whole configuration"
    pretend(done, CONFIG | PEERS)
    assert planned(done, CONFIG | PEERS | more) == {**TRAINING_OF_PEERS, "evaluate": 1, **AFTER_EVALUATION}
