"""The result of grading a submission: frozen data, rendered elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

__all__ = ["CheckResult", "GradeReport", "MarkedItem", "Outcome", "QuestionGrade", "Status", "Verdict", "stored_name"]


class Outcome(StrEnum):
    """The outcome of one check or one question."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    """Something else has to be right first: no points, but no mistake of its own."""
    AWAITING = "awaiting review"
    UNGRADED = "could not be graded"


class Status(StrEnum):
    """The outcome of a whole submission."""

    GRADED = "graded"
    REJECTED = "rejected"
    """The file itself cannot be graded (not a notebook, another assignment): 0 points, and the reason."""
    UNGRADED = "could not be graded"
    """A fault of the grader: points are neither given nor taken."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one test case of one question. `message` is empty if it passed."""

    name: str
    hidden: bool
    points: float
    outcome: Outcome
    message: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "outcome": Outcome(data["outcome"])})

    @property
    def earned(self) -> float:
        return self.points if self.outcome is Outcome.PASSED else 0.0


@dataclass(frozen=True)
class Verdict:
    """A judge's verdict. `accuracy` is a fraction of the private images, None if no model was scored."""

    checks: Mapping[str, tuple[CheckResult, ...]]
    accuracy: float | None
    fault: str = ""
    flags: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Verdict:
        data = json.loads(text)
        checks = {id: tuple(map(CheckResult.from_json, checks)) for id, checks in data["checks"].items()}
        return cls(**{**data, "checks": checks, "flags": tuple(data["flags"])})


@dataclass(frozen=True)
class MarkedItem:
    """One rubric item of a marked written answer, and whether it was given."""

    id: str
    points: float
    text: str
    given: bool


@dataclass(frozen=True)
class QuestionGrade:
    """The grade of one question. `earned` is None until a person has marked it, or the grader could grade it.

    A marked written question has its rubric in `marking`, the reviewer's extra points (or deduction) in `adjustment`,
    and the reviewer's comment in `message`.
    """

    id: str
    title: str
    written: bool
    points: float
    earned: float | None
    checks: tuple[CheckResult, ...] = ()
    message: str = ""
    answer: str | None = None
    marking: tuple[MarkedItem, ...] = ()
    adjustment: float = 0.0

    @property
    def outcome(self) -> Outcome:
        if self.earned is None:
            return Outcome.AWAITING if self.written else Outcome.UNGRADED
        if self.earned >= self.points:
            return Outcome.PASSED
        return Outcome.PARTIAL if self.earned > 0 else Outcome.FAILED


@dataclass(frozen=True)
class GradeReport:
    """The report on one submission.

    `notes` are remarks for the student; `fault` is for staff and set only if status is UNGRADED. `flags` are for staff
    only and cost no points. `seconds` holds the wall time of the phases `notebook` and `judge`, `cpu_seconds` the
    notebook's CPU time (user and system); this, `peak_memory_mb` and `accuracy` (0 to 1, on the private images) are
    None if not measured.
    """

    name: str
    source: str
    status: Status
    questions: tuple[QuestionGrade, ...]
    notes: tuple[str, ...] = ()
    fault: str = ""
    flags: tuple[str, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    accuracy: float | None = None
    isolation: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Write ASCII only: a student's text may hold lone surrogates, which cannot be encoded."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse what `to_json` writes. Raises ValueError, KeyError or TypeError for any other text."""
        data = json.loads(text)
        for question in data["questions"]:
            question["checks"] = tuple(map(CheckResult.from_json, question["checks"]))
            question["marking"] = tuple(MarkedItem(**item) for item in question.get("marking", ()))
        data["questions"] = tuple(QuestionGrade(**question) for question in data["questions"])
        data["seconds"] = tuple(map(tuple, data["seconds"]))
        lists = {name: tuple(data.get(name, ())) for name in ("notes", "flags", "isolation")}
        return cls(**{**data, **lists, "status": Status(data["status"])})

    @property
    def key(self) -> str:
        """The name as the gradebook stores it."""
        return stored_name(self.name)

    @property
    def earned(self) -> float:
        """The points decided so far."""
        return sum(question.earned or 0.0 for question in self.questions)

    @property
    def automatic_points(self) -> float:
        """The most points that the automatic questions can give."""
        return sum(question.points for question in self.questions if not question.written)

    @property
    def points(self) -> float:
        """The most points that all questions can give."""
        return sum(question.points for question in self.questions)

    @property
    def marked(self) -> bool:
        """True if every written question has been marked."""
        return not any(question.written and question.earned is None for question in self.questions)

    @property
    def complete(self) -> bool:
        """True if every automatic question has a grade."""
        return self.status is not Status.UNGRADED and not any(
            question.outcome is Outcome.UNGRADED for question in self.questions
        )


def stored_name(name: str) -> str:
    """Return a name as a database can store it: lone surrogates, which file systems allow, are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
