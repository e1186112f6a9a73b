"""results.json, as Gradescope documents it for autograders."""

from __future__ import annotations

from typing import Any

from autograder.grade import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.policy import Policy

__all__ = ["results"]


def results(report: GradeReport, policy: Policy) -> dict[str, Any]:
    """The whole document. Hidden checks get the visibility grading.yml asks for; staff remarks are hidden."""
    shown = policy.feedback.show_hidden
    tests: list[dict[str, Any]] = []
    for number, question in enumerate(report.questions, start=1):
        tests.append(_question(question, number, "visible" if question.written else shown))
        if not question.written and report.status is Status.GRADED and shown != "visible":
            tests.append(_public(question, number))
    if report.fault:
        tests.append(
            {"name": "For staff: why this could not be graded", "output": report.fault, "visibility": "hidden"}
        )
    document: dict[str, Any] = {
        "score": report.earned,
        "output": _summary(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "status": report.status.value,
            "accuracy": report.accuracy,
            "seconds": dict(report.seconds),
            "peak_memory_mb": report.peak_memory_mb,
            "isolation": list(report.isolation),
        },
    }
    if report.seconds:
        document["execution_time"] = round(sum(seconds for _, seconds in report.seconds))
    return document


def _summary(report: GradeReport) -> str:
    if report.status is Status.UNGRADED:
        head = "Your notebook could not be graded, through no fault of yours. Your instructor has been told."
    elif report.status is Status.REJECTED:
        head = "This file cannot be graded as it is."
    else:
        head = "Your notebook was run from top to bottom, and its coding questions were checked."
    return "\n".join([head, *report.notes])


def _question(question: QuestionGrade, number: int, visibility: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": f"{question.id}: {question.title}",
        "number": str(number),
        "max_score": question.points,
        "visibility": visibility,
        "tags": ["written" if question.written else "code"],
        "output": _words(question),
    }
    if question.earned is not None:
        entry["score"] = question.earned
        entry["status"] = "passed" if question.outcome is Outcome.PASSED else "failed"
    return entry


def _words(question: QuestionGrade) -> str:
    if question.outcome is Outcome.AWAITING:
        count = len((question.answer or "").split())
        return f"Your answer ({count} words) waits for a reader." if count else "No answer was found."
    if question.outcome is Outcome.UNGRADED:
        return "This question could not be graded, through no fault of yours."
    lines = [_check(check) for check in question.checks if check.points]
    return "\n".join([*lines, *([question.message] if question.message else [])])


def _check(check: CheckResult) -> str:
    head = f"{check.name} ({check.earned:g} of {check.points:g}): {check.outcome}"
    return "\n".join([head, *(f"    {line}" for line in check.message.splitlines())])


def _public(question: QuestionGrade, number: int) -> dict[str, Any]:
    """What the student saw already, repeated for a score that is not shown yet."""
    public = [check for check in question.checks if not check.hidden]
    passed = all(check.outcome is Outcome.PASSED for check in public)
    said = "\n".join(check.message for check in public if check.message)
    return {
        "name": f"{question.id}: public check",
        "number": f"{number}.1",
        "visibility": "visible",
        "status": "passed" if passed else "failed",
        "output": "Satisfied. The hidden checks decide the points." if passed else said,
    }
