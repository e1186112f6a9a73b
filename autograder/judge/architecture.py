"""The meaning of a model, however it was written.

`'relu'`, `tf.nn.relu`, `layers.ReLU()` and `Activation('relu')` are one meaning; so are `Flatten()` and
`Reshape((784,))`, and a model with or without an explicit input layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from operator import itemgetter

from autograder.judge.evidence import CompileSettings, Layer, Model
from autograder.policy.policy import CodeQuestion

__all__ = [
    "CLASSES",
    "Alignment",
    "NamedLayer",
    "align",
    "canonical_name",
    "chain",
    "loss_name",
    "named_layers",
    "required_layers",
    "scales_itself",
]

CLASSES = 10
"""The number of classes in every dataset that the kit knows."""

# Layers that change neither what is learned nor its width; scaling inside the model is as good as outside.
TRANSPARENT = ("InputLayer", "Rescaling")
SCALING = ("keras:Rescaling", "keras:BatchNormalization", "keras:LayerNormalization", "keras:Normalization")
AS_LAYERS = {"ReLU": "relu", "Softmax": "softmax"}
# Their default settings; with others they are another function.
PLAIN = {"max_value": (None,), "negative_slope": (None, 0), "threshold": (None, 0), "axis": (None, -1)}
FLAT_SHAPES = ([-1], [28 * 28])  # the target shapes of a Reshape that does what Flatten does


@dataclass(frozen=True)
class NamedLayer:
    """One layer as a reader would name it. `units` and `activation` are None if it has none."""

    type: str
    units: int | None = None
    activation: str | None = None

    def __str__(self) -> str:
        settings = ", ".join(str(part) for part in (self.units, self.activation) if part is not None)
        return f"{self.type}({settings})" if settings else self.type


def canonical_name(origin: str) -> str:
    """Return `relu` for `keras:relu`, `softmax` for `tensorflow:softmax_v2`, and `custom …` for a student's own."""
    source, _, name = origin.partition(":")
    name = name.lower().removesuffix("_v2")
    return name if source in ("keras", "tensorflow") else f"custom {name}"


def named_layers(model: Model) -> tuple[NamedLayer, ...]:
    """Return the model's layers, with activations folded into the layer before them."""
    found: list[NamedLayer] = []
    for described in model.layers:
        layer = _named(described)
        if layer.type in TRANSPARENT:
            continue
        before = found[-1] if found else None
        if layer.type == "Activation" and before is not None and before.activation == "linear":
            found[-1] = NamedLayer(before.type, before.units, layer.activation)
        elif layer.type == "Activation" and before is not None and before.activation == layer.activation == "relu":
            continue  # relu of relu is relu
        else:
            found.append(layer)
    return tuple(found)


def loss_name(settings: CompileSettings) -> str | None:
    """Return `sparse_categorical_crossentropy` for that loss as a string, a function or an object."""
    if settings.loss is None:
        return None
    source, _, name = settings.loss.partition(":")
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).removeprefix("_")
    aliases = {"mse": "mean_squared_error", "m_s_e": "mean_squared_error"}
    return aliases.get(snake, snake) if source in ("keras", "tensorflow") else f"custom {name}"


def required_layers(question: CodeQuestion) -> tuple[NamedLayer, ...]:
    """Return the layers that a question asks for."""
    return tuple(NamedLayer(rule.type, rule.units, rule.activation) for rule in question.layers or ())


def chain(layers: tuple[NamedLayer, ...]) -> str:
    """Write the first eight layers in a line."""
    return " → ".join([*map(str, layers[:8]), *(["…"] if len(layers) > 8 else [])]) or "nothing"


def scales_itself(model: Model) -> bool:
    """Return whether the model scales the pixels before any other layer with parameters."""
    for layer in model.layers:
        if layer.type in SCALING:
            return True
        if layer.weights:
            return False
    return False


@dataclass(frozen=True)
class Alignment:
    """A chain of layers aligned with the required one, with the fewest changes.

    `partners[i]` is the layer that takes the place of required layer i, None if it is missing. `extra` holds the other
    layers, each with the index of the required layer that follows it (at the end, of the last).
    """

    partners: tuple[NamedLayer | None, ...]
    extra: tuple[tuple[int, NamedLayer], ...]


def align(found: tuple[NamedLayer, ...], wanted: tuple[NamedLayer, ...]) -> Alignment:
    """Align two chains by Levenshtein's edit distance.

    To leave out or insert a layer costs 2; to replace one costs 3 within its type and 4 across types. So two layers
    that changed places are one that moved, and a layer of another width is not one missing and one too many.
    """

    @cache
    def best(i: int, j: int) -> tuple[int, Alignment]:
        """Return the least cost of the rest, from `i` and `j` on, and its alignment."""
        ways = [] if found[i:] or wanted[j:] else [(0, Alignment((), ()))]
        if found[i:] and wanted[j:]:
            cost, rest = best(i + 1, j + 1)
            replace = 0 if found[i] == wanted[j] else 3 if found[i].type == wanted[j].type else 4
            ways.append((cost + replace, Alignment((found[i], *rest.partners), rest.extra)))
        if wanted[j:]:
            cost, rest = best(i, j + 1)
            ways.append((cost + 2, Alignment((None, *rest.partners), rest.extra)))
        if found[i:]:
            cost, rest = best(i + 1, j)
            place = min(j, len(wanted) - 1)
            ways.append((cost + 2, Alignment(rest.partners, ((place, found[i]), *rest.extra))))
        return min(ways, key=itemgetter(0))

    return best(0, 0)[1]


def _named(layer: Layer) -> NamedLayer:
    source, _, type_name = layer.type.partition(":")
    if source != "keras":
        return NamedLayer(f"your own layer {type_name}")
    if type_name in AS_LAYERS:
        return NamedLayer("Activation", activation=_with_settings(AS_LAYERS[type_name], layer))
    units = layer.settings.get("units")
    activation = layer.settings.get("activation")
    if type_name == "Reshape" and layer.settings.get("target_shape") in FLAT_SHAPES:
        return NamedLayer("Flatten")
    return NamedLayer(
        type_name,
        units=units if isinstance(units, int) else None,
        activation=_with_settings(canonical_name(activation), layer) if isinstance(activation, str) else None,
    )


def _with_settings(activation: str, layer: Layer) -> str:
    """Return `relu`, or `relu with max_value=6`, for a layer or for the activation of one."""
    unusual = [f"{key}={value}" for key, value in layer.settings.items() if value not in PLAIN.get(key, (value,))]
    return " with ".join([activation, *unusual])
