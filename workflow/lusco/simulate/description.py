"""The description of a simulated acquisition: a YAML file, checked and completed by its schema."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lusco.errors import Fault, raise_all
from lusco.schema import check, read_yaml
from lusco.settings import SCHEMA
from lusco.simulate import actin, clathrin_pits, microtubules, mitochondria, nuclear_pores
from lusco.simulate.blinking import Blinking
from lusco.simulate.camera import Camera
from lusco.simulate.draws import Range
from lusco.simulate.labelling import Epitopes, Labelling

SIMULATION_SCHEMA = SCHEMA.with_name("simulation.schema.yaml")

# Takes a geometry, width and height of the field in nm, and a generator.
EpitopesOf = Callable[[Any, tuple[float, float], np.random.Generator], Epitopes]

GEOMETRIES: dict[str, tuple[type, EpitopesOf]] = {
    "microtubules": (microtubules.Microtubules, microtubules.epitopes),
    "nuclear_pores": (nuclear_pores.NuclearPores, nuclear_pores.epitopes),
    "mitochondria": (mitochondria.Mitochondria, mitochondria.epitopes),
    "clathrin_pits": (clathrin_pits.ClathrinPits, clathrin_pits.epitopes),
    "actin": (actin.Actin, actin.epitopes),
}


@dataclass(frozen=True)
class Structure:
    """One structure of a description.

    Parameters
    ----------
    geometry : object
        Its dimensions, a record of the structure's own module.
    epitopes : callable
        Gives the epitopes of the geometry in a field.
    labelling : Labelling
        How it is labelled.
    """

    geometry: Any
    epitopes: EpitopesOf
    labelling: Labelling


@dataclass(frozen=True)
class Description:
    """What to simulate; the schema explains each.

    Parameters
    ----------
    file : Path
        Where it was read from.
    parameters : dict
        The file's content with all defaults filled in.
    field_um : tuple of float
        Width and height of the field in um.
    structures : dict
        `Structure` by name.
    blinking : Blinking
        Photophysics.
    camera : Camera
        Optics and light.
    unspecific_per_um2 : float or list of float
        Localizations of no structure, per um^2.
    frames : int
        Length of the acquisition.
    mitochondria_lie : str
        `anywhere`, `along_microtubules` or `apart_from_microtubules`.
    """

    file: Path
    parameters: dict[str, Any]
    field_um: tuple[float, float]
    structures: dict[str, Structure]
    blinking: Blinking
    camera: Camera
    unspecific_per_um2: Range
    frames: int
    mitochondria_lie: str


def read_description(path: str | Path) -> Description:
    """Read a description and fill in the defaults of the schema.

    Parameters
    ----------
    path : str or Path
        YAML file.

    Raises
    ------
    InputError
        With all faults of the file at once.
    """
    return complete(read_yaml(path), path)


def complete(content: dict[str, Any], file: str | Path) -> Description:
    """Check what a description says and fill in the defaults of the schema.

    Parameters
    ----------
    content : dict
        As written in YAML.
    file : str or Path
        Named in faults, and kept as the origin of what is simulated.

    Raises
    ------
    InputError
        With all faults at once.
    """
    schema = read_yaml(SIMULATION_SCHEMA)
    full = check(content, schema, file)
    raise_all([*_reversed_ranges(full, schema, file), *_missing_partner(full, file)])
    return Description(
        file=Path(file),
        parameters=full,
        field_um=tuple(full["field_um"]),
        structures={name: _structure(name, given) for name, given in full["structures"].items()},
        blinking=Blinking(**full["blinking"]),
        camera=Camera(**full["camera"]),
        unspecific_per_um2=full["unspecific_per_um2"],
        frames=full["frames"],
        mitochondria_lie=full["mitochondria_lie"],
    )


def _missing_partner(full: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    if full["mitochondria_lie"] != "anywhere" and not {"microtubules", "mitochondria"} <= set(full["structures"]):
        mend = "describe both, or leave it out"
        yield Fault(file, "mitochondria and microtubules are not both described", mend, "key `mitochondria_lie`")


def _structure(name: str, given: dict[str, Any]) -> Structure:
    record, epitopes = GEOMETRIES[name]
    geometry = {key: value for key, value in given.items() if key != "labelling"}
    return Structure(record(**geometry), epitopes, Labelling(**given["labelling"]))


def _reversed_ranges(
    content: dict[str, Any], schema: dict[str, Any], file: str | Path, at: str = ""
) -> Iterator[Fault]:
    for key, rule in schema["properties"].items():
        value = content.get(key)
        if isinstance(value, dict):
            yield from _reversed_ranges(value, rule, file, f"{at}{key}.")
        elif rule.get("type") == ["number", "array"] and isinstance(value, list) and value[0] > value[1]:
            yield Fault(file, f"the range {value} starts above its end", "swap the two", f"key `{at}{key}`")
