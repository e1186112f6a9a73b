"""Read grading.yml as a Policy.

Every mistake in the file becomes one entry of a PolicyError: the line, the dotted key, what was found, what is
allowed, and the most similar allowed spelling.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from autograder.errors import PolicyError, PolicyProblem
from autograder.policy import policy
from autograder.policy.policy import Policy
from autograder.policy.schema import ClosedModel

__all__ = ["load", "parse"]

SECTIONS: Mapping[str, type[ClosedModel]] = {
    "assignment": policy.Assignment,
    "written": policy.WrittenQuestion,
    "code": policy.CodeQuestion,
    "rubric": policy.RubricRule,
    "misconceptions": policy.Misconception,
    "layers": policy.LayerRule,
    "accuracy": policy.AccuracyRule,
    "execution": policy.Execution,
    "attempts": policy.AttemptLimit,
    "feedback": policy.Feedback,
    "review": policy.Review,
}
"""The model of each section, by pydantic's name for its place; its fields are the allowed keys."""

WORDS: Mapping[str, str] = {
    "missing": "this key, which is required",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "string_type": "text (in quotes if it looks like a number or a date)",
    "float_type": "a number, without quotes",
    "int_type": "a whole number, without quotes",
    "bool_type": "true or false, without quotes",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_unicode": "text without lone surrogates",
    "string_pattern_mismatch": "text that matches {pattern}",
}
"""The allowed values in words, by pydantic's type of error, if its own words would puzzle the author of a YAML file."""


def load(path: Path) -> Policy:
    """Read grading.yml. Raises PolicyError for anything that is wrong with it."""
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
    data = _read_yaml(text, path)
    if not isinstance(data, Mapping):
        line = (getattr(getattr(data, "lc", None), "line", None) or 0) + 1
        problem = PolicyProblem(line, "", _describe(data), "a mapping with the keys assignment and questions")
        raise PolicyError(path, (problem,))
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        raise PolicyError(path, _problems(error.errors(), data)) from None


class _Constructor(RoundTripConstructor):
    """A constructor that has the line of a value that cannot be read, such as a date with a 13th month."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:  # ruamel raises many kinds of errors
            raise ConstructorError(None, None, f"a value that cannot be read ({error})", node.start_mark) from None


def _read_yaml(text: str, path: Path) -> Any:
    """Parse a text to ruamel's mappings and lists, which know their lines. Raises PolicyError."""
    reader = YAML(typ="rt")
    reader.Constructor = _Constructor
    reader.composer.warn_double_anchors = False
    try:
        return reader.load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).split('"')[1]  # ruamel writes: found duplicate key "points" with value ...
        problem = PolicyProblem(error.problem_mark.line + 1, key, "the same key twice", "each key once")
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
    except Exception as error:  # ruamel raises many kinds of errors on malformed text
        problem = PolicyProblem(None, "", f"text that cannot be read ({error})", "valid YAML")
    raise PolicyError(path, (problem,))


def _problems(errors: Sequence[ErrorDetails], data: Any) -> tuple[PolicyProblem, ...]:
    """Return all mistakes, without those that only follow from another one."""
    # pydantic counts only the right entries: a list with one wrong entry is also "too short".
    own = [
        error for error in errors if error["type"] != "too_short" or len(error["input"]) < error["ctx"]["min_length"]
    ]
    problems = [_problem(error, data) for error in own]
    mistyped = {".".join([*problem.key.split(".")[:-1], problem.nearest]) for problem in problems if problem.nearest}
    return tuple(problem for problem in problems if problem.allowed != WORDS["missing"] or problem.key not in mistyped)


def _problem(details: ErrorDetails, data: Any) -> PolicyProblem:
    """Return one pydantic error as a problem with its line."""
    context, loc = details.get("ctx", {}), details["loc"]
    # pydantic adds the kind of a question after its name, and "[key]" after a key.
    kind_at = 2 if loc[:1] == ("questions",) else None
    path = [str(part) for position, part in enumerate(loc) if part != "[key]" and position != kind_at]
    found, nearest = str(context.get("found", _describe(details["input"]))), None
    allowed = details["msg"].removeprefix("Input should be ")
    match details["type"]:
        case "extra_forbidden" | "invalid_key":
            section = next((SECTIONS[str(part)] for part in loc[-2::-1] if part in SECTIONS), Policy)
            options = sorted(section.model_fields)
            found, allowed, nearest = "an unknown key", ", ".join(options), _nearest(path[-1], options)
        case "missing":
            found, allowed = "nothing", WORDS["missing"]
        case "literal_error":
            nearest = _nearest(details["input"], re.findall(r"'([^']*)'", allowed))
        case "union_tag_invalid" | "union_tag_not_found":
            path.append("kind")
            _, kind = _look_up(path, data)
            found, allowed, nearest = _describe(kind), "'written' or 'code'", _nearest(kind, ("written", "code"))
        case known if known in WORDS:
            allowed = WORDS[known].format_map(context)
    path += context.get("at", ())
    line, _ = _look_up(path, data)
    return PolicyProblem(line, ".".join(path), found, allowed, nearest)


def _look_up(path: Sequence[str], data: Any) -> tuple[int, Any]:
    """Return the line and the value at a place in the file; what is missing has the line of the place around it."""
    line, value = 1, data
    for part in path:
        around, value = value, None
        size = len(around) if isinstance(around, list) else 0
        keys: Iterable[Any] = around if isinstance(around, Mapping) else range(size)
        for key in keys:
            if str(key) == part:
                value = around[key]
                with contextlib.suppress(AttributeError, KeyError, TypeError):  # the line is not known
                    line = around.lc.data[key][0] + 1  # ruamel counts from 0
    return line, value


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
