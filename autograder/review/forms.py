"""What a page sent, field by field."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograder.errors import ReviewError
from autograder.gradebook.mark import Draft
from autograder.text import printable_lines

__all__ = ["LARGEST_ID", "PostedForm", "amount"]

LARGEST_ID = 2**31 - 1
"""The largest whole number that every database takes."""


class PostedForm:
    """Fields in their order; a name may come often. Raises ReviewError for a field that is not what it should be."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(printable_lines(value.replace("\r\n", "\n")) for field, value in self._fields if field == name)

    def text(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    def whole(self, name: str) -> int:
        return _whole(name, self.text(name))

    def wholes(self, name: str) -> tuple[int, ...]:
        return tuple(_whole(name, value) for value in self.all(name))

    def draft(self) -> Draft:
        """What a rubric form says."""
        return Draft(
            items=tuple(dict.fromkeys(self.all("item"))),
            adjustment=amount("Adjust", self.text("adjustment").strip() or "0"),
            comment=self.text("comment").strip(),
            flagged="flagged" in (field for field, _ in self._fields),
        )

    def nonce(self) -> str:
        """The name of an act; the same name is the same act."""
        nonce = self.text("nonce")
        if not 16 <= len(nonce) <= 64 or not nonce.isalnum():
            raise ReviewError("The form is not whole. Load the page again; what you typed is still in your browser.")
        return nonce


def amount(name: str, text: str) -> float:
    """A number of points as people write it: 1.5, 1,5, +2, −1."""
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-").replace("_", "x"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReviewError(f"{name}: {text!r} is no number of points; expected one like 1, 0.5 or -2.")
    return value + 0.0


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID):
        raise ReviewError(f"{name}: {text[:40]!r} is no whole number. Load the page again.")
    return int(text)
