"""One meaning in many spellings: a model, read from its description."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge.architecture import (
    NamedLayer,
    align,
    canonical_name,
    chain,
    loss_name,
    named_layers,
    required_layers,
    scales_itself,
)
from autograder.judge.evidence import CompileSettings, Model
from autograder.tests.journals import CLASSIC, COMPILED, FLATTEN, HIDDEN, OUTPUT, RULES, Chain, Layer, dense, model


def described(chain: Chain) -> Model:
    return Model.model_validate(model(chain))


def layer(name: str, **settings: Any) -> Layer:
    return (f"keras:{name}", settings)


def relu(**settings: Any) -> Layer:
    return layer("ReLU", **{"max_value": None, "negative_slope": 0, "threshold": 0, **settings})


RELU = relu()
LINEAR, LINEAR_OUTPUT = dense(128, "keras:linear"), dense(10, "keras:linear")
EXPECTED = (NamedLayer("Flatten"), NamedLayer("Dense", 128, "relu"), NamedLayer("Dense", 10, "softmax"))

SPELLINGS: dict[str, Chain] = {
    "as in the text": CLASSIC,
    "with an input layer": [layer("InputLayer"), *CLASSIC],
    "with scaling inside": [layer("Rescaling", scale=1 / 255, offset=0), *CLASSIC],
    "Reshape to 784": [layer("Reshape", target_shape=[784]), HIDDEN, OUTPUT],
    "Reshape to -1": [layer("Reshape", target_shape=[-1]), HIDDEN, OUTPUT],
    "functions of TensorFlow": [FLATTEN, dense(128, "tensorflow:relu"), dense(10, "tensorflow:softmax_v2")],
    "layers as activations": [FLATTEN, dense(128, "keras:ReLU"), dense(10, "keras:Softmax")],
    "activations as layers": [FLATTEN, LINEAR, RELU, LINEAR_OUTPUT, layer("Softmax", axis=-1)],
    "Activation layers": [
        *(FLATTEN, LINEAR, layer("Activation", activation="keras:relu")),
        *(LINEAR_OUTPUT, layer("Activation", activation="tensorflow:softmax_v2")),
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_of_the_model_means_the_model(spelling: str) -> None:
    assert named_layers(described(SPELLINGS[spelling])) == EXPECTED


OTHERS: dict[str, tuple[Chain, str]] = {
    "an activation after one that is there": ([HIDDEN, layer("Softmax")], "Dense(128, relu) → Activation(softmax)"),
    "a layer of one's own with a colon": ([("custom:a:b", {})], "your own layer a:b"),
    "relu after relu": ([HIDDEN, RELU, OUTPUT], "Dense(128, relu) → Dense(10, softmax)"),
    "an activation with nothing before it": ([RELU], "Activation(relu)"),
    "an activation after Flatten": ([FLATTEN, RELU], "Flatten → Activation(relu)"),
    "an activation after Dropout": (
        [LINEAR, layer("Dropout", rate=0.5), RELU],
        "Dense(128, linear) → Dropout → Activation(relu)",
    ),
    "a relu with a ceiling": ([LINEAR, relu(max_value=6)], "Dense(128, relu with max_value=6)"),
    "a leaky relu": ([LINEAR, relu(negative_slope=0.1)], "Dense(128, relu with negative_slope=0.1)"),
    "a softmax over the images": ([LINEAR_OUTPUT, layer("Softmax", axis=0)], "Dense(10, softmax with axis=0)"),
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
    assert " → ".join(map(str, named_layers(described(chain)))) == expected


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("keras:RMSprop", "rmsprop"),
        ("tensorflow:softmax_v2", "softmax"),
        ("custom:relu", "custom relu"),
        ("custom:adam_v2", "custom adam"),
        ("nothing", "custom "),
    ],
)
def test_a_name_is_plain_only_where_it_comes_from_keras_or_tensorflow(origin: str, name: str) -> None:
    assert canonical_name(origin) == name


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
        ("tensorflow:SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("mine:a:b", "custom a:b"),
        (None, None),
    ],
)
def test_a_loss_has_one_name_however_it_was_given(loss: str | None, name: str | None) -> None:
    assert loss_name(CompileSettings.model_validate({**COMPILED, "loss": loss})) == name


@pytest.mark.parametrize(("count", "shown", "more"), [(0, 0, False), (7, 7, False), (8, 8, False), (9, 8, True)])
def test_a_long_chain_is_cut_after_eight_layers(count: int, shown: int, more: bool) -> None:
    said = chain((NamedLayer("Flatten"),) * count)
    assert said == (" → ".join(["Flatten"] * shown + ["…"] * more) or "nothing")


SCALES = {
    "not at all": (CLASSIC, False),
    "at first": ([layer("Rescaling"), *CLASSIC], True),
    "after laying out": ([FLATTEN, layer("BatchNormalization"), HIDDEN], True),
    "too late": ([FLATTEN, HIDDEN, layer("BatchNormalization")], False),
    "with no layer": ([], False),
}


@pytest.mark.parametrize("case", SCALES)
def test_a_model_scales_pixels_itself_if_it_does_before_its_first_weights(case: str) -> None:
    layers, expected = SCALES[case]
    given = described(layers)
    weighed = [
        known.model_copy(update={"weights": [[1]] if known.type.endswith(("Dense", "BatchNormalization")) else []})
        for known in given.layers
    ]
    assert scales_itself(given.model_copy(update={"layers": weighed})) is expected


def test_only_sequential_and_functional_models_are_chains() -> None:
    structures = ("sequential", "functional", "branching", "subclassed", "unknown")
    found = [Model.model_validate(model(structure=structure)).is_chain for structure in structures]
    assert found == [True, True, False, False, False]


def test_the_required_layers_are_those_of_the_question() -> None:
    assert required_layers(RULES.code["q5"]) == EXPECTED
    assert required_layers(RULES.code["q6"]) == ()


ALIGNMENTS = {
    "equal": ("abc", "abc", "abc", ""),
    "first missing": ("bc", "abc", "-bc", ""),
    "last missing": ("ab", "abc", "ab-", ""),
    "one more before": ("xabc", "abc", "abc", "0x"),
    "one more between": ("abxc", "abc", "abc", "2x"),
    "one more at the end": ("abcx", "abc", "abc", "2x"),
    "another instead": ("axc", "abc", "axc", ""),
    "the same type instead": ("aBc", "abc", "aBc", ""),
    "the same type at its place": ("B", "ab", "-B", ""),
    "two that changed places": ("abdc", "abcd", "ab-d", "3c"),
    "twice, and one of the same type": ("aaB", "abc", "aB-", "1a"),
    "moved": ("bac", "abc", "-bc", "2a"),
    "all missing": ("", "abc", "---", ""),
}


@pytest.mark.parametrize("case", ALIGNMENTS)
def test_two_chains_are_aligned_with_the_fewest_changes(case: str) -> None:
    """A letter is a layer of its own type; a capital is the same type with another width."""

    def made(letters: str) -> tuple[NamedLayer, ...]:
        return tuple(NamedLayer(letter.lower(), 1 if letter.isupper() else None) for letter in letters)

    found, wanted, partners, extra = ALIGNMENTS[case]
    aligned = align(made(found), made(wanted))
    assert aligned.partners == tuple(None if each == "-" else made(each)[0] for each in partners)
    assert aligned.extra == (((int(extra[0]), *made(extra[1])),) if extra else ())
