"""All of grading.yml as one frozen, typed object; `grading_file` reads it."""

from __future__ import annotations

import hashlib
import json
import keyword
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autograder.data.dataset import DATASETS, FACTS
from autograder.policy.schema import ClosedModel, Text, check_sum, check_unique, mistake

__all__ = [
    "AccuracyRule",
    "Assignment",
    "AttemptLimit",
    "CodeQuestion",
    "Execution",
    "Feedback",
    "LayerRule",
    "Misconception",
    "Policy",
    "Review",
    "RubricRule",
    "WrittenQuestion",
    "share",
]

Limit = Annotated[int, Field(strict=True, ge=1, le=1000)]
Reviewer = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,60}$")]
Points = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


def _assignable(name: str) -> str:
    if keyword.iskeyword(name):
        raise PydanticCustomError("keyword", "{allowed}", {"allowed": "a name that is not a keyword of Python"})
    return name


Variable = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_assignable)]


class RubricRule(ClosedModel):
    """One thing that a reviewer gives points for."""

    id: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    points: Points
    text: Text


class Misconception(ClosedModel):
    """A common wrong idea, why it is wrong, and phrases that reveal it."""

    claim: Text
    correction: Text
    phrases: tuple[Text, ...] = ()


class WrittenQuestion(ClosedModel):
    """A question that a person marks; the rubric's points add up to the question's."""

    kind: Literal["written"]
    points: Points
    title: Text
    rubric: Annotated[tuple[RubricRule, ...], Field(min_length=1)]
    misconceptions: tuple[Misconception, ...] = ()
    model_answer: Text | None = None

    @model_validator(mode="after")
    def _check_rubric(self) -> Self:
        check_sum("rubric", [item.points for item in self.rubric], self.points)
        check_unique("rubric", [item.id for item in self.rubric], "a different id for each rubric item")
        return self


class LayerRule(ClosedModel):
    """One layer that the model must have, in this position. Dense needs `units` and `activation`."""

    type: Literal["Flatten", "Dense"]
    units: Count | None = None
    activation: Literal["linear", "relu", "softmax", "sigmoid", "tanh", "elu", "gelu", "selu"] | None = None
    points: Points | None = None

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        given = [name for name in ("units", "activation") if getattr(self, name) is not None]
        wanted = ["units", "activation"] if self.type == "Dense" else []
        if given != wanted:
            allowed = f"{' and '.join(wanted) or 'no settings'} for a {self.type} layer"
            raise mistake(allowed, ", ".join(given) or "none of them")
        return self


class AccuracyRule(ClosedModel):
    """All points at `full`; below it, the points of the highest band that is reached.

    Accuracies are fractions of the private test images. Bands rise in both accuracy and points. Instead of `full`
    there may be `reference_margin`: full points are then given from `reference`, which is the hidden solution's
    accuracy, minus this margin. The kit sets the reference (`Policy.at_reference`) if the file does not.
    Two more things can have points of their own: `scaled`, that the model was trained on scaled pixels, and
    `measured`, one variable that holds the accuracy on the test images.
    """

    full: Fraction | None = None
    reference_margin: Fraction | None = None
    reference: Fraction | None = None
    bands: tuple[tuple[Fraction, Points], ...] = ()
    scaled: Points | None = None
    measured: Annotated[dict[Variable, Points], Field(min_length=1, max_length=1)] | None = None

    @property
    def full_accuracy(self) -> float | None:
        """The accuracy for full points; None if it depends on a reference that is not known."""
        if self.reference_margin is None or self.reference is None:
            return self.full
        return round(self.reference - self.reference_margin, 6)

    @property
    def levels(self) -> tuple[float, ...]:
        """The accuracies of the bands and, last, of full points. Needs a rule whose full accuracy is known."""
        assert self.full_accuracy is not None  # what grades has been through Policy.at_reference
        return (*(accuracy for accuracy, _ in self.bands), self.full_accuracy)

    @property
    def other_points(self) -> float:
        """The points that are not for the accuracy itself."""
        return (self.scaled or 0.0) + sum((self.measured or {}).values())

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        given = [name for name in ("full", "reference_margin") if getattr(self, name) is not None]
        if len(given) != 1:
            raise mistake("one of full and reference_margin", " and ".join(given) or "none of them")
        if self.full_accuracy is not None:
            points = [value for _, value in self.bands]
            if list(self.levels) != sorted(set(self.levels)) or points != sorted(set(points)):
                raise mistake(
                    "bands that rise in accuracy and in points, all below full points",
                    f"{self._describe_bands()} and full {self.full_accuracy:g}",
                )
        return self

    def check_points(self, points: float) -> None:
        """Raise a mistake if a band is worth as much as the question has for accuracy, or nothing is left for it."""
        left = points - self.other_points
        if left <= 0 or any(worth >= left for _, worth in self.bands):
            allowed = f"bands worth less than the {left:g} points that the question has for accuracy"
            raise mistake(allowed, self._describe_bands(), "accuracy", "bands")

    def _describe_bands(self) -> str:
        return f"bands [{', '.join(f'[{accuracy:g}, {points:g}]' for accuracy, points in self.bands)}]"


class CodeQuestion(ClosedModel):
    """A question that is graded automatically: exactly one of reports, layers, optimizer and loss, or accuracy.

    `variable` is the name of the student's model. Parts without points of their own share the question's evenly.
    """

    kind: Literal["code"]
    points: Points
    title: Text
    variable: Variable = "model"
    reports: dict[Literal[tuple(FACTS)], Points] | None = None  # type: ignore[valid-type]  # names come from FACTS
    layers: Annotated[tuple[LayerRule, ...], Field(min_length=1)] | None = None
    optimizer: Literal["adam", "sgd", "rmsprop", "adamw", "adagrad", "nadam"] | None = None
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy", "mean_squared_error"] | None = None
    accuracy: AccuracyRule | None = None

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        parts = ("reports", "layers", "accuracy", "optimizer", "loss")
        given = [name for name in parts if getattr(self, name) is not None]
        if given not in (["reports"], ["layers"], ["accuracy"], ["optimizer", "loss"]):
            allowed = "exactly one of reports, layers, accuracy, or optimizer together with loss"
            raise mistake(allowed, " and ".join(given) or "none of them")
        if self.reports is not None:
            check_sum("reports", list(self.reports.values()), self.points)
        if self.layers is not None and any(layer.points is not None for layer in self.layers):
            check_sum("layers", [layer.points or 0.0 for layer in self.layers], self.points)
        if self.accuracy is not None:
            self.accuracy.check_points(self.points)
        return self


Question = Annotated[WrittenQuestion | CodeQuestion, Field(discriminator="kind")]


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


def share(points: float, parts: int) -> tuple[float, ...]:
    """Share points evenly, in hundredths; the last part takes the remainder."""
    part = round(points * 100) // parts / 100
    return (part,) * (parts - 1) + (round(points - part * (parts - 1), 6),)
