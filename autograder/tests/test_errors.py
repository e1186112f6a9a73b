"""The kit's own errors: one family, and a text a person can act on."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import pytest

from autograder import errors
from autograder.errors import KitError, PolicyError, PolicyProblem, unreadable

FULL = PolicyProblem(6, "assignment.split_sed", "an unknown key", "name, split_seed", "split_seed")


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - {"KitError", "PolicyProblem", "unreadable"}))
def test_every_error_is_a_kit_error_and_stands_in_the_overview(name: str) -> None:
    assert issubclass(getattr(errors, name), KitError)
    assert f"── {name} " in inspect.cleandoc(errors.__doc__ or "")


def test_every_error_that_is_defined_is_exported() -> None:
    defined = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, KitError)}
    assert defined <= set(errors.__all__)


def test_a_policy_problem_is_told_with_place_found_allowed_and_the_nearest_spelling() -> None:
    assert str(PolicyError(Path("grading.yml"), (FULL,))) == (
        "grading.yml:6: assignment.split_sed\n"
        "  found:   an unknown key\n"
        "  allowed: name, split_seed\n"
        "  did you mean: split_seed"
    )


def test_a_problem_without_line_key_or_nearest_spelling_leaves_them_out() -> None:
    assert str(PolicyError(Path("a/grading.yml"), (PolicyProblem(None, "", "no such file", "a grading.yml"),))) == (
        "a/grading.yml: (top level)\n  found:   no such file\n  allowed: a grading.yml"
    )


def test_several_problems_are_told_one_after_another() -> None:
    text = str(PolicyError(Path("g.yml"), (FULL, PolicyProblem(9, "questions", "nothing", "a mapping"))))
    assert [line for line in text.splitlines() if line.startswith("g.yml")] == [
        "g.yml:6: assignment.split_sed",
        "g.yml:9: questions",
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            FileNotFoundError(2, "No such file or directory"),
            "no such file; look at the name, and at the folder you are in",
        ),
        (IsADirectoryError(21, "Is a directory"), "it is a folder; name a file in it"),
        (
            PermissionError(13, "Permission denied"),
            "you may not read it; take that right (chmod u+r), or ask its owner",
        ),
        (OSError(5, "Input/output error"), "it cannot be read (Input/output error)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_why_a_file_cannot_be_read_is_told_with_the_next_step(error: OSError, said: str) -> None:
    assert unreadable(error) == said


def test_a_policy_error_keeps_its_problems_when_it_crosses_processes() -> None:
    error = PolicyError(Path("g.yml"), (FULL,))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.problems, str(copy)) == (Path("g.yml"), (FULL,), str(error))
