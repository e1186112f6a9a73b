"""Missing packages, reported by name with the remedy, in environments that really lack them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder import __main__
from autograder.engine.environment import GRADING_LOCK, LOCK, REPAIR, command, lacking, unmet
from autograder.errors import SetupError
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import HOME
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.environments import old_pythons, run, without


@pytest.mark.skipif(not old_pythons(), reason="this machine has no Python that is too old")
def test_an_old_python_reports_which_one_is_needed() -> None:
    for python in old_pythons():
        done = subprocess.run(
            [python, "-m", "autograder", "grade"], capture_output=True, text=True, check=False, cwd=HOME.root
        )
        assert done.returncode == 2
        assert re.fullmatch(
            r"mnist-kit: Python 3\.11 or newer is needed, and .* is \d\.\d+\. `make setup` makes an environment .*\n",
            done.stderr,
        )


def test_the_code_that_an_old_python_reads_has_no_new_syntax() -> None:
    new = ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.Match, ast.AsyncFunctionDef
    for path in (Path(__main__.__file__), Path(__main__.__file__).with_name("__init__.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))))
        assert not any(isinstance(node, new) for node in nodes)
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        assert not any(node.returns or any(argument.annotation for argument in node.args.args) for node in functions)


def test_all_files_name_the_same_versions_of_python() -> None:
    places = {
        "pyproject.toml": r'requires-python = ">=3\.(\d+),<3\.(\d+)"',
        "Makefile": r"not \(3, (\d+)\) <= sys\.version_info\[:2\] <= \(3, (\d+)\)",
        "autograder/gradescope/setup.sh": r"\(3, (\d+)\) <= sys\.version_info < \(3, (\d+)\)",
    }
    found = {}
    for place, pattern in places.items():
        match = re.search(pattern, (HOME.root / place).read_text(encoding="utf-8"))
        assert match is not None, place
        found[place] = int(match[1]), int(match[2]) - (place != "Makefile")
    assert set(found.values()) == {(11, 13)}


def test_a_module_is_run_from_the_given_copy_of_the_kit(tmp_path: Path) -> None:
    (tmp_path / "autograder").mkdir()
    (tmp_path / "autograder" / "__init__.py").touch()
    (tmp_path / "autograder" / "shown.py").write_text("import sys\nprint(__file__, __name__, *sys.argv[1:])")
    done = subprocess.run(
        command("autograder.shown", "a", "b c", root=tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path}/autograder/shown.py __main__ a b c\n"


def test_this_environment_is_the_locked_one() -> None:
    assert unmet(LOCK) == ()
    assert unmet(GRADING_LOCK) == ()


def test_missing_packages_and_other_versions_are_listed_unless_they_are_for_other_systems(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "# made by a machine\n"
        f"rich=={version('rich')} \\\n    --hash=sha256:0\n"
        "pydantic==1.0 \\\n    --hash=sha256:0\n"
        "no-such-package==2.5 ; python_version >= '3.11' \\\n    --hash=sha256:0\n"
        "colorama==9 ; sys_platform == 'nothing' \\\n    --hash=sha256:0\n",
        encoding="utf-8",
    )
    installed = f"pydantic 1.0 ({version('pydantic')} is installed)"
    assert unmet(lock) == (installed, "no-such-package 2.5 (not installed)")


@pytest.mark.parametrize("content", [None, b"\xff", b"a b c"], ids=["missing", "not text", "no requirement"])
def test_an_unreadable_lock_is_reported(tmp_path: Path, content: bytes | None) -> None:
    lock = tmp_path / "requirements.lock"
    if content is not None:
        lock.write_bytes(content)
    with pytest.raises(SetupError, match=r"requirements\.lock cannot be read .*: restore it from the repository"):
        unmet(lock)


def test_a_failed_import_is_reported_by_its_cause() -> None:
    missing = lacking(ModuleNotFoundError("No module named 'keras'", name="keras"))
    assert str(missing) == f"the Python package keras is needed but not installed in {sys.prefix}. {REPAIR}."
    broken = lacking(ImportError("libz.so: no such file", name="numpy"))
    assert str(broken) == (
        f"the Python package numpy cannot be loaded from {sys.prefix} (libz.so: no such file). {REPAIR}."
    )
    assert str(lacking(ImportError("no libpq"))).startswith("a Python package cannot be loaded")
    assert "`make -B setup`" in REPAIR
    other_system = lacking(ModuleNotFoundError("No module named 'fcntl'", name="fcntl"))
    assert "cannot be confined on this system" in str(other_system)
    with pytest.raises(ImportError):
        lacking(ImportError("cannot import name 'x'", name="autograder.judge.context"))


@pytest.mark.parametrize(
    ("package", "module", "call"),
    [
        ("typer", "typer", "build"),
        ("jupytext", "jupytext", "build --check"),
        ("fastapi", "fastapi", "review"),
        ("psycopg", "psycopg", "report --database postgresql://ann@127.0.0.1:1/marks"),
        ("distributed", "distributed", "grade a.ipynb --dask tcp://127.0.0.1:8786"),
    ],
)
def test_each_command_reports_the_package_that_it_lacks(tmp_path: Path, package: str, module: str, call: str) -> None:
    (tmp_path / "a.ipynb").write_bytes(HOME.template.read_bytes())
    (tmp_path / "out").mkdir()
    with Gradebook(tmp_path / "out" / DATABASE) as book:
        book.record(Submission("one", "", b"{}"), "key", reports.graded())
    done = run(without(tmp_path / "environment", package), *call.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    message = f"mnist-kit: the Python package {module} is needed but not installed in {tmp_path}/environment. {REPAIR}."
    assert done.stderr.splitlines()[-1] == message


VALIDATE = """
import sys
from autograder.engine.environment import hide_unused
hide_unused()
import nbformat, jsonschema
assert not sys.modules["rfc3987_syntax"]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
nbformat.validate(notebook)
notebook.cells[0].cell_type = "poem"
try:
    nbformat.validate(notebook)
except nbformat.ValidationError:
    print("rejected")
"""


def test_notebooks_are_validated_without_the_hidden_imports() -> None:
    done = subprocess.run([sys.executable, "-c", VALIDATE], capture_output=True, text=True, check=True)
    assert done.stdout == "rejected\n"
