"""Parsing of posted forms, field by field."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograder.errors import ReviewError
from autograder.gradebook.mark import Draft
from autograder.text import printable_lines

__all__ = ["LARGEST_ID", "PostedForm", "parse_points"]

LARGEST_ID = 2**31 - 1
"""The largest whole number that every database takes."""


class PostedForm:
    """Fields in order; a name may repeat. Raises ReviewError for a field of the wrong kind."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(printable_lines(value.replace("\r\n", "\n")) for field, value in self._fields if field == name)

    def text(self, name: str) -> str:
        """Return the first field of this name, or ""."""
        return next(iter(self.texts(name)), "")

    def integer(self, name: str) -> int:
        return _integer(name, self.text(name))

    def integers(self, name: str) -> tuple[int, ...]:
        return tuple(_integer(name, value) for value in self.texts(name))

    def draft(self) -> Draft:
        """Return the mark in a rubric form."""
        return Draft(
            items=tuple(dict.fromkeys(self.texts("item"))),
            adjustment=parse_points("Adjust", self.text("adjustment").strip() or "0"),
            comment=self.text("comment").strip(),
            flagged=bool(self.texts("flagged")),
        )

    def nonce(self) -> str:
        """Return the id of this action: sent again with the same nonce, it is done once."""
        nonce = self.text("nonce")
        if not 16 <= len(nonce) <= 64 or not nonce.isalnum():
            raise ReviewError("The form is incomplete. Reload the page; what you typed is still in your browser.")
        return nonce


def parse_points(name: str, text: str) -> float:
    """Parse a number of points as people type it: 1.5, 1,5, +2, −1."""
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-").replace("_", "x"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReviewError(f"{name}: {text!r} is not a number of points; expected one like 1, 0.5 or -2.")
    return value + 0.0  # no −0.0


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID):
        raise ReviewError(f"{name}: {text[:40]!r} is not a whole number. Reload the page.")
    return int(text)
