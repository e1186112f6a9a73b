"""What a model *is*, apart from how it was spelled.

`'relu'`, `tf.nn.relu`, `layers.ReLU()` and `Activation('relu')` are one meaning; so are `Flatten()` and
`Reshape((784,))`, and a model with or without an explicit input layer. Pure functions of evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograder.evidence import CompileSettings, Layer, Model

__all__ = ["Step", "canonical_name", "loss_name", "optimizer_name", "steps"]

# Layers that change neither what is learned nor how wide it is; scaling inside the model is as good as outside.
TRANSPARENT = ("InputLayer", "Rescaling")
AS_LAYERS = {"ReLU": "relu", "Softmax": "softmax"}
# What those are by default; with another setting they are another function.
PLAIN = {"max_value": (None,), "negative_slope": (None, 0), "threshold": (None, 0), "axis": (None, -1)}


@dataclass(frozen=True)
class Step:
    """One layer as a reader would name it. `units` and `activation` are None where it has none."""

    type: str
    units: int | None = None
    activation: str | None = None

    def __str__(self) -> str:
        inside = ", ".join(str(part) for part in (self.units, self.activation) if part is not None)
        return f"{self.type}({inside})" if inside else self.type


def canonical_name(origin: str) -> str:
    """`keras:relu`, `tensorflow:softmax_v2` → the plain name; something of the student's own → `custom …`."""
    source, _, name = origin.partition(":")
    name = name.lower().removesuffix("_v2")
    return name if source in ("keras", "tensorflow") else f"custom {name}"


def steps(model: Model) -> tuple[Step, ...]:
    """The model's layers, activations folded into the layer before them."""
    found: list[Step] = []
    for layer in model.layers:
        step = _step(layer)
        if step.type in TRANSPARENT:
            continue
        last = found[-1] if found else None
        if step.type == "Activation" and last is not None and last.activation == "linear":
            found[-1] = Step(last.type, last.units, step.activation)
        else:
            found.append(step)
    return tuple(found)


def optimizer_name(settings: CompileSettings) -> str:
    """`adam` for Adam in any spelling."""
    return canonical_name(settings.optimizer)


def loss_name(settings: CompileSettings) -> str | None:
    """`sparse_categorical_crossentropy` for that loss as a string, a function or an object."""
    if settings.loss is None:
        return None
    source, _, name = settings.loss.partition(":")
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")
    aliases = {"mse": "mean_squared_error", "m_s_e": "mean_squared_error"}
    return aliases.get(snake, snake) if source in ("keras", "tensorflow") else f"custom {name}"


def _step(layer: Layer) -> Step:
    source, _, type_name = layer.type.partition(":")
    if source != "keras":
        return Step(f"your own layer {type_name}")
    if type_name in AS_LAYERS:
        odd = [f"{key}={value}" for key, value in layer.settings.items() if value not in PLAIN.get(key, (value,))]
        return Step("Activation", activation=" with ".join([AS_LAYERS[type_name], *odd]))
    units = layer.settings.get("units")
    activation = layer.settings.get("activation")
    if type_name == "Reshape" and _is_flat(layer.settings.get("target_shape")):
        return Step("Flatten")
    return Step(
        type_name,
        units=units if isinstance(units, int) else None,
        activation=canonical_name(activation) if isinstance(activation, str) else None,
    )


def _is_flat(shape: object) -> bool:
    """`(784,)` or `(-1,)`: all pixels in one row."""
    return isinstance(shape, list) and len(shape) == 1 and shape[0] in (-1, math.prod((28, 28)))
