"""Text from outside made safe to show, to store, and to open in a spreadsheet."""

from __future__ import annotations

import re
from unicodedata import category

__all__ = ["escape_formula", "printable", "printable_lines", "storable", "unescape_formula"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]")
"""The start of a formula, in half-width or full-width characters, escaped or not."""

REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make the text around them read in another order."""


def printable(text: str) -> str:
    """Return one line for a terminal, a table or a message: nothing in it is invisible or controls how it is shown.

    Replaced are control characters, line breaks too, lone surrogates, zero-width characters and those that reorder.
    """
    return "".join(char if char.isprintable() else REPLACEMENT for char in text)


def printable_lines(text: str) -> str:
    """Return a text for a page, its lines and tabs kept.

    Replaced are control characters, lone surrogates and characters that reorder. Zero-width ones stay: they belong to
    emoji and to some scripts, and are harmless in running text.
    """
    if text.isprintable():  # nearly always
        return text
    hidden = {char for char in set(text) - {"\n", "\t"} if char in REORDERING or category(char) in ("Cc", "Cs")}
    return "".join(REPLACEMENT if char in hidden else char for char in text)


def storable(text: str) -> str:
    """Return a text that every database takes: PostgreSQL refuses null characters, UTF-8 lone surrogates."""
    return text.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()


def escape_formula(value: str) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula: a quote makes it text."""
    return f"'{value}" if FORMULA.match(value) else value


def unescape_formula(cell: str) -> str:
    """Return the value that `escape_formula` was given, from a file that comes back."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
