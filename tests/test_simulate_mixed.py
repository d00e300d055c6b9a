"""Mixed acquisitions: the truth of each localization, and how structures of one cell lie to each other."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from lusco.errors import InputError
from lusco.simulate import simulate


def test_a_mixed_acquisition_tells_the_truth_of_each_localization(describe):
    description = describe({"microtubules": {}, "clathrin_pits": {}}, field_um=[5, 5])
    mixed = simulate(description, "both", "mixed", 1)
    assert set(mixed.table["structure"]) == {"microtubules", "clathrin_pits", "unspecific"}
    assert ((mixed.table["structure"] == "unspecific") == mixed.table["unspecific"]).all()
    assert set(simulate(description, "one", "microtubules", 1).table["structure"]) == {"microtubules"}


def test_mitochondria_lie_along_or_apart_from_the_microtubules_of_their_cell(describe):
    def found(lie, structure="mixed"):
        parts = {"microtubules": {"length_um_per_um2": 1}, "mitochondria": {"length_um_per_um2": 0.4}}
        description = describe(parts, mitochondria_lie=lie, unspecific_per_um2=0)
        return simulate(description, "cell", structure, 1).table

    def nearer_than(table, distance_nm):
        """Fraction of the mitochondria's localizations that have a microtubule's so near."""
        positions = {name: rows[["x_nm", "y_nm"]].to_numpy() for name, rows in table.groupby("structure")}
        return np.mean(cKDTree(positions["microtubules"]).query(positions["mitochondria"])[0] < distance_nm)

    anywhere, along, apart = (found(lie) for lie in ("anywhere", "along_microtubules", "apart_from_microtubules"))
    # no mitochondrion is wider than 600 nm, so that a microtubule inside is nowhere further than the half
    assert nearer_than(along, 400) > 0.95
    assert nearer_than(apart, 60) < 0.01
    assert nearer_than(apart, 60) < nearer_than(anywhere, 60) < nearer_than(along, 60)
    # the microtubules themselves do not depend on it, nor does an acquisition of one structure
    lengths = [np.count_nonzero(table["structure"] == "microtubules") for table in (anywhere, along, apart)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.1)
    alone = [found(lie, "mitochondria") for lie in ("anywhere", "along_microtubules")]
    assert alone[0].equals(alone[1])


def test_mitochondria_cannot_lie_along_what_is_not_described(describe):
    with pytest.raises(InputError, match="`mitochondria_lie`: mitochondria and microtubules are not both"):
        describe({"mitochondria": {}}, mitochondria_lie="along_microtubules")
