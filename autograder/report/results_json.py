"""The results.json of one submission, as Gradescope documents it for autograders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.policy.policy import Policy
from autograder.text import printable_lines

__all__ = ["faults", "results"]

LATER = {
    "after_due_date": "they are shown after the due date",
    "after_published": "they are shown once the grades are published",
    "hidden": "they are not shown",
}
"""The time at which students see the hidden checks, for Gradescope's values of visibility other than `visible`."""


def results(report: GradeReport, policy: Policy) -> dict[str, Any]:
    """Return the document. Hidden checks get the visibility that grading.yml sets; remarks for staff are hidden."""
    shown = policy.feedback.show_hidden
    tests: list[dict[str, Any]] = []
    for number, question in enumerate(report.questions, start=1):
        tests.append(_question(question, number, "visible" if question.written else shown))
        if not question.written and report.status is Status.GRADED and shown != "visible":
            tests.append(_public(question, number))
    if found := faults(report):
        tests.append(
            {"name": "For staff: why this could not be graded", "output": "\n".join(found), "visibility": "hidden"}
        )
    document: dict[str, Any] = {
        # Gradescope needs a number; `output` says if it is no mark, `extra_data` whether it is final.
        "score": report.earned,
        "output": _summary(report, shown),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "status": report.status.value,
            "complete": report.complete,
            "accuracy": report.accuracy,
            "seconds": dict(report.seconds),
            "cpu_seconds": report.cpu_seconds,
            "peak_memory_mb": report.peak_memory_mb,
            # Only here: a hidden test would hide the total, which would show a student that there is a flag.
            "flags": list(report.flags),
            "isolation": list(report.isolation),
        },
    }
    if policy.feedback.leaderboard and report.status is Status.GRADED:
        document["leaderboard"] = list(_leaderboard(report))
    if report.seconds:
        document["execution_time"] = round(sum(seconds for _, seconds in report.seconds))
    return {key: _clean(value) for key, value in document.items()}


def _leaderboard(report: GradeReport) -> Iterator[dict[str, Any]]:
    if report.accuracy is not None:
        yield {"name": "accuracy on hidden images", "value": round(report.accuracy, 4)}
    for phase, seconds in report.seconds:
        if phase == "notebook":
            yield {"name": "seconds to run", "value": round(seconds, 1), "order": "asc"}


def faults(report: GradeReport) -> list[str]:
    """Return the faults of the grader itself, for staff."""
    return [report.fault] * bool(report.fault) + [
        f"{question.id}: {check.name}: {check.message}"
        for question in report.questions
        for check in question.checks
        if check.outcome is Outcome.UNGRADED
    ]


def _clean(value: Any) -> Any:
    """Make all the texts in a document printable."""
    if isinstance(value, str):
        return printable_lines(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_clean(inside) for inside in value]
    return value


def _summary(report: GradeReport, shown: str) -> str:
    if report.status is Status.UNGRADED:
        head = (
            "Your notebook could not be graded, through no fault of yours. Your instructor can see why.\n"
            "A total of 0 shown here is a placeholder, not a mark: no points have been taken."
        )
    elif report.status is Status.REJECTED:
        head = "This file cannot be graded as it is."
    else:
        head = "Your notebook was run from top to bottom, and its coding questions were checked."
        open_questions = [question.id for question in report.questions if question.outcome is Outcome.UNGRADED]
        if open_questions:
            head += (
                f"\nNot graded, through no fault of yours: {', '.join(open_questions)}. The total does not count "
                "them yet; no points have been taken."
            )
        code = [question for question in report.questions if not question.written]
        public = [check for question in code for check in question.checks if not check.hidden]
        if shown in LATER and all(check.outcome is Outcome.PASSED for check in public):
            head += f"\nAll public checks passed. Hidden checks decide the points; {LATER[shown]}."
    return "\n".join([head, *report.notes])


def _question(question: QuestionGrade, number: int, visibility: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": f"{question.id}: {question.title}",
        "number": str(number),
        "max_score": question.points,
        "visibility": visibility,
        "tags": ["written" if question.written else "code"],
        "output": _output(question),
    }
    if question.earned is not None:
        entry["score"] = question.earned
        entry["status"] = "passed" if question.outcome is Outcome.PASSED else "failed"
    return entry


def _output(question: QuestionGrade) -> str:
    if question.outcome is Outcome.AWAITING:
        count = len((question.answer or "").split())
        return f"Your answer ({count} words) is awaiting review." if count else "No answer was found."
    if question.outcome is Outcome.UNGRADED:
        return "This question could not be graded, through no fault of yours."
    lines = [_check(check) for check in question.checks if check.points]
    return "\n".join([*lines, *([question.message] if question.message else [])])


def _check(check: CheckResult) -> str:
    head = f"{check.name} ({check.earned:g} of {check.points:g}): {check.outcome}"
    return "\n".join([head, *(f"    {line}" for line in check.message.splitlines())])


def _public(question: QuestionGrade, number: int) -> dict[str, Any]:
    """Return the public checks, which the student has seen, since the score is not shown yet."""
    public = [check for check in question.checks if not check.hidden]
    entry = {"name": f"{question.id}: public check", "number": f"{number}.1", "visibility": "visible"}
    if any(check.outcome is Outcome.UNGRADED for check in public):
        return {**entry, "output": "This check could not be made, through no fault of yours."}
    if all(check.outcome is Outcome.PASSED for check in public):
        return {**entry, "status": "passed", "output": "Satisfied. The hidden checks decide the points."}
    return {**entry, "status": "failed", "output": "\n".join(check.message for check in public if check.message)}
