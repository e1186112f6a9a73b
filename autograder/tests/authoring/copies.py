"""A built copy of the assignment that a test may change."""

from __future__ import annotations

from pathlib import Path

__all__ = ["replace"]


def replace(path: Path, old: str, new: str) -> None:
    """Replace the first `old` in a file; it must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
