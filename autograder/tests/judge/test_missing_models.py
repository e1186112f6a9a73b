"""Checks of a model that is missing: one check of one question reports it, and the others are not checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from autograder.judge import checks
from autograder.tests.journals import env, failed, line, message, of_model

CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "report": lambda env: checks.report(env, "q4", "train_images_shape"),
    "layer": lambda env: checks.layer(env, "q5", 0),
    "second layer": lambda env: checks.layer(env, "q5", 1),
    "optimizer": lambda env: checks.compile_optimizer(env, "q6"),
    "loss": lambda env: checks.compile_loss(env, "q6"),
    "scaled": lambda env: checks.scaled(env, "q7"),
    "accuracy": lambda env: checks.accuracy(env, "q7", 0),
    "second level": lambda env: checks.accuracy(env, "q7", 1),
    "measured": lambda env: checks.measured(env, "q7", "test_accuracy"),
}
FOLLOWING = dict.fromkeys(("second layer", "loss"), "Not checked: there is no model to check yet")
FOLLOWING |= dict.fromkeys(("scaled", "second level", "measured"), "Not checked: there is no model to score yet")
UNREACHED = failed(
    "the notebook stopped before this question was reached",
    hint="run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
)
BUILD_FIRST = "Not checked: question q5 has to be answered first: there is no model yet"
NO_MODEL: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "missing": (
        {"kind": "missing"},
        ("there is no variable called `model`", "has the answer cell been renamed or deleted?"),
    ),
    "still dots": ({"kind": "ellipsis"}, ("`model` has not been given a value", "replace the ... in the answer cell")),
    "what fit returns": (
        {"kind": "other", "name": "History"},
        ("`model` is a History", "fit returns a History; keep it under another name"),
    ),
    "something else": ({"kind": "other", "name": "list"}, ("`model` is a list", "")),
}


@pytest.mark.parametrize("check", CHECKS)
def test_an_unreached_question_is_reported_once(check: str) -> None:
    assert message(CHECKS[check], env()) == FOLLOWING.get(check, UNREACHED)


@pytest.mark.parametrize("case", NO_MODEL)
def test_without_a_model_only_the_question_that_asks_for_it_is_at_fault(case: str) -> None:
    described, (found, hint) = NO_MODEL[case]
    world = env(*(line(question=id, at="check", model=described) for id in ("q5", "q6", "q7")))
    own = {"layer": failed(found, "a Keras model", hint), "second layer": FOLLOWING["second layer"]}
    for check in CHECKS.keys() - {"report"}:
        assert message(CHECKS[check], world) == own.get(check, BUILD_FIRST)


@pytest.mark.parametrize("case", NO_MODEL)
def test_a_model_that_was_there_and_is_gone_is_a_mistake_of_its_own(case: str) -> None:
    described, (found, hint) = NO_MODEL[case]
    world = env(of_model("q5"), *(line(question=id, at="check", model=described) for id in ("q6", "q7")))
    for check in CHECKS.keys() - {"report", "layer", "second layer"}:
        assert message(CHECKS[check], world) == FOLLOWING.get(check, failed(found, "a Keras model", hint))


@pytest.mark.parametrize("check", sorted(CHECKS.keys() - {"report", "layer", "second layer"}))
def test_without_a_context_a_missing_model_is_reported_alike(check: str) -> None:
    assert message(CHECKS[check], {}) == BUILD_FIRST
