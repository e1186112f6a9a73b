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
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from autograder.errors import ReviewError
from autograder.gradebook.answer_store import answer_row
from autograder.gradebook.database import Database
from autograder.gradebook.mark import ANSWER, MARK, Answer, Conflict, Draft, Mark, Pair
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.rubric_store import current_rubric, current_rubrics
from autograder.gradebook.tables import (
    CURRENT,
    CURRENT_ANSWER,
    CURRENT_MARK,
    OF_QUESTION,
    PAST,
    SETTLED,
    SHARED,
    UNDONE,
    AnswerRow,
    Base,
    LogRow,
    MarkRow,
)
from autograder.text import storable

__all__ = ["MarkStore"]

LONGEST_COMMENT = 20_000  # characters of a comment

MOST_ADJUSTMENT = 1000
"""Points that a reviewer may add to or take off the rubric's, as many as a rubric item may have."""

_marks = select(*MARK).select_from(MarkRow).join(AnswerRow, MarkRow.answer == AnswerRow.id)
_sample = (OF_QUESTION, CURRENT_ANSWER, AnswerRow.second.is_not(None))
SAMPLE = select(*ANSWER).where(*_sample).order_by(AnswerRow.number)
SAMPLE_MARKS = _marks.where(*_sample, CURRENT_MARK)
HISTORY = _marks.where(OF_QUESTION, AnswerRow.submission == bindparam("submission")).order_by(MarkRow.id)
CURRENT_MARKS = _marks.add_columns(AnswerRow.submission, AnswerRow.question, AnswerRow.first, AnswerRow.second).where(
    CURRENT_ANSWER, CURRENT_MARK
)
SAVED_OR_CURRENT = select(*MARK, MarkRow.nonce).where(
    MarkRow.answer == bindparam("answer"),
    or_(MarkRow.nonce == bindparam("nonce"), CURRENT_MARK & (MarkRow.slot == bindparam("slot"))),
)
ADD_MARK, ADD_LOG = insert(Base.metadata.tables["marks"]), insert(Base.metadata.tables["log"])
SET_STANDING = update(Base.metadata.tables["marks"]).where(MarkRow.id == bindparam("mark"))


class MarkStore:
    """The marks in an opened database. Raises ReviewError for an action that is not possible."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Store a reviewer's mark. `seen` is the id of the mark they saw, 0 for none.

        Raises Conflict if another mark counts now, ReviewError if the answer is not theirs to mark or was handed in
        again. A repeated `nonce` changes nothing and returns the mark it stored.
        """
        with self._database.write() as session:
            return _save(session, answer_row(session, answer), reviewer, draft, seen, nonce)

    def save_group(self, answers: Sequence[int], reviewer: str, draft: Draft, nonce: str) -> tuple[Mark, ...]:
        """Store the same mark for several answers, each on its own; on a Conflict none is stored.

        Only answers without a mark in this reviewer's slot can be marked together.
        """
        with self._database.write() as session:
            rows = {answer: answer_row(session, answer) for answer in sorted(set(answers))}  # sorted: no deadlock
            return tuple(_save(session, rows[answer], reviewer, draft, 0, nonce) for answer in answers)

    def settle(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Store the mark that counts for an answer in the sample, once both its reviewers have marked it."""
        with self._database.write() as session:
            row = answer_row(session, answer)
            slots = set(session.scalars(select(MarkRow.slot).where(MarkRow.answer == answer, CURRENT_MARK)))
            if row.second is None or not {row.first, row.second} <= slots:
                raise ReviewError("An answer is settled once both of its reviewers have marked it.")
            return _save(session, row, reviewer, draft, seen, nonce, settles=True)

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
            of_act = select(MarkRow.id, MarkRow.answer, MarkRow.standing, MarkRow.replaced).where(
                MarkRow.nonce == nonce
            )
            marks = session.execute(of_act.where(MarkRow.nonce == nonce)).all()
            if any(mark.standing != CURRENT for mark in marks):
                raise ReviewError("Some of those answers have been marked again since; change them one by one.")
            for mark in marks:
                session.execute(SET_STANDING, {"mark": mark.id, "standing": UNDONE})
                if mark.replaced is not None:
                    session.execute(SET_STANDING, {"mark": mark.replaced, "standing": CURRENT})
            what = f"took back {len(marks)} mark{'' if len(marks) == 1 else 's'}"
            session.add(LogRow(who=reviewer, what=what, answer=marks[0].answer))
            return tuple(mark.answer for mark in marks)

    def history(self, answer: int, reviewer: str) -> tuple[Mark, ...]:
        """Return every mark of an answer, also of its earlier versions, oldest first.

        A reviewer who has yet to mark an answer in the sample gets only their own.
        """
        with self._database.read() as session:
            row = answer_row(session, answer, lock=False)
            rubric = current_rubric(session, row.question)
            rows = session.execute(HISTORY, {"submission": row.submission, "question": row.question})
            marks = tuple(Mark.of(row, rubric) for row in rows)
            marked_by = {mark.slot for mark in marks if mark.answer == row.id and mark.standing == CURRENT}
            if row.second is not None and not {row.first, row.second} <= marked_by:
                return tuple(mark for mark in marks if mark.reviewer == reviewer)
            return marks

    def pairs(self, question: str) -> tuple[Pair, ...]:
        """Return the sample of a question, in marking order."""
        parameters = {"question": question}
        with self._database.read() as session:
            answers = [Answer.of(row) for row in session.execute(SAMPLE, parameters)]
            if not answers:
                return ()
            rubric = current_rubric(session, question)
            marks = {(row.answer, row.slot): Mark.of(row, rubric) for row in session.execute(SAMPLE_MARKS, parameters)}
        pairs = []
        for answer in answers:
            first, second = (marks.get((answer.id, reviewer)) for reviewer in answer.reviewers)
            pairs.append(Pair(answer, (first, second), marks.get((answer.id, SETTLED))))
        return tuple(pairs)

    def final(self) -> dict[tuple[str, str], Mark]:
        """Return the marks that count, by (submission, question).

        In the sample that is the settling mark, or the first reviewer's if both give the same points.
        """
        slots: dict[tuple[str, str, str, str], dict[str, Mark]] = {}
        with self._database.read() as session:
            rubrics = current_rubrics(session)
            for row in session.execute(CURRENT_MARKS):
                answer = row[len(MARK) :]
                mark = Mark.of(row, rubrics[row.question])
                slots.setdefault(answer, {})[mark.slot] = mark
        final = {}
        for (submission, question, first, second), marks in slots.items():
            one, other = marks.get(first), marks.get(second)
            agreed = one if one and other and one.points == other.points else None
            if counts := marks.get(SHARED) or marks.get(SETTLED) or agreed:
                final[submission, question] = counts
        return final


def _save(
    session: Session, row: Any, reviewer: str, draft: Draft, seen: int, nonce: str, *, settles: bool = False
) -> Mark:
    """Store a mark of a locked answer."""
    slot = SETTLED if settles else _slot(row, reviewer)
    rubric = current_rubric(session, row.question)
    found = session.execute(SAVED_OR_CURRENT, {"answer": row.id, "nonce": nonce, "slot": slot}).all()
    if saved := next((mark for mark in found if mark.nonce == nonce), None):
        return Mark.of(saved, rubric)
    if row.standing != CURRENT:
        raise ReviewError("The student has handed in another answer since. Reload the page to see it.")
    draft = _checked(draft, rubric)
    current = found[0] if found else None
    if current is None and seen:
        raise ReviewError("The mark that you saw has been taken back. Reload the page, then save.")
    if current is not None:
        if current.id != seen:
            raise Conflict(Mark.of(current, rubric))
        session.execute(SET_STANDING, {"mark": current.id, "standing": PAST})
    verb = "settled it at" if settles else "marked" if current is None else "changed the mark to"
    points = rubric.points_for(draft.items, draft.adjustment)
    what = f"{verb} {points:g} of {rubric.points:g}"
    new = {
        "answer": row.id,
        "slot": slot,
        "reviewer": reviewer,
        "at": datetime.now(UTC),
        "items": json.dumps(draft.items),
        "adjustment": draft.adjustment,
        "comment": draft.comment,
        "flagged": draft.flagged,
        "standing": CURRENT,
        "nonce": nonce,
        "replaced": None if current is None else current.id,
    }
    added = session.connection().execute(ADD_MARK, new).inserted_primary_key
    assert added is not None  # it is one row
    new["id"] = added[0]
    session.execute(ADD_LOG, {"who": reviewer, "what": what, "answer": row.id})
    return Mark.of([new[column.key] for column in MARK], rubric)


def _slot(row: Any, reviewer: str) -> str:
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
