"""Faults read as sentences."""

import pytest

from lusco.errors import Fault, InputError, raise_all


def test_a_fault_is_a_sentence_of_file_place_what_and_mend():
    assert str(Fault("a.csv", "it is bad", "mend it", "row 3")) == "a.csv, row 3: it is bad; mend it."
    assert str(Fault("a.csv", "it is bad", "mend it")) == "a.csv: it is bad; mend it."


def test_all_faults_are_raised_together_a_line_each():
    with pytest.raises(InputError) as caught:
        raise_all(Fault("a.csv", f"fault {number}", "mend it") for number in (1, 2))
    assert str(caught.value).splitlines() == ["a.csv: fault 1; mend it.", "a.csv: fault 2; mend it."]


def test_without_faults_nothing_is_raised():
    raise_all([])


def test_what_a_file_says_neither_breaks_the_line_nor_fills_the_screen():
    fault = Fault("a\n.csv", f"`\x1b[2J{'x' * 10**6}\u2028`", "mend it")
    assert str(fault).startswith("a\\n.csv: `\\x1b[2Jxxx") and str(fault).endswith("xxx\\u2028`; mend it.")
    assert len(str(fault)) < 1000
