"""A copy of the files that a calibration is about."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.layout import HOME, Layout


@pytest.fixture
def home(tmp_path: Path) -> Layout:
    """The shipped grading.yml, solution and images, without a calibration."""
    copy = Layout(tmp_path)
    for source, target in (
        (HOME.policy, copy.policy),
        (HOME.solution, copy.solution),
        (HOME.data("mnist"), copy.data("mnist")),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return copy
