"""Real Keras models in many spellings: what is written down about them, and what the checks make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.judge import checks
from autograder.judge.architecture import steps
from autograder.judge.checks import BENCH
from autograder.judge.context import CheckContext, CheckFailed
from autograder.judge.evidence import Evidence, Model, live
from autograder.tests.journals import NO_IMAGES, RULES
from autograder.tests.with_keras import quiet_keras

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning"),  # Keras would rather have an Input
]


@pytest.fixture(scope="module")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit


Make = Callable[[Any], Any]


def taken(value: Any, question: str = "q5", name: str = "model") -> Evidence:
    return live(RULES, question, {name: value})


def described(value: Any) -> Model:
    model = taken(value).questions["q5"].model
    assert model is not None
    return model


def chain(value: Any) -> str:
    return " → ".join(map(str, steps(described(value))))


def by_add(k: Any) -> Any:
    model = k.Sequential()
    for layer in (k.image(), k.flatten(), k.hidden(), k.output()):
        model.add(layer)
    return model


def functional(k: Any) -> Any:
    image = k.image()
    return k.Model(image, k.output()(k.hidden()(k.flatten()(image))))


def functional_with_functions(k: Any) -> Any:
    image = k.image()
    inner = k.keras.activations.relu(k.hidden(None)(k.flatten()(image)))
    return k.Model(image, k.keras.activations.softmax(k.output(None)(inner)))


def functional_around_sequential(k: Any) -> Any:
    image = k.image()
    return k.Model(image, k.output()(k.Sequential([k.flatten(), k.hidden()])(image)))


SAME: dict[str, Make] = {
    "the reference": lambda k: k.classic(),
    "not built": lambda k: k.Sequential([k.flatten(), k.hidden(), k.output()]),
    "by add": by_add,
    "functional": functional,
    "functional with functions": functional_with_functions,
    "functional around Sequential": functional_around_sequential,
    "Sequential in Sequential": lambda k: k.Sequential(
        [k.image(), k.Sequential([k.flatten(), k.hidden()]), k.output()]
    ),
    "input_shape": lambda k: k.Sequential([k.flatten(input_shape=(28, 28)), k.hidden(), k.output()]),
    "InputLayer": lambda k: k.Sequential([k.layers.InputLayer(shape=(28, 28)), k.flatten(), k.hidden(), k.output()]),
    "Rescaling": lambda k: k.Sequential([k.image(), k.layers.Rescaling(1 / 255), k.flatten(), k.hidden(), k.output()]),
    "Reshape to 784": lambda k: k.Sequential([k.image(), k.layers.Reshape((784,)), k.hidden(), k.output()]),
    "Reshape to -1": lambda k: k.Sequential([k.image(), k.layers.Reshape((-1,)), k.hidden(), k.output()]),
    "tf.nn": lambda k: k.Sequential([k.flatten(), k.hidden(k.tf.nn.relu), k.output(k.tf.nn.softmax)]),
    "keras.activations": lambda k: k.Sequential(
        [k.flatten(), k.hidden(k.keras.activations.relu), k.output(k.tf.keras.activations.softmax)]
    ),
    "keras.ops": lambda k: k.Sequential([k.flatten(), k.hidden(k.keras.ops.relu), k.output(k.keras.ops.softmax)]),
    "layers as activations": lambda k: k.Sequential(
        [k.flatten(), k.hidden(k.layers.ReLU()), k.output(k.layers.Softmax())]
    ),
    "activations as layers": lambda k: k.Sequential(
        [k.flatten(), k.hidden(None), k.layers.ReLU(), k.output(None), k.layers.Softmax()]
    ),
    "Activation": lambda k: k.Sequential(
        [k.flatten(), k.hidden(None), k.layers.Activation("relu"), k.output(None), k.layers.Activation(k.tf.nn.softmax)]
    ),
}


@pytest.mark.parametrize("spelling", SAME)
def test_every_spelling_of_the_model_earns_all_three_layers(spelling: str, k: Any) -> None:
    evidence = taken(SAME[spelling](k))
    for index in range(3):
        checks.layer({BENCH: CheckContext(evidence, RULES, NO_IMAGES, NO_IMAGES)}, "q5", index)


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
    "no Flatten": (
        lambda k: k.Sequential([k.hidden(), k.output()]),
        "sequential",
        "Dense(128, relu) → Dense(10, softmax)",
    ),
    "no last layer": (lambda k: k.Sequential([k.flatten(), k.hidden()]), "sequential", "Flatten → Dense(128, relu)"),
    "linear": (lambda k: k.Sequential([k.output(None)]), "sequential", "Dense(10, linear)"),
    "empty": (lambda k: k.Sequential(), "sequential", ""),
    "a lambda": (lambda k: k.Sequential([k.output(lambda x: x)]), "sequential", "Dense(10, custom <lambda>)"),
    "Lambda": (lambda k: k.Sequential([k.layers.Lambda(lambda x: x)]), "sequential", "Lambda"),
    "relu with a ceiling": (
        lambda k: k.Sequential([k.hidden(None), k.layers.ReLU(6.0)]),
        "sequential",
        "Dense(128, relu with max_value=6)",
    ),
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
    "divided by a float": (lambda image: image / 255.0, [1 / 255, 0]),
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


def test_a_layer_in_the_place_of_an_activation_tells_its_settings(k: Any) -> None:
    plain, bounded = (k.Sequential([k.image(), k.flatten(), k.hidden(k.layers.ReLU(*of))]) for of in ((), (6,)))
    assert chain(plain) == "Flatten → Dense(128, relu)"
    assert chain(bounded) == "Flatten → Dense(128, relu with max_value=6)"


def made(setting: Any, k: Any) -> Any:
    """A setting of compile that stands there as it is, or is made with Keras at hand."""
    return setting(k) if callable(setting) else setting


ADAM: dict[str, Any] = {
    "adam": "adam",
    "Adam": "Adam",
    "Adam()": lambda k: k.keras.optimizers.Adam(),
    "Adam(1e-3)": lambda k: k.keras.optimizers.Adam(1e-3),
    "tf.keras Adam": lambda k: k.tf.keras.optimizers.Adam(learning_rate=0.01),
    "for half precision": lambda k: k.keras.optimizers.LossScaleOptimizer(k.keras.optimizers.Adam()),
    "a schedule": lambda k: k.keras.optimizers.Adam(k.keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
}
SPARSE: dict[str, Any] = {
    "text": "sparse_categorical_crossentropy",
    "text of the class": "SparseCategoricalCrossentropy",
    "object": lambda k: k.keras.losses.SparseCategoricalCrossentropy(),
    "tf.keras object": lambda k: k.tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False),
    "function": lambda k: k.keras.losses.sparse_categorical_crossentropy,
    "class": lambda k: k.keras.losses.SparseCategoricalCrossentropy,
    "in a list": ["sparse_categorical_crossentropy"],
}


def settings(k: Any, optimizer: Any = "adam", loss: Any = "sparse_categorical_crossentropy") -> list[str]:
    """What the two checks of compile say; empty where they pass."""
    model = k.classic()
    model.compile(optimizer, loss)
    world = {BENCH: CheckContext(taken(model, "q6"), RULES, NO_IMAGES, NO_IMAGES)}
    said = []
    for check in (checks.compile_optimizer, checks.compile_loss):
        try:
            check(world, "q6")
            said.append("")
        except CheckFailed as failed:
            said.append(str(failed).partition("\n")[0])
    return said


@pytest.mark.parametrize("spelling", ADAM)
def test_every_spelling_of_adam_is_adam(spelling: str, k: Any) -> None:
    assert settings(k, optimizer=made(ADAM[spelling], k)) == ["", ""]


@pytest.mark.parametrize("spelling", SPARSE)
def test_every_spelling_of_the_loss_is_the_loss(spelling: str, k: Any) -> None:
    assert settings(k, loss=made(SPARSE[spelling], k)) == ["", ""]


def own_loss(_: Any) -> Make:
    return lambda labels: labels


LOSSES: dict[str, tuple[Any, str]] = {
    "another": ("categorical_crossentropy", "Found: the loss categorical_crossentropy"),
    "mse": ("mse", "Found: the loss mean_squared_error"),
    "logits": (
        lambda k: k.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "Found: from_logits=True, on a model that ends in softmax",
    ),
    "none": (None, "Found: no loss was given to compile"),
    "of one's own": (own_loss, "Found: the loss custom <lambda>"),
    "too long a name": ("z" * 300, f"Found: the loss {'z' * 194}"),
}


@pytest.mark.parametrize("case", LOSSES)
def test_another_loss_is_named(case: str, k: Any) -> None:
    loss, found = LOSSES[case]
    assert settings(k, loss=made(loss, k)) == ["", found]


def test_another_optimizer_is_named(k: Any) -> None:
    assert settings(k, optimizer="sgd") == ["Found: the optimizer sgd", ""]
    own = type("Adam", (k.keras.optimizers.Adam,), {})
    assert settings(k, optimizer=own()) == ["Found: the optimizer custom adam", ""]


def test_a_model_that_was_not_compiled_says_so(k: Any) -> None:
    assert described(k.classic()).compile is None
    assert described(k.classic()).steps == 0


def test_training_is_counted(k: Any) -> None:
    model = k.classic()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((8, 28, 28)), np.zeros(8), batch_size=4, epochs=2, verbose=0)
    assert described(model).steps == 4
