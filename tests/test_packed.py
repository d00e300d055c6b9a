"""Tables of numbers as texts."""

import numpy as np
import pytest

from lusco.packed import pack, unpack


def test_rows_come_back_to_three_digits():
    rows = np.random.default_rng(0).normal(0, 5, (100, 7))
    np.testing.assert_allclose(unpack(pack(rows), 7), rows, rtol=1e-3, atol=1e-4)
    assert pack(unpack(pack(rows), 7)) == pack(rows)


def test_no_row_is_an_empty_text():
    assert pack(np.empty((0, 3))) == ""
    assert unpack("", 3).shape == (0, 3)


def test_the_bytes_are_little_endian_halves_one_after_another():
    assert pack([[1.0, -2.0]]) == "ADwAwA==", "0x3c00 and 0xc000, the low byte first"


@pytest.mark.parametrize("text", ["ADwAwA", "?DwAwA==", "ADwA", "AHwAAA==", "AH4AAA=="])
def test_what_is_no_table_of_numbers_is_refused(text):
    """Cut off, with a foreign character, half a row, infinite, not a number."""
    with pytest.raises(ValueError, match=r"padding|Non-base64|multiple|reshape|finite|base64"):
        unpack(text, 2)
