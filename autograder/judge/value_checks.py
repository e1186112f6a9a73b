"""The check of reported shapes and lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.data import dataset
from autograder.judge.context import CheckContext, context_of
from autograder.judge.failure import CheckFailed, NotChecked, count, describe

__all__ = ["report"]

READ_IT_OFF = "read it off the array: .shape gives a shape, len() gives a length"


def report(env: Mapping[str, Any], question: str, name: str) -> None:
    """Check that a reported shape or length is the true one."""
    context = context_of(env, question)
    value = context.value(question, name)
    expected = dataset.FACTS[name]
    if value.kind in ("missing", "ellipsis", "none"):
        raise CheckFailed(f"`{name}` has not been given a value", hint=READ_IT_OFF)
    _check_dataset(context, question, name)
    found = f"`{name}` is {describe(value)}"
    if isinstance(expected, tuple):
        if value.kind != "numbers":
            raise CheckFailed(found, f"a tuple of {count(len(expected), 'whole number')}", READ_IT_OFF)
        if tuple(value.value) != expected:  # type: ignore[arg-type]  # kind "numbers" means a list
            hint = "load_data() returns two pairs; is this the right array of the right pair, before any reshaping?"
            raise CheckFailed(found, f"{expected}", hint)
    elif value.kind != "number":
        raise CheckFailed(found, "one whole number", READ_IT_OFF)
    elif value.value != expected:
        raise CheckFailed(found, f"{expected}", "is this the right array of the right pair?")


def _check_dataset(context: CheckContext, question: str, name: str) -> None:
    """Check that the assignment's dataset was loaded, if any was; only the question's first report says so."""
    loaded, wanted = context.wrong_dataset(question), context.policy.assignment.dataset
    if loaded is None:
        return
    title = dataset.DATASETS[wanted].title
    if name != next(iter(context.policy.code[question].reports or ())):
        raise NotChecked(f"the images of {title} have to be loaded first")
    raise CheckFailed(
        f"keras.datasets.{loaded}, the images of {dataset.DATASETS[loaded].title}",
        f"the images of {title}",
        f"keras.datasets.{wanted} has a load_data of its own",
    )
