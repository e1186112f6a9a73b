"""A report with what people said in it: automatic and written points together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autograder.gradebook.mark import Mark
from autograder.gradebook.rubric import Rubric
from autograder.judge.grade_report import GradeReport, MarkedItem, QuestionGrade

__all__ = ["marked"]


def marked(report: GradeReport, marks: Mapping[tuple[str, str], Mark], rubrics: Mapping[str, Rubric]) -> GradeReport:
    """The report with the marks that count, by (submission, question), and the rubrics in force, by question."""
    return replace(report, questions=tuple(_question(each, report.key, marks, rubrics) for each in report.questions))


def _question(
    question: QuestionGrade, submission: str, marks: Mapping[tuple[str, str], Mark], rubrics: Mapping[str, Rubric]
) -> QuestionGrade:
    mark = marks.get((submission, question.id))
    if mark is None or not question.written:
        return question
    rubric = rubrics[question.id]
    return replace(
        question,
        points=rubric.points,
        earned=mark.points,
        message=mark.comment,
        marking=tuple(MarkedItem(item.id, item.points, item.text, item.id in mark.items) for item in rubric.items),
        adjustment=mark.adjustment,
    )
