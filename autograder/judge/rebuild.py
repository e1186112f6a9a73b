"""Evidence → a Keras model of the grader's own making, with the student's weights in it.

Only the layer types of `SETTINGS` are built, with settings inside the bounds of `ALLOWED`. Parameters,
activations and multiplications are counted by arithmetic before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.errors import GraderFault
from autograder.judge.architecture import canonical_name
from autograder.judge.evidence import Float32, Layer, Model
from autograder.sandbox.variables import MAX_WEIGHTS, SETTINGS

if TYPE_CHECKING:
    import keras

__all__ = ["CannotRebuild", "fresh", "outputs", "rebuild"]

MAX_ACTIVATIONS = 2_000_000  # the most numbers that one image may become in a layer

MAX_WORK = 500_000_000
"""The most multiplications that one image may cost: more than a notebook has time to train with."""

BATCH_NUMBERS = 50_000_000
"""The most numbers that a batch of images may become in one layer when it is scored (200 MB)."""

# fmt: off
ACTIVATIONS = frozenset((
    "linear", "relu", "softmax", "sigmoid", "tanh", "elu", "selu", "gelu", "softplus", "softsign", "exponential",
    "silu", "swish", "hard_sigmoid", "leaky_relu", "relu6", "mish", "log_softmax",
))
# fmt: on
"""The activations of Keras that are rebuilt."""

KERAS_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)
"""The errors that Keras raises for settings that make no sense."""


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _list(of: Callable[[Any], bool], shortest: int, longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and shortest <= len(value) <= longest and all(map(of, value))


ALLOWED: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("units", "filters", "groups"), _whole(1, MAX_WEIGHTS)),
    **dict.fromkeys(("kernel_size", "strides", "dilation_rate", "pool_size"), _list(_whole(1, 784), 2, 2)),
    **dict.fromkeys(("use_bias", "center", "BatchNormalization.scale"), lambda value: type(value) is bool),
    **dict.fromkeys(
        ("scale", "offset", "epsilon", "rate", "max_value", "negative_slope", "threshold"),
        lambda value: type(value) in (int, float) and abs(value) < 1e9,
    ),
    "activation": lambda value: value in ACTIVATIONS,
    "axis": _whole(-4, 4),
    "padding": lambda value: value in ("valid", "same"),
    "target_shape": _list(_whole(-1, MAX_ACTIVATIONS), 1, 4),
}
"""The tests that a setting of a layer must pass before Keras gets it."""


class CannotRebuild(Exception):
    """The model cannot be rebuilt; the reason is for the student."""


def rebuild(model: Model, weights: Float32) -> keras.Sequential:
    """Build the model and put `weights` (float32 [count]) into it. Raises CannotRebuild."""
    layers = _layers(model, len(weights))
    if not np.isfinite(weights).all():
        raise CannotRebuild("some of its parameters are not numbers (NaN or infinite): the training diverged")
    built = _chain(model, layers)
    _fill(layers, weights)
    return built


def fresh(model: Model) -> keras.Sequential:
    """Build the same layers with new, random weights. Raises CannotRebuild."""
    return _chain(model, _layers(model, None))


def _chain(model: Model, layers: list[keras.Layer]) -> keras.Sequential:
    import keras

    try:
        return keras.Sequential([keras.Input(_input_shape(model)), *layers])
    except KERAS_ERRORS as error:
        raise CannotRebuild("its layers do not fit together") from error


def outputs(model: keras.Sequential, images: Float32) -> Float32:
    """Return the outputs for images (float32 [n, 28, 28]) as float32 [n, classes]."""
    shaped = images.reshape((len(images), *model.input_shape[1:]))
    widest = max(math.prod(layer.output.shape[1:]) for layer in model.layers)
    batch = max(1, min(1000, BATCH_NUMBERS // widest))
    parts = [np.asarray(model(shaped[at : at + batch], training=False)) for at in range(0, len(shaped), batch)]
    return np.concatenate(parts).astype(np.float32)


def _input_shape(model: Model) -> tuple[int, ...]:
    if model.input_shape is None:
        raise CannotRebuild("it has not been built: it has never seen an image, so it has no parameters yet")
    shape = tuple(size for size in model.input_shape[1:] if size is not None)
    if math.prod(shape) != 28 * 28 or len(shape) != len(model.input_shape) - 1:
        raise CannotRebuild(f"it takes inputs of shape {tuple(model.input_shape)}, not images of 28 by 28 pixels")
    if not model.is_chain:
        raise CannotRebuild("its layers do not form one plain chain from images to outputs")
    return shape


def _layers(model: Model, available: int | None) -> list[keras.Layer]:
    """Create the layers, not yet built, and count everything before anything is allocated."""
    shape = _input_shape(model)
    layers: list[keras.Layer] = []
    count = work = 0
    for described in model.layers:
        source, _, name = described.type.partition(":")
        if name == "InputLayer":
            continue
        if source != "keras" or name not in SETTINGS:
            raise CannotRebuild(f"it has a {name} layer, which the grader cannot rebuild")
        settings = _settings(name, described)
        layer, after = _layer(name, settings, shape)
        parameters = _parameters(name, settings, shape)
        count += parameters
        work += math.prod(after) * math.prod(settings.get("pool_size", ())) + parameters * math.prod(after[:-1])
        if count > MAX_WEIGHTS:
            raise CannotRebuild(f"the model has more than {MAX_WEIGHTS:,} parameters")
        if work > MAX_WORK:
            raise CannotRebuild(f"one image costs it more than {MAX_WORK:,} multiplications")
        shape = after
        layers.append(layer)
    if not layers:
        raise CannotRebuild("it has no layers")
    if available is not None and count != available:
        raise CannotRebuild(f"its layers need {count:,} parameters, but {available:,} came with it")
    if len(shape) != 1:
        raise CannotRebuild(f"for each image it gives an array of shape {shape}, not one row of numbers")
    return layers


def _fill(layers: list[keras.Layer], weights: Float32) -> None:
    variables = [variable for layer in layers for variable in layer.weights]
    sizes = [math.prod(variable.shape) for variable in variables]
    if sum(sizes) != len(weights):
        raise GraderFault(f"{len(weights):,} parameters were counted, but Keras made {sum(sizes):,}")
    for variable, size, start in zip(variables, sizes, accumulate(sizes, initial=0), strict=False):
        variable.assign(weights[start : start + size].reshape(variable.shape))


def _settings(name: str, described: Layer) -> dict[str, Any]:
    """Return the settings of a layer, all within bounds; those that are None are left to Keras's defaults."""
    settings = {key: described.settings[key] for key in SETTINGS[name] if described.settings.get(key) is not None}
    if "activation" in settings:
        settings["activation"] = activation = canonical_name(str(settings["activation"]))
        if activation not in ACTIVATIONS:
            raise CannotRebuild(f"it uses the activation {activation}, which the grader cannot rebuild")
    for key, value in settings.items():
        if not ALLOWED.get(f"{name}.{key}", ALLOWED[key])(value):
            raise CannotRebuild(f"its {name} layer has {key}={str(value)[:40]}")
    return settings


def _layer(name: str, settings: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[keras.Layer, tuple[int, ...]]:
    """Create a layer for inputs of `shape` (without the batch size), and return it with the shape of its outputs."""
    import keras

    try:
        layer: keras.Layer = getattr(keras.layers, name)(**settings)
    except KERAS_ERRORS as error:
        raise CannotRebuild(f"its {name} layer cannot be built with {dict(settings)}") from error
    if "2D" in name and len(shape) != 3:
        raise CannotRebuild(f"its {name} layer does not fit inputs of shape {shape}")
    window = settings.get("kernel_size") or settings.get("pool_size") or ()
    for size, width, spread in zip(shape, window, settings.get("dilation_rate", (1, 1)), strict=False):
        if width * spread > max(2 * size, 8):  # the padding would be many times the image
            raise CannotRebuild(f"its {name} layer looks far beyond its inputs of shape {shape}")
    if not 1 <= abs(settings.get("axis", 1)) <= len(shape):
        raise CannotRebuild(f"its {name} layer has axis={settings['axis']}, on inputs of shape {shape}")
    try:
        after = tuple(int(size) for size in layer.compute_output_shape((None, *shape))[1:])
    except KERAS_ERRORS as error:
        raise CannotRebuild(f"its {name} layer does not fit inputs of shape {shape}") from error
    if math.prod(after) > MAX_ACTIVATIONS:
        raise CannotRebuild("one of its layers is too wide for the grader")
    return layer, after


def _parameters(name: str, settings: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """Count the weights of a layer for inputs of `shape` (without the batch size)."""
    if name == "Dense":
        return int(settings["units"] * (shape[-1] + settings.get("use_bias", True)))
    if name == "Conv2D":
        inputs = shape[-1] // settings.get("groups", 1) * math.prod(settings["kernel_size"])
        return int(settings["filters"] * (inputs + settings.get("use_bias", True)))
    if name == "BatchNormalization":
        axis = settings.get("axis", -1)
        size = shape[axis if axis < 0 else axis - 1]
        return int(size * (2 + settings.get("center", True) + settings.get("scale", True)))
    return 0
