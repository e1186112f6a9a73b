"""Bringing the answers to mark up to date with the graded submissions, grading.yml and the list of reviewers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autograder.gradebook import marking_order
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.rubric_store import update_from_policy
from autograder.gradebook.tables import CURRENT_ANSWER, CURRENT_MARK, PAST, AnswerRow, MarkRow
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy

__all__ = ["Grouping", "sync"]

Grouping = Callable[[Mapping[int, str | None]], tuple[tuple[int, ...], ...]]
"""A function from answers' texts by id to groups of the ids of two or more similar ones."""


def sync(
    session: Session, policy: Policy, reports: Iterable[GradeReport], reviewers: Sequence[str], grouping: Grouping
) -> None:
    """Store new and changed answers and grading.yml's rubrics, and share the unmarked answers out to the reviewers.

    Marked answers stay as they are. A changed answer keeps its number and waits to be marked again; the marks of the
    earlier version stay in its history.
    """
    answers = marking_order.written_answers(reports, policy)
    for question, rules in policy.written.items():
        update_from_policy(session, Rubric.from_policy(question, rules))
        changed = _store(session, question, answers[question])
        rows = session.scalars(
            select(AnswerRow).where(AnswerRow.question == question, CURRENT_ANSWER).order_by(AnswerRow.number)
        ).all()
        if changed:
            _group(rows, grouping)
        _share_out(session, question, rows, reviewers, policy.review.sample)


def _store(session: Session, question: str, texts: Mapping[str, str | None]) -> bool:
    """Store the new and changed texts of a question by submission, and return whether there are any."""
    rows = session.scalars(select(AnswerRow).where(AnswerRow.question == question, CURRENT_ANSWER))
    current = {row.submission: row for row in rows}
    digests = {submission: hashlib.sha256((text or "").encode()).hexdigest() for submission, text in texts.items()}
    changed = [name for name in texts if name not in current or current[name].digest != digests[name]]
    last = session.scalar(select(func.max(AnswerRow.number)).where(AnswerRow.question == question)) or 0
    for submission in marking_order.in_order(question, changed):
        old = current.get(submission)
        if old is None:
            last += 1
        else:
            old.standing = PAST
            session.flush()
        session.add(
            AnswerRow(
                submission=submission,
                question=question,
                digest=digests[submission],
                text=texts[submission],
                number=last if old is None else old.number,
            )
        )
    session.flush()
    return bool(changed)


def _group(rows: Sequence[AnswerRow], grouping: Grouping) -> None:
    groups = grouping({row.id: row.text for row in rows})
    group_of = {id: min(group) for group in groups for id in group}
    for row in rows:
        row.group = group_of.get(row.id)


def _share_out(
    session: Session, question: str, rows: Sequence[AnswerRow], reviewers: Sequence[str], sample: int
) -> None:
    marked = set(session.scalars(select(MarkRow.answer).where(CURRENT_MARK)))
    shares = [marking_order.Share(row.submission, row.first, row.second, row.id in marked) for row in rows]
    for row, share in zip(rows, marking_order.share_out(question, shares, reviewers, sample), strict=True):
        row.first, row.second = share.first, share.second
