"""The rubric of a written question: items that each give or take points, and the points of a mark.

A mark names items, never points, so a changed rubric also counts for answers that were marked before.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Self

from autograder.policy.policy import WrittenQuestion

__all__ = ["LONGEST_TEXT", "MOST_ITEMS", "Rubric", "RubricEffect", "RubricItem"]

MOST_ITEMS = 20
"""Items of one rubric. The first nine have a key of their own, and more are hard to keep in mind."""

LONGEST_TEXT = 4000
"""Characters of an item's text, as in grading.yml."""

MOST_POINTS = 1000  # points of one item, up or down, as in grading.yml
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


@dataclass(frozen=True)
class RubricItem:
    """One thing that gives points or, if `points` is below 0, takes some."""

    id: str
    points: float
    text: str

    def problem(self) -> str:
        """Return what is wrong with the item and what to do, or an empty string."""
        if not ID.fullmatch(self.id):
            return f"{self.id!r} is not an id; expected lower-case letters, digits, - and _, as in 'fit'."
        if not self.text.strip() or len(self.text) > LONGEST_TEXT:
            return f"expected a text of 1 to {LONGEST_TEXT} characters; it has {len(self.text.strip())}."
        if not math.isfinite(self.points) or not 0 < abs(self.points) <= MOST_POINTS:
            return f"{self.points:g} points; expected a number up to {MOST_POINTS}, below 0 to take points, not 0."
        return ""


@dataclass(frozen=True)
class RubricEffect:
    """An answer whose points a changed rubric changes; `number` is its position in the marking order."""

    answer: int
    number: int
    submission: str
    before: float
    after: float


@dataclass(frozen=True)
class Rubric:
    """The items of one written question, which is worth `points`.

    `revision` is the id of this revision in the gradebook, 0 if it is not stored.
    """

    question: str
    points: float
    items: tuple[RubricItem, ...]
    revision: int = 0

    @classmethod
    def from_policy(cls, question: str, rules: WrittenQuestion) -> Self:
        """Return grading.yml's rubric."""
        return cls(question, rules.points, tuple(RubricItem(item.id, item.points, item.text) for item in rules.rubric))

    @classmethod
    def from_json(cls, question: str, points: float, text: str, revision: int) -> Self:
        """Parse a stored list of items. Raises ValueError, TypeError or KeyError if it is not one."""
        return cls(question, points, tuple(RubricItem(**item) for item in json.loads(text)), revision)

    def to_json(self) -> str:
        """Return the list of items for the gradebook."""
        return json.dumps([asdict(item) for item in self.items])

    def points_for(self, chosen: Collection[str], adjustment: float = 0.0) -> float:
        """Return the points of an answer with these items, at least 0 and at most the question's points."""
        total = sum(item.points for item in self.items if item.id in chosen) + adjustment
        return round(min(max(total, 0.0), self.points), 6) + 0.0  # + 0.0 turns -0.0 into 0.0

    def problem(self) -> str:
        """Return what is wrong with the rubric and what to do, or an empty string."""
        if not self.items:
            return "A rubric needs at least one item; add one."
        if len(self.items) > MOST_ITEMS:
            return f"There are {len(self.items)} items; at most {MOST_ITEMS} are allowed. Combine some of them."
        ids = [item.id for item in self.items]
        if repeated := next((id for id in ids if ids.count(id) > 1), None):
            return f"Two items have the id {repeated!r}; give one of them another."
        for number, item in enumerate(self.items, 1):
            if problem := item.problem():
                return f"Item {number}: {problem}"
        given = [item.points for item in self.items if item.points > 0]
        if round(sum(given), 6) != round(self.points, 6):
            parts = " + ".join(f"{points:g}" for points in given) or "0"
            return (
                f"The items that give points add up to {parts} = {sum(given):g}; the question is worth "
                f"{self.points:g}. Change an item's points, or the question's in grading.yml."
            )
        return ""
