"""A built copy of the assignment that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.layout import Layout


@pytest.fixture
def copy(layout: Layout, tmp_path: Path) -> Layout:
    shutil.copytree(layout.root, tmp_path / "kit")
    return Layout(tmp_path / "kit")
