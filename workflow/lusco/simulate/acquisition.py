"""One simulated acquisition, from its description to its localizations."""

from collections.abc import Sequence

import numpy as np

from lusco.errors import Fault, InputError
from lusco.sheet import MIXED, SIMULATION
from lusco.simulate import microtubules
from lusco.simulate.blinking import blink
from lusco.simulate.camera import detect
from lusco.simulate.description import Description
from lusco.simulate.draws import draw, generator
from lusco.simulate.labelling import label
from lusco.simulate.mitochondria import Tracks
from lusco.table import UNSPECIFIC, Localizations, localizations


def simulate(description: Description, name: str, structure: str, seed: int) -> Localizations:
    """Simulate one acquisition; the same arguments give the same acquisition.

    Parameters
    ----------
    description : Description
        What to simulate.
    name : str
        Name of the acquisition; acquisitions of different names are independent.
    structure : str
        One structure of the description, or `mixed` for all of them in one dye.
    seed : int
        Seed of the run.

    Returns
    -------
    Localizations
        With the columns `structure` (true name; `unspecific` for unspecific localizations of a mixed acquisition)
        and `unspecific`, in the order of the frames. Only what falls out of the field is left out.

    Raises
    ------
    InputError
        If the description does not have the structure.
    """
    names = _names(description, structure)
    size_nm = (1e3 * description.field_um[0], 1e3 * description.field_um[1])
    blinks = generator(seed, name, "blinking")
    per_emitter = draw(blinks, description.blinking.localizations_per_emitter)

    groups = [_emitters(description, each, size_nm, name, seed, structure == MIXED) for each in names]
    groups.append(_unspecific(description, size_nm, per_emitter, generator(seed, name, UNSPECIFIC)))
    emitters_nm = np.concatenate(groups)
    group = np.repeat(np.arange(len(groups)), [len(emitters) for emitters in groups])

    emitter, frame = blink(len(emitters_nm), per_emitter, description.blinking, description.frames, blinks)
    light = generator(seed, name, "camera")
    photons, sigma_nm = detect(description.camera, len(emitter), light)
    position_nm = emitters_nm[emitter] + light.normal(size=(len(emitter), 2)) * sigma_nm[:, None]

    inside = np.all((position_nm >= 0) & (position_nm <= size_nm), axis=1)
    kept = np.flatnonzero(inside)
    kept = kept[np.argsort(frame[kept], kind="stable")]
    group = group[emitter[kept]]
    labels = np.array([*names, UNSPECIFIC if structure == MIXED else structure])
    columns = {
        "x_nm": position_nm[kept, 0],
        "y_nm": position_nm[kept, 1],
        "frame": frame[kept],
        "photons": photons[kept],
        "uncertainty_nm": sigma_nm[kept],
        "structure": labels[group],
        "unspecific": group == len(names),
    }
    source = {
        "acquisition": name,
        "structure": structure,
        "format": SIMULATION,
        "path": str(description.file),
        "seed": seed,
        "parameters": description.parameters,
    }
    return localizations(columns, (0.0, size_nm[0], 0.0, size_nm[1]), source)


def _names(description: Description, structure: str) -> Sequence[str]:
    known = list(description.structures)
    if structure == MIXED:
        return known
    if structure not in known:
        raise InputError(
            Fault(
                description.file,
                f"the structure `{structure}` is not described",
                f"add it, or simulate one of {', '.join(known)}",
                "key `structures`",
            )
        )
    return [structure]


def _emitters(
    description: Description, structure: str, size_nm: tuple[float, float], name: str, seed: int, mixed: bool
) -> np.ndarray:
    """Emitters of one structure projected onto the plane, shape (n, 2) in nm."""
    rng = generator(seed, name, structure)
    described = description.structures[structure]
    keeps = {}
    if mixed and structure == "mitochondria" and description.mitochondria_lie != "anywhere":
        # the same generator gives the filaments that the microtubules of this acquisition have
        geometry = description.structures["microtubules"].geometry
        lines = microtubules.filaments(geometry, size_nm, generator(seed, name, "microtubules"))
        keeps = {"tracks": Tracks(*lines, along=description.mitochondria_lie == "along_microtubules")}
    epitopes = described.epitopes(described.geometry, size_nm, rng, **keeps)
    return label(epitopes, described.labelling, rng)[:, :2]


def _unspecific(
    description: Description, size_nm: tuple[float, float], per_emitter: float, rng: np.random.Generator
) -> np.ndarray:
    """Labels that stick anywhere, shape (n, 2) in nm; as many as give the drawn density of localizations."""
    margin_nm = 100.0  # of a point-spread function and more: what blurs out of the field is made up from outside
    size = np.asarray(size_nm)
    density = draw(rng, description.unspecific_per_um2) / per_emitter / 1e6
    return rng.uniform(-margin_nm, size + margin_nm, (rng.poisson(density * np.prod(size + 2 * margin_nm)), 2))
