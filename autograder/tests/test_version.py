"""The version in every key of a grading changes with the code that determines points, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder import __version__
from autograder import version as module

PAGES = ("cli", "commands", "docs", "report", "review")
OTHERS = (*PAGES, "authoring", "gradebook", "gradescope", "lms", "tests", "tools")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kit's code, whose version is computed."""
    for folder in module.DECIDING:
        shutil.copytree(module.PACKAGE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    return tmp_path


def version_now() -> str:
    return module.kit_version.__wrapped__()


def test_it_begins_with_the_release_and_stays_the_same(copy: Path) -> None:
    assert (copy / "judge").is_dir()
    assert version_now() == version_now() == module.kit_version()
    assert version_now().startswith(f"{__version__}+")


@pytest.mark.parametrize("folder", [*module.DECIDING, *OTHERS])
def test_it_changes_with_the_code_that_decides_about_points_alone(copy: Path, folder: str) -> None:
    before = version_now()
    (copy / folder).mkdir(exist_ok=True)
    (copy / folder / "new.py").write_text("more = 1\n", encoding="utf-8")
    assert (version_now() != before) == (folder in module.DECIDING)


def test_every_folder_either_decides_about_points_or_does_not() -> None:
    folders = {path.parent.name for path in module.PACKAGE.glob("*/__init__.py")}
    assert folders <= {*module.DECIDING, *OTHERS}
