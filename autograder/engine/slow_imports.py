"""Imports that take seconds and that grading does not need."""

from __future__ import annotations

import sys

__all__ = ["UNUSED", "hide"]

UNUSED = ("rfc3987_syntax",)
"""jsonschema, which nbformat imports, loads it if Jupyter has installed it, and spends two seconds on a grammar of web
addresses. Notebooks have none to check."""


def hide() -> None:
    """Make the libraries in UNUSED look as if they were not installed; call it before other imports."""
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None means "not installed" to the import system
