"""Unsuitable environments: some packages are missing (the others are linked from this one), or Python is too old."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Collection, Mapping
from importlib.metadata import distribution
from pathlib import Path


def without(folder: Path, *names: str, modules: Collection[str] = (), fakes: Mapping[str, str] | None = None) -> Path:
    """Make an environment in `folder` without the distributions `names`. Return its Python.

    Of the top-level `modules` only the code is missing, as after an interrupted installation. `fakes` maps the names of
    modules to replace to their source.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    variables = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=variables))
    gone = {*modules, *(fakes or {})} | {path.parts[0] for name in names for path in distribution(name).files or ()}
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in gone:
            (site / entry.name).symlink_to(entry)
    for name, source in (fakes or {}).items():
        (site / f"{name}.py").write_text(source, encoding="utf-8")
    return folder / "bin" / "python"


def run(python: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `mnist-kit` with this Python, with its output on wide lines."""
    return subprocess.run(
        [python, "-m", "autograder", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=120,
        env={**os.environ, "COLUMNS": "1000", "NO_COLOR": "1"},
    )


def old_pythons() -> list[Path]:
    """Return the Pythons of this machine that are too old, beside the one that runs this and on the path."""
    beside = Path(sys.base_prefix).parent.glob("*/bin/python")
    on_path = filter(None, map(shutil.which, ("python2", "python3.9", "python3.10")))
    return [path for path in (*sorted(beside), *map(Path, on_path)) if _is_old(path)]


def _is_old(python: Path) -> bool:
    asked = [str(python), "-c", "import sys; print(sys.version_info[:2] < (3, 11))"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == "True"
