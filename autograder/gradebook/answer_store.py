"""The answers of a gradebook: the queue in which they are marked, the progress, and the groups of similar answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import String, bindparam, case, func, literal_column, or_, select
from sqlalchemy.orm import Bundle, Session, aliased, defer

from autograder.errors import ReviewError
from autograder.gradebook.columns import (
    ANSWER,
    CURRENT_ANSWER,
    CURRENT_MARK,
    CURRENT_RUBRIC,
    MARK,
    OF_QUESTION,
    answer_from,
    mark_from,
)
from autograder.gradebook.database import Database
from autograder.gradebook.mark import Progress, QueuePosition
from autograder.gradebook.review_log import log_action
from autograder.gradebook.rubric_store import current_rubric, rubric_from
from autograder.gradebook.tables import CURRENT, SETTLED, SHARED, AnswerRow, MarkRow, RubricRow

__all__ = ["AnswerStore", "answer_row"]

_reviewer = bindparam("reviewer", type_=String)
_own_share = or_(AnswerRow.first == _reviewer, AnswerRow.second == _reviewer)
_slot = case((AnswerRow.second.is_(None), literal_column(f"'{SHARED}'", String)), else_=_reviewer)
_mark_in_slot = (MarkRow.answer == AnswerRow.id) & CURRENT_MARK & (MarkRow.slot == _slot)

COUNT = select(func.count()).where(OF_QUESTION, CURRENT_ANSWER)

_other = aliased(AnswerRow)
_number_of_answers = (
    select(func.count())
    .where(_other.question == AnswerRow.question, _other.standing == literal_column(f"'{CURRENT}'", String))
    .correlate(AnswerRow)
    .scalar_subquery()
)
POSITION = (
    select(
        Bundle("answer", *ANSWER),
        _number_of_answers.label("of"),
        Bundle("rubric", RubricRow.question, RubricRow.id, RubricRow.points, RubricRow.items),
        Bundle("mark", *MARK),
    )
    .select_from(AnswerRow)
    .join(RubricRow, (RubricRow.question == AnswerRow.question) & CURRENT_RUBRIC)
    .outerjoin(MarkRow, _mark_in_slot)
)
"""Everything that a page needs in one statement, since each statement is a round trip to a server."""

POSITION_BY_ID = POSITION.where(AnswerRow.id == bindparam("answer"))
POSITION_BY_NUMBER = POSITION.where(OF_QUESTION, CURRENT_ANSWER, AnswerRow.number == bindparam("number"))

NEXT = (
    select(AnswerRow.number)
    .where(
        OF_QUESTION,
        CURRENT_ANSWER,
        or_(AnswerRow.second.is_(None), _own_share),
        # Not "exists": PostgreSQL makes that a join, and treats a table that has just begun to fill as empty.
        select(func.max(MarkRow.id)).where(_mark_in_slot).correlate(AnswerRow).scalar_subquery().is_(None),
    )
    .order_by(
        case((_own_share, 0), else_=1), case((AnswerRow.number > bindparam("after"), 0), else_=1), AnswerRow.number
    )
    .limit(1)
)

_share = (AnswerRow.question, AnswerRow.first, AnswerRow.second)
ANSWERS_BY_SHARE = select(*_share, func.count().label("number")).where(CURRENT_ANSWER).group_by(*_share)
MARKS_BY_SHARE = (
    select(*_share, MarkRow.slot, func.count().label("number"))
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(CURRENT_ANSWER, CURRENT_MARK)
    .group_by(*_share, MarkRow.slot)
)

_done = (
    select(func.count())
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(OF_QUESTION, CURRENT_ANSWER, CURRENT_MARK, or_(AnswerRow.second.is_(None), MarkRow.slot != SETTLED))
    .correlate(None)
    .scalar_subquery()
)
QUESTION_PROGRESS = select(
    func.count().label("answers"), func.count(AnswerRow.second).label("second_marks"), _done.label("done")
).where(OF_QUESTION, CURRENT_ANSWER)

_grouped = (OF_QUESTION, CURRENT_ANSWER, AnswerRow.group.is_not(None), ~AnswerRow.apart)
GROUPED_ANSWERS = select(*ANSWER).where(*_grouped).order_by(AnswerRow.number)
GROUPED_MARKS = (
    select(*MARK).select_from(MarkRow).join(AnswerRow, MarkRow.answer == AnswerRow.id).where(CURRENT_MARK, *_grouped)
)


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
                count = session.scalar(COUNT, {"question": question})
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
        found = select(AnswerRow.id).where(
            AnswerRow.submission == submission, AnswerRow.question == question, CURRENT_ANSWER
        )
        with self._database.read_once() as session:
            return session.scalar(found)

    def next(self, question: str, reviewer: str, after: int = 0) -> int | None:
        """Return the number of the next answer that waits for this reviewer, or None. Their own share comes first."""
        with self._database.read_once() as session:
            return session.scalar(NEXT, {"question": question, "reviewer": reviewer, "after": after})

    def progress(self) -> tuple[Progress, ...]:
        """Return each question's progress, in total and by reviewer. An answer in the sample needs two marks."""
        done: Counter[tuple[str, str]] = Counter()
        total: Counter[tuple[str, str]] = Counter()
        with self._database.read() as session:
            for share in session.execute(ANSWERS_BY_SHARE):
                for reviewer in filter(None, (share.first, share.second)):
                    total[share.question, reviewer] += share.number
                    total[share.question, ""] += share.number
            for row in session.execute(MARKS_BY_SHARE):
                reviewer = row.first if row.second is None else row.slot
                if reviewer in (row.first, row.second):  # a settling mark is extra
                    done[row.question, reviewer] += row.number
                    done[row.question, ""] += row.number
        return tuple(Progress(key[0], key[1] or None, done[key], total[key]) for key in sorted(total))

    def question_progress(self, question: str) -> Progress:
        """Return one question's total progress; every page shows it, and it is cheaper than `progress`."""
        with self._database.read_once() as session:
            row = session.execute(QUESTION_PROGRESS, {"question": question}).one()
            return Progress(question, None, row.done, row.answers + row.second_marks)

    def groups(self, question: str, reviewer: str) -> tuple[tuple[QueuePosition, ...], ...]:
        """Return groups of two or more similar answers that this reviewer may mark: blank ones, then the largest."""
        groups: defaultdict[int, list[QueuePosition]] = defaultdict(list)
        parameters = {"question": question}
        with self._database.read() as session:
            rubric = current_rubric(session, question)
            count = session.scalar(COUNT, parameters) or 0
            marks = {
                (row.answer, row.slot): mark_from(row, rubric) for row in session.execute(GROUPED_MARKS, parameters)
            }
            for row in session.execute(GROUPED_ANSWERS, parameters):
                answer = answer_from(row)
                if not answer.in_sample or reviewer in answer.reviewers:
                    slot = reviewer if answer.in_sample else SHARED
                    groups[row.group].append(QueuePosition(answer, count, marks.get((answer.id, slot))))
        several = (tuple(group) for group in groups.values() if len(group) > 1)
        return tuple(
            sorted(several, key=lambda group: (group[0].answer.text is not None, -len(group), group[0].number))
        )

    def set_apart(self, answer: int, reviewer: str, *, apart: bool) -> None:
        """Take an answer out of its group, or put it back."""
        with self._database.write() as session:
            answer_row(session, answer).apart = apart
            log_action(session, reviewer, "took an answer out of its group" if apart else "put it back", answer)

    def reveal(self, answer: int, reviewer: str) -> str:
        """Return the submission that an answer belongs to, and log who asked."""
        with self._database.write() as session:
            log_action(session, reviewer, "revealed the name", answer)
            return answer_row(session, answer).submission


ANSWER_ROW = select(AnswerRow).options(defer(AnswerRow.text)).where(AnswerRow.id == bindparam("answer"))


def answer_row(session: Session, answer: int, *, lock: bool = True) -> AnswerRow:
    """Return an answer's row, without its text, locked until the end of the transaction.

    Without the lock, on PostgreSQL a mark that is being replaced would look as if it had been taken back. On SQLite
    only one transaction writes at a time anyway. Raises ReviewError if there is no such answer.
    """
    row = session.scalars(ANSWER_ROW.with_for_update() if lock else ANSWER_ROW, {"answer": answer}).first()
    if row is None:
        raise _missing(answer)
    return row


def _missing(answer: int) -> ReviewError:
    return ReviewError(f"There is no answer {answer} in this gradebook.")


def _position(row: Any) -> QueuePosition:
    mark = None if row.mark.id is None else mark_from(row.mark, rubric_from(row.rubric))
    return QueuePosition(answer_from(row.answer), row.of, mark)
