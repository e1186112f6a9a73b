"""The messages of checks, and the phrases in them."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge.evidence import ReportedValue
from autograder.judge.failure import CheckFailed, NotChecked, count, describe, percent


def test_a_failure_keeps_what_was_found_and_expected_and_says_it_in_a_line_each() -> None:
    failure = CheckFailed("a\nb", "c\r\nd", "e\u2028f")
    assert (failure.found, failure.expected, failure.hint) == ("a b", "c d", "e f")
    assert str(failure) == "Found: a b\nExpected: c d\nTry: e f"
    assert str(CheckFailed("a")) == "Found: a"
    assert str(CheckFailed("a", hint="b")) == "Found: a\nTry: b"
    assert str(NotChecked("a\nb")) == "Not checked: a b"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"kind": "numbers", "value": [1, None]}, "(1, None)"),
        ({"kind": "number", "value": None}, "infinite, not a number, or far too large"),
        ({"kind": "number", "value": 59999.5}, "59999.5"),
        ({"kind": "bool", "value": True}, "True"),
        ({"kind": "text", "value": "x" * 60}, f"the text '{'x' * 40}'"),
        ({"kind": "array", "name": "array of shape (9,)"}, "a value of type array of shape (9,)"),
        ({"kind": "other"}, "a value of type other"),
    ],
)
def test_a_value_is_described(value: dict[str, Any], words: str) -> None:
    assert describe(ReportedValue.model_validate(value)) == words


@pytest.mark.parametrize(("fraction", "words"), [(0.9598, "95.98%"), (0.96499999, "96.49%"), (0.9, "90%"), (1, "100%")])
def test_a_percentage_is_never_rounded_up(fraction: float, words: str) -> None:
    assert percent(fraction) == words


def test_one_is_singular() -> None:
    assert [count(number, "layer") for number in (0, 1, 2)] == ["0 layers", "1 layer", "2 layers"]
