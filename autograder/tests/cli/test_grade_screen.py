"""A run of `mnist-kit grade` on the screen."""

from __future__ import annotations

import pytest

from autograder.cli.grade_screen import GradeScreen
from autograder.gradebook.gradebook import KitChange


@pytest.mark.parametrize(("before", "shown"), [("0.1.0+abc", "kit 0.1.0+abc"), (None, "kit of an earlier version")])
def test_a_class_that_a_changed_kit_grades_again_is_explained_once(
    before: str | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = GradeScreen(regrade=False, yes=False)
    screen.started(3, 3, built=False, kit_change=KitChange(2, before, "0.1.0+def"))
    screen.started(3, 3, built=False, kit_change=None)
    text = " ".join(capsys.readouterr().err.split())
    assert text.count("Graded again") == 1
    assert "2 of 3, because the code that determines points has changed" in text
    assert f"({shown} → 0.1.0+def)" in text
