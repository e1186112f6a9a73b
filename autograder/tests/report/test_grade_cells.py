"""The parts of a submission's row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.judge.grade_report import QuestionGrade
from autograder.report.grade_cells import grades, remark, symbol, unmarked
from autograder.tests.journals import RULES
from autograder.tests.reports import QUESTIONS, check, graded, half_graded, question, rejected, ungraded, whole


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        (QUESTIONS[0], "•"),
        (replace(QUESTIONS[0], answer=" "), "–"),
        (replace(QUESTIONS[0], answer=None), "–"),
        (replace(QUESTIONS[0], earned=3.5), "3.5"),
        (QUESTIONS[1], "6"),
        (replace(QUESTIONS[1], earned=0.0), "0"),
        (replace(QUESTIONS[1], earned=None), "?"),
        (None, ""),
    ],
    ids=["answer", "empty answer", "no answer", "marked answer", "points", "no points", "fault", "no such question"],
)
def test_a_cell_is_points_or_a_symbol(question: QuestionGrade | None, shown: str) -> None:
    assert symbol(question) == shown


def test_grades_are_found_by_the_id_of_the_question_wherever_it_is() -> None:
    older = graded(questions=(question("old", check("a", 2)), *reversed(QUESTIONS[1:])))
    assert grades(older, RULES) == [None, *QUESTIONS[1:]]


def test_a_remark_is_the_fault_first_then_the_first_note_that_matters() -> None:
    assert remark(ungraded(notes=("A note.",))) == "could not be graded: the judge took too long"
    assert remark(half_graded()) == "q7 could not be graded: KeyError: secret"
    assert remark(graded(notes=("q1: no answer was written.", "A note.", "More."))) == "A note."
    assert remark(graded(notes=())) == ""


def test_unmarked_questions_are_listed_by_id() -> None:
    assert unmarked(whole()) == unmarked(rejected()) == ()
    assert unmarked(replace(graded(), questions=(*graded().questions, replace(QUESTIONS[0], id="q9")))) == ("q1", "q9")
