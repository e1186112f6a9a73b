"""All of grading.yml as one frozen, typed object; `grading_file` reads it."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from autograder.data.dataset import DATASETS
from autograder.policy.questions import CodeQuestion, Question, WrittenQuestion
from autograder.policy.schema import ClosedModel, Text, check_unique, mistake

__all__ = ["Assignment", "AttemptLimit", "Execution", "Feedback", "Policy", "Review"]

Limit = Annotated[int, Field(strict=True, ge=1, le=1000)]
Reviewer = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,60}$")]


class Assignment(ClosedModel):
    """The assignment's name and data. `split_seed` decides which half of the test images is private."""

    name: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    title: Text
    dataset: Literal[tuple(DATASETS)] = "mnist"  # type: ignore[valid-type]  # names come from DATASETS
    split_seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)] = 0


class Execution(ClosedModel):
    """Limits on one submission. Times are wall-clock seconds, sizes megabytes (2**20 bytes)."""

    timeout_s: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 300
    memory_mb: Annotated[float, Field(strict=True, ge=1024, le=1_000_000)] = 3072
    work_mb: Annotated[float, Field(strict=True, ge=1, le=100_000)] = 256
    work_files: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 2000
    output_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 4
    notebook_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 50


class AttemptLimit(ClosedModel):
    """Limits on one student's submissions to Gradescope, in any 24 hours and in total; None is no limit."""

    per_day: Limit | None = None
    per_assignment: Limit | None = None


class Feedback(ClosedModel):
    """The time from which students see the hidden checks, in Gradescope's words, and the leaderboard."""

    show_hidden: Literal["visible", "after_due_date", "after_published", "hidden"] = "after_published"
    leaderboard: Annotated[bool, Field(strict=True)] = False


class Review(ClosedModel):
    """The people who mark the written answers.

    `sample` is the number of answers to each question that two reviewers mark independently, so that their agreement
    can be measured.
    """

    reviewers: tuple[Reviewer, ...] = ()
    sample: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0

    @model_validator(mode="after")
    def _check_reviewers(self) -> Self:
        check_unique("reviewers", self.reviewers, "each reviewer once")
        if self.sample and len(self.reviewers) == 1:
            raise mistake("at least two reviewers for a sample", self.reviewers[0])
        return self


class Policy(ClosedModel):
    """All of grading.yml."""

    assignment: Assignment
    questions: Annotated[
        dict[Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,20}$")], Question],
        Field(min_length=1),
    ]
    execution: Execution = Execution()
    attempts: AttemptLimit = AttemptLimit()
    feedback: Feedback = Feedback()
    review: Review = Review()

    @cached_property
    def written(self) -> dict[str, WrittenQuestion]:
        return {id: q for id, q in self.questions.items() if isinstance(q, WrittenQuestion)}

    @cached_property
    def code(self) -> dict[str, CodeQuestion]:
        return {id: q for id, q in self.questions.items() if isinstance(q, CodeQuestion)}

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions.values())

    def at_reference(self, accuracy: float) -> Self:
        """Return the same policy with the hidden solution's accuracy. Raises ValidationError if a band is above it."""
        data = self.model_dump()
        for question in data["questions"].values():
            if question.get("accuracy") and question["accuracy"]["reference"] is None:
                question["accuracy"]["reference"] = accuracy
        return type(self).model_validate(data)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings that determine automatic points; the file's layout and comments do not count.

        `attempts`, `feedback`, `review` and the rubrics are left out: changing them needs no new grading.
        """
        settings = self.model_dump(mode="json", exclude={"attempts", "feedback", "review"})
        for question in self.written:
            for key in ("rubric", "misconceptions", "model_answer"):
                del settings["questions"][question][key]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
