"""Columns that the review's pages read, and the value objects made from them.

Columns and not mapped objects, whose change tracking takes longer than SQLite's answer. Statements over them are
constants, because building one takes longer than running it. `CURRENT` is a literal in the SQL, not a parameter, so
that the database can use its indexes of current rows.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, literal_column

from autograder.gradebook.mark import Answer, Mark
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.tables import CURRENT, AnswerRow, MarkRow, RubricRow

__all__ = [
    "ANSWER",
    "CURRENT_ANSWER",
    "CURRENT_MARK",
    "CURRENT_RUBRIC",
    "MARK",
    "OF_QUESTION",
    "answer_from",
    "mark_from",
]

_current = literal_column(f"'{CURRENT}'", String)
CURRENT_ANSWER = AnswerRow.standing == _current
CURRENT_MARK = MarkRow.standing == _current
CURRENT_RUBRIC = RubricRow.standing == _current

OF_QUESTION = AnswerRow.question == bindparam("question", type_=String)

ANSWER = (
    AnswerRow.id,
    AnswerRow.submission,
    AnswerRow.question,
    AnswerRow.number,
    AnswerRow.text,
    AnswerRow.group,
    AnswerRow.apart,
    AnswerRow.first,
    AnswerRow.second,
)

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


def answer_from(row: Any) -> Answer:
    """Return the answer in a row with the columns ANSWER."""
    reviewers = (row.first,) if row.second is None else (row.first, row.second)
    return Answer(row.id, row.submission, row.question, row.number, row.text, row.group, row.apart, reviewers)


def mark_from(row: Any, rubric: Rubric) -> Mark:
    """Return the mark in a row with the columns MARK, with its points by this rubric."""
    items, points = _items_and_points(rubric, row.items, row.adjustment)
    return Mark(
        id=row.id,
        answer=row.answer,
        slot=row.slot,
        reviewer=row.reviewer,
        at=row.at,
        items=items,
        adjustment=row.adjustment,
        comment=row.comment,
        flagged=row.flagged,
        points=points,
        standing=row.standing,
    )


@lru_cache(maxsize=4096)  # a class has thousands of marks, but few different ones
def _items_and_points(rubric: Rubric, stored: str, adjustment: float) -> tuple[tuple[str, ...], float]:
    items = tuple(json.loads(stored))
    return items, rubric.points_for(items, adjustment)
