"""The folders that a running Python reads, and whether another user could read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["folders", "others_can_enter", "others_can_read"]


def folders() -> tuple[Path, ...]:
    """Return the paths a Python process reads after it has started: its libraries, its packages, the C library."""
    found = [Path(path) for path in ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types")]
    found += [Path(path).resolve() for path in (sys.prefix, sys.base_prefix)]
    found += [Path(f"/dev/{name}") for name in ("null", "zero", "urandom", "random")]
    found += [Path(f"/proc/{name}") for name in ("cpuinfo", "meminfo", "stat", "filesystems")]
    found += [Path("/sys/devices/system/cpu")]
    return tuple(dict.fromkeys(path for path in found if path.exists()))


def others_can_read(paths: Iterable[Path]) -> bool:
    """Whether another user could read all of `paths`."""
    return all(
        others_can_enter(path.resolve().parent) and path.resolve().stat().st_mode & 0o005 == 0o005 for path in paths
    )


def others_can_enter(folder: Path) -> bool:
    """Whether another user can pass through a folder and all above it."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder.resolve(), *folder.resolve().parents))
