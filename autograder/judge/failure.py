"""The two ways in which a check does not pass, and the phrases of their messages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from autograder.judge.evidence import ReportedValue

__all__ = ["CheckFailed", "NotChecked", "count", "describe", "follow_up", "percent"]


class CheckFailed(Exception):
    """A check found something other than it expected; the message is for the student.

    `found`, `expected` and `hint` become one line each, whatever names a student has chosen.
    """

    def __init__(self, found: str, expected: str = "", hint: str = "") -> None:
        self.found, self.expected, self.hint = map(_one_line, (found, expected, hint))

    def __str__(self) -> str:
        lines = {"Found": self.found, "Expected": self.expected, "Try": self.hint}
        return "\n".join(f"{label}: {text}" for label, text in lines.items() if text)


class NotChecked(Exception):
    """A check was not made, because something else has to be right first; `reason` names it."""

    def __init__(self, reason: str) -> None:
        self.reason = _one_line(reason)

    def __str__(self) -> str:
        return f"Not checked: {self.reason}"


@contextmanager
def follow_up(reason: str, *, first: bool = False) -> Iterator[None]:
    """Turn a failure, which the `first` check of the question reports, into NotChecked for the other checks."""
    try:
        yield
    except CheckFailed as failure:
        raise failure if first else NotChecked(reason) from None


def describe(value: ReportedValue) -> str:
    """Describe a reported value, a text cut to 40 characters."""
    match value.kind:
        case "numbers":
            return str(tuple(value.value))  # type: ignore[arg-type]  # kind "numbers" means a list
        case "number" if value.value is None:
            return "infinite, not a number, or far too large"
        case "number" | "bool":
            return str(value.value)
        case "text":
            return f"the text {str(value.value)[:40]!r}"
        case _:
            return f"a value of type {value.name or value.kind}"


def percent(fraction: float) -> str:
    """Round down to hundredths of a percent: 95.98 % must not read as the 96 % that it has missed."""
    return f"{math.floor(fraction * 1e4 + 1e-6) / 100:g}%"


def count(number: int, noun: str) -> str:
    """Return `1 layer`, `2 layers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
