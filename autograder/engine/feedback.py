"""What a run and its verdict amount to: one GradeReport, in the words a student and staff will read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.engine.launcher import Ended
from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade, Status, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox.limits import THREADS
from autograder.submissions.notebook import Notebook
from autograder.submissions.submission import Submission

__all__ = ["UNTRUSTED", "graded", "rejected", "ungraded"]

UNTRUSTED = "UNTRUSTED: this notebook was run without a sandbox, so its points prove nothing about a stranger's work."

KILLED = 9
"""The signal by which Linux ends a process when memory runs out (signal(7), SIGKILL)."""

OVER = {
    "time": "The time limit of {0.timeout_s:g} s",
    "memory": "The memory limit of {0.memory_mb:g} MB",
    "disk": "The limit of {0.work_mb:g} MB for files",
    "files": "The limit of {0.work_files} files",
    "threads": f"The limit of {THREADS} threads",
}
"""Words for each limit that the zygote enforces."""

HINTS = (
    (
        r"never been (called|built)|not been built",
        "tell the model the shape of its inputs: keras.Input(shape=...) first",
    ),
    (r"^name '.*' is not defined", "is it spelled as where it was made, and does that cell stand above this one?"),
    (r"outside the valid range|out of range", "does the last layer have an output for every class?"),
    (r"You must call `compile", "call compile before fit"),
    (r"incompatible with|Incompatible shapes|must have the same shape", "compare the shapes of inputs and labels"),
    (r"^No module named", "only what the notebook's first cells import is needed"),
)
"""What to try where Python's or Keras's own words (a pattern) leave a beginner alone."""

TIME_LIMIT = "TimeLimit"
"""Name of the exception by which a notebook is told that its time is up (`sandbox.runner`)."""


def graded(
    submission: Submission,
    book: Notebook,
    policy: Policy,
    verdict: Verdict,
    ended: Ended,
    *,
    isolation: tuple[str, ...],
    confined: bool,
    flags: tuple[str, ...],
    judge_s: float,
) -> GradeReport:
    """The report on a notebook that was run and judged."""
    stopped = _stopped_by_time(verdict, ended, policy)
    return GradeReport(
        name=submission.name,
        source=submission.source,
        status=Status.GRADED,
        questions=tuple(_questions(book, policy, verdict, stopped)),
        notes=(
            *(() if confined else (UNTRUSTED,)),
            *_how_it_ended(book, policy, verdict, ended, stopped),  # first: it weighs most
            *book.notes,
            *dict.fromkeys(verdict.evidence["notes"]),
        ),
        flags=flags,
        seconds=(("notebook", ended.seconds), ("judge", judge_s)),
        cpu_seconds=ended.cpu_seconds,
        peak_memory_mb=ended.peak_memory_mb,
        accuracy=verdict.accuracy,
        isolation=isolation,
    )


def rejected(submission: Submission, policy: Policy, why: str) -> GradeReport:
    """The report on a file that cannot be graded as it is: 0 points, and the reason for the student."""
    questions = tuple(
        QuestionGrade(id, asked.title, id in policy.written, asked.points, 0.0)
        for id, asked in policy.questions.items()
    )
    return GradeReport(submission.name, submission.source, Status.REJECTED, questions, notes=(why,))


def ungraded(submission: Submission, policy: Policy, fault: str, book: Notebook | None = None) -> GradeReport:
    """The report where the grader failed: nothing is decided, and the reason is for staff."""
    answers = {} if book is None else book.answers
    questions = tuple(
        QuestionGrade(id, asked.title, id in policy.written, asked.points, None, answer=answers.get(id))
        for id, asked in policy.questions.items()
    )
    notes = () if book is None else book.notes
    return GradeReport(submission.name, submission.source, Status.UNGRADED, questions, notes=notes, fault=fault)


def _questions(
    book: Notebook, policy: Policy, verdict: Verdict, stopped: Mapping[str, Any] | None
) -> Iterator[QuestionGrade]:
    for id, asked in policy.questions.items():
        if id in policy.written:
            yield QuestionGrade(id, asked.title, True, asked.points, None, answer=book.answers[id])
            continue
        checks = verdict.checks[id]
        sure = all(check.outcome is not Outcome.UNGRADED for check in checks if check.points)
        earned = round(sum(check.earned for check in checks), 6) if sure else None
        errors = () if earned == asked.points else tuple(_errors(book, verdict, id, stopped))
        yield QuestionGrade(id, asked.title, False, asked.points, earned, checks, "\n".join(errors[:3]))


def _stopped_by_time(verdict: Verdict, ended: Ended, policy: Policy) -> Mapping[str, Any] | None:
    """The error by which a notebook was told that its time was up; a student's exception may have the same name."""
    if ended.seconds < policy.execution.timeout_s:
        return None
    return next((error for error in verdict.evidence["errors"] if error["name"] == TIME_LIMIT), None)


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
        return (f"{what} was reached {where}. What was answered before it counts.",)
    killed = ended.signal == KILLED
    why = ": the system ended it, most likely because this machine's memory ran out" if killed else ""
    return (f"The notebook's process came to an end {where}{why}. What was answered before it counts.",)


def _errors(book: Notebook, verdict: Verdict, question: str, stopped: Mapping[str, Any] | None) -> Iterator[str]:
    """What stopped the cells of a question, the time limit aside."""
    for error in verdict.evidence["errors"]:
        cell = book.cell(error["cell"])
        if cell is not None and cell.question == question and error is not stopped:
            described = cell.describe()
            yield f"{described[0].upper()}{described[1:]} stopped with {error['name']}: {error['text']}"
            yield from (f"Try: {hint}" for pattern, hint in HINTS if re.search(pattern, error["text"]))
