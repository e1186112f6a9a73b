"""grading.yml from its text to a Policy.

Every mistake in the file becomes one entry of a PolicyError: the line, the dotted key, what was found,
what is allowed, and the nearest right spelling.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from autograder.errors import PolicyError, PolicyProblem
from autograder.policy.closed_model import ClosedModel
from autograder.policy.policy import (
    AccuracyRule,
    Assignment,
    Attempts,
    CodeQuestion,
    Execution,
    Feedback,
    LayerRule,
    Misconception,
    Policy,
    Review,
    RubricItem,
    WrittenQuestion,
)

__all__ = ["load", "parse"]

SECTIONS: Mapping[str, type[ClosedModel]] = {
    "assignment": Assignment,
    "written": WrittenQuestion,
    "code": CodeQuestion,
    "rubric": RubricItem,
    "misconceptions": Misconception,
    "layers": LayerRule,
    "accuracy": AccuracyRule,
    "execution": Execution,
    "attempts": Attempts,
    "feedback": Feedback,
    "review": Review,
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
    "bool_type": "true or false, without quotes",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_unicode": "text of whole characters",
    "string_pattern_mismatch": "text of the form {pattern}",
}
"""What is allowed, where pydantic's own words would puzzle the reader of a YAML file."""


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
