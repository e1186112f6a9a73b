"""The checks of the settings that a model was compiled with, with every message."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge import checks
from autograder.tests.journals import COMPILED, FLATTEN, HIDDEN, dense, env, failed, message, of_model

UNCOMPILED = failed("`model` was never compiled", "a compiled model", "call its compile method before fit")
ROWS = "the labels here are whole numbers, not rows of ten zeros and ones"
DISTANCES = "that loss is for measuring distances, not for choosing among classes"
NO_LOSS = failed("no loss was given to compile", "a loss", "without one, nothing tells fit what to improve")
LOGITS = failed(
    "from_logits=True, on a model that ends in softmax",
    "a loss that expects probabilities",
    "softmax already turns the outputs into probabilities; leave from_logits out",
)


def wrong_loss(name: str, hint: str) -> str:
    return failed(f"the loss {name}", "sparse_categorical_crossentropy", hint)


SETTINGS: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "as asked for": ({}, "", ""),
    "never compiled": (None, UNCOMPILED, "Not checked: `model` has to be compiled first"),
    "no optimizer": (
        {"optimizer": "keras:RMSprop"},
        failed("the optimizer rmsprop", "adam", "compile uses rmsprop when no optimizer is named"),
        "",
    ),
    "another optimizer": (
        {"optimizer": "keras:SGD"},
        failed("the optimizer sgd", "adam", "see the question's text"),
        "",
    ),
    "no loss": ({"loss": None}, "", NO_LOSS),
    "loss for rows of ten": (
        {"loss": "keras:CategoricalCrossentropy"},
        "",
        wrong_loss("categorical_crossentropy", ROWS),
    ),
    "loss for distances": ({"loss": "keras:mse"}, "", wrong_loss("mean_squared_error", DISTANCES)),
    "loss of one's own": (
        {"loss": "custom:mine"},
        "",
        wrong_loss("custom mine", "which loss fits ten classes with whole-number labels?"),
    ),
    "logits after softmax": ({"loss": "keras:SparseCategoricalCrossentropy", "from_logits": True}, "", LOGITS),
}


def said(*lines: bytes) -> tuple[str, str]:
    """The messages about the optimizer and the loss."""
    world = env(*lines)
    return message(checks.compile_optimizer, world, "q6"), message(checks.compile_loss, world, "q6")


@pytest.mark.parametrize("case", SETTINGS)
def test_compile_settings_are_checked_one_by_one(case: str) -> None:
    changes, *expected = SETTINGS[case]
    compiled = None if changes is None else {**COMPILED, **changes}
    assert list(said(of_model("q6", compile=compiled))) == expected


@pytest.mark.parametrize("layers", [[FLATTEN, HIDDEN, dense(10, "keras:linear")], []], ids=["no softmax", "no layers"])
def test_logits_without_softmax_are_right(layers: Any) -> None:
    compiled = {**COMPILED, "loss": "keras:SparseCategoricalCrossentropy", "from_logits": True}
    assert said(of_model("q6", layers, compile=compiled)) == ("", "")
