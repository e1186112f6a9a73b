"""grading.yml as frozen, typed objects.

Every mistake in the file becomes one entry of a PolicyError: the line, the dotted key, what was found,
what is allowed, and the nearest right spelling.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from autograder.dataset import FACTS
from autograder.errors import PolicyError, PolicyProblem

__all__ = [
    "AccuracyRule",
    "Assignment",
    "CodeQuestion",
    "Execution",
    "Feedback",
    "LayerRule",
    "Misconception",
    "Policy",
    "RubricItem",
    "WrittenQuestion",
    "load",
    "parse",
    "share",
]

Text = Annotated[str, Field(strict=True, min_length=1, max_length=4000)]
Points = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Strict(BaseModel):
    """Frozen, and every key must be a known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    allowed = sorted(cls.model_fields)
                    raise PydanticCustomError("unknown_key", "unknown key", {"key": str(key), "options": allowed})
        return data


class Assignment(Strict):
    """What is being assigned. `split_seed` fixes which half of the test images is scored."""

    name: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    title: Text
    dataset: Literal["mnist"] = "mnist"
    split_seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)] = 0


class RubricItem(Strict):
    """One thing a reviewer gives points for."""

    id: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    points: Points
    text: Text


class Misconception(Strict):
    """A common wrong idea, why it is wrong, and phrases by which it can be spotted."""

    claim: Text
    correction: Text
    phrases: tuple[Text, ...] = ()


class WrittenQuestion(Strict):
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
        return self


class LayerRule(Strict):
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


class AccuracyRule(Strict):
    """All points at `full`; below it, the points of the highest band that is reached.

    Accuracies are fractions of the private test images. Bands rise in both accuracy and points.
    """

    full: Fraction
    bands: tuple[tuple[Fraction, Points], ...] = ()

    @model_validator(mode="after")
    def _rises(self) -> Self:
        levels = [accuracy for accuracy, _ in self.bands] + [self.full]
        points = [value for _, value in self.bands]
        if levels != sorted(set(levels)) or points != sorted(set(points)):
            raise PydanticCustomError(
                "bands_order",
                "{allowed}",
                {
                    "allowed": "bands that rise in accuracy and in points, all below `full`",
                    "found": f"bands {[list(band) for band in self.bands]} and full {self.full:g}",
                },
            )
        return self


class CodeQuestion(Strict):
    """A question the machine grades: exactly one of reports, layers, optimizer and loss, or accuracy.

    `variable` is the name of the student's model. Where parts carry no points of their own they share
    the question's evenly.
    """

    kind: Literal["code"]
    points: Points
    title: Text
    variable: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "model"
    reports: dict[Literal[tuple(FACTS)], Points] | None = None  # type: ignore[valid-type]  # names come from FACTS
    layers: Annotated[tuple[LayerRule, ...], Field(min_length=1)] | None = None
    optimizer: Literal["adam", "sgd", "rmsprop", "adamw", "adagrad", "nadam"] | None = None
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy", "mean_squared_error"] | None = None
    accuracy: AccuracyRule | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        asked = [name for name in ("reports", "layers", "accuracy") if getattr(self, name) is not None]
        if self.optimizer is not None or self.loss is not None:
            asked.append("optimizer and loss")
        if len(asked) != 1 or (self.optimizer is None) != (self.loss is None):
            raise PydanticCustomError(
                "one_thing",
                "{allowed}",
                {
                    "allowed": "exactly one of reports, layers, accuracy, or optimizer together with loss",
                    "found": " and ".join(asked) or "none of them",
                },
            )
        if self.reports is not None:
            _adds_up("reports", list(self.reports.values()), self.points)
        if self.layers is not None and any(layer.points is not None for layer in self.layers):
            _adds_up("layers", [layer.points or 0.0 for layer in self.layers], self.points)
        if self.accuracy is not None and any(points >= self.points for _, points in self.accuracy.bands):
            raise PydanticCustomError(
                "band_points",
                "{allowed}",
                {
                    "allowed": f"bands worth less than the question's {self.points:g} points",
                    "found": f"bands {[list(band) for band in self.accuracy.bands]}",
                },
            )
        return self


Question = Annotated[WrittenQuestion | CodeQuestion, Field(discriminator="kind")]


class Execution(Strict):
    """Limits on one submission. Times are wall-clock seconds, sizes megabytes (2**20 bytes)."""

    timeout_s: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 300
    output_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 4
    notebook_mb: Annotated[float, Field(strict=True, gt=0, le=1024)] = 50


class Feedback(Strict):
    """When students see the hidden checks (Gradescope's own words)."""

    show_hidden: Literal["visible", "after_due_date", "after_published", "hidden"] = "after_published"


class Policy(Strict):
    """All of grading.yml."""

    assignment: Assignment
    questions: Annotated[
        dict[Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,20}$")], Question],
        Field(min_length=1),
    ]
    execution: Execution = Execution()
    feedback: Feedback = Feedback()

    @cached_property
    def written(self) -> dict[str, WrittenQuestion]:
        return {id: q for id, q in self.questions.items() if isinstance(q, WrittenQuestion)}

    @cached_property
    def code(self) -> dict[str, CodeQuestion]:
        return {id: q for id, q in self.questions.items() if isinstance(q, CodeQuestion)}

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions.values())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings, the same for any layout or comment in the file."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def share(points: float, parts: int) -> tuple[float, ...]:
    """`points` in `parts` equal shares, the last taking what rounding to hundredths leaves."""
    each = int(points * 100 / parts) / 100
    return (each,) * (parts - 1) + (round(points - each * (parts - 1), 2),)


def load(path: Path) -> Policy:
    """Read grading.yml. Raises PolicyError, whatever is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(path, (PolicyProblem(None, "", "no such file", "a grading.yml"),)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(path, (PolicyProblem(None, "", str(error), "a readable UTF-8 file"),)) from error
    return parse(text, path)


def parse(text: str, path: Path) -> Policy:
    """Parse the text of a grading.yml; `path` is used in messages only."""
    try:
        data = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        found = re.search(r'"(.*?)"', str(error.problem))
        problem = PolicyProblem(line, found[1] if found else "", "the same key twice", "each key once")
        raise PolicyError(path, (problem,)) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = PolicyProblem(line, "", str(error.problem or error.context), "valid YAML")
        raise PolicyError(path, (problem,)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        problem = PolicyProblem(None, "", type(error).__name__, "valid YAML")
        raise PolicyError(path, (problem,)) from None
    if not isinstance(data, Mapping):
        problem = PolicyProblem(1, "", _describe(data), "a mapping with the keys assignment and questions")
        raise PolicyError(path, (problem,))
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        problems = tuple(_problem(details, data) for details in error.errors())
        raise PolicyError(path, problems) from None


def _adds_up(what: str, parts: Sequence[float], total: float) -> None:
    if round(sum(parts), 6) != round(total, 6):
        raise PydanticCustomError(
            "points_sum",
            "{allowed}",
            {
                "allowed": f"points in {what} that add up to the question's {total:g}",
                "found": f"{' + '.join(f'{part:g}' for part in parts)} = {sum(parts):g}",
            },
        )


def _problem(details: ErrorDetails, data: Any) -> PolicyProblem:
    """One pydantic error as a problem with its line and its words."""
    context = details.get("ctx", {})
    path, line = _locate(details["loc"], data)
    found, allowed, nearest = _describe(details["input"]), str(details["msg"]), None
    match details["type"]:
        case "unknown_key":
            key, options = context["key"], context["options"]
            node = _node(path, data)
            line = _line(node, key) or line
            path, found, allowed = (*path, key), "an unknown key", ", ".join(options)
            nearest = _nearest(key, options)
        case "missing":
            found, allowed = "nothing", "this key, which is required"
        case "literal_error" | "union_tag_invalid":
            expected = str(context.get("expected") or context.get("expected_tags"))
            allowed = expected
            found = _describe(context.get("tag", details["input"]))
            nearest = _nearest(str(context.get("tag", details["input"])), re.findall(r"'([^']*)'", expected))
            if details["type"] == "union_tag_invalid":
                path, line = (*path, "kind"), _line(_node(path, data), "kind") or line
        case "union_tag_not_found":
            path, found, allowed = (*path, "kind"), "nothing", "'written' or 'code'"
        case "model_type" | "dict_type" | "model_attributes_type":
            allowed = "a mapping (key: value)"
        case "tuple_type":
            allowed = "a list"
        case _:
            found = str(context.get("found", found))
            allowed = allowed.removeprefix("Input should be ").removeprefix("Value error, ")
    return PolicyProblem(line, ".".join(path), found, allowed, nearest)


def _locate(loc: tuple[int | str, ...], data: Any) -> tuple[tuple[str, ...], int | None]:
    """The keys that stand in the file (pydantic adds union tags and '[key]'), and the last known line."""
    path: tuple[str, ...] = ()
    line: int | None = 1
    node = data
    for position, part in enumerate(loc):
        inside: Any = node
        if (isinstance(node, Mapping) and part in node) or (
            isinstance(node, list) and isinstance(part, int) and part < len(node)
        ):
            line = _line(node, part) or line
            node = inside[part]
        elif part == "[key]" or (isinstance(node, Mapping) and node.get("kind") == part) or position != len(loc) - 1:
            continue
        path = (*path, str(part))
    return path, line


def _node(path: tuple[str, ...], data: Any) -> Any:
    node = data
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def _line(node: Any, key: int | str) -> int | None:
    """The line (from 1) of a key in a mapping or list that ruamel read, which carries positions as `lc`."""
    try:
        return int(node.lc.data[key][0]) + 1
    except (AttributeError, KeyError, TypeError):
        return None


def _nearest(word: str, options: Sequence[str]) -> str | None:
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    return close[0] if close else None


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"[:80]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"{value!r} ({type(value).__name__})"[:80]
