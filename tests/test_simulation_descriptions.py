"""Descriptions of simulations: those that are shipped, what they may hold, and what is said of bad ones."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lusco import table
from lusco.cli import app
from lusco.errors import InputError
from lusco.simulate import read_description, simulate
from lusco.simulate.description import GEOMETRIES, SIMULATION_SCHEMA

RESOURCES = Path(__file__).parents[1] / "resources" / "simulations"


@pytest.mark.parametrize("path", sorted(RESOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_descriptions_give_plausible_acquisitions(path):
    description = read_description(path)
    name = "mixed" if len(description.structures) > 1 else next(iter(description.structures))
    acquisition = simulate(description, "shipped", name, 1)
    counts = acquisition.table["structure"].value_counts()
    best_nm = 2 if path.stem.startswith("nanoscale") else 5  # MINFLUX
    assert best_nm < acquisition.table["uncertainty_nm"].mean() < 15
    assert all(counts[structure] > 100 * acquisition.area_um2 for structure in description.structures)
    assert acquisition.source["structure"] == name


def test_schema_and_records_name_the_same_parameters_all_explained():
    structures = yaml.safe_load(SIMULATION_SCHEMA.read_text())["properties"]["structures"]["properties"]
    assert set(structures) == set(GEOMETRIES)
    for name, (record, _) in GEOMETRIES.items():
        rules = structures[name]["properties"]
        assert set(rules) - {"labelling"} == {field.name for field in fields(record)}
        assert all("default" in rule and rule["description"].endswith(".") for rule in rules.values())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("structures: {microtubule: {}}", "unknown key `microtubule`; did you mean `microtubules`"),
        (
            "structures: {actin: {subunits_nm: 3}}",
            "key `structures.actin`: unknown key `subunits_nm`; did you mean `subunit_nm`",
        ),
        ("structures: {actin: {subunit_nm: -3}}", "key `structures.actin.subunit_nm`"),
        ("structures: {actin: {mesh_um_per_um2: [9, 4]}}", "the range [9, 4] starts above its end; swap the two"),
        ("structures: {actin: {labelling: {efficiency: 1.5}}}", "key `structures.actin.labelling.efficiency`"),
        ("structures: {}", "key `structures`"),
        ("frames: 100", "missing `structures`"),
        ("structures: [actin", "is not YAML"),
    ],
)
def test_a_bad_description_is_answered_in_sentences(tmp_path, text, sentence):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_description(path)
    assert str(path) in str(error.value)
    assert sentence in str(error.value)


def test_all_faults_of_a_description_come_together(describe):
    with pytest.raises(InputError) as error:
        describe({"actin": {"subunit": 3}}, frame=3, unspecific_per_um2="many")
    assert len(error.value.faults) == 3


def test_a_structure_that_is_not_described_is_a_fault(describe):
    with pytest.raises(
        InputError, match="the structure `actin` is not described; add it, or simulate one of clathrin_pits"
    ):
        simulate(describe({"clathrin_pits": {}}), "a", "actin", 1)


def test_the_command_writes_what_the_function_returns(tmp_path):
    description, out = RESOURCES / "clathrin_pits.yaml", tmp_path / "pits.parquet"
    arguments = ["simulate", str(description), "--name", "pits", "--structure", "clathrin_pits", "--seed", "3"]
    assert CliRunner().invoke(app, [*arguments, "--out", str(out)]).exit_code == 0
    expected = simulate(read_description(description), "pits", "clathrin_pits", 3)
    assert table.read(out).table.equals(expected.table)
    assert table.read(out).source == expected.source
