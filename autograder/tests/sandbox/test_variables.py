"""Reported values of every type, real Keras models, and objects that misbehave when they are inspected.

The spellings of a model that earn points are in `tests/variants`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

from autograder.judge import checks
from autograder.judge.architecture import named_layers
from autograder.judge.context import CONTEXT, CheckContext
from autograder.judge.evidence import live
from autograder.judge.failure import NotChecked
from autograder.sandbox.variables import MAX_WEIGHTS
from autograder.tests.journals import NO_IMAGES, RULES, message
from autograder.tests.with_keras import chain, described

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning"),  # Keras would rather have an Input
]

Make = Callable[[Any], Any]

SHAPE, LENGTH = "train_images_shape", "train_labels_length"
SIZES = (60000, 28, 28)


def complaint(name: str, value: Any) -> str:
    """Return the first line of the check's complaint about a reported value; empty if it passes."""
    world = {CONTEXT: CheckContext(live(RULES, "q4", {name: value}), RULES, NO_IMAGES, NO_IMAGES)}
    return message(checks.report, world, "q4", name).partition("\n")[0]


TRUE: dict[str, tuple[str, Any]] = {
    "tuple": (SHAPE, SIZES),
    "list": (SHAPE, list(SIZES)),
    "numpy numbers in a tuple": (SHAPE, tuple(map(np.int64, SIZES))),
    "fractions without a fraction": (SHAPE, (60000.0, 28.0, 28.0)),
    "array": (SHAPE, np.array(SIZES)),
    "TensorShape": (SHAPE, lambda k: k.tf.TensorShape(SIZES)),
    "tensor": (SHAPE, lambda k: k.tf.constant(SIZES)),
    "tf.shape": (SHAPE, lambda k: k.tf.shape(k.tf.zeros((60000, 28, 28), "int8"))),
    "int": (LENGTH, 60000),
    "numpy int": (LENGTH, np.uint16(60000)),
    "float": (LENGTH, 60000.0),
    "scalar tensor": (LENGTH, lambda k: k.tf.constant(60000)),
    "variable": (LENGTH, lambda k: k.tf.Variable(60000)),
    "array without a dimension": (LENGTH, np.array(60000)),
}


@pytest.mark.parametrize("case", TRUE)
def test_a_true_value_passes_in_every_form(case: str, k: Any) -> None:
    name, value = TRUE[case]
    assert complaint(name, value(k) if callable(value) else value) == ""


def raises(*_: object) -> NoReturn:
    raise ValueError


def quits(_: object) -> NoReturn:
    raise SystemExit


def interrupts(_: object) -> NoReturn:
    raise KeyboardInterrupt


# Every attribute and every comparison raises.
Raises: Any = type("Raises", (), dict.fromkeys(("__getattribute__", "__eq__", "__hash__", "__bool__"), raises))

# Claims to be of another class, and quits.
Pretends: Any = type("Pretends", (), {"__class__": property(quits)})


# Its class has neither a name nor a module.
Nameless: Any = type("Meta", (type,), dict.fromkeys(("__name__", "__module__"), property(interrupts)))(
    "Nameless", (), {}
)

Endless: Any = type("Endless", (list,), {"__iter__": lambda _: itertools.count(), "__len__": raises})

# Looks like a tensor, and quits when it is read.
Quits: Any = type("Quits", (), {"__module__": "tensorflow", "numpy": property(quits)})


ITSELF: list[Any] = []
ITSELF.append(ITSELF)

WRONG: dict[str, tuple[Any, str]] = {
    "None": (None, "has not been given a value"),
    "dots": (..., "has not been given a value"),
    "another number": (59999, "is 59999"),
    "half a number": (0.5, "is 0.5"),
    "true": (True, "is True"),
    "numpy true": (np.bool_(True), "is True"),
    "NaN": (float("nan"), "is infinite, not a number, or far too large"),
    "infinity": (np.float32("inf"), "is infinite, not a number, or far too large"),
    "a number of 9,000 digits": (-(10**9000), "is infinite, not a number, or far too large"),
    "text": ("60000", "is the text '60000'"),
    "long text": ("x" * 10**6, f"is the text '{'x' * 40}'"),
    "half of a character": ("\ud800\x1b[2J\n", "is the text ' [2J '"),
    "shape": (SIZES, "is (60000, 28, 28)"),
    "empty tuple": ((), "is ()"),
    "tuple with NaN": ((float("nan"), 1), "is (None, 1)"),
    "list of texts": (["60000"], "is a value of type list of 1"),
    "huge list": ([1] * 10**6, "is a value of type list of 1000000"),
    "list in itself": (ITSELF, "is a value of type list of 1"),
    "array": (np.zeros((9, 9)), "is a value of type array of shape (9, 9)"),
    "array of objects": (np.array([object()]), "is a value of type array of shape (1,)"),
    "range": (range(9), "is a value of type range"),
    "generator": ((n for n in itertools.count()), "is a value of type generator"),
    "complex": (1j, "is a value of type complex"),
    "mapping": ({1: 2}, "is a value of type dict"),
    "class": (int, "is a value of type type"),
    "a long name": (type("x" * 300, (), {})(), f"is a value of type {'x' * 200}"),
    "raises": (Raises(), "is a value of type Raises"),
    "pretends": (Pretends(), "is a value of type Pretends"),
    "nameless": (Nameless(), "is a value of type object"),
    "endless list": (Endless(), "is a value of type Endless"),
    "quits": (Quits(), "is a value of type Quits"),
}


@pytest.mark.parametrize("case", WRONG)
def test_any_other_object_is_described_and_never_raises(case: str) -> None:
    value, expected = WRONG[case]
    assert complaint(LENGTH, value) == f"Found: `{LENGTH}` {expected}"


@pytest.mark.parametrize("case", ["raises", "pretends", "nameless", "endless list", "generator", "class", "dots"])
def test_any_other_object_is_no_model(case: str, k: Any) -> None:  # noqa: ARG001  # Keras must have been imported
    assert described(WRONG[case][0]).kind in ("other", "ellipsis")


def test_a_model_may_lie_and_raise_in_every_attribute(k: Any) -> None:
    names = ("layers", "built", "input_shape", "output_shape", "optimizer", "loss", "compiled")
    worst: Any = object.__new__(type("Worst", (k.Model,), {name: property(quits) for name in names}))
    model = described(worst, "q7")
    assert (model.kind, model.structure, model.layers, model.compile) == ("keras", "unknown", [], None)


def test_settings_out_of_bounds_are_left_out(k: Any) -> None:
    layers = [k.layers.Rescaling(float("nan")), k.layers.Rescaling(np.float32(0.5)), k.layers.Dropout(0.5)]
    layers[2].rate = 10**400
    assert [layer.settings for layer in described(chain(k.keras, *layers)).layers] == [
        {"scale": None, "offset": 0},
        {"scale": 0.5, "offset": 0},
        {"rate": None},
    ]


def test_a_layer_of_many_arrays_is_described_in_part(k: Any) -> None:
    inner = k.Sequential([k.image(), k.flatten(), *(k.layers.Dense(2) for _ in range(20))])
    model = k.Sequential([k.image(), k.Model(inner.inputs[0], inner.outputs[0]), k.output()])
    assert [len(layer.weights) for layer in described(model, "q7").layers] == [16, 2]
    assert len(live(RULES, "q7", {"model": model}).blob) == model.count_params()


def test_a_model_too_large_to_be_judged_leaves_no_weights_but_its_size(k: Any) -> None:
    large = chain(k.keras, k.flatten(), k.layers.Dense(MAX_WEIGHTS // 784 + 1))
    read = live(RULES, "q7", {"model": large})
    assert len(read.blob) == 0
    with pytest.raises(NotChecked, match="a model with 5,006,730 parameters"):  # its layers are wrong as well
        checks.accuracy({CONTEXT: CheckContext(read, RULES, NO_IMAGES, NO_IMAGES)}, "q7", 0)


def named(value: Any) -> str:
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
    assert (described(model).structure, named(model)) == (structure, expected)


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
    assert (read.structure, named(model)) == ("functional", "Flatten → Dense(128, relu) → Dense(10, softmax)")
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
