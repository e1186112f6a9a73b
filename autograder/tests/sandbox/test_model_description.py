"""Descriptions of real Keras models. The spellings that earn points are in `tests/variants`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograder.judge.architecture import named_layers
from autograder.tests.with_keras import described

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning"),  # Keras would rather have an Input
]


Make = Callable[[Any], Any]


def chain(value: Any) -> str:
    return " → ".join(map(str, named_layers(described(value))))


class Own:
    """Made into a Keras layer or model in the tests, where Keras has been imported."""

    def call(self, inputs: Any) -> Any:
        return inputs


def residual(k: Any) -> Any:
    image = k.image()
    flat = k.flatten()(image)
    return k.Model(image, k.layers.Add()([flat, k.layers.Dense(784)(flat)]))


def same_layer_twice(k: Any) -> Any:
    image, layer = k.image(), k.layers.Dense(784)
    return k.Model(image, layer(layer(k.flatten()(image))))


def two_outputs(k: Any) -> Any:
    image = k.image()
    flat = k.flatten()(image)
    return k.Model(image, [flat, k.output()(flat)])


OTHER: dict[str, tuple[Make, str, str]] = {
    "Lambda": (lambda k: k.Sequential([k.layers.Lambda(lambda x: x)]), "sequential", "Lambda"),
    "own layer": (
        lambda k: k.Sequential([type("Dense", (Own, k.layers.Layer), {})()]),
        "sequential",
        "your own layer Dense",
    ),
    "own class": (lambda k: type("Net", (Own, k.Model), {})(), "subclassed", ""),
    "own Sequential": (lambda k: type("Net", (k.Sequential,), {})([k.output()]), "subclassed", "Dense(10, softmax)"),
    "residual": (residual, "branching", "Flatten → Dense(784, linear) → Add"),
    "one layer twice": (same_layer_twice, "branching", "Flatten → Dense(784, linear) → Dense(784, linear)"),
    "two outputs": (two_outputs, "branching", "Flatten → Dense(10, softmax)"),
}


@pytest.mark.parametrize("case", OTHER)
def test_another_model_is_described_as_what_it_is(case: str, k: Any) -> None:
    make, structure, expected = OTHER[case]
    model = make(k)
    assert (described(model).structure, chain(model)) == (structure, expected)


def test_shapes_are_known_once_a_model_is_built(k: Any) -> None:
    built, unbuilt = described(k.classic()), described(k.Sequential([k.flatten(), k.output()]))
    assert (built.built, built.input_shape, built.output_shape) == (True, [None, 28, 28], [None, 10])
    assert [layer.weights for layer in built.layers] == [[], [[784, 128], [128]], [[128, 10], [10]]]
    assert (unbuilt.built, unbuilt.input_shape, unbuilt.output_shape) == (False, None, None)


ARITHMETIC: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "divided": (lambda image: image / 255, [1 / 255, 0]),
    "multiplied": (lambda image: image * 0.5, [0.5, 0]),
    "subtracted": (lambda image: image - 0.5, [1, -0.5]),
    "added": (lambda image: image + 1, [1, 1]),
}


@pytest.mark.parametrize("case", ARITHMETIC)
def test_arithmetic_with_a_number_is_a_rescaling_layer(case: str, k: Any) -> None:
    make, expected = ARITHMETIC[case]
    image = k.image()
    model = k.Model(image, k.output()(k.hidden()(k.flatten()(make(image)))))
    read = described(model)
    assert (read.structure, chain(model)) == ("functional", "Flatten → Dense(128, relu) → Dense(10, softmax)")
    assert read.layers[1].type == "keras:Rescaling"
    assert [read.layers[1].settings[name] for name in ("scale", "offset")] == pytest.approx(expected)


def test_arithmetic_of_two_tensors_or_by_zero_is_no_rescaling(k: Any) -> None:
    image = k.image()
    flat = k.flatten()(image)
    assert described(k.Model(image, k.output()(flat + flat))).structure == "branching"
    assert "Rescaling" not in str(described(k.Model(image, k.output()(k.flatten()(image / 0)))).layers)


def test_the_settings_of_compile_are_named_by_where_they_come_from(k: Any) -> None:
    adam, own = k.keras.optimizers.Adam, type("Adam", (k.keras.optimizers.Adam,), {})
    scaled = k.keras.optimizers.LossScaleOptimizer(adam())  # for half precision
    for optimizer, loss, expected in (
        (scaled, "mean_squared_error", ("keras:Adam", "keras:mean_squared_error")),
        (own(), lambda labels: labels, ("custom:Adam", "custom:<lambda>")),
    ):
        model = k.classic()
        model.compile(optimizer, loss)
        found = described(model).compile
        assert found is not None
        assert (found.optimizer, found.loss) == expected
