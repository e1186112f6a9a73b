"""Imports that cost seconds and that grading has no use for."""

from __future__ import annotations

import sys

__all__ = ["NEEDLESS", "leave_out"]

NEEDLESS = ("rfc3987_syntax",)
"""jsonschema, which nbformat imports, takes it up where Jupyter has installed it, and spends two seconds on a grammar
of web addresses. No notebook has an address to check."""


def leave_out() -> None:
    """Let NEEDLESS libraries look as if they were not installed (None in sys.modules); called before other imports."""
    for name in NEEDLESS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # the import system takes None for "is not there"
