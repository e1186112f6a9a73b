"""The checks of values, layers and compile settings, with every message; and of a model that is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from autograder.judge import checks
from autograder.tests.journals import (
    CLASSIC,
    COMPILED,
    FLATTEN,
    HIDDEN,
    OUTPUT,
    RULES,
    Chain,
    Layer,
    dense,
    env,
    failed,
    line,
    message,
    of_model,
    of_values,
)

SHAPE, LENGTH = "train_images_shape", "train_labels_length"
READ_IT = "read it off the array: .shape gives a shape, len() gives a length"
NO_VALUE = ("has not been given a value", "", READ_IT)
RIGHT_PAIR = "is this the right array of the right pair?"
BEFORE = "load_data() returns two pairs; is this the right array of the right pair, before any reshaping?"

REPORTS: dict[str, tuple[str, Any, tuple[str, str, str]]] = {
    "not recorded": ("other", ("number", 1), NO_VALUE),
    "missing": (SHAPE, "missing", NO_VALUE),
    "still dots": (LENGTH, "ellipsis", NO_VALUE),
    "none": (SHAPE, "none", NO_VALUE),
    "a number for a shape": (SHAPE, ("number", 60000), ("is 60000", "a tuple of 3 whole numbers", READ_IT)),
    "another shape": (SHAPE, ("numbers", [10000, 28, 28]), ("is (10000, 28, 28)", "(60000, 28, 28)", BEFORE)),
    "a shape for a number": (LENGTH, ("numbers", [60000]), ("is (60000,)", "one whole number", READ_IT)),
    "another number": (LENGTH, ("number", 10000), ("is 10000", "60000", RIGHT_PAIR)),
}


def report(name: str, world: dict[str, Any]) -> str:
    return message(checks.report, world, "q4", name)


@pytest.mark.parametrize("case", REPORTS)
def test_a_wrong_report_is_named(case: str) -> None:
    given, value, (found, expected, hint) = REPORTS[case]
    name = given if given in (SHAPE, LENGTH) else SHAPE
    assert report(name, env(of_values(**{given: value}))) == failed(f"`{name}` {found}", expected, hint)


RIGHT: dict[str, Any] = {SHAPE: ("numbers", [60000, 28, 28]), LENGTH: ("number", 60000)}


def test_the_images_of_another_dataset_are_reported_once_and_the_rest_is_not_checked() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **RIGHT))
    found = "keras.datasets.fashion_mnist, the images of Fashion MNIST"
    hint = "keras.datasets.mnist has a load_data of its own"
    assert report(SHAPE, world) == failed(found, "the images of MNIST", hint)
    assert report(LENGTH, world) == "Not checked: the images of MNIST have to be loaded first"


def test_a_missing_value_is_reported_before_the_images_are() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **{**RIGHT, LENGTH: "ellipsis"}))
    assert "has not been given a value" in report(LENGTH, world)


@pytest.mark.parametrize("loaded", [[], ["mnist"], ["fashion_mnist", "mnist"], ["cifar10"], ["no such thing"]])
def test_a_true_report_passes_if_the_right_images_were_loaded_or_no_others_are_known(loaded: list[str]) -> None:
    assert [report(name, env(of_values(loaded=loaded, **RIGHT))) for name in RIGHT] == ["", ""]


def test_another_assignment_is_about_another_dataset() -> None:
    about = RULES.assignment.model_copy(update={"dataset": "fashion_mnist"})
    rules = RULES.model_copy(update={"assignment": about})
    assert report(SHAPE, env(of_values(loaded=["fashion_mnist"], **RIGHT), rules=rules)) == ""
    said = report(SHAPE, env(of_values(loaded=["mnist"], **RIGHT), rules=rules))
    assert said.startswith("Found: keras.datasets.mnist, the images of MNIST\nExpected: the images of Fashion MNIST")


def test_without_a_context_the_evidence_is_taken_from_the_variables_themselves() -> None:
    assert report(SHAPE, {SHAPE: (60000, 28, 28)}) == ""
    assert report(SHAPE, {SHAPE: 3}) == failed(f"`{SHAPE}` is 3", "a tuple of 3 whole numbers", READ_IT)


COUNT_FIRST = "Not checked: the number of layers has to be right first"
COMPARE = "compare with the list in the question, from the first layer to the last"


def number_of(found: str, without: str = "") -> str:
    return failed(found, f"3 layers{without and f', without {without}'}", COMPARE)


def units(found: str, expected: int) -> str:
    return failed(found, str(expected), "see the question's text")


def activation(layer: int, name: str) -> str:
    hint = "what should come out of this layer: any positive number, or a probability?"
    return failed(f"layer {layer} has the activation {name}", "another activation", hint)


DROPOUT: Layer = ("keras:Dropout", {"rate": 0.5})
OWN: Layer = ("custom:Mine\u00a0a", {})
MIDDLE, LAST = "Dense(128, relu)", "Dense(10, softmax)"
TWICE = number_of(f"4 layers: Flatten → {MIDDLE} → {LAST} → {LAST}", f"the repeated {LAST}")
FOURTH = number_of(f"4 layers: Flatten → Dropout → {MIDDLE} → {LAST}", "Dropout as layer 2")
BOTH = number_of(f"5 layers: Flatten → Dropout → {MIDDLE} → Dropout → {LAST}", "Dropout")
ORDER = failed(f"layers in another order: {MIDDLE} → Flatten → {LAST}", "Flatten as layer 1", COMPARE)
GRIDS = failed(
    "layer 1 is Dense(784, relu)", "a Flatten layer", "the images are grids; a Dense layer wants one row of numbers"
)
UNITS_UNKNOWN: Layer = ("keras:Dense", {"activation": "keras:relu"})
CHAINS: dict[str, tuple[Chain, list[str]]] = {
    "as asked for": (CLASSIC, ["", "", ""]),
    "one too few": ([FLATTEN, OUTPUT], ["", number_of(f"2 layers: Flatten → {LAST}"), ""]),
    "two too few": ([FLATTEN], ["", number_of("1 layer: Flatten"), COUNT_FIRST]),
    "empty": ([], [number_of("0 layers: nothing"), COUNT_FIRST, COUNT_FIRST]),
    "one too many, the same": ([*CLASSIC, OUTPUT], ["", "", TWICE]),
    "one too many, another": ([FLATTEN, DROPOUT, HIDDEN, OUTPUT], ["", FOURTH, ""]),
    "one too many, in two places": ([FLATTEN, DROPOUT, HIDDEN, DROPOUT, OUTPUT], ["", BOTH, BOTH]),
    "another order": ([HIDDEN, FLATTEN, OUTPUT], [ORDER, "", ""]),
    "no Flatten": ([dense(784), HIDDEN, OUTPUT], [GRIDS, "", ""]),
    "one's own": ([FLATTEN, OWN, OUTPUT], ["", failed("layer 2 is your own layer Mine a", "a Dense layer"), ""]),
    "too few neurons": (
        [FLATTEN, dense(64), dense(1, "keras:softmax")],
        ["", units("layer 2 has 64 neurons", 128), units("layer 3 has 1 neuron", 10)],
    ),
    "neurons unknown": ([FLATTEN, UNITS_UNKNOWN, OUTPUT], ["", units("layer 2 has 0 neurons", 128), ""]),
    "activations swapped": (
        [FLATTEN, dense(128, "keras:softmax"), dense(10)],
        ["", activation(2, "softmax"), activation(3, "relu")],
    ),
}


def layers(chain: Chain, **changes: Any) -> list[str]:
    """The messages of the three checks of layers."""
    world = env(of_model("q5", chain, **changes))
    return [message(checks.layer, world, "q5", index) for index in range(3)]


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_of_layers_is_compared_whole(case: str) -> None:
    chain, expected = CHAINS[case]
    assert layers(chain) == expected


@pytest.mark.parametrize(
    ("structure", "found"),
    [
        ("subclassed", "a model of your own class"),
        ("branching", "a model whose layers branch, or are used twice"),
        ("unknown", "a model whose layers cannot be read"),
    ],
)
def test_a_model_that_is_no_chain_is_named_even_with_the_right_layers(structure: str, found: str) -> None:
    later = ["Not checked: the model has to be one plain chain of layers first"] * 2
    expected = failed(found, "one plain chain of layers", "use keras.Sequential")
    assert layers(CLASSIC, structure=structure) == [expected, *later]


UNCOMPILED = failed("`model` was never compiled", "a compiled model", "call its compile method before fit")
RMSPROP = failed("the optimizer rmsprop", "adam", "compile uses rmsprop when no optimizer is named")
SGD = failed("the optimizer sgd", "adam", "see the question's text")
NO_LOSS = failed("no loss was given to compile", "a loss", "without one, nothing tells fit what to improve")
LOGITS = failed(
    "from_logits=True, on a model that ends in softmax",
    "a loss that expects probabilities",
    "softmax already turns the outputs into probabilities; leave from_logits out",
)
WITH_LOGITS = {"loss": "keras:SparseCategoricalCrossentropy", "from_logits": True}
WRONG_LOSSES = {
    "categorical_crossentropy": "the labels here are whole numbers, not rows of ten zeros and ones",
    "mean_squared_error": "that loss is for measuring distances, not for choosing among classes",
    "custom mine": "which loss fits ten classes with whole-number labels?",
}
ROWS, DISTANCES, MINE = (
    failed(f"the loss {name}", "sparse_categorical_crossentropy", hint) for name, hint in WRONG_LOSSES.items()
)
SETTINGS: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "as asked for": ({}, "", ""),
    "never compiled": (None, UNCOMPILED, "Not checked: `model` has to be compiled first"),
    "no optimizer": ({"optimizer": "keras:RMSprop"}, RMSPROP, ""),
    "another optimizer": ({"optimizer": "keras:SGD"}, SGD, ""),
    "no loss": ({"loss": None}, "", NO_LOSS),
    "loss for rows of ten": ({"loss": "keras:CategoricalCrossentropy"}, "", ROWS),
    "loss for distances": ({"loss": "keras:mse"}, "", DISTANCES),
    "loss of one's own": ({"loss": "custom:mine"}, "", MINE),
    "logits after softmax": (WITH_LOGITS, "", LOGITS),
}


def settings(chain: Chain = CLASSIC, changes: dict[str, Any] | None = None) -> tuple[str, str]:
    """The messages about the optimizer and the loss of a model; without `changes` it was never compiled."""
    world = env(of_model("q6", chain, compile=None if changes is None else {**COMPILED, **changes}))
    return message(checks.compile_optimizer, world, "q6"), message(checks.compile_loss, world, "q6")


@pytest.mark.parametrize("case", SETTINGS)
def test_compile_settings_are_checked_one_by_one(case: str) -> None:
    changes, *expected = SETTINGS[case]
    assert settings(changes=changes) == tuple(expected)


@pytest.mark.parametrize("chain", [[FLATTEN, HIDDEN, dense(10, "keras:linear")], []], ids=["no softmax", "no layers"])
def test_logits_without_softmax_are_right(chain: Chain) -> None:
    assert settings(chain, WITH_LOGITS) == ("", "")


CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
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
LATER = sorted(CHECKS.keys() - {"report", "layer", "second layer"})
FOLLOWING = dict.fromkeys(("second layer", "loss"), "Not checked: there is no model to check yet")
FOLLOWING |= dict.fromkeys(("scaled", "second level", "measured"), "Not checked: there is no model to score yet")
UNREACHED = failed(
    "the notebook stopped before this question was reached",
    hint="run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
)
BUILD_FIRST = "Not checked: question q5 has to be answered first: there is no model yet"
HISTORY_HINT = "fit returns a History; keep it under another name"
NO_MODEL: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing": (
        {"kind": "missing"},
        "there is no variable called `model`",
        "has the answer cell been renamed or deleted?",
    ),
    "still dots": ({"kind": "ellipsis"}, "`model` has not been given a value", "replace the ... in the answer cell"),
    "what fit returns": ({"kind": "other", "name": "History"}, "`model` is a History", HISTORY_HINT),
    "something else": ({"kind": "other", "name": "list"}, "`model` is a list", ""),
}


@pytest.mark.parametrize("check", CHECKS)
def test_an_unreached_question_is_reported_once(check: str) -> None:
    assert message(CHECKS[check], env()) == FOLLOWING.get(check, UNREACHED)


@pytest.mark.parametrize("case", NO_MODEL)
def test_a_missing_model_is_the_mistake_of_one_question(case: str) -> None:
    """Of the one that asks for it; of a later one only if the model was there and is gone."""
    described, found, hint = NO_MODEL[case]
    own = failed(found, "a Keras model", hint)
    lines = {id: line(question=id, at="check", model=described) for id in ("q5", "q6", "q7")}
    never, gone = env(*lines.values()), env(of_model("q5"), lines["q6"], lines["q7"])
    assert [message(CHECKS[check], never) for check in ("layer", "second layer")] == [own, FOLLOWING["second layer"]]
    assert {message(CHECKS[check], never) for check in LATER} == {BUILD_FIRST}
    assert {check: message(CHECKS[check], gone) for check in LATER} == {id: FOLLOWING.get(id, own) for id in LATER}


def test_without_a_context_a_missing_model_is_reported_alike() -> None:
    assert {message(CHECKS[check], {}) for check in LATER} == {BUILD_FIRST}
