"""One meaning, many spellings: what a model is, read off its description."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.architecture import Step, canonical_name, loss_name, optimizer_name, steps
from autograder.evidence import CompileSettings, Model
from autograder.tests.journals import CLASSIC, COMPILED, FLATTEN, HIDDEN, OUTPUT, Chain, Layer, dense, model


def described(chain: Chain) -> Model:
    return Model.model_validate(model(chain))


def layer(name: str, **settings: Any) -> Layer:
    return (f"keras:{name}", settings)


RELU = layer("ReLU", max_value=None, negative_slope=0, threshold=0)
EXPECTED = (Step("Flatten"), Step("Dense", 128, "relu"), Step("Dense", 10, "softmax"))

SPELLINGS: dict[str, Chain] = {
    "as in the text": CLASSIC,
    "with an input layer": [layer("InputLayer"), *CLASSIC],
    "with scaling inside": [layer("Rescaling", scale=1 / 255, offset=0), *CLASSIC],
    "Reshape to 784": [layer("Reshape", target_shape=[784]), HIDDEN, OUTPUT],
    "Reshape to -1": [layer("Reshape", target_shape=[-1]), HIDDEN, OUTPUT],
    "functions of TensorFlow": [FLATTEN, dense(128, "tensorflow:relu"), dense(10, "tensorflow:softmax_v2")],
    "layers as activations": [FLATTEN, dense(128, "keras:ReLU"), dense(10, "keras:Softmax")],
    "activations as layers": [
        FLATTEN,
        dense(128, "keras:linear"),
        RELU,
        dense(10, "keras:linear"),
        layer("Softmax", axis=-1),
    ],
    "Activation layers": [
        FLATTEN,
        dense(128, "keras:linear"),
        layer("Activation", activation="keras:relu"),
        dense(10, "keras:linear"),
        layer("Activation", activation="tensorflow:softmax_v2"),
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_of_the_model_means_the_model(spelling: str) -> None:
    assert steps(described(SPELLINGS[spelling])) == EXPECTED


OTHERS: dict[str, tuple[Chain, str]] = {
    "an activation after one that is there": ([HIDDEN, layer("Softmax")], "Dense(128, relu) → Activation(softmax)"),
    "relu after relu": ([HIDDEN, RELU], "Dense(128, relu)"),
    "an activation with nothing before it": ([RELU], "Activation(relu)"),
    "an activation after Flatten": ([FLATTEN, RELU], "Flatten → Activation(relu)"),
    "an activation after Dropout": (
        [dense(9, "keras:linear"), layer("Dropout", rate=0.5), RELU],
        "Dense(9, linear) → Dropout → Activation(relu)",
    ),
    "a relu with a ceiling": (
        [dense(128, "keras:linear"), layer("ReLU", max_value=6, negative_slope=0, threshold=0)],
        "Dense(128, relu with max_value=6)",
    ),
    "a leaky relu": (
        [dense(9, "keras:linear"), layer("ReLU", max_value=None, negative_slope=0.1, threshold=0)],
        "Dense(9, relu with negative_slope=0.1)",
    ),
    "a softmax over the images": (
        [dense(10, "keras:linear"), layer("Softmax", axis=0)],
        "Dense(10, softmax with axis=0)",
    ),
    "a Reshape to a grid": ([layer("Reshape", target_shape=[28, 28, 1])], "Reshape"),
    "a Reshape to another row": ([layer("Reshape", target_shape=[28])], "Reshape"),
    "a Reshape to nothing known": ([layer("Reshape")], "Reshape"),
    "a layer of the student's own": ([("custom:Dense", {"units": 128})], "your own layer Dense"),
    "an activation of the student's own": ([dense(9, "custom:<lambda>")], "Dense(9, custom <lambda>)"),
    "an unknown Keras layer": ([layer("Lambda")], "Lambda"),
    "settings of the wrong kind": ([("keras:Dense", {"units": "9", "activation": 3})], "Dense"),
    "no layers": ([], ""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_chain_is_read_as_a_reader_would(case: str) -> None:
    chain, expected = OTHERS[case]
    assert " → ".join(map(str, steps(described(chain)))) == expected


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("keras:Adam", "adam"),
        ("tensorflow:softmax_v2", "softmax"),
        ("custom:relu", "custom relu"),
        ("custom:adam_v2", "custom adam"),
        ("nothing", "custom "),
    ],
)
def test_a_name_is_plain_only_where_it_comes_from_keras_or_tensorflow(origin: str, name: str) -> None:
    assert canonical_name(origin) == name


def settings(**changes: Any) -> CompileSettings:
    return CompileSettings.model_validate({**COMPILED, **changes})


def test_the_optimizer_is_named_in_small_letters() -> None:
    assert optimizer_name(settings(optimizer="keras:RMSprop")) == "rmsprop"
    assert optimizer_name(settings(optimizer="custom:Adam")) == "custom adam"


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("keras:sparse_categorical_crossentropy", "sparse_categorical_crossentropy"),
        ("keras:SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("keras:CategoricalCrossentropy", "categorical_crossentropy"),
        ("keras:mse", "mean_squared_error"),
        ("keras:MSE", "mean_squared_error"),
        ("keras:MeanSquaredError", "mean_squared_error"),
        ("custom:<lambda>", "custom <lambda>"),
        ("custom:SparseCategoricalCrossentropy", "custom SparseCategoricalCrossentropy"),
        (None, None),
    ],
)
def test_a_loss_has_one_name_however_it_was_given(loss: str | None, name: str | None) -> None:
    assert loss_name(settings(loss=loss)) == name
