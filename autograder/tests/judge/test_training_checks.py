"""The checks of a trained model, with every message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from autograder.judge import checks
from autograder.judge.checks import _agrees, _likely_mistake
from autograder.judge.context import CONTEXT
from autograder.judge.scoring import Score
from autograder.tests.journals import (
    CLASSIC,
    FLATTEN,
    HIDDEN,
    OUTPUT,
    Chain,
    dense,
    env,
    failed,
    line,
    message,
    of_model,
)
from autograder.tests.journals import model as described

CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "scaled": lambda env: checks.scaled(env, "q7"),
    "accuracy": lambda env: checks.accuracy(env, "q7", 0),
    "measured": lambda env: checks.measured(env, "q7", "test_accuracy"),
}


def scored(accuracy: float, public: float | None = None, scaling: str = "divided by 255", **changes: Any) -> Any:
    """An environment whose model has this accuracy; no model is rebuilt."""
    value = changes.pop("test_accuracy", {"kind": "missing"})
    layers = changes.pop("layers_of_q5", CLASSIC)
    answer = line(question="q7", at="check", values={"test_accuracy": value}, model=described(**changes))
    world = env(of_model("q5", layers), answer)
    public = accuracy if public is None else public
    world[CONTEXT].scores["q7"] = Score(accuracy, public, (public, (accuracy + public) / 2), scaling)
    return world


def said(check: str, world: Any) -> str:
    return message(CHECKS[check], world)


TRAIN_MORE = "are the pixels scaled, for training and test alike? does the loss still fall in the last epoch?"
BAND = "Not checked: an accuracy of {} has to be reached first"


def short(found: str, level: str) -> str:
    return failed(f"{found} of hidden images right", f"at least {level}", TRAIN_MORE)


BANDS: dict[float, list[str]] = {
    0.9650: ["", "", ""],
    0.9648: ["", "", short("96.48%", "96.5%")],
    0.93: ["", "", short("93%", "96.5%")],
    0.9298: ["", short("92.98%", "93%"), BAND.format("93%")],
    0.85: ["", short("85%", "93%"), BAND.format("93%")],
    0.3: [short("30%", "85%"), BAND.format("85%"), BAND.format("93%")],
}


@pytest.mark.parametrize("accuracy", BANDS)
def test_an_accuracy_reaches_every_level_up_to_its_own(accuracy: float) -> None:
    world = scored(accuracy)
    assert [message(checks.accuracy, world, "q7", level) for level in range(3)] == BANDS[accuracy]


GUESSED = ", no better than guessing"
UNTRAINED = "call fit with the training images and labels"
SCRAMBLED = "does each label still belong to its image? does the loss fall while fit runs?"
FEW = "are all training images given to fit, and for enough epochs?"
SHORTFALLS = [
    (0.102, 0, f"{GUESSED}; the model was never trained", UNTRAINED),
    (0.1999, 1, f"{GUESSED}, after 1 step of training", SCRAMBLED),
    (0.2, 0, ", after 0 steps of training (a step is one batch)", FEW),
    (0.2, 499, ", after 499 steps of training (a step is one batch)", FEW),
    (0.2, 500, "", TRAIN_MORE),
]


@pytest.mark.parametrize(("accuracy", "steps", "remark", "hint"), SHORTFALLS)
def test_a_low_accuracy_comes_with_its_likely_reason(accuracy: float, steps: int, remark: str, hint: str) -> None:
    found = f"{100 * accuracy:g}% of hidden images right{remark}"
    assert said("accuracy", scored(accuracy, steps=steps)) == failed(found, "at least 85%", hint)


def test_weights_that_came_from_elsewhere_are_judged_by_what_they_do() -> None:
    assert said("accuracy", scored(0.97, steps=0)) == ""


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("shape", "outputs"), [([None, 9], "9 outputs"), ([None, 28, None], "0 outputs")])
def test_too_few_outputs_are_the_mistake_of_the_question_that_asks_for_them(
    check: str, shape: list[int | None], outputs: str
) -> None:
    nine = [FLATTEN, HIDDEN, dense(9, "keras:softmax")]
    world = scored(0.1, layers=described(nine)["layers"], output_shape=shape, layers_of_q5=nine, steps=0)
    assert said(check, world) == (
        f"Not checked: the layers of question q5 have to be right first: with {outputs}, some classes have none"
    )


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("layers", "structure"), [([HIDDEN, OUTPUT], "sequential"), (CLASSIC, "branching")])
def test_a_model_that_cannot_be_scored_because_of_its_layers_is_not_checked(
    check: str, layers: Chain, structure: str
) -> None:
    journal = [of_model(id, layers, structure=structure, output_shape=None) for id in ("q5", "q7")]
    assert said(check, env(*journal)) == (
        "Not checked: the layers of question q5 have to be right first: a model without parameters"
    )


def test_a_model_with_the_right_layers_that_cannot_be_scored_is_the_mistake_of_its_own_question() -> None:
    world = env(of_model("q5"), of_model("q7"))
    without = failed("a model without parameters", hint="train it with fit before this question is checked")
    assert said("accuracy", world) == without
    assert said("scaled", world) == said("measured", world) == "Not checked: there is no model to score yet"


@pytest.mark.parametrize("accuracy", [0.2, 0.97])
def test_unscaled_pixels_are_found_whatever_the_accuracy(accuracy: float) -> None:
    assert said("scaled", scored(accuracy, scaling="as they are")) == failed(
        "the model was trained on pixels from 0 to 255",
        "small inputs, for training and test alike",
        "scale both sets of images before fit; what is the largest value a pixel can have?",
    )


def test_scaled_pixels_are_right_in_every_way() -> None:
    assert said("scaled", scored(0.97)) == said("scaled", scored(0.5, scaling="standardised")) == ""


@pytest.mark.parametrize("check", ["scaled", "measured"])
def test_what_depends_on_training_is_not_checked_before_it(check: str) -> None:
    assert said(check, scored(0.199, scaling="as they are")) == "Not checked: the model has to be trained first"


RIGHT = [0.976, 0.9746, 0.9774, 0.974, 0.9725, 97.6, 97.46, 98, 0.98, 97]
"""Of a model that gets 97.6 % of the student's test images right, and 97.4 % of all official ones."""


@pytest.mark.parametrize(
    ("accuracy", "public", "value"), [*((0.972, 0.976, value) for value in RIGHT), (1.0, 1.0, 1), (1.0, 1.0, 100)]
)
def test_a_measured_accuracy_is_right_as_a_fraction_in_percent_and_rounded(
    accuracy: float, public: float, value: float
) -> None:
    assert said("measured", scored(accuracy, public, test_accuracy={"kind": "number", "value": value})) == ""


def test_an_accuracy_measured_under_another_plausible_scaling_is_right() -> None:
    world = scored(0.97, test_accuracy={"kind": "number", "value": 0.95})
    world[CONTEXT].scores["q7"] = Score(0.97, 0.97, (0.97, 0.95, 0.96), "divided by 255")
    assert said("measured", world) == ""


def test_a_reported_accuracy_may_differ_in_its_last_bits() -> None:
    assert _agrees(0.0015, 0.0)
    assert not _agrees(0.00151, 0.0)


A_LOSS = "is this the loss, which evaluate returns first? or were the test images scaled twice?"
TOO_HIGH = "is this the accuracy on the training images, or from before the last change to the model?"
TOO_LOW = "were the test images scaled exactly once, in the way the training images were?"


@pytest.mark.parametrize(
    ("value", "hint"), [(1.0, TOO_HIGH), (1.0001, A_LOSS), (0.48, TOO_LOW), (0.4799, A_LOSS), (-1, A_LOSS)]
)
def test_a_wrong_accuracy_has_a_likely_reason(value: float, hint: str) -> None:
    assert _likely_mistake(value, 0.96) == hint


BOTH = "evaluate returns the loss and the accuracy"
SEVERAL = "evaluate returns several numbers: keep one of them"
NOT_A_NUMBER: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing": ({"kind": "missing"}, "has not been given a value", BOTH),
    "none": ({"kind": "none"}, "has not been given a value", BOTH),
    "dots": ({"kind": "ellipsis"}, "has not been given a value", BOTH),
    "a tuple": ({"kind": "other", "name": "tuple of 2"}, "is a value of type tuple of 2", SEVERAL),
    "loss and accuracy": ({"kind": "numbers", "value": [0.08, 0.976]}, "is (0.08, 0.976)", SEVERAL),
    "a long list": ({"kind": "other", "name": "list of 40"}, "is a value of type list of 40", SEVERAL),
    "a dict": ({"kind": "other", "name": "dict"}, "is a value of type dict", SEVERAL),
    "a text": ({"kind": "text", "value": "97.6%"}, "is the text '97.6%'", BOTH),
    "true": ({"kind": "bool", "value": True}, "is True", BOTH),
    "not a number": ({"kind": "number", "value": None}, "is infinite, not a number, or far too large", BOTH),
}


@pytest.mark.parametrize("case", NOT_A_NUMBER)
def test_a_measured_accuracy_that_is_no_number_is_named(case: str) -> None:
    value, found, hint = NOT_A_NUMBER[case]
    expected = failed(f"`test_accuracy` {found}", "one number, the accuracy on the test images", hint)
    assert said("measured", scored(0.972, 0.976, test_accuracy=value)) == expected


@pytest.mark.parametrize(("value", "hint"), [(0.989, TOO_HIGH), (0.932, TOO_LOW), (0.081, A_LOSS), (313, A_LOSS)])
def test_a_measured_accuracy_that_is_wrong_is_named(value: float, hint: str) -> None:
    assert said("measured", scored(0.972, 0.976, test_accuracy={"kind": "number", "value": value})) == failed(
        f"`test_accuracy` is {value}, but the model gets 97.6% of the test images right",
        "the accuracy of this model on the test images",
        hint,
    )


def test_a_test_set_that_the_model_was_trained_on_measures_nothing() -> None:
    assert said("measured", scored(0.941, 0.97, test_accuracy={"kind": "number", "value": 0.97})) == ""
    assert said("measured", scored(0.941, 0.9999, test_accuracy={"kind": "number", "value": 0.9999})) == failed(
        "99.99% of your test images right, but 94.1% of hidden images",
        "test images that the model was not trained on",
        "which images and labels are given to fit?",
    )
