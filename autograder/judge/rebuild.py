"""Evidence → a Keras model of our own making, with the student's weights in it.

Only the layer types of `SETTINGS` are built, with settings inside the bounds of `ALLOWED`. Parameters,
activations and multiplications are counted by arithmetic before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.data.dataset import DATASETS
from autograder.errors import GraderFault
from autograder.judge.architecture import canonical_name
from autograder.judge.evidence import MAX_WEIGHTS, Float32, Layer, Model
from autograder.sandbox.model_description import SETTINGS

if TYPE_CHECKING:
    import keras

__all__ = ["UNSCALED", "CannotRebuild", "fresh", "outputs", "rebuild", "scalings"]

MAX_ACTIVATIONS = 2_000_000
"""Numbers that one image may become on its way through the model."""

MAX_WORK = 500_000_000
"""Multiplications that one image may cost: more than anyone can train with in a notebook's time."""

UNSCALED = "as they are"
"""The name of the scaling that is none."""

BATCH_NUMBERS = 50_000_000
"""Numbers that a batch of images may become in one layer when it is scored (200 MB)."""

ACTIVATIONS = frozenset(
    [
        "linear",
        "relu",
        "softmax",
        "sigmoid",
        "tanh",
        "elu",
        "selu",
        "gelu",
        "softplus",
        "softsign",
        "exponential",
        "silu",
        "swish",
        "hard_sigmoid",
        "leaky_relu",
        "relu6",
        "mish",
        "log_softmax",
    ]
)


REFUSED = (ArithmeticError, LookupError, TypeError, ValueError)
"""What Keras raises for settings that make no sense."""


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _list(of: Callable[[Any], bool], shortest: int, longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and shortest <= len(value) <= longest and all(map(of, value))


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9


def _flag(value: Any) -> bool:
    return type(value) is bool


ALLOWED: dict[str, Callable[[Any], bool]] = {
    "units": _whole(1, MAX_WEIGHTS),
    "filters": _whole(1, MAX_WEIGHTS),
    "groups": _whole(1, MAX_WEIGHTS),
    "kernel_size": _list(_whole(1, 784), 2, 2),
    "strides": _list(_whole(1, 784), 2, 2),
    "dilation_rate": _list(_whole(1, 784), 2, 2),
    "pool_size": _list(_whole(1, 784), 2, 2),
    "padding": lambda value: value in ("valid", "same"),
    "target_shape": _list(_whole(-1, MAX_ACTIVATIONS), 1, 4),
    "activation": lambda value: value in ACTIVATIONS,
    "axis": _whole(-4, 4),
    "use_bias": _flag,
    "center": _flag,
    "BatchNormalization.scale": _flag,
    "scale": _number,
    "offset": _number,
    "epsilon": _number,
    "rate": _number,
    "max_value": _number,
    "negative_slope": _number,
    "threshold": _number,
}
"""Which values of a layer's setting are taken to Keras."""


class CannotRebuild(Exception):
    """The model is not one this kit can rebuild; the text is meant for the student."""


def rebuild(model: Model, weights: Float32) -> keras.Sequential:
    """Build the model and put `weights` (float32 [count]) into it.

    Raises CannotRebuild, with a reason a student can act on.
    """
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
    except REFUSED as error:
        raise CannotRebuild("its layers do not fit together") from error


def outputs(model: keras.Sequential, images: Float32) -> Float32:
    """What the model gives for each image, float32 [n, classes]; images are float32 [n, 28, 28]."""
    shaped = images.reshape((len(images), *model.input_shape[1:]))
    widest = max(math.prod(layer.output.shape[1:]) for layer in model.layers)
    batch = max(1, min(1000, BATCH_NUMBERS // widest))
    parts = [np.asarray(model(shaped[at : at + batch], training=False)) for at in range(0, len(shaped), batch)]
    return np.concatenate(parts).astype(np.float32)


def scalings(dataset: str) -> tuple[tuple[str, Callable[[Float32], Float32]], ...]:
    """The honest ways to scale a dataset's pixels before training, by name; each takes float32 [n, 28, 28] to 255.

    What tutorials call to normalise (`keras.utils.normalize`) makes every column, or every row, of an image a vector
    of length 1. MNIST's mean and standard deviation stand in so many of them that they are used for other images too.
    """
    copied = () if dataset == "mnist" else (("standardised as MNIST", partial(_standardised, dataset="mnist")),)
    return (
        ("divided by 255", lambda x: x / np.float32(255)),
        (UNSCALED, lambda x: x),
        ("from -1 to 1", lambda x: x / np.float32(127.5) - np.float32(1)),
        ("from -0.5 to 0.5", lambda x: x / np.float32(255) - np.float32(0.5)),
        ("from 1 to 0", lambda x: np.float32(1) - x / np.float32(255)),
        ("standardised", partial(_standardised, dataset=dataset)),
        *copied,
        ("divided by 255 twice", lambda x: x / np.float32(255 * 255)),
        ("columns of length 1", partial(_normalised, axis=1)),
        ("rows of length 1", partial(_normalised, axis=2)),
    )


def _standardised(images: Float32, *, dataset: str) -> Float32:
    published = DATASETS[dataset]
    return np.asarray((images / np.float32(255) - np.float32(published.mean)) / np.float32(published.sd), np.float32)


def _normalised(images: Float32, *, axis: int) -> Float32:
    length = np.linalg.norm(images, axis=axis, keepdims=True)
    return np.asarray(images / np.where(length == 0, 1, length), np.float32)


def _input_shape(model: Model) -> tuple[int, ...]:
    if model.input_shape is None:
        raise CannotRebuild("it has not been built: it has never seen an image, so it has no parameters yet")
    shape = tuple(size for size in model.input_shape[1:] if size is not None)
    if math.prod(shape) != 28 * 28 or len(shape) != len(model.input_shape) - 1:
        raise CannotRebuild(f"it takes inputs of shape {tuple(model.input_shape)}, not images of 28 by 28 pixels")
    if model.structure not in ("sequential", "functional"):
        raise CannotRebuild("its layers do not form one plain chain from images to outputs")
    return shape


def _layers(model: Model, available: int | None) -> list[keras.Layer]:
    """The layers, not yet built. Everything is counted here, before there is anything to allocate."""
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
        layer = _layer(name, settings)
        after = _after(name, settings, layer, shape)
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
    made = sum(math.prod(variable.shape) for layer in layers for variable in layer.weights)
    if made != len(weights):
        raise GraderFault(f"{len(weights):,} parameters were counted, but Keras made {made:,}")
    position = 0
    for layer in layers:
        arrays = []
        for variable in layer.weights:
            size = math.prod(variable.shape)
            arrays.append(weights[position : position + size].reshape(variable.shape))
            position += size
        layer.set_weights(arrays)


def _settings(name: str, described: Layer) -> dict[str, Any]:
    """The layer's settings, all of them inside the bounds; Keras's default stands for what is None."""
    settings = {key: described.settings[key] for key in SETTINGS[name] if described.settings.get(key) is not None}
    if "activation" in settings:
        settings["activation"] = activation = canonical_name(str(settings["activation"]))
        if activation not in ACTIVATIONS:
            raise CannotRebuild(f"it uses the activation {activation}, which the grader cannot rebuild")
    for key, value in settings.items():
        if not ALLOWED.get(f"{name}.{key}", ALLOWED[key])(value):
            raise CannotRebuild(f"its {name} layer has {key}={str(value)[:40]}")
    return settings


def _layer(name: str, settings: Mapping[str, Any]) -> keras.Layer:
    import keras

    try:
        layer: keras.Layer = getattr(keras.layers, name)(**settings)
    except REFUSED as error:
        raise CannotRebuild(f"its {name} layer cannot be built with {dict(settings)}") from error
    return layer


def _after(name: str, settings: Mapping[str, Any], layer: keras.Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    if "2D" in name and len(shape) != 3:
        raise CannotRebuild(f"its {name} layer does not fit inputs of shape {shape}")
    window = settings.get("kernel_size") or settings.get("pool_size") or ()
    for size, width, spread in zip(shape, window, settings.get("dilation_rate", (1, 1)), strict=False):
        if width * spread > max(2 * size, 8):  # the border that would be put around an image is many times the image
            raise CannotRebuild(f"its {name} layer looks far beyond its inputs of shape {shape}")
    if not 1 <= abs(settings.get("axis", 1)) <= len(shape):
        raise CannotRebuild(f"its {name} layer has axis={settings['axis']}, on inputs of shape {shape}")
    try:
        after = tuple(int(size) for size in layer.compute_output_shape((None, *shape))[1:])
    except REFUSED as error:
        raise CannotRebuild(f"its {name} layer does not fit inputs of shape {shape}") from error
    if math.prod(after) > MAX_ACTIVATIONS:
        raise CannotRebuild("one of its layers is too wide for the grader")
    return after


def _parameters(name: str, settings: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """Number of weights of a layer on inputs of `shape` (without the batch size)."""
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
