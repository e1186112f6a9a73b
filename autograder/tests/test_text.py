"""Text from outside: safe to show, to store and to open in a spreadsheet, and otherwise unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.tests.reports import HOSTILE
from autograder.text import escape_formula, printable, printable_lines, storable, unescape_formula

PLAIN = "é 数 ≠ 'a' 👩🏽"
TRICKS = "a\nb\x1b\ud800\u202ec\u200bd\te"


def test_only_what_is_invisible_or_a_control_is_replaced() -> None:
    for clean in (printable, printable_lines, storable):
        assert clean(PLAIN) == PLAIN
    assert printable(TRICKS) == "a\ufffdb\ufffd\ufffd\ufffdc\ufffdd\ufffde"
    assert printable(HOSTILE).isprintable()
    assert printable_lines(TRICKS) == "a\nb\ufffd\ufffd\ufffdc\u200bd\te"
    assert printable_lines("👩\u200d💻\u2067") == "👩\u200d💻\ufffd"
    assert storable("a\0b\ud800\x1b") == "a\ufffdb?\x1b"


@given(st.text(alphabet=st.sampled_from("'=+-@＝ \ta1"), max_size=6))
def test_an_escaped_formula_is_none_and_comes_back_as_it_was(value: str) -> None:
    assert not escape_formula(value).lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert unescape_formula(escape_formula(value)) == value


@pytest.mark.parametrize("value", ["-1 is wrong", "=x", "'quoted'", "plain", ""])
def test_what_was_never_escaped_stays_as_it_is(value: str) -> None:
    assert unescape_formula(value) == value
