"""Reports with their reviewers' marks, so that automatic and written points add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Mark, Progress
from autograder.gradebook.rubric import Rubric
from autograder.judge.grade_report import GradeReport, MarkedItem
from autograder.policy.policy import Policy

__all__ = ["MarkedClass", "with_marks"]


@dataclass(frozen=True)
class MarkedClass:
    """A class with its marks so far. `reports` contain them; `agreements` are by question.

    `flagged` are the submission and question of each mark that a reviewer flagged.
    """

    policy: Policy
    reports: tuple[GradeReport, ...]
    progress: tuple[Progress, ...] = ()
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    flagged: Collection[tuple[str, str]] = ()


def with_marks(
    report: GradeReport, marks: Mapping[tuple[str, str], Mark], rubrics: Mapping[str, Rubric]
) -> GradeReport:
    """Return the report with the final marks, by (submission, question), and the current rubrics, by question."""
    questions = []
    for question in report.questions:
        mark = marks.get((report.key, question.id)) if question.written else None
        if mark is not None:
            rubric = rubrics[question.id]
            question = replace(
                question,
                points=rubric.points,
                earned=mark.points,
                message=mark.comment,
                marking=tuple(
                    MarkedItem(item.id, item.points, item.text, item.id in mark.items) for item in rubric.items
                ),
                adjustment=mark.adjustment,
            )
        questions.append(question)
    return replace(report, questions=tuple(questions))
