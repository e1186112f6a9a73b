"""One hostile notebook and what has to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nbformat import NotebookNode

from autograder.authoring.bundled_class import COMPILE, FULL, LOAD, MODEL, NOTHING, Edit, Member
from autograder.judge.grade_report import Status

__all__ = ["FULL", "KIT", "NOTHING", "RIGHT", "SECRET", "UNDECIDED", "UNTRAINED", "Case"]

Points = Mapping[str, float | None]

RIGHT: Mapping[str, str] = {"q4": LOAD, "q5": MODEL, "q6": COMPILE}
"""Honest answers to all but the training."""

UNTRAINED: Points = MappingProxyType({**FULL, "q7": 0})
"""The points for them."""

UNDECIDED: Points = MappingProxyType(dict.fromkeys(FULL))
"""No points given and none taken: the status is UNGRADED."""

KIT = "@KIT@"
SECRET = "@SECRET@"
"""Stand in a cell for the folder of the assignment that is graded, and for a file with a planted secret."""


@dataclass(frozen=True)
class Case:
    """One tiny hostile notebook, with its expectation.

    `name` says what it tries. `cells` is code by question, for the answer cells of the template, or a function that
    makes the notebook (or the bytes of a file) from the blank template. `points` are those of q4 to q7; None is
    "not decided". `words` must all stand in the report's notes, messages or fault. `bound_s` is the longest
    that running it may take; None means the time limit and 5 s.
    """

    name: str
    cells: Mapping[str, str] | Edit
    points: Points = field(default_factory=lambda: NOTHING)
    status: Status = Status.GRADED
    words: tuple[str, ...] = ()
    bound_s: float | None = None

    def make(self, template: NotebookNode, places: Mapping[str, str]) -> bytes:
        """The file to hand in; `places` are the real paths for KIT and SECRET."""
        if callable(self.cells):
            return Member(self.name, self.name, {}, edit=self.cells).make(template)
        kit, secret = places[KIT], places[SECRET]
        answers = {id: code.replace(KIT, kit).replace(SECRET, secret) for id, code in self.cells.items()}
        return Member(self.name, self.name, {}, answers).make(template)
