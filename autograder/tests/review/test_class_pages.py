"""The pages on the whole class."""

from __future__ import annotations

from autograder.review.class_pages import _cells
from autograder.tests.journals import RULES
from autograder.tests.reports import QUESTIONS, graded


def test_points_stand_under_their_question_whatever_the_report_has() -> None:
    """After a rejected regrade the report is of an older grading.yml."""
    older = graded(questions=(*QUESTIONS[:0:-1],))
    assert [cell["text"] for cell in _cells(older, RULES, {})["cells"]] == ["", "6", "2.66", "0", "8"]
