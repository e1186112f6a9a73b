"""grading.yml as frozen, typed objects.

Every mistake in the file becomes one entry of a PolicyError: the line, the dotted key, what was found,
what is allowed, and the nearest right spelling.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

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
                    "found": f"{_bands(self.bands)} and full {self.full:g}",
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
        if self.accuracy is not None and any(points >= self.points for _, points in self.accuracy.bands):
            raise PydanticCustomError(
                "band_points",
                "{allowed}",
                {
                    "allowed": f"bands worth less than the question's {self.points:g} points",
                    "found": _bands(self.accuracy.bands),
                    "at": ("accuracy", "bands"),
                },
            )
        return self


Question = Annotated[WrittenQuestion | CodeQuestion, Field(discriminator="kind")]


class Execution(Strict):
    """Limits on one submission. Times are wall-clock seconds, sizes megabytes (2**20 bytes)."""

    timeout_s: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 300
    memory_mb: Annotated[float, Field(strict=True, ge=1024, le=1_000_000)] = 3072
    work_mb: Annotated[float, Field(strict=True, ge=1, le=100_000)] = 256
    work_files: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 2000
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
    each = round(points * 100) // parts / 100
    return (each,) * (parts - 1) + (round(points - each * (parts - 1), 6),)


def load(path: Path) -> Policy:
    """Read grading.yml. Raises PolicyError, whatever is wrong with it."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise PolicyError(path, (PolicyProblem(None, "", "no such file", "a grading.yml"),)) from None
    except OSError as error:
        raise PolicyError(path, (PolicyProblem(None, "", str(error.strerror), "a readable file"),)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = PolicyProblem(line, "", f"the byte 0x{error.object[error.start]:02x}", "text saved as UTF-8")
        raise PolicyError(path, (problem,)) from None
    return parse(text, path)


def parse(text: str, path: Path) -> Policy:
    """Parse the text of a grading.yml; `path` is used in messages only."""
    data = _read(text, path)
    if not isinstance(data, Mapping):
        line = (getattr(getattr(data, "lc", None), "line", None) or 0) + 1
        problem = PolicyProblem(line, "", _describe(data), "a mapping with the keys assignment and questions")
        raise PolicyError(path, (problem,))
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        raise PolicyError(path, _problems(error.errors(), data)) from None


class _Constructor(RoundTripConstructor):
    """Keeps the parsed text, and says where a value stands that cannot be made (a date with a 13th month)."""

    root: Node

    def construct_document(self, node: Node) -> Any:
        self.root = node
        return super().construct_document(node)

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:  # of many kinds
            raise ConstructorError(None, None, f"a value that cannot be read ({error})", node.start_mark) from None


def _read(text: str, path: Path) -> Any:
    reader = YAML(typ="rt")
    reader.Constructor = _Constructor
    reader.composer.warn_double_anchors = False
    try:
        return reader.load(text)
    except DuplicateKeyError as error:
        mark = error.problem_mark
        key = _key_at(reader.constructor.root, mark.index)
        problem = PolicyProblem(mark.line + 1, key, "the same key twice", "each key once")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = str(error.problem)
        if error.context and error.context_mark:
            found = f"{error.context} (line {error.context_mark.line + 1}): {found}"
        problem = PolicyProblem(mark.line + 1 if mark else None, "", found, "valid YAML")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = PolicyProblem(line, "", f"the character U+{error.character:04X}", "text without control characters")
    except RecursionError:
        problem = PolicyProblem(None, "", "lists or mappings nested too deeply", "valid YAML")
    except Exception as error:  # ruamel raises many kinds on malformed text
        problem = PolicyProblem(None, "", f"text that cannot be read ({error})", "valid YAML")
    raise PolicyError(path, (problem,))


def _key_at(node: Node, index: int) -> str:
    """The dotted path of the key that begins at `index` of the text."""
    path: list[str] = []
    while isinstance(node, MappingNode | SequenceNode):
        if isinstance(node, MappingNode):
            entries = [(key.start_mark.index, str(key.value), value) for key, value in node.value]
        else:
            entries = [(item.start_mark.index, str(number), item) for number, item in enumerate(node.value)]
        start, name, value = max((entry for entry in entries if entry[0] <= index), key=lambda entry: entry[0])
        path.append(name)
        if start == index:
            break
        node = value
    return ".".join(path)


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


SECTIONS: Mapping[str, type[Strict]] = {
    "assignment": Assignment,
    "written": WrittenQuestion,
    "code": CodeQuestion,
    "rubric": RubricItem,
    "misconceptions": Misconception,
    "layers": LayerRule,
    "accuracy": AccuracyRule,
    "execution": Execution,
    "feedback": Feedback,
}
"""What pydantic calls a place, and the keys that may stand there."""

WORDS: Mapping[str, str] = {
    "missing": "this key, which is required",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "string_type": "text (in quotes, where it looks like a number or a date)",
    "float_type": "a number, without quotes",
    "int_type": "a whole number, without quotes",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_unicode": "text of whole characters",
    "string_pattern_mismatch": "text of the form {pattern}",
}
"""What is allowed, where pydantic's own words would puzzle the reader of a YAML file."""


@dataclass(frozen=True)
class _Place:
    """A place in the file: its keys, its line where that is known, and what stands there."""

    path: tuple[str, ...]
    line: int | None
    node: Any

    def inside(self, part: int | str) -> _Place:
        """The entry `part`; where there is none, the line is this place's own."""
        keys: Iterable[Any] = range(len(self.node)) if isinstance(self.node, list) else ()
        if isinstance(self.node, Mapping):
            keys = self.node
        path = (*self.path, str(part))
        for key in keys:
            if str(key) == str(part):
                return _Place(path, _line(self.node, key) or self.line, self.node[key])
        return _Place(path, self.line, None)


def _problems(errors: Sequence[ErrorDetails], data: Any) -> tuple[PolicyProblem, ...]:
    """All mistakes, without those that only follow from another one."""
    problems = [_problem(details, data) for details in errors if not _follows(details)]
    mistyped = {".".join([*problem.key.split(".")[:-1], problem.nearest]) for problem in problems if problem.nearest}
    return tuple(problem for problem in problems if problem.allowed != WORDS["missing"] or problem.key not in mistyped)


def _follows(details: ErrorDetails) -> bool:
    """pydantic counts only the right entries: a list with one wrong entry is also "too short"."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _problem(details: ErrorDetails, data: Any) -> PolicyProblem:
    """One pydantic error as a problem with its line and its words."""
    context = details.get("ctx", {})
    place = _locate(details["loc"], data)
    found, nearest = str(context.get("found", _describe(details["input"]))), None
    allowed = details["msg"].removeprefix("Input should be ")
    match details["type"]:
        case "extra_forbidden" | "invalid_key":
            section = next((SECTIONS[str(part)] for part in details["loc"][-2::-1] if part in SECTIONS), Policy)
            options = sorted(section.model_fields)
            found, allowed, nearest = "an unknown key", ", ".join(options), _nearest(place.path[-1], options)
        case "missing":
            found, allowed = "nothing", WORDS["missing"]
        case "literal_error":
            nearest = _nearest(details["input"], re.findall(r"'([^']*)'", allowed))
        case "union_tag_invalid" | "union_tag_not_found":
            place = place.inside("kind")
            found, allowed = _describe(place.node), "'written' or 'code'"
            nearest = _nearest(place.node, ("written", "code"))
        case known if known in WORDS:
            allowed = WORDS[known].format_map(context)
    for part in context.get("at", ()):
        place = place.inside(part)
    return PolicyProblem(place.line, ".".join(place.path), found, allowed, nearest)


def _locate(loc: tuple[int | str, ...], data: Any) -> _Place:
    """The place in the file. pydantic puts the kind of a question behind its name, and "[key]" behind a key."""
    place = _Place((), 1, data)
    for position, part in enumerate(loc):
        if part != "[key]" and not (position == 2 and loc[0] == "questions"):
            place = place.inside(part)
    return place


def _line(node: Any, key: Any) -> int | None:
    """The line (from 1) of a key in a mapping or list that ruamel read, which carries positions as `lc`."""
    try:
        return int(node.lc.data[key][0]) + 1
    except (AttributeError, KeyError, TypeError):
        return None


def _nearest(word: Any, options: Sequence[str]) -> str | None:
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.5) if isinstance(word, str) else []
    return close[0] if close else None


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"[:80]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    kind = next((kind for kind in (bool, int, float, str, tuple) if isinstance(value, kind)), type(value))
    return f"{value!r} ({kind.__name__})"[:80]
