"""What grading.yml says, as frozen, typed objects; `grading_file` reads the file itself."""

from __future__ import annotations

import hashlib
import json
import keyword
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autograder.data.dataset import DATASETS, FACTS
from autograder.policy.closed_model import ClosedModel

__all__ = [
    "AccuracyRule",
    "Assignment",
    "Attempts",
    "CodeQuestion",
    "Execution",
    "Feedback",
    "LayerRule",
    "Misconception",
    "Policy",
    "Review",
    "RubricItem",
    "WrittenQuestion",
    "share",
]


def _assignable(name: str) -> str:
    if keyword.iskeyword(name):
        raise PydanticCustomError("keyword", "{allowed}", {"allowed": "a name that is not a word of Python itself"})
    return name


Text = Annotated[str, Field(strict=True, min_length=1, max_length=4000)]
Points = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
Variable = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_assignable)]
Reviewer = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,60}$")]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Limit = Annotated[int, Field(strict=True, ge=1, le=1000)]


class Assignment(ClosedModel):
    """What is being assigned. `split_seed` fixes which half of the test images is scored."""

    name: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    title: Text
    dataset: Literal[tuple(DATASETS)] = "mnist"  # type: ignore[valid-type]  # names come from DATASETS
    split_seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)] = 0


class RubricItem(ClosedModel):
    """One thing a reviewer gives points for."""

    id: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    points: Points
    text: Text


class Misconception(ClosedModel):
    """A common wrong idea, why it is wrong, and phrases by which it can be spotted."""

    claim: Text
    correction: Text
    phrases: tuple[Text, ...] = ()


class WrittenQuestion(ClosedModel):
    """A question that a person marks; the rubric's points add up to the question's."""

    kind: Literal["written"]
    points: Points
    title: Text
    rubric: Annotated[tuple[RubricItem, ...], Field(min_length=1)]
    misconceptions: tuple[Misconception, ...] = ()
    model_answer: Text | None = None

    @model_validator(mode="after")
    def _rubric_adds_up(self) -> Self:
        _adds_up("rubric", [item.points for item in self.rubric], self.points)
        ids = [item.id for item in self.rubric]
        if len(set(ids)) < len(ids):
            raise PydanticCustomError(
                "same_id",
                "{allowed}",
                {"allowed": "an id of its own for each rubric item", "found": ", ".join(ids), "at": ("rubric",)},
            )
        return self


class LayerRule(ClosedModel):
    """One layer the model must have, in its place. Dense needs `units` and `activation`."""

    type: Literal["Flatten", "Dense"]
    units: Count | None = None
    activation: Literal["linear", "relu", "softmax", "sigmoid", "tanh", "elu", "gelu", "selu"] | None = None
    points: Points | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        given = [name for name in ("units", "activation") if getattr(self, name) is not None]
        wanted = ["units", "activation"] if self.type == "Dense" else []
        if given != wanted:
            raise PydanticCustomError(
                "layer_settings",
                "{allowed}",
                {
                    "allowed": f"a {self.type} layer takes {' and '.join(wanted) or 'no settings'}",
                    "found": ", ".join(given) or "none of them",
                },
            )
        return self


class AccuracyRule(ClosedModel):
    """All points at `full`; below it, the points of the highest band that is reached.

    Accuracies are fractions of the private test images. Bands rise in both accuracy and points. In place of `full`
    there may be `reference_margin`: `reference`, which is what the hidden solution reaches, less this. The kit puts
    the reference in (`Policy.at_reference`) where the file does not.
    Two more things can be asked for points of their own: `scaled`, that the model was trained on scaled pixels, and
    `measured`, one variable that holds the accuracy on the test images.
    """

    full: Fraction | None = None
    reference_margin: Fraction | None = None
    reference: Fraction | None = None
    bands: tuple[tuple[Fraction, Points], ...] = ()
    scaled: Points | None = None
    measured: Annotated[dict[Variable, Points], Field(min_length=1, max_length=1)] | None = None

    @property
    def summit(self) -> float | None:
        """The accuracy of full points; None where it hangs on a reference that is not known."""
        if self.reference_margin is None or self.reference is None:
            return self.full
        return round(self.reference - self.reference_margin, 6)

    @property
    def levels(self) -> tuple[float, ...]:
        """The accuracies of the bands and, last, of full points. Needs a rule whose summit is known."""
        assert self.summit is not None  # what grades has been through Policy.at_reference
        return (*(accuracy for accuracy, _ in self.bands), self.summit)

    @property
    def apart(self) -> float:
        """Points that the accuracy itself does not give."""
        return (self.scaled or 0.0) + sum((self.measured or {}).values())

    @model_validator(mode="after")
    def _has_one_summit(self) -> Self:
        given = [name for name in ("full", "reference_margin") if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_summit",
                "{allowed}",
                {"allowed": "one of full and reference_margin", "found": " and ".join(given) or "none of them"},
            )
        return self

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.summit is None:
            return self
        levels = list(self.levels)
        points = [value for _, value in self.bands]
        if levels != sorted(set(levels)) or points != sorted(set(points)):
            raise PydanticCustomError(
                "bands_order",
                "{allowed}",
                {
                    "allowed": "bands that rise in accuracy and in points, all below full points",
                    "found": f"{_bands(self.bands)} and full {self.summit:g}",
                },
            )
        return self


class CodeQuestion(ClosedModel):
    """A question the machine grades: exactly one of reports, layers, optimizer and loss, or accuracy.

    `variable` is the name of the student's model. Where parts carry no points of their own they share
    the question's evenly.
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
    def _asks_one_thing(self) -> Self:
        asked = [name for name in ("reports", "layers", "accuracy") if getattr(self, name) is not None]
        settings = [name for name in ("optimizer", "loss") if getattr(self, name) is not None]
        if len(asked) + bool(settings) != 1 or len(settings) == 1:
            raise PydanticCustomError(
                "one_thing",
                "{allowed}",
                {
                    "allowed": "exactly one of reports, layers, accuracy, or optimizer together with loss",
                    "found": " and ".join(asked + settings) or "none of them",
                },
            )
        if self.reports is not None:
            _adds_up("reports", list(self.reports.values()), self.points)
        if self.layers is not None and any(layer.points is not None for layer in self.layers):
            _adds_up("layers", [layer.points or 0.0 for layer in self.layers], self.points)
        if self.accuracy is not None and (
            self.accuracy.apart >= self.points
            or any(points >= self.points - self.accuracy.apart for _, points in self.accuracy.bands)
        ):
            raise PydanticCustomError(
                "band_points",
                "{allowed}",
                {
                    "allowed": f"bands worth less than the {self.points - self.accuracy.apart:g} points "
                    "that the question has for accuracy",
                    "found": _bands(self.accuracy.bands),
                    "at": ("accuracy", "bands"),
                },
            )
        return self


Question = Annotated[WrittenQuestion | CodeQuestion, Field(discriminator="kind")]


class Execution(ClosedModel):
    """Limits on one submission. Times are wall-clock seconds, sizes megabytes (2**20 bytes)."""

    timeout_s: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 300
    memory_mb: Annotated[float, Field(strict=True, ge=1024, le=1_000_000)] = 3072
    work_mb: Annotated[float, Field(strict=True, ge=1, le=100_000)] = 256
    work_files: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 2000
    output_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 4
    notebook_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 50


class Attempts(ClosedModel):
    """How often one submitter may hand in on Gradescope, in any 24 hours and in all; None is no limit."""

    per_day: Limit | None = None
    per_assignment: Limit | None = None


class Feedback(ClosedModel):
    """When students see the hidden checks (Gradescope's own words), and whether there is a leaderboard."""

    show_hidden: Literal["visible", "after_due_date", "after_published", "hidden"] = "after_published"
    leaderboard: Annotated[bool, Field(strict=True)] = False


class Review(ClosedModel):
    """Who marks the written answers.

    `sample` is how many answers of each question two reviewers mark, blind to each other, so that their agreement
    can be told.
    """

    reviewers: tuple[Reviewer, ...] = ()
    sample: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        names = [name.casefold() for name in self.reviewers]
        if len(set(names)) < len(names):
            raise PydanticCustomError(
                "same_reviewer",
                "{allowed}",
                {"allowed": "each reviewer once", "found": ", ".join(self.reviewers), "at": ("reviewers",)},
            )
        if self.sample and 0 < len(names) < 2:
            raise PydanticCustomError(
                "lonely_sample",
                "{allowed}",
                {"allowed": "two reviewers or more, where there is a sample", "found": ", ".join(self.reviewers)},
            )
        return self


class Policy(ClosedModel):
    """All of grading.yml."""

    assignment: Assignment
    questions: Annotated[
        dict[Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,20}$")], Question],
        Field(min_length=1),
    ]
    execution: Execution = Execution()
    attempts: Attempts = Attempts()
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
        """The same policy, knowing what the hidden solution reaches. Raises ValidationError if a band is above it."""
        data = self.model_dump()
        for question in data["questions"].values():
            if question.get("accuracy") and question["accuracy"]["reference"] is None:
                question["accuracy"]["reference"] = accuracy
        return type(self).model_validate(data)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings, the same for any layout or comment in the file.

        `attempts`, `feedback`, `review` and what people mark by have no part in it: no notebook needs grading again
        for them.
        """
        settings = self.model_dump(mode="json", exclude={"attempts", "feedback", "review"})
        for question in self.written:
            for key in ("rubric", "misconceptions", "model_answer"):
                del settings["questions"][question][key]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def share(points: float, parts: int) -> tuple[float, ...]:
    """`points` in `parts` equal shares, the last taking what rounding to hundredths leaves."""
    each = round(points * 100) // parts / 100
    return (each,) * (parts - 1) + (round(points - each * (parts - 1), 6),)


def _adds_up(what: str, parts: Sequence[float], total: float) -> None:
    if round(sum(parts), 6) != round(total, 6):
        raise PydanticCustomError(
            "points_sum",
            "{allowed}",
            {
                "allowed": f"points in {what} that add up to the question's {total:g}",
                "found": f"{' + '.join(f'{part:g}' for part in parts)} = {sum(parts):g}",
                "at": (what,),
            },
        )


def _bands(bands: Sequence[tuple[float, float]]) -> str:
    return f"bands [{', '.join(f'[{accuracy:g}, {points:g}]' for accuracy, points in bands)}]"
