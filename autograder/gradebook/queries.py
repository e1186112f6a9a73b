"""The statements that the pages of the review run, each made once.

SQLAlchemy takes longer to make a statement than SQLite to run it, and longer for a row with its change tracking than
for the columns of it; with twenty reviewers on one core that decides whether a page comes quickly. What
`standing` has to be is part of a statement's words, not sent along, for an index of what counts to serve it.
"""

from __future__ import annotations

from sqlalchemy import String, bindparam, case, func, insert, literal_column, or_, select, update

from autograder.gradebook.tables import CURRENT, PAST, AnswerRow, LogRow, MarkRow, RubricRow, SnippetRow

__all__ = [
    "ANSWER",
    "COUNT",
    "COUNTING",
    "GIVEN",
    "HISTORY",
    "KIN",
    "KIN_MARKS",
    "MARK",
    "MARK_OF_ACT",
    "MARK_TO_REPLACE",
    "NEW_ENTRY",
    "NEW_MARK",
    "NEXT",
    "PLACE_BY_ID",
    "PLACE_BY_NUMBER",
    "REPLACED",
    "RUBRIC",
    "RUBRICS",
    "SAMPLE",
    "SAMPLE_MARKS",
    "SEAT",
    "SEAT_TO_MARK",
    "SETTLED",
    "SHARED",
    "SHARES",
    "SNIPPETS",
    "TOTAL",
]

SHARED, SETTLED = "", "*"
"""Slots of marks that are nobody's own: what all share, and what settles two opinions."""

ANSWER = (
    AnswerRow.id,
    AnswerRow.submission,
    AnswerRow.question,
    AnswerRow.number,
    AnswerRow.text,
    AnswerRow.kin,
    AnswerRow.apart,
    AnswerRow.first,
    AnswerRow.second,
)
"""What an Answer is made of."""

MARK = (
    MarkRow.id,
    MarkRow.answer,
    MarkRow.slot,
    MarkRow.reviewer,
    MarkRow.at,
    MarkRow.items,
    MarkRow.adjustment,
    MarkRow.comment,
    MarkRow.flagged,
    MarkRow.standing,
)
"""What a Mark is made of."""

_counts = literal_column(f"'{CURRENT}'", String)
_answer_counts, _mark_counts, _rubric_counts = (table.standing == _counts for table in (AnswerRow, MarkRow, RubricRow))
_question, _reviewer = bindparam("question", type_=String), bindparam("reviewer", type_=String)
_of_question = AnswerRow.question == _question
_own = or_(AnswerRow.first == _reviewer, AnswerRow.second == _reviewer)
_slot = case((AnswerRow.second.is_(None), literal_column(f"'{SHARED}'", String)), else_=_reviewer)
_in_slot = (MarkRow.answer == AnswerRow.id) & _mark_counts & (MarkRow.slot == _slot)

# An answer at its place: ANSWER, how many there are, the rubric, and the MARK in the reviewer's slot

COUNT = select(func.count()).where(_of_question, _answer_counts)

_others = AnswerRow.__table__.alias("others")
_of = (
    select(func.count())
    .select_from(_others)
    .where(_others.c.question == AnswerRow.question, _others.c.standing == _counts)
    .correlate(AnswerRow)
    .scalar_subquery()
)
_place = (
    select(*ANSWER, _of, RubricRow.id, RubricRow.points, RubricRow.items, *MARK)
    .select_from(AnswerRow)
    .join(RubricRow, (RubricRow.question == AnswerRow.question) & _rubric_counts)
    .outerjoin(MarkRow, _in_slot)
)
PLACE_BY_ID = _place.where(AnswerRow.id == bindparam("answer"))
PLACE_BY_NUMBER = _place.where(_of_question, _answer_counts, AnswerRow.number == bindparam("number"))

NEXT = (
    select(AnswerRow.number)
    .where(
        _of_question,
        _answer_counts,
        or_(AnswerRow.second.is_(None), _own),
        # Not "exists": PostgreSQL makes that a join, and takes a table that has just begun to fill for an empty one.
        select(func.max(MarkRow.id)).where(_in_slot).correlate(AnswerRow).scalar_subquery().is_(None),
    )
    .order_by(case((_own, 0), else_=1), case((AnswerRow.number > bindparam("after"), 0), else_=1), AnswerRow.number)
    .limit(1)
)

# How far everybody is: what is wanted of whom, and what they gave

_share = (AnswerRow.question, AnswerRow.first, AnswerRow.second)
SHARES = select(*_share, func.count()).where(_answer_counts).group_by(*_share)
GIVEN = (
    select(*_share, MarkRow.slot, func.count())
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(_answer_counts, _mark_counts)
    .group_by(*_share, MarkRow.slot)
)

_done = (
    select(func.count())
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(_of_question, _answer_counts, _mark_counts, or_(AnswerRow.second.is_(None), MarkRow.slot != SETTLED))
    .correlate(None)
    .scalar_subquery()
)
TOTAL = select(func.count(), func.count(AnswerRow.second), _done).where(_of_question, _answer_counts)
"""Answers, those that want a second mark, and the marks there are."""

# Marking

SEAT = select(
    AnswerRow.id, AnswerRow.submission, AnswerRow.question, AnswerRow.standing, AnswerRow.first, AnswerRow.second
).where(AnswerRow.id == bindparam("answer"))
SEAT_TO_MARK = SEAT.with_for_update()
"""Whoever marks an answer waits for whoever is marking it: on PostgreSQL, a mark that replaces the one that a
reviewer saw would otherwise look as if it had been taken back. (On SQLite one writes at a time anyway.)"""

MARK_OF_ACT = select(*MARK).where(MarkRow.nonce == bindparam("nonce"), MarkRow.answer == bindparam("answer"))
MARK_TO_REPLACE = select(*MARK).where(
    MarkRow.answer == bindparam("answer"), _mark_counts, MarkRow.slot == bindparam("slot")
)
REPLACED = update(MarkRow).where(MarkRow.id == bindparam("mark")).values(standing=PAST)
NEW_MARK = insert(MarkRow).returning(MarkRow.id)
NEW_ENTRY = insert(LogRow)

HISTORY = (
    select(*MARK)
    .select_from(MarkRow)
    .join(AnswerRow, MarkRow.answer == AnswerRow.id)
    .where(AnswerRow.submission == bindparam("submission"), _of_question)
    .order_by(MarkRow.id)
)

# The rubric, snippets

RUBRIC = select(RubricRow.id, RubricRow.points, RubricRow.items).where(RubricRow.question == _question, _rubric_counts)
RUBRICS = select(RubricRow.question, RubricRow.id, RubricRow.points, RubricRow.items).where(_rubric_counts)

SNIPPETS = (
    select(SnippetRow.id, SnippetRow.question, SnippetRow.text)
    .where(SnippetRow.question == _question, SnippetRow.standing == _counts)
    .order_by(SnippetRow.id)
)

# Many answers

_in_kin = (_of_question, _answer_counts, AnswerRow.kin.is_not(None), ~AnswerRow.apart)
_in_sample = (_of_question, _answer_counts, AnswerRow.second.is_not(None))
_marks = select(*MARK).select_from(MarkRow).join(AnswerRow, MarkRow.answer == AnswerRow.id).where(_mark_counts)

KIN = select(*ANSWER).where(*_in_kin).order_by(AnswerRow.number)
KIN_MARKS = _marks.where(*_in_kin)
SAMPLE = select(*ANSWER).where(*_in_sample).order_by(AnswerRow.number)
SAMPLE_MARKS = _marks.where(*_in_sample)
COUNTING = (
    select(AnswerRow.submission, *_share, *MARK)
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(_answer_counts, _mark_counts)
)
