"""The autograder zip: Otter's zip with the kit in it, and a manifest that shows whether it is stale or was changed.

The manifest has the SHA-256 of all `sources` that the zip is made from, and of all its `entries` but itself.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from autograder.errors import BuildError
from autograder.layout import Layout
from autograder.policy.policy import Policy

__all__ = ["EXECUTABLE", "MANIFEST", "digest", "is_stale", "pack", "read_tests", "zip_of"]

FILES = "files"
"""The folder of the zip that Otter puts next to the tests: here, the kit itself."""

MANIFEST = f"{FILES}/kit.json"
"""The manifest's name in the zip."""

EPOCH = (2026, 1, 1, 0, 0, 0)  # the date of every zip entry, so that the same input makes the same zip
PACKAGE = Path(__file__).parent.parent
CONTAINER = PACKAGE / "gradescope"
EXECUTABLE = ("setup.sh", "run_autograder")
NOT_SHIPPED = frozenset({"tests", "tools", "docs", "__pycache__"})
"""Folders of the package that a container does not need."""


def pack(otter_zip: Path, layout: Layout, policy: Policy) -> tuple[bytes, dict[str, str]]:
    """Return the zip that Otter Assign made with the kit added, and its test files by question.

    The same input gives the same bytes. Raises BuildError if a code question has no tests.
    """
    with zipfile.ZipFile(otter_zip) as source:
        entries = {name: source.read(name) for name in sorted(source.namelist())}
    tests = {Path(name).stem: content.decode() for name, content in entries.items() if name.startswith("tests/")}
    missing = set(policy.code) - set(tests)
    if missing:
        raise BuildError(f"Otter Assign made no tests for {', '.join(sorted(missing))}")
    entries |= {name: (CONTAINER / name).read_bytes() for name in (*EXECUTABLE, "requirements.txt")}
    entries |= {f"{FILES}/{name}": path.read_bytes() for name, path in _shipped(layout, policy).items()}
    manifest = {"sources": _sources(layout, policy), "entries": {name: digest(entries[name]) for name in entries}}
    entries[MANIFEST] = json.dumps(manifest, indent=1).encode()
    return zip_of(entries), tests


def digest(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def zip_of(entries: Mapping[str, bytes]) -> bytes:
    """Return a zip of files by their names. The same input gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = (0o755 if name in EXECUTABLE else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return out.getvalue()


def is_stale(layout: Layout, policy: Policy) -> bool:
    """Return whether the zip is missing, or was made from another master, policy or kit."""
    if layout.unpacked:
        return False
    try:
        with zipfile.ZipFile(layout.zip) as archive:
            manifest = json.loads(archive.read(MANIFEST))
        return bool(manifest["sources"] != _sources(layout, policy))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):  # a build names what is missing
        return True


def read_tests(path: Path) -> dict[str, str]:
    """Return the Otter test files, by question, of an autograder zip or a folder. Raises BuildError if it has none."""
    try:
        if path.is_dir():
            return {file.stem: file.read_text(encoding="utf-8") for file in sorted(path.glob("*.py"))}
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if re.fullmatch(r"tests/\w+\.py", name)]
            tests = {Path(name).stem: archive.read(name).decode() for name in sorted(names)}
    except (OSError, zipfile.BadZipFile) as error:
        raise BuildError(f"{path} cannot be read ({error}): run `mnist-kit build`") from None
    if not tests:
        raise BuildError(f"{path} has no tests in it: run `mnist-kit build`")
    return tests


def _shipped(layout: Layout, policy: Policy) -> dict[str, Path]:
    """Return the files that go into the zip unchanged, by their name below FILES: neither master nor solution."""
    package = {path.relative_to(PACKAGE.parent): path for path in sorted(PACKAGE.rglob("*")) if path.is_file()}
    files = {name.as_posix(): path for name, path in package.items() if not NOT_SHIPPED & set(name.parts)}
    calibration = [layout.calibration] if layout.calibration.exists() else []
    own = (layout.policy, layout.data(policy.assignment.dataset), layout.images / "README.md", *calibration)
    return files | {path.relative_to(layout.root).as_posix(): path for path in own}


def _sources(layout: Layout, policy: Policy) -> dict[str, str]:
    """Return the SHA-256 of everything the zip is made from, by name. Raises OSError if some of it is missing."""
    files = {**_shipped(layout, policy), "master": layout.master, "first cell": layout.first_cell}
    return {name: digest(path.read_bytes()) for name, path in files.items()}
