"""A student's variables as plain data: reported values, and Keras models with their layers, settings and weights.

A variable may be any object, and any attribute of it may raise anything; nothing of that leaves this module.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["MAX_WEIGHTS", "SETTINGS", "describe_model", "describe_value", "one_line"]

TEXT_LIMIT = 200  # characters of any one string in the journal
LARGEST = 10**15  # no honest number is beyond this
NUMBERS = (int, float, np.integer, np.floating)

# What a student's object may raise. TimeLimit is none of these and passes through.
ANY_ERROR = (Exception, SystemExit, KeyboardInterrupt, GeneratorExit)

MAX_WEIGHTS = 5_000_000
"""Parameters of the largest model that is judged. The assignment's own model has 101,770."""

LAYERS_LIMIT, ARRAYS_LIMIT = 200, 16  # layers of a model, and weight arrays of a layer, that are described
SETTINGS: dict[str, tuple[str, ...]] = {
    "InputLayer": (),
    "Flatten": (),
    "Reshape": ("target_shape",),
    "Dense": ("units", "activation", "use_bias"),
    "Activation": ("activation",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Softmax": ("axis",),
    "Dropout": ("rate",),
    "Rescaling": ("scale", "offset"),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "use_bias", "activation"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": (),
}
"""Layer types the kit understands, and the attributes it needs of each."""


def describe_model(namespace: Mapping[str, Any], name: str, *, weights: bool) -> tuple[dict[str, Any], list[Any]]:
    """Describe the model called `name`: layers, compile settings, and (on request) the weights in layer order."""
    if name not in namespace:
        return {"kind": "missing"}, []
    value = namespace[name]
    if value is Ellipsis:
        return {"kind": "ellipsis"}, []
    keras: Any = sys.modules.get("keras")
    if not _safely(lambda: issubclass(type(value), keras.Model), False):
        return {"kind": "other", "name": _type_name(value)}, []
    structure, layers = _safely(lambda: _structure(value, keras), ("unknown", []))
    described: dict[str, Any] = {
        "kind": "keras",
        "name": _type_name(value),
        "structure": structure,
        "built": _safely(lambda: bool(value.built), False),
        "input_shape": _safely(lambda: _shape(value.input_shape), None),
        "output_shape": _safely(lambda: _shape(value.output_shape), None),
        "layers": [],
        "compile": _safely(lambda: _compile(value), None),
        "steps": _safely(lambda: min(max(0, _steps(value)), LARGEST), 0),
    }
    arrays: list[Any] = []
    for layer in layers[:LAYERS_LIMIT]:
        held = _safely(_weights, [], layer)
        described["layers"].append(
            {
                "type": _safely(_origin, "custom:?", type(layer)),
                "settings": _safely(_settings, {}, layer),
                "weights": [list(map(int, array.shape[:8])) for array in held[:ARRAYS_LIMIT]],
            }
        )
        arrays += held
    too_many = sum(array.size for array in arrays) > MAX_WEIGHTS
    return described, arrays if weights and not too_many else []


def _steps(model: Any) -> int:
    """Return the steps of training. Compiling again resets the optimizer's count to 0; then the last fit's is taken."""
    made = int(model.optimizer.iterations)
    return made or len(model.history.epoch) * int(model.history.params["steps"])


def _structure(model: Any, keras: Any) -> tuple[str, list[Any]]:
    if type(model) is keras.Sequential:
        return "sequential", list(_flat(model.layers, keras))
    if type(model).__name__ == "Functional" and type(model).__module__.startswith("keras."):
        # One node for every call of a layer, from the inputs to the outputs.
        nodes = [node for _, level in sorted(model._nodes_by_depth.items(), reverse=True) for node in level]
        operations = [node.operation for node in nodes]
        linear = len(model.inputs) == len(model.outputs) == 1 and all(
            [tensor._keras_history.operation for tensor in node.input_tensors] == [before.operation]
            for before, node in pairwise(nodes)
        )
        once = len(set(map(id, operations))) == len(operations)
        return ("functional" if linear and once else "branching"), list(_flat(map(_scaling, nodes), keras))
    return "subclassed", list(model.layers)


def _scaling(node: Any) -> Any:
    """Return a node's operation, and for arithmetic with a number (`inputs / 255`) the equivalent Rescaling layer."""
    import keras

    amounts: dict[str, Callable[[float], tuple[float, float]]] = {
        "Divide": lambda number: (1 / number, 0.0),
        "TrueDivide": lambda number: (1 / number, 0.0),
        "Multiply": lambda number: (number, 0.0),
        "Subtract": lambda number: (1.0, -number),
        "Add": lambda number: (1.0, number),
    }
    name, given = type(node.operation).__name__, node.arguments.args
    if name in amounts and len(given) == 2 and given[0] is node.input_tensors[0] and isinstance(given[1], int | float):
        with contextlib.suppress(ZeroDivisionError):
            return keras.layers.Rescaling(*amounts[name](given[1]))
    return node.operation


def _flat(layers: Iterable[Any], keras: Any) -> Iterator[Any]:
    """Yield the layers, with those of nested Sequential models in their place."""
    for layer in layers:
        if isinstance(layer, keras.Sequential):
            yield from _flat(layer.layers, keras)
        else:
            yield layer


def _settings(layer: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SETTINGS.get(type(layer).__name__, ()):
        value = _safely(getattr, None, layer, name)
        if name == "activation":
            found[name] = "keras:linear" if value is None else _safely(_origin, "custom:?", value)
            if found[name] in ("keras:ReLU", "keras:Softmax"):  # a layer used as a function
                found |= _settings(value)
        else:
            found[name] = _safely(_setting, None, value)
    return found


def _setting(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [_number(item) for item in value[:8]]
    return one_line(value) if isinstance(value, str) else _number(value)


def _compile(model: Any) -> dict[str, Any] | None:
    if not model.compiled:
        return None
    optimizer, loss = model.optimizer, model.loss
    if _origin(type(optimizer)) == "keras:LossScaleOptimizer":  # Keras wraps the student's own in it for half precision
        optimizer = optimizer.inner_optimizer
    if isinstance(loss, list | tuple) and len(loss) == 1:
        loss = loss[0]
    from_logits = getattr(loss, "from_logits", None)
    return {
        "optimizer": _origin(type(optimizer)),
        "learning_rate": _safely(lambda: _number(float(optimizer.learning_rate)), None),
        "loss": None if loss is None else _origin(loss),
        "from_logits": from_logits if isinstance(from_logits, bool) else None,
    }


def _origin(thing: Any) -> str:
    """Return `keras:Name`, `tensorflow:name` or `custom:name` of a string, class, function or callable object."""
    if isinstance(thing, str):
        return one_line(f"keras:{thing}")
    is_function = callable(thing) and isinstance(getattr(thing, "__name__", None), str)
    if not isinstance(thing, type) and not is_function:
        thing = type(thing)
    module = str(getattr(thing, "__module__", "")).partition(".")[0]
    name = str(getattr(thing, "__name__", "?"))
    return one_line(f"{module if module in ('keras', 'tensorflow') else 'custom'}:{name}")


def _shape(shape: Any) -> list[int | None] | None:
    if not isinstance(shape, tuple) or len(shape) > 8:
        return None
    sizes = [None if size is None else int(size) for size in shape]
    return sizes if all(size is None or 0 <= size < 2**31 for size in sizes) else None


def _weights(layer: Any) -> list[Any]:
    return [np.ascontiguousarray(np.asarray(array), dtype="<f4") for array in layer.get_weights()]


def describe_value(namespace: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Describe a variable: its kind, and its value if it is a number, a text or a few numbers."""
    if name not in namespace:
        return {"kind": "missing"}
    value = namespace[name]
    found: dict[str, Any] | None = _safely(_plain, None, value)
    return {"kind": "other", "name": _type_name(value)} if found is None else found


def _plain(value: Any) -> dict[str, Any]:
    if value is None or value is Ellipsis:
        return {"kind": "none" if value is None else "ellipsis"}
    if type(value) is str:
        return {"kind": "text", "value": one_line(value)}
    value = _unwrapped(value)
    if isinstance(value, bool | np.bool_):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, NUMBERS):
        return {"kind": "number", "value": _number(value)}
    if isinstance(value, np.ndarray):
        return {"kind": "array", "name": one_line(f"array of shape {value.shape}")}
    if type(value) not in (tuple, list):
        return {"kind": "other", "name": _type_name(value)}
    if len(value) > 8 or not all(isinstance(item, NUMBERS) for item in value):
        return {"kind": "other", "name": f"{type(value).__name__} of {len(value)}"}
    return {"kind": "numbers", "value": [_number(item) for item in value]}


def _unwrapped(value: Any) -> Any:
    """Turn tensors, tensor shapes and small arrays into the plain numbers or tuples that they hold."""
    module = type(value).__module__
    if type(value).__name__ == "TensorShape" and module.startswith("tensorflow"):
        return tuple(value)
    if hasattr(value, "numpy") and module.startswith(("tensorflow", "keras")):
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        if value.ndim == 0:
            return value[()]
        if value.ndim == 1 and value.size <= 8:
            return value.tolist()
    return value


def _number(value: Any) -> int | float | None:
    """Return a number as JSON takes it; None if it is not finite or larger than any honest answer. Raises TypeError."""
    if not isinstance(value, NUMBERS):
        raise TypeError(f"{type(value).__name__} is not a number")
    exact = int(value) if isinstance(value, int | np.integer) else float(value)
    if abs(exact) > LARGEST or not math.isfinite(exact):
        return None
    return int(exact) if exact == int(exact) else exact


def one_line(anything: object) -> str:
    """Return one line of at most TEXT_LIMIT characters, without control characters and lone surrogates."""
    return "".join(char if char.isprintable() else " " for char in str(anything)[:TEXT_LIMIT])


def _type_name(value: Any) -> str:
    return str(_safely(lambda: one_line(type(value).__name__), "object"))


def _safely(what: Callable[..., Any], otherwise: Any, *args: Any) -> Any:
    """Return `what(*args)`, or `otherwise` if that raises: a student's object may raise anything from any attribute."""
    try:
        return what(*args)
    except ANY_ERROR:
        return otherwise
