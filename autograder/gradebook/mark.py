"""What a reviewer says of a written answer, and where: frozen data that `marks` stores and pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autograder.errors import ReviewError
from autograder.gradebook.tables import CURRENT

__all__ = ["Answer", "Conflict", "Draft", "LogEntry", "Mark", "Pair", "Progress", "QueuePosition", "Snippet", "agreed"]


@dataclass(frozen=True)
class Answer:
    """A written answer; `text` is None where nothing was written, `group` None where it is like no other."""

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
    """What a reviewer says: ids of rubric items, points added or taken off besides, a comment, a flag."""

    items: tuple[str, ...] = ()
    adjustment: float = 0.0
    comment: str = ""
    flagged: bool = False


@dataclass(frozen=True)
class Mark:
    """What a reviewer said of an answer, and the points it comes to by the rubric in force."""

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
    """An answer, how many its question has, and its mark in this reviewer's slot."""

    answer: Answer
    of: int
    mark: Mark | None
    slot: str

    @property
    def number(self) -> int:
        return self.answer.number


@dataclass(frozen=True)
class Pair:
    """An answer of the sample, the marks of its two reviewers, and what settled it."""

    answer: Answer
    reviewers: tuple[str, str]
    marks: tuple[Mark | None, Mark | None]
    settled: Mark | None

    @property
    def number(self) -> int:
        return self.answer.number

    @property
    def points(self) -> tuple[float, float] | None:
        """What each of the two gave, once both have marked it."""
        first, second = self.marks
        return None if first is None or second is None else (first.points, second.points)

    @property
    def both(self) -> bool:
        return self.points is not None

    @property
    def agree(self) -> bool:
        return agreed(*self.marks) is not None


@dataclass(frozen=True)
class Progress:
    """Marks given of marks wanted, of one reviewer's share or (`reviewer` None) of all."""

    question: str
    reviewer: str | None
    done: int
    total: int


@dataclass(frozen=True)
class Snippet:
    """A comment that is used again."""

    id: int
    question: str
    text: str


@dataclass(frozen=True)
class LogEntry:
    """A line of the log."""

    at: datetime
    who: str
    what: str
    answer: int | None


class Conflict(ReviewError):
    """Somebody else marked the answer in between; `current` is what they said."""

    def __init__(self, current: Mark) -> None:
        super().__init__(f"{current.reviewer} has marked this answer in the meantime: {current.points:g} points.")
        self.current = current


def agreed(first: Mark | None, second: Mark | None) -> Mark | None:
    """The first of two marks that come to the same points."""
    return first if first is not None and second is not None and first.points == second.points else None
