"""What a written answer earns: a rubric of items that each give or take points, and what a mark adds up to by it.

The rubric begins as grading.yml's; reviewers may change it while they mark. A mark names items, never points, so a
changed rubric counts for every answer that was marked before.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Self

from autograder.policy.questions import WrittenQuestion

__all__ = ["MOST_ITEMS", "Effect", "Rubric", "RubricItem"]

MOST_ITEMS = 20
"""Items of one rubric. The first nine have a key of their own; more than these nobody keeps in mind."""

LONGEST_TEXT = 4000
"""Characters of an item's text, as in grading.yml."""

MOST_POINTS = 1000
"""Points of one item, up or down, as in grading.yml."""

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


@dataclass(frozen=True)
class RubricItem:
    """One thing that gives points, or, where `points` is below 0, takes some."""

    id: str
    points: float
    text: str


@dataclass(frozen=True)
class Effect:
    """An answer whose points a changed rubric changes: its place in the order of marking, and the points."""

    answer: int
    number: int
    submission: str
    before: float
    after: float


@dataclass(frozen=True)
class Rubric:
    """The items of one written question, which is worth `points`.

    `revision` tells which form of the rubric this is in the gradebook; 0 for one that is not stored.
    """

    question: str
    points: float
    items: tuple[RubricItem, ...]
    revision: int = 0

    @classmethod
    def of(cls, question: str, rules: WrittenQuestion) -> Self:
        """What grading.yml says."""
        return cls(question, rules.points, tuple(RubricItem(each.id, each.points, each.text) for each in rules.rubric))

    @classmethod
    def from_json(cls, question: str, points: float, text: str, revision: int) -> Self:
        """Raises ValueError, TypeError or KeyError where the text is no list of items."""
        return cls(question, points, tuple(RubricItem(**each) for each in json.loads(text)), revision)

    def to_json(self) -> str:
        return json.dumps([asdict(item) for item in self.items])

    def points_for(self, chosen: Collection[str], adjustment: float = 0.0) -> float:
        """What an answer with these items earns: never below 0, never above the question's points."""
        total = sum(item.points for item in self.items if item.id in chosen) + adjustment
        return round(min(max(total, 0.0), self.points), 6) + 0.0

    def problem(self) -> str:
        """What is wrong with the rubric, and what to do; empty where nothing is."""
        if not self.items:
            return "A rubric needs one item or more; add one."
        if len(self.items) > MOST_ITEMS:
            return f"There are {len(self.items)} items; {MOST_ITEMS} are the most. Join some of them."
        ids = [item.id for item in self.items]
        if twice := next((id for id in ids if ids.count(id) > 1), None):
            return f"Two items have the id {twice!r}; give one of them another."
        for number, item in enumerate(self.items, 1):
            if said := _wrong(item):
                return f"Item {number}: {said}"
        given = sum(item.points for item in self.items if item.points > 0)
        if round(given, 6) != round(self.points, 6):
            parts = " + ".join(f"{item.points:g}" for item in self.items if item.points > 0) or "0"
            return (
                f"The items that give points add up to {parts} = {given:g}; the question is worth {self.points:g}. "
                "Change an item's points, or the question's in grading.yml."
            )
        return ""


def _wrong(item: RubricItem) -> str:
    if not ID.fullmatch(item.id):
        return f"{item.id!r} is no id; expected small letters, digits, - and _, as in 'fit'."
    if not item.text.strip() or len(item.text) > LONGEST_TEXT:
        return f"expected a text of 1 to {LONGEST_TEXT} characters; it has {len(item.text.strip())}."
    if not math.isfinite(item.points) or not 0 < abs(item.points) <= MOST_POINTS:
        return f"{item.points:g} points; expected a number up to {MOST_POINTS}, below 0 to take points, not 0."
    return ""
