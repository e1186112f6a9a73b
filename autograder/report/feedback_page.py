"""The feedback page of one student."""

from __future__ import annotations

from autograder.judge.grade_report import GradeReport, Status
from autograder.policy.policy import Policy
from autograder.report.grade_cells import automatic
from autograder.report.page import environment

__all__ = ["feedback_page"]


def feedback_page(report: GradeReport, policy: Policy) -> str:
    """Return a self-contained page that prints well; everything of the student's is escaped.

    The total is of all questions once the written ones are marked; before, it is of the automatic ones.
    """
    page = environment().get_template("feedback.html")
    written = any(question.written for question in report.questions)
    whole = written and report.marked and report.status is Status.GRADED
    return page.render(report=report, policy=policy, automatic=automatic(report), whole=whole)
