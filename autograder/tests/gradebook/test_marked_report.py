from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from autograder.gradebook.mark import Mark
from autograder.gradebook.marked_report import with_marks
from autograder.gradebook.rubric import Rubric, RubricItem
from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome, QuestionGrade, Status

RUBRIC = Rubric("q1", 4, (RubricItem("fit", 3, "is fitted"), RubricItem("unseen", 1, "is unseen")))
WHY = QuestionGrade("q1", "Why", True, 4, None, answer="To measure.")
BUILD = QuestionGrade("q5", "Build", False, 8, 5.0)
REPORT = GradeReport("s1", "s1.ipynb", Status.GRADED, (WHY, BUILD))
MARK = Mark(1, 1, "", "ann", datetime(2026, 1, 2, tzinfo=UTC), "Nearly.", False, "current", -0.5, ("fit",), 2.5)


def test_a_marked_answer_has_its_points_its_rubric_and_the_comment() -> None:
    found = with_marks(REPORT, {("s1", "q1"): MARK}, {"q1": RUBRIC}).questions[0]
    assert (found.earned, found.message, found.adjustment, found.outcome) == (2.5, "Nearly.", -0.5, Outcome.PARTIAL)
    assert found.marking == (MarkedItem("fit", 3, "is fitted", True), MarkedItem("unseen", 1, "is unseen", False))


def test_written_and_automatic_points_add_up() -> None:
    whole = with_marks(REPORT, {("s1", "q1"): MARK}, {"q1": RUBRIC})
    assert (whole.earned, whole.points, whole.marked) == (7.5, 12, True)
    assert not REPORT.marked


def test_an_unmarked_answer_and_an_automatic_question_stay_as_they_are() -> None:
    assert with_marks(REPORT, {("s2", "q1"): MARK, ("s1", "q5"): MARK}, {"q1": RUBRIC, "q5": RUBRIC}) == REPORT


def test_a_marked_report_is_stored_and_read_back() -> None:
    whole = with_marks(REPORT, {("s1", "q1"): MARK}, {"q1": RUBRIC})
    assert GradeReport.from_json(whole.to_json()) == whole


def test_a_name_is_looked_up_as_the_gradebook_keeps_it() -> None:
    odd = replace(REPORT, name="\udcff")
    assert with_marks(odd, {("\\udcff", "q1"): MARK}, {"q1": RUBRIC}).marked
