"""Evidence → a Keras model of our own making, with the student's weights in it.

Only the layer types of `SETTINGS` are built. Parameters are counted by arithmetic before anything is
allocated, and the built shapes must be those the weights came in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.architecture import canonical_name
from autograder.evidence import MAX_WEIGHTS, Float32, Layer, Model
from autograder.sandbox.recorder import SETTINGS

if TYPE_CHECKING:
    import keras

__all__ = ["CannotRebuild", "predict", "rebuild", "scalings"]

MAX_ACTIVATIONS = 2_000_000
"""Numbers that one image may become on its way through the model."""

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


class CannotRebuild(Exception):
    """The model is not one this kit can rebuild; the text is meant for the student."""


def rebuild(model: Model, weights: Float32) -> keras.Sequential:
    """Build the model and put `weights` (float32 [count]) into it.

    Raises CannotRebuild, with a reason a student can act on.
    """
    import keras

    shape = _input_shape(model)
    layers: list[keras.Layer] = []
    count = 0
    for described in model.layers:
        layer = _layer(described)
        if layer is None:
            continue
        count += _parameters(described, shape)
        if count > MAX_WEIGHTS:
            raise CannotRebuild(f"the model has more than {MAX_WEIGHTS:,} parameters")
        shape = _after(layer, described, shape)
        layers.append(layer)
    if count != len(weights):
        raise CannotRebuild(f"its layers need {count:,} parameters, but {len(weights):,} came with it")
    if not np.isfinite(weights).all():
        raise CannotRebuild("some of its parameters are not numbers (NaN or infinite): the training diverged")
    if not layers:
        raise CannotRebuild("it has no layers")
    built = keras.Sequential([keras.Input(_input_shape(model)), *layers])
    position = 0
    for layer in layers:
        arrays = []
        for variable in layer.weights:
            size = math.prod(variable.shape)
            arrays.append(weights[position : position + size].reshape(variable.shape))
            position += size
        layer.set_weights(arrays)
    return built


def predict(model: keras.Sequential, images: Float32) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The class with the highest output for each image; images are float32 [n, 28, 28]."""
    shaped = images.reshape((len(images), *model.input_shape[1:]))
    outputs = [np.asarray(model(shaped[at : at + 1000], training=False)) for at in range(0, len(shaped), 1000)]
    classes: np.ndarray[Any, np.dtype[np.int64]] = np.concatenate(outputs).argmax(axis=-1)
    return classes


def scalings() -> tuple[tuple[str, Callable[[Float32], Float32]], ...]:
    """The honest ways to scale pixels before training, by name; each takes float32 from 0 to 255.

    0.1307 and 0.3081 are the mean and the standard deviation of the training pixels divided by 255.
    """
    return (
        ("divided by 255", lambda x: x / np.float32(255)),
        ("as they are", lambda x: x),
        ("from -1 to 1", lambda x: x / np.float32(127.5) - np.float32(1)),
        ("standardised", lambda x: (x / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081)),
    )


def _input_shape(model: Model) -> tuple[int, ...]:
    if model.input_shape is None:
        raise CannotRebuild("it has not been built: it has never seen an image, so it has no parameters yet")
    shape = tuple(size for size in model.input_shape[1:] if size is not None)
    if math.prod(shape) != 28 * 28 or len(shape) != len(model.input_shape) - 1:
        raise CannotRebuild(f"it takes inputs of shape {tuple(model.input_shape)}, not images of 28 by 28 pixels")
    if model.structure not in ("sequential", "functional"):
        raise CannotRebuild("its layers do not form one plain chain from images to outputs")
    return shape


def _layer(described: Layer) -> keras.Layer | None:
    import keras

    source, _, name = described.type.partition(":")
    if name == "InputLayer":
        return None
    if source != "keras" or name not in SETTINGS:
        raise CannotRebuild(f"it has a {name} layer, which the grader cannot rebuild")
    settings = {key: described.settings[key] for key in SETTINGS[name] if described.settings.get(key) is not None}
    if "activation" in settings:
        settings["activation"] = canonical_name(str(settings["activation"]))
        if settings["activation"] not in ACTIVATIONS:
            raise CannotRebuild(f"it uses the activation {settings['activation']}, which the grader cannot rebuild")
    for key in ("units", "filters"):
        value = settings.get(key, 1)
        if not isinstance(value, int) or not 1 <= value <= MAX_WEIGHTS:
            raise CannotRebuild(f"a {name} layer has {key}={value!r}")
    try:
        layer: keras.Layer = getattr(keras.layers, name)(**settings)
    except (TypeError, ValueError) as error:
        raise CannotRebuild(f"its {name} layer cannot be built with {settings}") from error
    return layer


def _after(layer: keras.Layer, described: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    try:
        after = tuple(int(size) for size in layer.compute_output_shape((None, *shape))[1:])
    except (TypeError, ValueError) as error:
        raise CannotRebuild(
            f"its {described.type.partition(':')[2]} layer does not fit inputs of shape {shape}"
        ) from error
    if math.prod(after) > MAX_ACTIVATIONS:
        raise CannotRebuild("one of its layers is too wide for the grader")
    return after


def _parameters(described: Layer, shape: tuple[int, ...]) -> int:
    """Number of weights of a layer on inputs of `shape` (without the batch size)."""
    settings, name = described.settings, described.type.partition(":")[2]
    if not shape:
        raise CannotRebuild("one of its layers gets a single number as input")
    if name == "Dense":
        units = _whole(settings["units"])
        return shape[-1] * units + (units if settings.get("use_bias") is not False else 0)
    if name == "Conv2D":
        filters, kernel = _whole(settings["filters"]), settings.get("kernel_size")
        if not isinstance(kernel, list) or len(kernel) != 2:
            raise CannotRebuild("its Conv2D layer has no kernel size")
        groups = _whole(settings.get("groups") or 1)
        bias = filters if settings.get("use_bias") is not False else 0
        return _whole(kernel[0]) * _whole(kernel[1]) * (shape[-1] // groups) * filters + bias
    if name == "BatchNormalization":
        return shape[-1] * (2 + bool(settings.get("center", True)) + bool(settings.get("scale", True)))
    return 0


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= MAX_WEIGHTS:
        raise CannotRebuild(f"one of its layers has the size {value!r}")
    return value
