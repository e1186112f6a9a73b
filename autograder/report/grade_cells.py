"""The parts of a submission's row, as the terminal, the CSV files and the report page show them."""

from __future__ import annotations

from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade
from autograder.policy.policy import Policy

__all__ = ["LEGEND", "automatic", "fault_reason", "grades", "remark", "symbol", "unmarked"]

LEGEND = {"•": "awaiting review", "–": "no answer", "?": "could not be graded"}
"""The symbols that stand for points."""


def grades(report: GradeReport, policy: Policy) -> list[QuestionGrade | None]:
    """Return the grades of the policy's questions, in its order; None for one that the report does not have.

    A report of an older grading.yml may have other questions, or the same in another order.
    """
    by_id = {question.id: question for question in report.questions}
    return [by_id.get(id) for id in policy.questions]


def symbol(question: QuestionGrade | None) -> str:
    """Return the points, or the symbol from LEGEND; nothing for a question that the report does not have."""
    if question is None:
        return ""
    if question.outcome is Outcome.AWAITING:
        return "•" if (question.answer or "").strip() else "–"
    return "?" if question.earned is None else f"{question.earned:g}"


def automatic(report: GradeReport) -> float:
    """Return the points of the automatic questions decided so far."""
    return sum(question.earned or 0.0 for question in report.questions if not question.written)


def unmarked(report: GradeReport) -> tuple[str, ...]:
    """Return the ids of the written questions that nobody has marked yet."""
    return tuple(question.id for question in report.questions if question.outcome is Outcome.AWAITING)


def remark(report: GradeReport) -> str:
    """Return the one thing to know about a submission at a glance: a fault, else the first note that matters."""
    if report.fault:
        return f"could not be graded: {report.fault}".partition("\n")[0]
    for question in report.questions:
        if question.outcome is Outcome.UNGRADED and (reason := fault_reason(question)):
            return f"{question.id} could not be graded: {reason}"
    return next((note for note in report.notes if "no answer was written" not in note), "")


def fault_reason(question: QuestionGrade) -> str:
    """Return the last line of the first fault of a question that could not be graded."""
    faults = (check.message for check in question.checks if check.outcome is Outcome.UNGRADED)
    return next(faults, "").rpartition("\n")[2]
