"""Written answers and their marks, as frozen data that the stores return and pages show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from autograder.errors import ReviewError
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.tables import AnswerRow, MarkRow

__all__ = ["ANSWER", "MARK", "Answer", "Conflict", "Draft", "Mark", "Pair", "Progress", "QueuePosition"]


class Answer(NamedTuple):
    """A written answer; `text` is None for a blank one, `group` None for one that is similar to no other."""

    id: int
    submission: str
    question: str
    number: int
    text: str | None
    group: int | None
    apart: bool
    reviewers: tuple[str, ...]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Return the answer in a row that begins with the columns ANSWER."""
        *columns, first, second = row[: len(ANSWER)]
        return cls._make((*columns, (first,) if second is None else (first, second)))

    @property
    def in_sample(self) -> bool:
        return len(self.reviewers) == 2


@dataclass(frozen=True)
class Draft:
    """A mark to be saved: ids of rubric items, points added to or taken off their sum, a comment, a flag."""

    items: tuple[str, ...] = ()
    adjustment: float = 0.0
    comment: str = ""
    flagged: bool = False


class Mark(NamedTuple):
    """A saved mark. `points` are by the current rubric."""

    id: int
    answer: int
    slot: str
    reviewer: str
    at: datetime
    comment: str
    flagged: bool
    standing: str
    adjustment: float
    items: tuple[str, ...]
    points: float

    @classmethod
    def of(cls, row: Sequence[Any], rubric: Rubric) -> Self:
        """Return the mark in a row that begins with the columns MARK, with its points by this rubric."""
        *columns, adjustment, stored = row[: len(MARK)]
        items = _items(stored)
        return cls._make((*columns, adjustment, items, rubric.points_for(items, adjustment)))


ANSWER = (*(getattr(AnswerRow, name) for name in Answer._fields[:-1]), AnswerRow.first, AnswerRow.second)
MARK = tuple(getattr(MarkRow, name) for name in Mark._fields[:-1])
"""Columns to select. Loading whole rows as objects takes longer than SQLite's answer, because changes are tracked."""


@lru_cache(maxsize=4096)  # a class has thousands of marks, but few different ones
def _items(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


@dataclass(frozen=True)
class QueuePosition:
    """An answer, and the mark in this reviewer's slot."""

    answer: Answer
    mark: Mark | None

    @property
    def number(self) -> int:
        return self.answer.number


@dataclass(frozen=True)
class Pair:
    """An answer in the sample, the marks of its two reviewers, and the mark that settles them."""

    answer: Answer
    marks: tuple[Mark | None, Mark | None]
    settled: Mark | None

    @property
    def number(self) -> int:
        return self.answer.number

    @property
    def points(self) -> tuple[float, float] | None:
        """The points of the two marks, or None until both are given."""
        first, second = self.marks
        return None if first is None or second is None else (first.points, second.points)

    @property
    def both(self) -> bool:
        return self.points is not None

    @property
    def agree(self) -> bool:
        return self.points is not None and self.points[0] == self.points[1]


@dataclass(frozen=True)
class Progress:
    """Marks given and marks wanted, of one reviewer's share or, if `reviewer` is None, of all.

    `answers` is the number of answers to the question; those in the sample want two marks.
    """

    question: str
    reviewer: str | None
    done: int
    total: int
    answers: int


class Conflict(ReviewError):
    """Another reviewer marked the answer in the meantime; `current` is their mark."""

    def __init__(self, current: Mark) -> None:
        super().__init__(f"{current.reviewer} has marked this answer in the meantime: {current.points:g} points.")
        self.current = current
