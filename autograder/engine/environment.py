"""The Python that runs the kit and its packages: how to start it, which are locked, missing, or slow and not needed.

Imports nothing that has to be installed first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.errors import WITH_DOCKER, KitError, SetupError
from autograder.layout import HOME
from autograder.version import installed

__all__ = ["GRADING_LOCK", "LOCK", "REPAIR", "command", "hide_unused", "lacking", "unmet"]

REPAIR = (
    f"Install the locked packages with `make -B setup` in {HOME.root}; the command is then "
    f"{HOME.root}/.venv/bin/mnist-kit"
)
"""The remedy for a missing or broken package. `-B`: even if make has done it before."""

LOCK = HOME.root / "requirements.lock"
"""Everything that `make setup` installs."""

GRADING_LOCK = Path(__file__).parent.parent / "gradescope" / "requirements.txt"
"""The part of it that grades, also in a container."""

START = (
    "import runpy, sys; _, root, module, *rest = sys.argv; sys.path.insert(0, root); sys.argv = [module, *rest]; "
    "runpy.run_module(module, run_name='__main__', alter_sys=True)"
)
"""Runs a module of the package in a given folder, whichever copy is installed."""


def command(module: str, *arguments: str, root: Path = HOME.root) -> list[str]:
    """Return the command that runs `module` from the copy of the kit in `root`, with this Python in isolated mode."""
    return [sys.executable, "-I", "-c", START, str(root), module, *arguments]


def hide_unused() -> None:
    """Make rfc3987_syntax look as if it were not installed; call it before other imports.

    jsonschema, which nbformat imports, loads it if Jupyter has installed it, and spends two seconds on a grammar of web
    addresses. Notebooks have none to check.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: "not installed" to the import system


def lacking(error: ImportError) -> KitError:
    """Explain a failed import, with the remedy. Raises the error itself if the kit's own code is at fault."""
    name = error.name or ""
    if name.partition(".")[0] == "autograder":
        raise error
    if name in sys.stdlib_module_names:  # Windows has no such modules
        return SetupError(f"student code cannot be confined on this system ({error}).\n{WITH_DOCKER}")
    if isinstance(error, ModuleNotFoundError):
        return SetupError(f"the Python package {name} is needed but not installed in {sys.prefix}. {REPAIR}.")
    what = f"the Python package {name}" if name else "a Python package"
    return SetupError(f"{what} cannot be loaded from {sys.prefix} ({error}). {REPAIR}.")


def unmet(lock: Path) -> tuple[str, ...]:
    """Describe the packages in a lock file that are not installed in that version on this machine.

    Raises SetupError if the file cannot be read.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
        locked = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    except (OSError, UnicodeDecodeError, InvalidRequirement) as error:
        why = str(error).splitlines()[0]
        raise SetupError(f"{lock} cannot be read ({why}): restore it from the repository") from error
    found = []
    for package in locked:
        here = installed(package.name).get(package.name)
        if (package.marker is None or package.marker.evaluate()) and f"=={here}" != str(package.specifier):
            version = str(package.specifier).removeprefix("==")
            found.append(f"{package.name} {version} ({f'{here} is installed' if here else 'not installed'})")
    return tuple(found)
