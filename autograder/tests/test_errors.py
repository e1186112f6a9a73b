"""The kit's own errors: one tree, and texts that a person can act on."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from autograder import errors
from autograder.errors import KitError, PolicyError, PolicyProblem, unreadable

FULL = PolicyProblem(6, "assignment.split_sed", "an unknown key", "name, split_seed", "split_seed")


def test_every_error_is_exported_and_shown_in_the_tree() -> None:
    defined = {kind.__name__ for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KitError)}
    assert defined <= set(errors.__all__)
    assert all(f"── {name} " in str(errors.__doc__) for name in defined - {"KitError"})


def test_policy_problems_are_listed_with_line_found_allowed_and_the_nearest_spelling() -> None:
    others = PolicyProblem(9, "questions", "nothing", "a mapping"), PolicyProblem(None, "", "no such file", "a file")
    assert str(PolicyError(Path("a/grading.yml"), (FULL, *others))) == (
        "a/grading.yml:6: assignment.split_sed\n"
        "  found:   an unknown key\n"
        "  allowed: name, split_seed\n"
        "  did you mean: split_seed\n"
        "a/grading.yml:9: questions\n"
        "  found:   nothing\n"
        "  allowed: a mapping\n"
        "a/grading.yml: (top level)\n"
        "  found:   no such file\n"
        "  allowed: a file"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(2, "No such file"), "check the name and the current folder"),
        (IsADirectoryError(21, "Is a directory"), "name a file in it"),
        (PermissionError(13, "Permission denied"), "chmod u+r"),
        (OSError(5, "Input/output error"), "it cannot be read (Input/output error)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_reason_why_a_file_cannot_be_read_names_the_next_step(error: OSError, message: str) -> None:
    assert message in unreadable(error)


def test_a_policy_error_keeps_its_problems_when_it_crosses_processes() -> None:
    error = PolicyError(Path("g.yml"), (FULL,))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.problems, str(copy)) == (Path("g.yml"), (FULL,), str(error))
