"""The answers of a gradebook, as rows: taken over from what was graded, put into groups, shared out, found again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from autograder.errors import ReviewError
from autograder.gradebook import marking_order, queries
from autograder.gradebook.tables import CURRENT, PAST, AnswerRow, MarkRow

__all__ = ["Found", "Grouping", "answer", "count", "group", "missing", "seat", "share_out", "take_over"]

Grouping = Callable[[Mapping[int, str | None]], tuple[tuple[int, ...], ...]]
"""What finds groups of like answers: texts by id in, ids of two or more that belong together out."""

Found = Row[*tuple[Any, ...]]
"""A row of columns."""


def take_over(session: Session, question: str, found: Mapping[str, str | None]) -> bool:
    """Bring the answers of a question up to date; whether anything changed."""
    now = {row.submission: row for row in session.scalars(_at(question))}
    changed = {
        submission: text
        for submission, text in found.items()
        if submission not in now or now[submission].digest != _digest(text)
    }
    last = session.scalar(select(func.max(AnswerRow.number)).where(AnswerRow.question == question)) or 0
    for submission in marking_order.in_order(question, changed):
        old = now.get(submission)
        if old is None:
            last += 1
        else:
            old.standing = PAST
            session.flush()
        session.add(
            AnswerRow(
                submission=submission,
                question=question,
                digest=_digest(changed[submission]),
                text=changed[submission],
                standing=CURRENT,
                number=last if old is None else old.number,
                first="",
                second=None,
                kin=None,
                apart=False,
            )
        )
    session.flush()
    return bool(changed)


def group(session: Session, question: str, alike: Grouping) -> None:
    rows = {row.id: row for row in session.scalars(_at(question))}
    for row in rows.values():
        row.kin = None
    for group in alike({id: row.text for id, row in rows.items()}):
        for id in group:
            rows[id].kin = min(group)


def share_out(session: Session, question: str, reviewers: Sequence[str], sample: int) -> None:
    rows = session.scalars(_at(question)).all()
    marked = set(session.scalars(select(MarkRow.answer).where(MarkRow.standing == CURRENT)))
    seats = [marking_order.Seat(row.submission, row.first, row.second, row.id in marked) for row in rows]
    for row, seat in zip(rows, marking_order.share_out(question, seats, reviewers, sample), strict=True):
        if (row.first, row.second) != (seat.first, seat.second):
            row.first, row.second = seat.first, seat.second


def _at(question: str) -> Select[AnswerRow]:
    """The answers of a question, in order."""
    return (
        select(AnswerRow)
        .where(AnswerRow.question == question, AnswerRow.standing == CURRENT)
        .order_by(AnswerRow.number)
    )


def count(session: Session, question: str) -> int:
    return session.scalar(queries.COUNT, {"question": question}) or 0


def seat(session: Session, answer: int) -> Found:
    """An answer without its words, kept from everybody else until the end of the transaction."""
    row = session.execute(queries.SEAT_TO_MARK, {"answer": answer}).first()
    if row is None:
        raise missing(answer)
    return row


def answer(session: Session, answer: int) -> AnswerRow:
    row = session.get(AnswerRow, answer)
    if row is None:
        raise missing(answer)
    return row


def missing(answer: int) -> ReviewError:
    return ReviewError(f"There is no answer {answer} in this gradebook.")


def _digest(text: str | None) -> str:
    return hashlib.sha256(b"" if text is None else text.encode()).hexdigest()
