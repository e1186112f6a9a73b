"""The version of the kit: its release, and a fingerprint of everything that determines points."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder import __version__

__all__ = ["DECIDING", "installed", "kit_version"]

PACKAGE = Path(__file__).resolve().parent
DECIDING = ("calibration", "data", "engine", "judge", "policy", "sandbox", "submissions")
"""Folders of the package that determine points. After a change in any other, no class is graded again."""

LIBRARIES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "otter-grader")  # packages that determine points


@cache
def kit_version() -> str:
    """Return `release+fingerprint`, such as `0.1.0+3f9a0c55d1e2`; it changes with any line in DECIDING."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in DECIDING for path in (PACKAGE / folder).rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for library, number in installed(*LIBRARIES).items():
        digest.update(f"{library} {number}\0".encode())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def installed(*names: str) -> dict[str, str]:
    """Return the versions of those packages that are installed, by name."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
