"""The shape of the package: imports point one way, public names are listed, the untrusted side knows nothing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.docs import layers
from autograder.docs.layers import ROWS

PACKAGE = Path(__file__).parent.parent

MODULES = tuple(module for row in ROWS for box in row for module in box.modules)


def modules() -> dict[str, Path]:
    """Every module of the package but the tests, by its dotted name inside the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        if relative.parts[0] != "tests" and path.name != "__init__.py":
            found[".".join(relative.with_suffix("").parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, at its top or inside a function."""
    known = modules()
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "autograder":
            base = node.module.removeprefix("autograder").removeprefix(".")
            names = [".".join(filter(None, (base, alias.name))) for alias in node.names]
            found |= {name for name in names if name in known} or {base}
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("autograder.") for alias in node.names if "autograder." in alias.name}
    return found & known.keys()


def below(module: str) -> set[str]:
    """What a module may import: those after it in its box, and all of the lower rows."""
    for number, row in enumerate(ROWS):
        for box in row:
            if module in box.modules:
                lower = {each for under in ROWS[number + 1 :] for other in under for each in other.modules}
                return lower | set(box.modules[box.modules.index(module) + 1 :])
    raise AssertionError(module)


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted(MODULES) == sorted(modules()), "write it into ROWS of autograder/docs/layers.py"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_downwards(module: str) -> None:
    upward = imports(modules()[module]) - below(module)
    assert not upward, f"{module} imports {sorted(upward)}, which stand above or beside it"


def test_the_picture_of_the_layers_is_drawn_from_them() -> None:
    assert layers.PICTURE.read_text(encoding="utf-8") == layers.draw(), "run `python -m autograder.docs.layers`"


def test_the_graph_is_not_empty() -> None:
    assert {"checks", "grade", "policy"} <= imports(modules()["judge"])


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("sandbox.")))
def test_the_untrusted_side_imports_nothing_but_itself(module: str) -> None:
    assert all(other.startswith("sandbox.") for other in imports(modules()[module]))


@pytest.mark.parametrize("package", ["", "sandbox", "report", "review", "benchmarks", "docs", "gradescope"])
def test_packages_hold_no_code_of_their_own(package: str) -> None:
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body if "__version__" not in ast.unparse(node)] == [ast.Expr]


def registered(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is a command of the command line or a route of the review: its decorator takes it, nobody calls it."""
    return any(ast.unparse(each).startswith(("app.", "routes.")) for each in node.decorator_list)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"warm", "sandbox.runner", "__main__"}))
def test_all_public_names_are_listed_and_no_other(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not (node.name.startswith("_") or registered(node))
    }
    listed = set(importlib.import_module(f"autograder.{module}").__all__)
    bases = {"Strict", "NotChecked", "Score", "Blob"}  # named in signatures only
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
    secret = {
        "autograder.judge.judge",
        "autograder.judge.checks",
        "autograder.policy.policy",
        "autograder.judge.evidence",
        "otter",
    }
    assert not secret & loaded_by("import autograder.engine.warm_process")
