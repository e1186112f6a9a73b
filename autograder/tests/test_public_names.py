"""The shape of the package: public names are listed, packages hold no code, and nothing heavy or secret is loaded.

Which folder may import which is held by import-linter (`make check`); the contracts are in pyproject.toml.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent


def modules() -> dict[str, Path]:
    """Every module of the package but the tests, by its dotted name inside the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        if relative.parts[0] != "tests" and path.name != "__init__.py":
            found[".".join(relative.with_suffix("").parts)] = path
    return found


PACKAGES = sorted({path.parent for path in modules().values()})


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_packages_hold_no_code_of_their_own(package: Path) -> None:
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body if "__version__" not in ast.unparse(node)] == [ast.Expr]


def registered(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is a command of the command line or a route of the review: its decorator takes it, nobody calls it."""
    return any(ast.unparse(each).startswith(("command(", "routes.")) for each in node.decorator_list)


@pytest.mark.parametrize("module", sorted(set(modules()) - {"__main__"}))
def test_all_public_names_are_listed_and_no_other(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not (node.name.startswith("_") or registered(node))
    }
    listed = set(importlib.import_module(f"autograder.{module}").__all__)
    bases = {"Blob"}  # named in signatures only
    assert defined - bases <= listed
    assert all(name in vars(importlib.import_module(f"autograder.{module}")) for name in listed)


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_starts_without_tensorflow() -> None:
    assert not {"tensorflow", "keras", "otter", "IPython"} & loaded_by("import autograder.cli.app")


def test_the_launcher_never_loads_what_runs_student_code() -> None:
    assert not {"tensorflow", "keras", "IPython"} & loaded_by("import autograder.engine.engine")


def test_the_zygote_knows_no_check_and_no_policy() -> None:
    loaded = loaded_by("import autograder.engine.warm_main")
    secret = {"autograder.judge", "autograder.policy", "autograder.calibration", "otter"}
    assert not secret & loaded
