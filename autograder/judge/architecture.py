"""What a model *is*, apart from how it was spelled.

`'relu'`, `tf.nn.relu`, `layers.ReLU()` and `Activation('relu')` are one meaning; so are `Flatten()` and
`Reshape((784,))`, and a model with or without an explicit input layer. Pure functions of evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from autograder.judge.evidence import CompileSettings, Layer, Model
from autograder.policy.questions import CodeQuestion

__all__ = [
    "CLASSES",
    "Alignment",
    "NamedLayer",
    "align",
    "canonical_name",
    "chain",
    "is_chain",
    "loss_name",
    "optimizer_name",
    "required",
    "scales_itself",
    "steps",
]

CLASSES = 10
"""Of images, in every dataset that the kit knows."""

# Layers that change neither what is learned nor how wide it is; scaling inside the model is as good as outside.
TRANSPARENT = ("InputLayer", "Rescaling")
SCALING = ("keras:Rescaling", "keras:BatchNormalization", "keras:LayerNormalization", "keras:Normalization")
AS_LAYERS = {"ReLU": "relu", "Softmax": "softmax"}
# What those are by default; with another setting they are another function.
PLAIN = {"max_value": (None,), "negative_slope": (None, 0), "threshold": (None, 0), "axis": (None, -1)}


@dataclass(frozen=True)
class NamedLayer:
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


def is_chain(model: Model) -> bool:
    """One plain chain of layers, from images to outputs."""
    return model.structure in ("sequential", "functional")


def steps(model: Model) -> tuple[NamedLayer, ...]:
    """The model's layers, activations folded into the layer before them."""
    found: list[NamedLayer] = []
    for layer in model.layers:
        step = _step(layer)
        if step.type in TRANSPARENT:
            continue
        last = found[-1] if found else None
        if step.type == "Activation" and last is not None and last.activation == "linear":
            found[-1] = NamedLayer(last.type, last.units, step.activation)
        elif step.type == "Activation" and last is not None and last.activation == step.activation == "relu":
            continue  # relu of relu is relu
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
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).removeprefix("_")
    aliases = {"mse": "mean_squared_error", "m_s_e": "mean_squared_error"}
    return aliases.get(snake, snake) if source in ("keras", "tensorflow") else f"custom {name}"


def required(question: CodeQuestion) -> tuple[NamedLayer, ...]:
    """The layers that a question asks for."""
    return tuple(NamedLayer(rule.type, rule.units, rule.activation) for rule in question.layers or ())


def chain(found: tuple[NamedLayer, ...]) -> str:
    """The first eight steps in a line."""
    return " → ".join([*map(str, found[:8]), *(["…"] if len(found) > 8 else [])]) or "nothing"


def scales_itself(model: Model) -> bool:
    """The model brings the pixels to another scale before its first layer with parameters of its own does."""
    for layer in model.layers:
        if layer.type in SCALING:
            return True
        if layer.weights:
            return False
    return False


@dataclass(frozen=True)
class Alignment:
    """A chain of steps laid beside the required one, at the least number of changes.

    `partners[i]` is the step that stands for required step i, None where it is missing. `extra` are the steps that
    stand for none, each with the index of the required step that follows it (the last one's at the end).
    """

    partners: tuple[NamedLayer | None, ...]
    extra: tuple[tuple[int, NamedLayer], ...]


def align(found: tuple[NamedLayer, ...], wanted: tuple[NamedLayer, ...]) -> Alignment:
    """Lay two chains beside each other (the edit distance of Levenshtein).

    Leaving a step out, or putting one in, costs 2; a step for another of the same type 3, for one of another type 4. So
    two layers that changed places are one that moved, and a layer of another width is not one missing and one too many.
    """
    rows, columns = len(found), len(wanted)

    @cache
    def cost(i: int, j: int) -> int:
        """Of laying what is left from `i` and `j` on beside each other."""
        if i == rows or j == columns:
            return 2 * (rows - i + columns - j)
        return min(cost(i + 1, j + 1) + _cost(found[i], wanted[j]), 2 + cost(i + 1, j), 2 + cost(i, j + 1))

    partners: list[NamedLayer | None] = []
    extra: list[tuple[int, NamedLayer]] = []
    i = j = 0
    while i < rows or j < columns:
        if i < rows and j < columns and cost(i, j) == cost(i + 1, j + 1) + _cost(found[i], wanted[j]):
            partners.append(found[i])
            i, j = i + 1, j + 1
        elif j < columns and cost(i, j) == 2 + cost(i, j + 1):
            partners.append(None)
            j += 1
        else:
            extra.append((min(j, columns - 1), found[i]))
            i += 1
    return Alignment(tuple(partners), tuple(extra))


def _cost(step: NamedLayer, other: NamedLayer) -> int:
    return 0 if step == other else 3 if step.type == other.type else 4


def _step(layer: Layer) -> NamedLayer:
    source, _, type_name = layer.type.partition(":")
    if source != "keras":
        return NamedLayer(f"your own layer {type_name}")
    if type_name in AS_LAYERS:
        return NamedLayer("Activation", activation=_with_settings(AS_LAYERS[type_name], layer))
    units = layer.settings.get("units")
    activation = layer.settings.get("activation")
    if type_name == "Reshape" and _is_flat(layer.settings.get("target_shape")):
        return NamedLayer("Flatten")
    return NamedLayer(
        type_name,
        units=units if isinstance(units, int) else None,
        activation=_with_settings(canonical_name(activation), layer) if isinstance(activation, str) else None,
    )


def _with_settings(activation: str, layer: Layer) -> str:
    """`relu`, or `relu with max_value=6`, whether that is a layer or the activation of one."""
    odd = [f"{key}={value}" for key, value in layer.settings.items() if value not in PLAIN.get(key, (value,))]
    return " with ".join([activation, *odd])


def _is_flat(shape: object) -> bool:
    """`(784,)` or `(-1,)`: all pixels in one row."""
    return isinstance(shape, list) and len(shape) == 1 and shape[0] in (-1, math.prod((28, 28)))
