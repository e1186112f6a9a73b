"""The version changes with the code that decides about points, and with nothing else."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder import version as module

FOLDERS = sorted(path.parent.name for path in module.PACKAGE.glob("*/__init__.py"))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(module.PACKAGE, tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__", "hostile"))
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "autograder")
    return tmp_path / "autograder"


def test_it_changes_with_a_line_in_a_deciding_folder_only(copy: Path) -> None:
    before = module.kit_version.__wrapped__()
    assert before.startswith(version("mnist-kit") + "+")
    for folder in FOLDERS:
        new = copy / folder / "new.py"
        new.write_text("# more\n", encoding="utf-8")
        assert (module.kit_version.__wrapped__() != before) == (folder in module.DECIDING), folder
        new.unlink()
    assert module.kit_version.__wrapped__() == before


def test_every_deciding_folder_exists() -> None:
    assert set(module.DECIDING) < set(FOLDERS)
