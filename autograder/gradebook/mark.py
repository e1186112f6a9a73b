"""Written answers and their marks, as frozen data that the stores return and pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autograder.errors import ReviewError
from autograder.gradebook.tables import CURRENT

__all__ = ["Answer", "Conflict", "Draft", "Mark", "Pair", "Progress", "QueuePosition"]


@dataclass(frozen=True)
class Answer:
    """A written answer; `text` is None for a blank one, `group` None for one that is similar to no other."""

    id: int
    submission: str
    question: str
    number: int
    text: str | None
    group: int | None
    apart: bool
    reviewers: tuple[str, ...]

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


@dataclass(frozen=True)
class Mark:
    """A saved mark. `points` are by the current rubric."""

    id: int
    answer: int
    slot: str
    reviewer: str
    at: datetime
    items: tuple[str, ...]
    adjustment: float
    comment: str
    flagged: bool
    points: float
    standing: str = CURRENT


@dataclass(frozen=True)
class QueuePosition:
    """An answer, the number of answers to its question, and the mark in this reviewer's slot."""

    answer: Answer
    of: int
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
    """Marks given and marks wanted, of one reviewer's share or, if `reviewer` is None, of all."""

    question: str
    reviewer: str | None
    done: int
    total: int


class Conflict(ReviewError):
    """Another reviewer marked the answer in the meantime; `current` is their mark."""

    def __init__(self, current: Mark) -> None:
        super().__init__(f"{current.reviewer} has marked this answer in the meantime: {current.points:g} points.")
        self.current = current
