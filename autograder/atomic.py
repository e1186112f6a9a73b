"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["write"]


def write(path: Path, content: str | bytes) -> None:
    """Write a temporary file next to `path` and rename it, so that a reader sees the old file or the new one.

    Text is written as UTF-8, with `?` for a lone surrogate. Raises OSError if the disk is full or does not allow it;
    the old file is then unchanged, and the temporary one is deleted.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
