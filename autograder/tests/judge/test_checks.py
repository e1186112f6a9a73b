"""Every check, every message: found, expected, what to try, in three lines at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from autograder.judge import checks
from autograder.judge.checks import BENCH
from autograder.judge.context import CheckFailed, NotChecked, Score
from autograder.judge.evidence import MAX_WEIGHTS
from autograder.tests.journals import (
    CLASSIC,
    COMPILED,
    FLATTEN,
    HIDDEN,
    OUTPUT,
    RULES,
    bench,
    dense,
    line,
    of_model,
    of_values,
)
from autograder.tests.journals import model as described

Check = Callable[[Mapping[str, Any]], None]


def message(check: Check, env: Mapping[str, Any]) -> str:
    """What a failing check says."""
    with pytest.raises(CheckFailed) as failed:
        check(env)
    said = str(failed.value)
    assert isinstance(failed.value, NotChecked) == said.startswith("Not checked: ")
    assert 1 <= len(said.splitlines()) <= 3
    return said


def env(*lines: bytes, **settings: Any) -> dict[str, Any]:
    return {BENCH: bench(*lines, **settings)}


SHAPE, LENGTH = "train_images_shape", "train_labels_length"
READ_IT = "Try: read it off the array: .shape gives a shape, len() gives a length"
NO_VALUE = f"has not been given a value\n{READ_IT}"

REPORTS: dict[str, tuple[str, Any, str]] = {
    "missing": (SHAPE, "missing", f"Found: `{SHAPE}` {NO_VALUE}"),
    "still dots": (LENGTH, "ellipsis", f"Found: `{LENGTH}` {NO_VALUE}"),
    "none": (SHAPE, "none", f"Found: `{SHAPE}` {NO_VALUE}"),
    "a number for a shape": (
        SHAPE,
        ("number", 60000),
        f"Found: `{SHAPE}` is 60000\nExpected: a tuple of 3 whole numbers\n{READ_IT}",
    ),
    "a text for a shape": (
        SHAPE,
        ("text", "(60000, 28, 28)"),
        f"Found: `{SHAPE}` is the text '(60000, 28, 28)'\nExpected: a tuple of 3 whole numbers\n{READ_IT}",
    ),
    "another shape": (
        SHAPE,
        ("numbers", [10000, 28, 28]),
        f"Found: `{SHAPE}` is (10000, 28, 28)\nExpected: (60000, 28, 28)\n"
        "Try: load_data() returns two pairs; is this the right array of the right pair, before any reshaping?",
    ),
    "a shape for a number": (
        LENGTH,
        ("numbers", [60000]),
        f"Found: `{LENGTH}` is (60000,)\nExpected: one whole number\n{READ_IT}",
    ),
    "true for a number": (LENGTH, ("bool", True), f"Found: `{LENGTH}` is True\nExpected: one whole number\n{READ_IT}"),
    "infinity": (
        LENGTH,
        ("number", None),
        f"Found: `{LENGTH}` is infinite, not a number, or far too large\nExpected: 60000\n"
        "Try: is this the right array of the right pair?",
    ),
    "another number": (
        LENGTH,
        ("number", 10000),
        f"Found: `{LENGTH}` is 10000\nExpected: 60000\nTry: is this the right array of the right pair?",
    ),
    "a fraction": (
        LENGTH,
        ("number", 59999.5),
        f"Found: `{LENGTH}` is 59999.5\nExpected: 60000\nTry: is this the right array of the right pair?",
    ),
    "something else": (
        LENGTH,
        "other",
        f"Found: `{LENGTH}` is a value of type other\nExpected: one whole number\n{READ_IT}",
    ),
}


@pytest.mark.parametrize("case", REPORTS)
def test_a_wrong_report_is_named(case: str) -> None:
    name, value, expected = REPORTS[case]
    assert message(lambda env: checks.report(env, "q4", name), env(of_values(**{name: value}))) == expected


def test_a_value_of_another_type_is_called_by_its_type() -> None:
    journal = line(question="q4", at="check", values={SHAPE: {"kind": "array", "name": "array of shape (9,)"}})
    said = message(lambda env: checks.report(env, "q4", SHAPE), env(journal))
    assert said.startswith(f"Found: `{SHAPE}` is a value of type array of shape (9,)\n")


def test_a_report_that_was_not_taken_has_no_value() -> None:
    said = message(lambda env: checks.report(env, "q4", SHAPE), env(of_values(other=("number", 1))))
    assert said == f"Found: `{SHAPE}` {NO_VALUE}"


@pytest.mark.parametrize(("name", "value"), [(SHAPE, ("numbers", [60000, 28, 28])), (LENGTH, ("number", 60000))])
def test_a_true_report_passes(name: str, value: Any) -> None:
    checks.report(env(of_values(**{name: value})), "q4", name)


ANSWERED: dict[str, Any] = {SHAPE: ("numbers", [60000, 28, 28]), LENGTH: ("number", 60000)}


def test_the_images_of_another_dataset_are_said_once_and_the_rest_is_not_checked() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **ANSWERED))
    assert message(lambda env: checks.report(env, "q4", SHAPE), world) == (
        "Found: keras.datasets.fashion_mnist, the images of Fashion MNIST\nExpected: the images of MNIST\n"
        "Try: keras.datasets.mnist has a load_data of its own"
    )
    said = message(lambda env: checks.report(env, "q4", LENGTH), world)
    assert said == "Not checked: the images of MNIST have to be loaded first"


def test_a_value_that_is_missing_is_said_before_the_images_are() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **{**ANSWERED, LENGTH: "ellipsis"}))
    assert message(lambda env: checks.report(env, "q4", LENGTH), world) == f"Found: `{LENGTH}` {NO_VALUE}"


@pytest.mark.parametrize("loaded", [[], ["mnist"], ["fashion_mnist", "mnist"], ["cifar10"], ["no such thing"]])
def test_whoever_loaded_the_right_images_among_others_is_right(loaded: list[str]) -> None:
    for name in ANSWERED:
        checks.report(env(of_values(loaded=loaded, **ANSWERED)), "q4", name)


def test_another_assignment_is_about_another_dataset() -> None:
    about = RULES.assignment.model_copy(update={"dataset": "fashion_mnist"})
    rules = RULES.model_copy(update={"assignment": about})
    checks.report(env(of_values(loaded=["fashion_mnist"], **ANSWERED), rules=rules), "q4", SHAPE)
    said = message(
        lambda env: checks.report(env, "q4", SHAPE), env(of_values(loaded=["mnist"], **ANSWERED), rules=rules)
    )
    assert said.startswith("Found: keras.datasets.mnist, the images of MNIST\nExpected: the images of Fashion MNIST")


def test_without_a_bench_the_evidence_is_taken_from_the_variables_themselves() -> None:
    checks.report({SHAPE: (60000, 28, 28)}, "q4", SHAPE)
    said = message(lambda env: checks.report(env, "q4", SHAPE), {SHAPE: 3})
    assert said == f"Found: `{SHAPE}` is 3\nExpected: a tuple of 3 whole numbers\n{READ_IT}"


ALL: dict[str, Check] = {
    "report": lambda env: checks.report(env, "q4", SHAPE),
    "layer": lambda env: checks.layer(env, "q5", 0),
    "second layer": lambda env: checks.layer(env, "q5", 1),
    "optimizer": lambda env: checks.compile_optimizer(env, "q6"),
    "loss": lambda env: checks.compile_loss(env, "q6"),
    "scaled": lambda env: checks.scaled(env, "q7"),
    "accuracy": lambda env: checks.accuracy(env, "q7", 0),
    "second level": lambda env: checks.accuracy(env, "q7", 1),
    "measured": lambda env: checks.measured(env, "q7", "test_accuracy"),
}
UNREACHED = (
    "Found: the notebook stopped before this question was reached\n"
    "Try: run the whole notebook from the top (Run > Restart Kernel and Run All Cells)"
)
UNREACHED_LATER = {
    "second layer": "Not checked: there is no model to look at yet",
    "loss": "Not checked: there is no model to look at yet",
    "scaled": "Not checked: there is no model to score yet",
    "second level": "Not checked: there is no model to score yet",
    "measured": "Not checked: there is no model to score yet",
}
NO_MODEL: dict[str, tuple[dict[str, Any], str]] = {
    "missing": (
        {"kind": "missing"},
        "Found: there is no variable called `model`\nExpected: a Keras model\n"
        "Try: has the answer cell been renamed or deleted?",
    ),
    "still dots": (
        {"kind": "ellipsis"},
        "Found: `model` has not been given a value\nExpected: a Keras model\nTry: replace the ... in the answer cell",
    ),
    "what fit returns": (
        {"kind": "other", "name": "History"},
        "Found: `model` is a History\nExpected: a Keras model\nTry: fit returns a History; keep it under another name",
    ),
    "something else": ({"kind": "other", "name": "list"}, "Found: `model` is a list\nExpected: a Keras model"),
}
BUILD_FIRST = "Not checked: question q5 has to be answered first: there is no model yet"


@pytest.mark.parametrize("check", ALL)
def test_an_unreached_question_is_said_once_and_then_not_checked(check: str) -> None:
    assert message(ALL[check], env()) == UNREACHED_LATER.get(check, UNREACHED)


@pytest.mark.parametrize("check", sorted(ALL.keys() - {"report", "layer", "second layer"}))
@pytest.mark.parametrize("case", NO_MODEL)
def test_without_a_model_only_the_question_that_asks_for_it_is_at_fault(case: str, check: str) -> None:
    described, expected = NO_MODEL[case]
    lines = [line(question=id, at="check", model=described) for id in ("q5", "q6", "q7")]
    assert message(ALL[check], env(*lines)) == BUILD_FIRST
    assert message(ALL["layer"], env(*lines)) == expected
    assert message(ALL["second layer"], env(*lines)) == "Not checked: there is no model to look at yet"


@pytest.mark.parametrize("case", NO_MODEL)
def test_a_model_that_was_there_and_is_gone_is_a_mistake_of_its_own(case: str) -> None:
    described, expected = NO_MODEL[case]
    lines = [of_model("q5"), *(line(question=id, at="check", model=described) for id in ("q6", "q7"))]
    assert message(ALL["optimizer"], env(*lines)) == expected
    assert message(ALL["loss"], env(*lines)) == "Not checked: there is no model to look at yet"
    assert message(ALL["accuracy"], env(*lines)) == expected
    for later in ("scaled", "second level", "measured"):
        assert message(ALL[later], env(*lines)) == "Not checked: there is no model to score yet"


UNCOMPILED = "Found: `model` was never compiled\nExpected: a compiled model\nTry: call its compile method before fit"
LOGITS = "from_logits=True, on a model that ends in softmax"
NO_OPTIMIZER = "Try: compile uses rmsprop when no optimizer is named"
SETTINGS: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "as asked for": ({}, "", ""),
    "never compiled": (None, UNCOMPILED, "Not checked: `model` has to be compiled first"),
    "no optimizer": (
        {"optimizer": "keras:RMSprop"},
        f"Found: the optimizer rmsprop\nExpected: adam\n{NO_OPTIMIZER}",
        "",
    ),
    "another optimizer": (
        {"optimizer": "keras:SGD"},
        "Found: the optimizer sgd\nExpected: adam\nTry: see the question's text",
        "",
    ),
    "no loss": (
        {"loss": None},
        "",
        "Found: no loss was given to compile\nExpected: a loss\nTry: without one, nothing tells fit what to improve",
    ),
    "loss for rows of ten": (
        {"loss": "keras:CategoricalCrossentropy"},
        "",
        "Found: the loss categorical_crossentropy\nExpected: sparse_categorical_crossentropy\n"
        "Try: the labels here are whole numbers, not rows of ten zeros and ones",
    ),
    "loss for distances": (
        {"loss": "keras:mse"},
        "",
        "Found: the loss mean_squared_error\nExpected: sparse_categorical_crossentropy\n"
        "Try: that loss is for measuring distances, not for choosing among classes",
    ),
    "loss of one's own": (
        {"loss": "custom:mine"},
        "",
        "Found: the loss custom mine\nExpected: sparse_categorical_crossentropy\n"
        "Try: which loss fits ten classes with whole-number labels?",
    ),
    "logits after softmax": (
        {"loss": "keras:SparseCategoricalCrossentropy", "from_logits": True},
        "",
        f"Found: {LOGITS}\nExpected: a loss that is told it gets probabilities\n"
        "Try: softmax already turns the outputs into probabilities; leave from_logits out",
    ),
}


def said(check: Check, world: Mapping[str, Any]) -> str:
    try:
        check(world)
    except CheckFailed as failed:
        return str(failed)
    return ""


@pytest.mark.parametrize("case", SETTINGS)
def test_compile_settings_are_checked_one_by_one(case: str) -> None:
    changes, optimizer, loss = SETTINGS[case]
    world = env(of_model("q6", compile=None if changes is None else {**COMPILED, **changes}))
    assert (said(ALL["optimizer"], world), said(ALL["loss"], world)) == (optimizer, loss)


def test_logits_without_softmax_are_right() -> None:
    compiled = {**COMPILED, "loss": "keras:SparseCategoricalCrossentropy", "from_logits": True}
    world = env(of_model("q6", [FLATTEN, HIDDEN, dense(10, "keras:linear")], compile=compiled))
    assert said(ALL["loss"], world) == ""


def scored(accuracy: float, public: float | None = None, scaling: str = "divided by 255", **changes: Any) -> Any:
    """An environment whose model has this accuracy; no model is rebuilt."""
    value = changes.pop("test_accuracy", ("missing", None))
    values = {"test_accuracy": {"kind": value[0], "value": value[1]}}
    layers = changes.pop("layers_of_q5", CLASSIC)
    taken = line(question="q7", at="check", values=values, model=described(**changes))
    world = env(of_model("q5", layers), taken)
    public = accuracy if public is None else public
    world[BENCH].scores["q7"] = Score(accuracy, public, (public, (accuracy + public) / 2), scaling)
    return world


@pytest.mark.parametrize("check", sorted(ALL.keys() - {"report"}))
def test_without_a_bench_a_missing_model_is_said_like_elsewhere(check: str) -> None:
    layers = {"layer": NO_MODEL["missing"][1], "second layer": "Not checked: there is no model to look at yet"}
    assert message(ALL[check], {}) == layers.get(check, BUILD_FIRST)


@pytest.mark.parametrize("steps", [0, 9375])
def test_twice_as_good_as_chance_is_no_guessing(steps: int) -> None:
    assert "guessing" not in message(ALL["accuracy"], scored(0.2, steps=steps))


def test_a_reported_accuracy_may_differ_in_its_last_bits() -> None:
    assert checks._same(0.0015, 0.0)
    assert not checks._same(0.00151, 0.0)


@pytest.mark.parametrize("value", [1.0, 1, 100, 100.0])
def test_all_right_is_one_or_a_hundred_percent(value: float) -> None:
    assert said(ALL["measured"], scored(1.0, test_accuracy=("number", value))) == ""


@pytest.mark.parametrize("value", [0.96, 0.95, 0.97])
def test_what_was_measured_under_another_scaling_that_is_near_is_true_too(value: float) -> None:
    world = scored(0.97, test_accuracy=("number", value))
    world[BENCH].scores["q7"] = Score(0.97, 0.97, (0.97, 0.95, 0.96), "divided by 255")
    assert said(ALL["measured"], world) == ""


def test_without_a_bench_both_halves_of_the_test_images_are_at_hand() -> None:
    bench = checks._bench({}, "q5")
    assert (len(bench.public.labels), len(bench.private.labels)) == (5000, 5000)


def test_a_long_text_is_cut_in_a_message() -> None:
    value: Any = ("text", "x" * 60)
    world = env(of_values(**{SHAPE: value}))
    assert f"is the text '{'x' * 40}'" in message(lambda env: checks.report(env, "q4", SHAPE), world)


def test_a_check_before_the_model_was_compiled_leaves_the_end_to_count() -> None:
    world = env(of_model("q6", compile=None), of_model("q6", at="end"))
    assert said(ALL["optimizer"], world) == said(ALL["loss"], world) == ""
    again = env(of_model("q6", compile=None), of_model("q6", at="end", compile=None))
    assert message(ALL["optimizer"], again) == UNCOMPILED


def test_a_compiled_model_stays_what_it_was_at_its_check() -> None:
    changed = {**COMPILED, "optimizer": "keras:SGD"}
    assert said(ALL["optimizer"], env(of_model("q6"), of_model("q6", at="end", compile=changed))) == ""


@pytest.mark.parametrize(
    ("at_check", "at_end", "expected"), [(0, 9375, 9375), (9375, 20000, 9375), (0, 0, 0), (5, 0, 5)], ids=str
)
def test_a_check_before_the_training_leaves_the_end_to_count(at_check: int, at_end: int, expected: int) -> None:
    world = env(of_model("q7", steps=at_check), of_model("q7", at="end", steps=at_end))
    assert world[BENCH].model("q7")[1].steps == expected


def test_layers_are_those_of_the_check_whatever_became_of_them() -> None:
    world = env(of_model("q5", compile=None, steps=0), of_model("q5", [FLATTEN], at="end"))
    assert len(world[BENCH].model("q5")[1].layers) == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "TOO_HIGH"), (1.0001, "A_LOSS"), (0.48, "TOO_LOW"), (0.4799, "A_LOSS"), (0.4, "A_LOSS")],
)
def test_where_a_wrong_accuracy_may_come_from(value: float, expected: str) -> None:
    words = {"TOO_HIGH": TOO_HIGH, "A_LOSS": A_LOSS, "TOO_LOW": TOO_LOW}[expected]
    assert f"Try: {checks._where_from(value, 0.96)}" == words


TRAIN_MORE = "Try: are the pixels scaled, for training and test alike? does the loss still fall in the last epoch?"
BANDS: dict[float, list[str]] = {
    0.9650: ["", "", ""],
    0.9648: ["", "", f"Found: 96.48% of hidden images right\nExpected: at least 96.5%\n{TRAIN_MORE}"],
    0.96499999: ["", "", f"Found: 96.49% of hidden images right\nExpected: at least 96.5%\n{TRAIN_MORE}"],
    0.93: ["", "", f"Found: 93% of hidden images right\nExpected: at least 96.5%\n{TRAIN_MORE}"],
    0.9298: [
        "",
        f"Found: 92.98% of hidden images right\nExpected: at least 93%\n{TRAIN_MORE}",
        "Not checked: an accuracy of 93% has to be reached first",
    ],
    0.85: [
        "",
        f"Found: 85% of hidden images right\nExpected: at least 93%\n{TRAIN_MORE}",
        "Not checked: an accuracy of 93% has to be reached first",
    ],
    0.3: [
        f"Found: 30% of hidden images right\nExpected: at least 85%\n{TRAIN_MORE}",
        "Not checked: an accuracy of 85% has to be reached first",
        "Not checked: an accuracy of 93% has to be reached first",
    ],
}


@pytest.mark.parametrize("accuracy", BANDS)
def test_an_accuracy_reaches_every_level_up_to_its_own(accuracy: float) -> None:
    world = scored(accuracy)
    assert [said(lambda env, at=level: checks.accuracy(env, "q7", at), world) for level in range(3)] == BANDS[accuracy]  # type: ignore[misc]  # a lambda with a default


def test_a_model_that_was_never_trained_is_told_so() -> None:
    assert message(ALL["accuracy"], scored(0.102, steps=0)) == (
        "Found: 10.2% of hidden images right, as guessing gives; the model was never trained\n"
        "Expected: at least 85%\nTry: call fit with the training images and labels"
    )


def test_a_model_that_guesses_after_training_is_asked_about_its_labels() -> None:
    assert message(ALL["accuracy"], scored(0.1999, steps=9375)) == (
        "Found: 19.99% of hidden images right, as guessing gives, after 9375 steps of training\n"
        "Expected: at least 85%\n"
        "Try: does each label still stand at the place of its image? does the loss fall while fit runs?"
    )
    assert "after 1 step of training" in message(ALL["accuracy"], scored(0.1, steps=1))


@pytest.mark.parametrize(("steps", "told"), [(499, True), (500, False)])
def test_few_steps_of_training_are_told(steps: int, told: bool) -> None:
    few = f"Found: 71% of hidden images right, after {steps} steps of training (a step is one batch)\n"
    few += "Expected: at least 85%\nTry: are all training images given to fit, and for enough epochs?"
    plain = f"Found: 71% of hidden images right\nExpected: at least 85%\n{TRAIN_MORE}"
    assert message(ALL["accuracy"], scored(0.71, steps=steps)) == (few if told else plain)


LATE = ("scaled", "accuracy", "measured")


@pytest.mark.parametrize("check", LATE)
def test_a_model_without_an_output_for_every_class_is_the_mistake_of_the_question_that_asks_for_it(check: str) -> None:
    nine = [FLATTEN, HIDDEN, dense(9, "keras:softmax")]
    world = scored(0.1, layers=described(nine)["layers"], output_shape=[None, 9], layers_of_q5=nine, steps=0)
    assert message(ALL[check], world) == (
        "Not checked: the layers of question q5 have to be right first: with 9 outputs there is none for some classes"
    )


@pytest.mark.parametrize(("shape", "said"), [([None, 28, 9], "9 outputs"), ([None, 28, None], "0 outputs")], ids=str)
def test_the_outputs_of_a_model_are_its_last_size(shape: list[int | None], said: str) -> None:
    nine = [FLATTEN, HIDDEN, dense(9, "keras:softmax")]
    world = scored(0.1, layers=described(nine)["layers"], output_shape=shape, layers_of_q5=nine)
    assert f"right first: with {said} there is none for some classes" in message(ALL["accuracy"], world)


@pytest.mark.parametrize("check", LATE)
def test_what_cannot_be_scored_because_of_its_layers_is_not_checked(check: str) -> None:
    flat = [HIDDEN, OUTPUT]
    world = env(of_model("q5", flat), of_model("q7", flat))
    assert message(ALL[check], world) == (
        "Not checked: the layers of question q5 have to be right first: a model without parameters"
    )


@pytest.mark.parametrize("accuracy", [0.2, 0.97])
def test_unscaled_pixels_are_found_whatever_the_accuracy(accuracy: float) -> None:
    assert message(ALL["scaled"], scored(accuracy, scaling="as they are")) == (
        "Found: the model was trained on pixels from 0 to 255\n"
        "Expected: small inputs, for training and test alike\n"
        "Try: scale both sets of images before fit; what is the largest value a pixel can have?"
    )


def test_scaled_pixels_are_right_in_every_way() -> None:
    assert said(ALL["scaled"], scored(0.97)) == said(ALL["scaled"], scored(0.5, scaling="standardised")) == ""


@pytest.mark.parametrize("check", ["scaled", "measured"])
def test_what_depends_on_training_is_not_checked_before_it(check: str) -> None:
    assert message(ALL[check], scored(0.199, scaling="as they are")) == (
        "Not checked: the model has to be trained first"
    )


RIGHT = [0.976, 0.9746, 0.9774, 0.974, 0.9725, 97.6, 97.46, 98, 0.98, 97]
"""Of a model that gets 97.6 % of the student's test images right, and 97.4 % of all official ones."""


@pytest.mark.parametrize("value", RIGHT)
def test_a_measured_accuracy_is_right_as_a_fraction_in_percent_and_rounded(value: float) -> None:
    assert said(ALL["measured"], scored(0.972, 0.976, test_accuracy=("number", value))) == ""


ONE_NUMBER = "Expected: one number, the accuracy on the test images"
BOTH = "Try: evaluate returns the loss and the accuracy"
OF_THIS = "Expected: the accuracy of this model on the test images"
TOO_HIGH = "Try: is this the accuracy on the training images, or from before the last change of the model?"
TOO_LOW = "Try: were the test images scaled exactly once, in the way the training images were?"
A_LOSS = "Try: is this the loss, which evaluate returns first? or were the test images scaled twice?"
MEASURED: dict[str, tuple[str, Any, str]] = {
    "missing": ("missing", None, f"Found: `test_accuracy` has not been given a value\n{ONE_NUMBER}\n{BOTH}"),
    "dots": ("ellipsis", None, f"Found: `test_accuracy` has not been given a value\n{ONE_NUMBER}\n{BOTH}"),
    "none": ("none", None, f"Found: `test_accuracy` has not been given a value\n{ONE_NUMBER}\n{BOTH}"),
    "loss and accuracy": (
        "numbers",
        [0.08, 0.976],
        f"Found: `test_accuracy` is (0.08, 0.976)\n{ONE_NUMBER}\n"
        "Try: evaluate returns several numbers: keep one of them",
    ),
    "a text": ("text", "97.6%", f"Found: `test_accuracy` is the text '97.6%'\n{ONE_NUMBER}\n{BOTH}"),
    "true": ("bool", True, f"Found: `test_accuracy` is True\n{ONE_NUMBER}\n{BOTH}"),
    "not a number": (
        "number",
        None,
        f"Found: `test_accuracy` is infinite, not a number, or far too large\n{ONE_NUMBER}\n{BOTH}",
    ),
    "too high": (
        "number",
        0.989,
        f"Found: `test_accuracy` is 0.989, but the model gets 97.6% of the test images right\n{OF_THIS}\n{TOO_HIGH}",
    ),
    "too low": (
        "number",
        0.932,
        f"Found: `test_accuracy` is 0.932, but the model gets 97.6% of the test images right\n{OF_THIS}\n{TOO_LOW}",
    ),
    "the loss": (
        "number",
        0.081,
        f"Found: `test_accuracy` is 0.081, but the model gets 97.6% of the test images right\n{OF_THIS}\n{A_LOSS}",
    ),
    "a large number": (
        "number",
        313,
        f"Found: `test_accuracy` is 313, but the model gets 97.6% of the test images right\n{OF_THIS}\n{A_LOSS}",
    ),
    "a negative number": (
        "number",
        -1,
        f"Found: `test_accuracy` is -1, but the model gets 97.6% of the test images right\n{OF_THIS}\n{A_LOSS}",
    ),
}


@pytest.mark.parametrize("case", MEASURED)
def test_a_measured_accuracy_that_is_wrong_is_named(case: str) -> None:
    kind, value, expected = MEASURED[case]
    assert message(ALL["measured"], scored(0.972, 0.976, test_accuracy=(kind, value))) == expected


@pytest.mark.parametrize("name", ["list of 40", "tuple of 9", "dict"])
def test_several_numbers_are_no_accuracy(name: str) -> None:
    values = {"test_accuracy": {"kind": "other", "name": name}}
    world = env(of_model("q5"), line(question="q7", at="check", values=values, model=described()))
    world[BENCH].scores["q7"] = Score(0.97, 0.97, (0.97,), "divided by 255")
    assert message(ALL["measured"], world) == (
        f"Found: `test_accuracy` is a value of type {name}\n{ONE_NUMBER}\n"
        "Try: evaluate returns several numbers: keep one of them"
    )


@pytest.mark.parametrize(("seen", "expected"), [(0.97, ""), (0.9999, "Found: 99.99% of your test images right, but")])
def test_a_test_set_that_the_model_was_trained_on_measures_nothing(seen: float, expected: str) -> None:
    told = said(ALL["measured"], scored(0.941, seen, test_accuracy=("number", seen)))
    assert told.startswith(expected)
    assert bool(told) == bool(expected)
    if expected:
        assert told == (
            "Found: 99.99% of your test images right, but 94.1% of hidden images\n"
            "Expected: test images that the model was not trained on\nTry: which images and labels are given to fit?"
        )


def test_weights_that_came_from_elsewhere_are_judged_by_what_they_do() -> None:
    assert said(ALL["accuracy"], scored(0.97, steps=0)) == ""


def test_a_model_without_parameters_is_told_to_train() -> None:
    assert message(ALL["accuracy"], env(of_model("q7"))) == (
        "Found: a model without parameters\nTry: train it with fit before this question is checked"
    )


def test_a_model_too_large_to_have_been_recorded_is_told_its_size() -> None:
    flatten, *dense_layers = described()["layers"]
    large = [{**flatten, "weights": [[MAX_WEIGHTS, 2], [2]]}, *dense_layers]
    assert message(ALL["accuracy"], env(of_model("q5"), of_model("q7", layers=large))) == (
        "Found: a model with 10,000,002 parameters\nExpected: at most 5,000,000\nTry: make its layers smaller"
    )


@pytest.mark.slow
def test_a_model_that_cannot_be_rebuilt_is_told_why() -> None:
    blob = np.zeros(3, "<f4").tobytes()
    said = message(ALL["accuracy"], env(of_model("q7", blob={"start": 0, "count": 3}), blob=blob))
    assert said == (
        "Found: a model that cannot be scored: its layers need 101,770 parameters, but 3 came with it\n"
        "Expected: the layers that the assignment asks for"
    )
