"""The answers of a gradebook: the queue in which they are marked, the progress, and the groups of similar answers.

Statements are constants, because building one takes longer than running it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, String, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.orm import Bundle, Session, aliased

from autograder.errors import ReviewError
from autograder.gradebook.database import Database
from autograder.gradebook.mark import ANSWER, MARK, Answer, Mark, Progress, QueuePosition
from autograder.gradebook.rubric_store import RUBRIC, rubric_from
from autograder.gradebook.tables import (
    CURRENT_ANSWER,
    CURRENT_RUBRIC,
    IS_CURRENT,
    OF_QUESTION,
    SHARED,
    AnswerRow,
    LogRow,
    MarkRow,
    RubricRow,
)

__all__ = ["AnswerStore", "answer_row"]


def _in_slot(mark: Any, slot: Any) -> Any:
    """Return the condition that `mark` is the current one of an answer in a slot."""
    return (mark.answer == AnswerRow.id) & (mark.standing == IS_CURRENT) & (mark.slot == slot)


def _shared_or(sample_slot: Any) -> Any:
    return case((AnswerRow.second.is_(None), literal_column(f"'{SHARED}'", String)), else_=sample_slot)


_reviewer = bindparam("reviewer", type_=String)
_own_share = or_(AnswerRow.first == _reviewer, AnswerRow.second == _reviewer)
_open_to_reviewer = or_(AnswerRow.second.is_(None), _own_share)
_marked = _in_slot(MarkRow, _shared_or(_reviewer))

POSITION: Select[*tuple[Any, ...]] = (
    select(Bundle("answer", *ANSWER), Bundle("rubric", *RUBRIC), Bundle("mark", *MARK))
    .select_from(AnswerRow)
    .join(RubricRow, (RubricRow.question == AnswerRow.question) & CURRENT_RUBRIC)
    .outerjoin(MarkRow, _marked)
)
"""Everything that a page needs in one statement, since each statement is a round trip to a server."""

POSITION_BY_ID = POSITION.where(AnswerRow.id == bindparam("answer"))
POSITION_BY_NUMBER = POSITION.where(OF_QUESTION, CURRENT_ANSWER, AnswerRow.number == bindparam("number"))
GROUPED = POSITION.where(
    OF_QUESTION, CURRENT_ANSWER, AnswerRow.group.is_not(None), ~AnswerRow.apart, _open_to_reviewer
).order_by(AnswerRow.number)

NEXT = (
    select(AnswerRow.number)
    .where(
        OF_QUESTION,
        CURRENT_ANSWER,
        _open_to_reviewer,
        # Not "exists": PostgreSQL makes that a join, and treats a table that has just begun to fill as empty.
        select(func.max(MarkRow.id)).where(_marked).correlate(AnswerRow).scalar_subquery().is_(None),
    )
    .order_by(
        case((_own_share, 0), else_=1), case((AnswerRow.number > bindparam("after"), 0), else_=1), AnswerRow.number
    )
    .limit(1)
)

_one, _other = aliased(MarkRow), aliased(MarkRow)
_share = (AnswerRow.question, AnswerRow.first, AnswerRow.second)
_counts = (func.count().label("answers"), func.count(_one.id).label("one"), func.count(_other.id).label("other"))
PROGRESS = (
    select(*_share, *_counts)
    .select_from(AnswerRow)
    .outerjoin(_one, _in_slot(_one, _shared_or(AnswerRow.first)))
    .outerjoin(_other, _in_slot(_other, AnswerRow.second))
    .where(CURRENT_ANSWER)
    .group_by(*_share)
)
QUESTION_PROGRESS = PROGRESS.where(OF_QUESTION)

ANSWER_ROW = select(
    AnswerRow.id, AnswerRow.submission, AnswerRow.question, AnswerRow.standing, AnswerRow.first, AnswerRow.second
).where(AnswerRow.id == bindparam("answer"))
LOCKED_ANSWER_ROW = ANSWER_ROW.with_for_update()


class AnswerStore:
    """The answers in an opened database. A reviewer never sees the other reviewer's mark of an answer in the sample."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def at(self, question: str, number: int, reviewer: str) -> QueuePosition:
        """Return the answer with this number, and this reviewer's mark or the shared one. Raises ReviewError."""
        with self._database.read_once() as session:
            parameters = {"question": question, "number": number, "reviewer": reviewer}
            row = session.execute(POSITION_BY_NUMBER, parameters).first()
        if row is None:
            count = self.question_progress(question).answers
            raise ReviewError(f"{question} has no answer number {number}; it has {count}.")
        return _position(row)

    def by_id(self, answer: int, reviewer: str) -> QueuePosition:
        """Return the answer with this id, as `at` does."""
        with self._database.read_once() as session:
            row = session.execute(POSITION_BY_ID, {"answer": answer, "reviewer": reviewer}).first()
        if row is None:
            raise _missing(answer)
        return _position(row)

    def find(self, submission: str, question: str) -> int | None:
        """Return the id of a submission's answer, or None."""
        found = select(AnswerRow.id).where(OF_QUESTION, CURRENT_ANSWER, AnswerRow.submission == submission)
        with self._database.read_once() as session:
            return session.scalar(found, {"question": question})

    def next(self, question: str, reviewer: str, after: int = 0) -> int | None:
        """Return the number of the next answer that waits for this reviewer, or None. Their own share comes first."""
        with self._database.read_once() as session:
            return session.scalar(NEXT, {"question": question, "reviewer": reviewer, "after": after})

    def progress(self) -> tuple[Progress, ...]:
        """Return each question's progress, in total and by reviewer. An answer in the sample needs two marks."""
        with self._database.read_once() as session:
            return _progress(session.execute(PROGRESS))

    def question_progress(self, question: str) -> Progress:
        """Return one question's total progress; every page shows it, and it is cheaper than `progress`."""
        with self._database.read_once() as session:
            found = _progress(session.execute(QUESTION_PROGRESS, {"question": question}))
        return found[0] if found else Progress(question, None, 0, 0, 0)

    def groups(self, question: str, reviewer: str) -> tuple[tuple[QueuePosition, ...], ...]:
        """Return groups of two or more similar answers that this reviewer may mark: blank ones, then the largest."""
        groups: defaultdict[int | None, list[QueuePosition]] = defaultdict(list)
        with self._database.read_once() as session:
            for row in session.execute(GROUPED, {"question": question, "reviewer": reviewer}):
                groups[row.answer.group].append(_position(row))
        several = (tuple(group) for group in groups.values() if len(group) > 1)
        return tuple(
            sorted(several, key=lambda group: (group[0].answer.text is not None, -len(group), group[0].number))
        )

    def set_apart(self, answer: int, reviewer: str, *, apart: bool) -> None:
        """Take an answer out of its group, or put it back."""
        what = "took an answer out of its group" if apart else "put it back"
        with self._database.write() as session:
            answer_row(session, answer)
            session.execute(update(AnswerRow).where(AnswerRow.id == answer).values(apart=apart))
            session.add(LogRow(who=reviewer, what=what, answer=answer))

    def reveal(self, answer: int, reviewer: str) -> str:
        """Return the submission that an answer belongs to, and log who asked."""
        with self._database.write() as session:
            session.add(LogRow(who=reviewer, what="revealed the name", answer=answer))
            return str(answer_row(session, answer).submission)


def answer_row(session: Session, answer: int, *, lock: bool = True) -> Any:
    """Return an answer's row, without its text, locked until the end of the transaction.

    Without the lock, on PostgreSQL a mark that is being replaced would look as if it had been taken back. On SQLite
    only one transaction writes at a time anyway. Raises ReviewError if there is no such answer.
    """
    row = session.execute(LOCKED_ANSWER_ROW if lock else ANSWER_ROW, {"answer": answer}).first()
    if row is None:
        raise _missing(answer)
    return row


def _missing(answer: int) -> ReviewError:
    return ReviewError(f"There is no answer {answer} in this gradebook.")


def _position(row: Any) -> QueuePosition:
    answer, rubric, mark = row
    return QueuePosition(Answer.of(answer), None if mark[0] is None else Mark.of(mark, rubric_from(rubric)))


def _progress(shares: Iterable[Any]) -> tuple[Progress, ...]:
    """Add up rows of PROGRESS by question and reviewer, None for all of them."""
    answers: Counter[tuple[str, str]] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for share in shares:
        answers[share.question, ""] += share.answers
        for reviewer, marks in ((share.first, share.one), (share.second, share.other)):
            for key in {(share.question, reviewer), (share.question, "")} if reviewer else ():
                done[key] += marks
                total[key] += share.answers
    return tuple(
        Progress(question, reviewer or None, done[question, reviewer], total[question, reviewer], answers[question, ""])
        for question, reviewer in sorted(total)
    )
