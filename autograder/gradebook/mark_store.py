"""The marks of a gradebook.

No mark is ever deleted: one that was changed or taken back stays, with its reviewer and time. An answer has one mark
that all reviewers share; an answer in the sample has one for each of its two reviewers, who do not see each other's,
and one that settles them if they differ.

A reviewer who saves names the mark they saw. If another has replaced it since, nothing is written and Conflict is
raised, so two people who mark the same answer never overwrite each other. Saving the same act twice, after a lost
connection, stores it once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook.answer_store import answer_row
from autograder.gradebook.columns import ANSWER, CURRENT_ANSWER, CURRENT_MARK, MARK, OF_QUESTION, answer_from, mark_from
from autograder.gradebook.database import Database
from autograder.gradebook.mark import Conflict, Draft, Mark, Pair
from autograder.gradebook.review_log import log_action
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.rubric_store import current_rubric, current_rubrics
from autograder.gradebook.tables import CURRENT, PAST, SETTLED, SHARED, UNDONE, AnswerRow, MarkRow
from autograder.text import storable

__all__ = ["MarkStore"]

LONGEST_COMMENT = 20_000
"""Characters of a comment."""

MOST_ADJUSTMENT = 1000
"""Points that a reviewer may add to or take off the rubric's, as many as a rubric item may have."""

ATTEMPTS = 3
"""Attempts to save when other reviewers write to the same answers at the same time."""

T = TypeVar("T")

_marks = select(*MARK).select_from(MarkRow).join(AnswerRow, MarkRow.answer == AnswerRow.id)
_sample = (OF_QUESTION, CURRENT_ANSWER, AnswerRow.second.is_not(None))
SAMPLE = select(*ANSWER).where(*_sample).order_by(AnswerRow.number)
SAMPLE_MARKS = _marks.where(*_sample, CURRENT_MARK)
HISTORY = _marks.where(OF_QUESTION, AnswerRow.submission == bindparam("submission")).order_by(MarkRow.id)
CURRENT_MARKS = _marks.add_columns(AnswerRow.submission, AnswerRow.question, AnswerRow.first, AnswerRow.second).where(
    CURRENT_ANSWER, CURRENT_MARK
)

SAVED_BEFORE = select(MarkRow).where(MarkRow.nonce == bindparam("nonce"), MarkRow.answer == bindparam("answer"))
IN_SLOT = select(MarkRow).where(MarkRow.answer == bindparam("answer"), CURRENT_MARK, MarkRow.slot == bindparam("slot"))


class MarkStore:
    """The marks in an opened database. Raises ReviewError for an action that is not possible."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Store a reviewer's mark. `seen` is the id of the mark they saw, 0 for none.

        Raises Conflict if another mark counts now, ReviewError if the answer is not theirs to mark or was handed in
        again. A repeated `nonce` changes nothing and returns the mark it stored.
        """

        def act(session: Session) -> Mark:
            row = answer_row(session, answer)
            return _save(session, row, _slot(row, reviewer), reviewer, draft, seen, nonce)

        return self._retry(act)

    def save_group(self, answers: Sequence[int], reviewer: str, draft: Draft, nonce: str) -> tuple[Mark, ...]:
        """Store the same mark for several answers, each on its own; on a Conflict none is stored.

        Only answers without a mark in this reviewer's slot can be marked together.
        """

        def act(session: Session) -> tuple[Mark, ...]:
            rows = {answer: answer_row(session, answer) for answer in sorted(set(answers))}  # sorted: no deadlock
            return tuple(
                _save(session, rows[answer], _slot(rows[answer], reviewer), reviewer, draft, 0, nonce)
                for answer in answers
            )

        return self._retry(act)

    def settle(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Store the mark that counts for an answer in the sample, once both its reviewers have marked it."""

        def act(session: Session) -> Mark:
            row = answer_row(session, answer)
            slots = set(session.scalars(select(MarkRow.slot).where(MarkRow.answer == answer, CURRENT_MARK)))
            if row.second is None or not {row.first, row.second} <= slots:
                raise ReviewError("An answer is settled once both of its reviewers have marked it.")
            return _save(session, row, SETTLED, reviewer, draft, seen, nonce)

        return self._retry(act)

    def undo(self, reviewer: str) -> tuple[int, ...]:
        """Take back this reviewer's last act, restore the previous marks, and return the answers' ids, if any.

        Raises ReviewError if another reviewer has changed one of the marks since.
        """
        with self._database.write() as session:
            latest = select(MarkRow.nonce).where(MarkRow.reviewer == reviewer, CURRENT_MARK).order_by(MarkRow.id.desc())
            nonce = session.scalars(latest.limit(1)).first()
            if nonce is None:
                return ()
            answers = session.scalars(select(MarkRow.answer).where(MarkRow.nonce == nonce))
            for answer in sorted(answers):
                answer_row(session, answer)  # wait for a reviewer who is marking it right now
            marks = session.scalars(select(MarkRow).where(MarkRow.nonce == nonce).order_by(MarkRow.id)).all()
            if any(mark.standing != CURRENT for mark in marks):
                raise ReviewError("Some of those answers have been marked again since; change them one by one.")
            for mark in marks:
                mark.standing = UNDONE
                session.flush()
                if mark.replaced is not None:
                    session.execute(update(MarkRow).where(MarkRow.id == mark.replaced).values(standing=CURRENT))
            what = f"took back {len(marks)} mark{'' if len(marks) == 1 else 's'}"
            log_action(session, reviewer, what, marks[0].answer)
            return tuple(mark.answer for mark in marks)

    def history(self, answer: int, reviewer: str) -> tuple[Mark, ...]:
        """Return every mark of an answer, also of its earlier versions, oldest first.

        A reviewer who has yet to mark an answer in the sample gets only their own.
        """
        with self._database.read() as session:
            row = answer_row(session, answer, lock=False)
            rubric = current_rubric(session, row.question)
            rows = session.execute(HISTORY, {"submission": row.submission, "question": row.question})
            marks = tuple(mark_from(row, rubric) for row in rows)
            marked_by = {mark.slot for mark in marks if mark.answer == row.id and mark.standing == CURRENT}
            if row.second is not None and not {row.first, row.second} <= marked_by:
                return tuple(mark for mark in marks if mark.reviewer == reviewer)
            return marks

    def pairs(self, question: str) -> tuple[Pair, ...]:
        """Return the sample of a question, in marking order."""
        parameters = {"question": question}
        with self._database.read() as session:
            answers = [answer_from(row) for row in session.execute(SAMPLE, parameters)]
            if not answers:
                return ()
            rubric = current_rubric(session, question)
            marks = {
                (row.answer, row.slot): mark_from(row, rubric) for row in session.execute(SAMPLE_MARKS, parameters)
            }
        pairs = []
        for answer in answers:
            first, second = (marks.get((answer.id, reviewer)) for reviewer in answer.reviewers)
            pairs.append(Pair(answer, (first, second), marks.get((answer.id, SETTLED))))
        return tuple(pairs)

    def final(self) -> dict[tuple[str, str], Mark]:
        """Return the marks that count, by (submission, question).

        In the sample that is the settling mark, or the first reviewer's if both give the same points.
        """
        final: dict[tuple[str, str], Mark] = {}
        sample: dict[tuple[str, str, str, str], dict[str, Mark]] = {}
        with self._database.read() as session:
            rubrics = current_rubrics(session)
            for row in session.execute(CURRENT_MARKS):
                mark = mark_from(row, rubrics[row.question])
                if row.second is None:
                    final[row.submission, row.question] = mark
                else:
                    sample.setdefault((row.submission, row.question, row.first, row.second), {})[mark.slot] = mark
        for (submission, question, first, second), marks in sample.items():
            one, other = marks.get(first), marks.get(second)
            if SETTLED in marks:
                final[submission, question] = marks[SETTLED]
            elif one is not None and other is not None and one.points == other.points:
                final[submission, question] = one
        return final

    def _retry(self, act: Callable[[Session], T]) -> T:
        """Run it in a transaction, again if the database refuses it because another reviewer was a moment faster."""
        for _ in range(ATTEMPTS):
            try:
                with self._database.write() as session:
                    return act(session)
            except GradebookError as error:
                if not isinstance(error.__cause__, IntegrityError):
                    raise
        raise GradebookError(f"{self._database.name}: too many reviewers wrote at once. Save again.")


def _save(session: Session, row: AnswerRow, slot: str, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
    rubric = current_rubric(session, row.question)
    saved_before = session.scalars(SAVED_BEFORE, {"nonce": nonce, "answer": row.id}).first()
    if saved_before is not None:
        return mark_from(saved_before, rubric)
    if row.standing != CURRENT:
        raise ReviewError("The student has handed in another answer since. Reload the page to see it.")
    draft = _checked(draft, rubric)
    current = session.scalars(IN_SLOT, {"answer": row.id, "slot": slot}).first()
    if current is None and seen:
        raise ReviewError("The mark that you saw has been taken back. Reload the page, then save.")
    if current is not None:
        if current.id != seen:
            raise Conflict(mark_from(current, rubric))
        current.standing = PAST
        session.flush()
    new = MarkRow(
        answer=row.id,
        slot=slot,
        reviewer=reviewer,
        at=datetime.now(UTC),
        items=json.dumps(draft.items),
        adjustment=draft.adjustment,
        comment=draft.comment,
        flagged=draft.flagged,
        standing=CURRENT,
        nonce=nonce,
        replaced=None if current is None else current.id,
    )
    session.add(new)
    session.flush()
    mark = mark_from(new, rubric)
    verb = "settled it at" if slot == SETTLED else "marked" if current is None else "changed the mark to"
    log_action(session, reviewer, f"{verb} {mark.points:g} of {rubric.points:g}", row.id)
    return mark


def _slot(row: AnswerRow, reviewer: str) -> str:
    """Return the slot of this reviewer's mark. Raises ReviewError if they may only look at the answer."""
    if row.second is None:
        return SHARED
    if reviewer not in (row.first, row.second):
        raise ReviewError(
            f"This answer is in the sample of {row.first} and {row.second}: only they mark it, each without seeing the "
            "other's mark."
        )
    return reviewer


def _checked(draft: Draft, rubric: Rubric) -> Draft:
    """Return the draft with its items in the rubric's order. Raises ReviewError if it is not a valid mark."""
    known = [item.id for item in rubric.items]
    if unknown := [item for item in draft.items if item not in known]:
        raise ReviewError(
            f"The rubric no longer has the item {unknown[0]!r}; somebody has changed it. Reload the page, then save."
        )
    if not math.isfinite(draft.adjustment) or abs(draft.adjustment) > MOST_ADJUSTMENT:
        raise ReviewError(f"An adjustment is a number of points up to {MOST_ADJUSTMENT}, not {draft.adjustment:g}.")
    if len(draft.comment) > LONGEST_COMMENT:
        raise ReviewError(f"A comment has up to {LONGEST_COMMENT} characters; this one has {len(draft.comment)}.")
    items = tuple(id for id in known if id in draft.items)
    return replace(draft, items=items, comment=storable(draft.comment.strip()))
