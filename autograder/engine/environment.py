"""The Python that runs the kit, and what is installed for it: how to start it anew, what is locked, what is lacking.

Imports nothing that would have to be installed first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.errors import WITH_DOCKER, IsolationError, KitError, SetupError
from autograder.layout import HOME

__all__ = ["GRADING_LOCK", "LOCK", "REPAIR", "Unmet", "command", "lacking", "unmet"]

REPAIR = (
    f"Install everything that is locked, with `make -B setup` in {HOME.root}; the command is then "
    f"{HOME.root}/.venv/bin/mnist-kit"
)
"""What to do where a package is missing or broken. `-B`: also where make has done it before."""

LOCK = HOME.root / "requirements.lock"
"""Everything that `make setup` installs."""

GRADING_LOCK = Path(__file__).parent.parent / "gradescope" / "requirements.txt"
"""The part of it that grades, in a container too."""

START = (
    "import runpy, sys; _, root, module, *rest = sys.argv; sys.path.insert(0, root); sys.argv = [module, *rest]; "
    "runpy.run_module(module, run_name='__main__', alter_sys=True)"
)
"""Runs a module of the package that stands in a given folder, whichever copy of it is installed."""


@dataclass(frozen=True)
class Unmet:
    """A package that is not installed as it is locked; `found` is the version that is there, None where none is."""

    name: str
    locked: str
    found: str | None

    def __str__(self) -> str:
        return f"{self.name} {self.locked} ({f'{self.found} is installed' if self.found else 'not installed'})"


def command(module: str, *arguments: str, root: Path = HOME.root) -> list[str]:
    """The call that runs `module` from the copy of the kit in `root`: this Python, isolated from what surrounds it."""
    return [sys.executable, "-I", "-c", START, str(root), module, *arguments]


def lacking(error: ImportError) -> KitError:
    """What a failed import means, with the remedy. Raises the error itself where the kit's own code is at fault."""
    name = error.name or ""
    if name.partition(".")[0] == "autograder":
        raise error
    if name in sys.stdlib_module_names:  # Windows has no such modules
        return IsolationError(f"student code cannot be confined on this system ({error}).\n{WITH_DOCKER}")
    if isinstance(error, ModuleNotFoundError):
        return SetupError(f"the Python package {name} is needed, and not installed in {sys.prefix}. {REPAIR}.")
    what = f"the Python package {name}" if name else "a Python package"
    return SetupError(f"{what} cannot be loaded from {sys.prefix} ({error}). {REPAIR}.")


def unmet(lock: Path) -> tuple[Unmet, ...]:
    """What a file of locked requirements asks for on this machine and is not installed so, by name.

    Raises SetupError where the file cannot be read.
    """
    return tuple(each for each in _locked(lock) if each.found != each.locked)


def _locked(lock: Path) -> Iterator[Unmet]:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
        found = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    except (OSError, UnicodeDecodeError, InvalidRequirement) as error:
        why = str(error).splitlines()[0]
        raise SetupError(f"{lock} cannot be read ({why}): restore it from the repository") from error
    for each in found:
        if each.marker is None or each.marker.evaluate():
            yield Unmet(each.name, str(each.specifier).removeprefix("=="), _installed(each.name))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
