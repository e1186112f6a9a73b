"""The GradeReport of a run and its verdict, with the messages for the student and for staff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.engine.student_run import StudentRun
from autograder.engine.warm_process import Ended
from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade, Status, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox.limits import THREADS
from autograder.submissions.notebook import Notebook
from autograder.submissions.submission import Submission

__all__ = ["UNTRUSTED", "graded", "rejected", "ungraded"]

UNTRUSTED = "UNTRUSTED: this notebook was run without a sandbox, so its points prove nothing about untrusted work."

KILLED = 9  # the signal with which Linux kills a process when memory runs out (signal(7), SIGKILL)
OVER = {
    "time": "The time limit of {0.timeout_s:g} s",
    "memory": "The memory limit of {0.memory_mb:g} MB",
    "disk": "The limit of {0.work_mb:g} MB for files",
    "files": "The limit of {0.work_files} files",
    "threads": f"The limit of {THREADS} threads",
}
"""Text for each limit that the zygote enforces."""

HINTS = (
    (
        r"never been (called|built)|not been built",
        "tell the model the shape of its inputs: keras.Input(shape=...) first",
    ),
    (r"^name '.*' is not defined", "is it spelled as in the cell that creates it, and is that cell above this one?"),
    (r"outside the valid range|out of range", "does the last layer have an output for every class?"),
    (r"You must call `compile", "call compile before fit"),
    (r"incompatible with|Incompatible shapes|must have the same shape", "compare the shapes of inputs and labels"),
    (r"^No module named", "only what the notebook's first cells import is needed"),
)
"""Hints for error messages of Python and Keras (patterns) that do not help a beginner."""

TIME_LIMIT = "TimeLimit"
"""Name of the exception that `sandbox/notebook_runner.py` raises in a notebook that has run out of time."""


def graded(
    submission: Submission,
    book: Notebook,
    policy: Policy,
    verdict: Verdict,
    run: StudentRun,
    *,
    confined: bool,
    flags: tuple[str, ...],
    judge_s: float,
) -> GradeReport:
    """Return the report on a notebook that was run and judged."""
    ended, errors = run.ended, verdict.evidence["errors"]
    late = ended.seconds >= policy.execution.timeout_s  # a student's own exception may have the limit's name
    stopped = next((error for error in errors if late and error["name"] == TIME_LIMIT), None)
    return GradeReport(
        name=submission.name,
        source=submission.source,
        status=Status.GRADED,
        questions=tuple(_questions(book, policy, verdict, stopped)),
        notes=(
            *(() if confined else (UNTRUSTED,)),
            *_how_it_ended(book, policy, verdict, ended, stopped),  # first: it is the most important
            *book.notes,
            *dict.fromkeys(verdict.evidence["notes"]),
        ),
        flags=flags,
        seconds=(("notebook", ended.seconds), ("judge", judge_s)),
        cpu_seconds=ended.cpu_seconds,
        peak_memory_mb=ended.peak_memory_mb,
        accuracy=verdict.accuracy,
        isolation=run.layers,
    )


def rejected(submission: Submission, policy: Policy, why: str) -> GradeReport:
    """Return the report on a file that cannot be graded: 0 points, and the reason for the student."""
    questions = _undecided(policy, 0.0, {})
    return GradeReport(submission.name, submission.source, Status.REJECTED, questions, notes=(why,))


def ungraded(submission: Submission, policy: Policy, fault: str, book: Notebook | None = None) -> GradeReport:
    """Return the report on a failure of the grader: nothing is decided, and the reason is for staff."""
    questions = _undecided(policy, None, {} if book is None else book.answers)
    notes = () if book is None else book.notes
    return GradeReport(submission.name, submission.source, Status.UNGRADED, questions, notes=notes, fault=fault)


def _undecided(policy: Policy, earned: float | None, answers: Mapping[str, str | None]) -> tuple[QuestionGrade, ...]:
    """Return the questions of a notebook that was not judged."""
    return tuple(
        QuestionGrade(id, rules.title, id in policy.written, rules.points, earned, answer=answers.get(id))
        for id, rules in policy.questions.items()
    )


def _questions(
    book: Notebook, policy: Policy, verdict: Verdict, stopped: Mapping[str, Any] | None
) -> Iterator[QuestionGrade]:
    for id, rules in policy.questions.items():
        if id in policy.written:
            yield QuestionGrade(id, rules.title, True, rules.points, None, answer=book.answers[id])
            continue
        checks = verdict.checks[id]
        sure = all(check.outcome is not Outcome.UNGRADED for check in checks if check.points)
        earned = round(sum(check.earned for check in checks), 6) if sure else None
        errors = () if earned == rules.points else tuple(_errors(book, verdict, id, stopped))
        yield QuestionGrade(id, rules.title, False, rules.points, earned, checks, "\n".join(errors[:3]))


def _how_it_ended(
    book: Notebook, policy: Policy, verdict: Verdict, ended: Ended, stopped: Mapping[str, Any] | None
) -> tuple[str, ...]:
    facts = verdict.evidence
    if facts["finished"] and stopped is None:
        return ()
    cell = book.cell(stopped["cell"] if stopped else facts["last_cell"])
    where = "before its first cell" if cell is None else f"in {cell.describe()}"
    if cell is not None and cell.question:
        where += f" (question {cell.question})"
    if ended.over or stopped:
        what = OVER[ended.over or "time"].format(policy.execution)
        return (f"{what} was reached {where}. Everything answered before that counts.",)
    killed = ended.signal == KILLED
    why = ": the system ended it, most likely because this machine's memory ran out" if killed else ""
    return (f"The notebook's process ended {where}{why}. Everything answered before that counts.",)


def _errors(book: Notebook, verdict: Verdict, question: str, stopped: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the errors that stopped the cells of a question, without the time limit."""
    for error in verdict.evidence["errors"]:
        cell = book.cell(error["cell"])
        if cell is not None and cell.question == question and error is not stopped:
            described = cell.describe()
            yield f"{described[0].upper()}{described[1:]} stopped with {error['name']}: {error['text']}"
            yield from (f"Try: {hint}" for pattern, hint in HINTS if re.search(pattern, error["text"]))
