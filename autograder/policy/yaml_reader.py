"""The YAML of grading.yml; anything malformed becomes one problem with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from autograder.errors import PolicyError, PolicyProblem

__all__ = ["read_yaml"]


class _Constructor(RoundTripConstructor):
    """A constructor that has the line of a value that cannot be read, such as a date with a 13th month."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:  # ruamel raises many kinds of errors
            raise ConstructorError(None, None, f"a value that cannot be read ({error})", node.start_mark) from None


def read_yaml(text: str, path: Path) -> Any:
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
