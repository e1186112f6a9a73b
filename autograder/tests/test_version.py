"""The version that stands in every key changes with the code that grades, and with nothing else."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder import version as module


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(module.PACKAGE, tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "autograder")
    return tmp_path / "autograder"


def now() -> str:
    module.kit_version.cache_clear()
    try:
        return module.kit_version()
    finally:
        module.kit_version.cache_clear()


def test_it_begins_with_the_release_and_stays_the_same(copy: Path) -> None:
    assert copy.is_dir()
    assert now() == now()
    assert now().startswith(version("mnist-kit") + "+")


@pytest.mark.parametrize("name", ["checks.py", "sandbox/recorder.py", "new.py"])
def test_it_changes_with_a_line_of_code_that_grades(copy: Path, name: str) -> None:
    before = now()
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert now() != before


@pytest.mark.parametrize("name", ["tests/test_version.py", "report/html.py", "benchmarks/new.py", "docs/layers.py"])
def test_it_does_not_change_with_tests_and_pages(copy: Path, name: str) -> None:
    before = now()
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert now() == before
