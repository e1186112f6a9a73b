"""What a student process writes down about its variables, and where.

Border contract
---------------
In:   for every code question, which variables to look at (never what they should hold).
Out:  two open files. The *journal* takes one JSON object a line, in the order things happened; a line cut
      short by a kill is meaningless. The *blob* takes the weights of models, little-endian float32.
It is not trusted: the process it runs in can write anything at all into both. What they must look like is
said, and enforced, in `autograder.judge.evidence`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from autograder.sandbox import offline

__all__ = [
    "BLOB_LIMIT",
    "JOURNAL_LIMIT",
    "MAX_WEIGHTS",
    "SETTINGS",
    "Recorder",
    "describe_model",
    "describe_value",
    "take",
]

JOURNAL_LIMIT = 256 * 1024
"""Bytes. The trusted side reads no more than this."""

END_RESERVE = 64 * 1024
"""Bytes of the journal that are kept for the end of the notebook, however often a question is checked."""

MAX_WEIGHTS = 5_000_000
"""Parameters of the largest model that is judged. The assignment's own model has 101,770."""

BLOB_LIMIT = 4 * 2 * MAX_WEIGHTS
"""Bytes of blob that are read: twice the largest model, because a check can be repeated."""

TEXT_LIMIT = 200
"""Characters of any one string in the journal."""

LAYERS_LIMIT = 200
ARRAYS_LIMIT = 16
"""Layers of a model, and weight arrays of a layer, that are described."""

LARGEST = 10**15
"""No honest number is beyond this."""

# What a student's object may raise. TimeLimit is none of these, and goes through.
ANY_ERROR = (Exception, SystemExit, KeyboardInterrupt, GeneratorExit)

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
"""Layer types the kit understands, and which of their attributes it needs."""

Spec = Mapping[str, Any]
"""`{"reports": [names]}`, `{"model": name, "weights": bool}`, or both in one."""


class Recorder:
    """Appends to the journal and the blob.

    `journal` and `blob` are file descriptors open for writing; `questions` maps each code question to its
    Spec. No error of the student's objects leaves this class.
    """

    def __init__(self, questions: Mapping[str, Spec], journal: int, blob: int) -> None:
        self._questions = questions
        self._journal = journal
        self._blob = blob
        self._written = 0
        self._blob_floats = 0
        self._weighed: set[str] = set()
        self._trained: set[str] = set()

    def cell(self, index: int) -> None:
        """Cell `index` starts now."""
        self._append({"cell": index})

    def error(self, index: int, name: str, text: str) -> None:
        """Cell `index` raised an error of class `name`."""
        self._append({"error": {"cell": index, "name": _text(name), "text": _text(text)}})

    def note(self, text: str) -> None:
        """Something the student should be told about how the notebook was run."""
        self._append({"note": _text(text)})

    def check(self, question: str, namespace: Mapping[str, Any]) -> bool:
        """Take the evidence of `question` now. False where there is no such code question."""
        if question not in self._questions:
            return False
        self._record(question, "check", namespace)
        return True

    def finish(self, namespace: Mapping[str, Any]) -> None:
        """Take every question's evidence once more, as it stands at the end of the notebook.

        The trusted side prefers what was taken at the check; this is for questions that were never
        checked, or checked before they were answered.
        """
        for question in self._questions:
            with contextlib.suppress(BaseException):  # the clock has been stopped: nothing here may end the process
                self._record(question, "end", namespace)
        self._append({"finished": True}, JOURNAL_LIMIT)

    def _record(self, question: str, at: str, namespace: Mapping[str, Any]) -> None:
        evidence, arrays = take(self._questions[question], namespace)
        if arrays and not (at == "end" and question in self._trained):
            if 4 * (self._blob_floats + sum(array.size for array in arrays)) <= BLOB_LIMIT:
                self._weighed.add(question)
                if evidence["model"]["steps"]:
                    self._trained.add(question)  # what was not trained yet may be, until the end
                evidence["model"]["blob"] = self._write_weights(arrays)
            elif question in self._weighed:
                self.note(f"{question} was checked so often that only its first checks were recorded.")
                return
        self._append({"question": question, "at": at, **evidence}, JOURNAL_LIMIT if at == "end" else None)

    def _write_weights(self, arrays: list[Any]) -> dict[str, int]:
        start = self._blob_floats
        for array in arrays:
            _write_all(self._blob, array.tobytes())
            self._blob_floats += int(array.size)
        return {"start": start, "count": self._blob_floats - start}

    def _append(self, record: Mapping[str, Any], limit: int | None = None) -> None:
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        if self._written + len(line) <= (limit or JOURNAL_LIMIT - END_RESERVE):
            self._written += len(line)
            _write_all(self._journal, line)


def take(spec: Spec, namespace: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The evidence for one question, and the model's weights (numpy arrays) where the spec asks for them."""
    evidence: dict[str, Any] = {}
    arrays: list[Any] = []
    if loaded := offline.asked():
        evidence["loaded"] = list(loaded)
    if "reports" in spec:
        evidence["values"] = {name: describe_value(namespace, name) for name in spec["reports"]}
    if "model" in spec:
        evidence["model"], arrays = describe_model(namespace, spec["model"], weights=spec["weights"])
    return evidence, arrays


def describe_value(namespace: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A reported value as plain data: its kind, and the value where it is a number, a text or a few numbers."""
    if name not in namespace:
        return {"kind": "missing"}
    value = namespace[name]
    found: dict[str, Any] | None = _safely(_plain, None, value)
    return {"kind": "other", "name": _type_name(value)} if found is None else found


def describe_model(namespace: Mapping[str, Any], name: str, *, weights: bool) -> tuple[dict[str, Any], list[Any]]:
    """The model called `name`: layers, compile settings, and (where asked) the weights in layer order."""
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
    """Steps of training; compiling again sets the optimizer's own count back to 0, so the last fit is asked then."""
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
    """The operation of a node; arithmetic with a number (`inputs / 255`) as the Rescaling layer that it amounts to."""
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
    """Layers of nested Sequential models in line with the others."""
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
            if found[name] in ("keras:ReLU", "keras:Softmax"):  # a layer in the place of a function
                found |= _settings(value)
        else:
            found[name] = _safely(_setting, None, value)
    return found


def _setting(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return [_number(item) for item in value[:8]]
    return _number(value)


def _compile(model: Any) -> dict[str, Any] | None:
    if not model.compiled:
        return None
    optimizer, loss = model.optimizer, model.loss
    if _origin(type(optimizer)) == "keras:LossScaleOptimizer":  # put around the student's own for half precision
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
    """`keras:Name`, `tensorflow:name` or `custom:name` of a string, class, function or callable object."""
    if isinstance(thing, str):
        return _text(f"keras:{thing}")
    if not isinstance(thing, type) and not _is_function(thing):
        thing = type(thing)
    module = str(getattr(thing, "__module__", "")).partition(".")[0]
    name = str(getattr(thing, "__name__", "?"))
    return _text(f"{module if module in ('keras', 'tensorflow') else 'custom'}:{name}")


def _is_function(thing: Any) -> bool:
    return callable(thing) and isinstance(getattr(thing, "__name__", None), str) and not isinstance(thing, type)


def _shape(shape: Any) -> list[int | None] | None:
    if not isinstance(shape, tuple) or len(shape) > 8:
        return None
    sizes = [None if size is None else int(size) for size in shape]
    return sizes if all(size is None or 0 <= size < 2**31 for size in sizes) else None


def _plain(value: Any) -> dict[str, Any]:
    import numpy as np

    if value is None or value is Ellipsis:
        return {"kind": "none" if value is None else "ellipsis"}
    if type(value) is str:
        return {"kind": "text", "value": _text(value)}
    value = _unwrapped(value)
    if isinstance(value, bool | np.bool_):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, int | float | np.integer | np.floating):
        return {"kind": "number", "value": _number(value)}
    if isinstance(value, np.ndarray):
        return {"kind": "array", "name": _text(f"array of shape {value.shape}")}
    if type(value) in (tuple, list):
        return _plain_sequence(value)
    return {"kind": "other", "name": _type_name(value)}


def _unwrapped(value: Any) -> Any:
    """Tensors, tensor shapes and small arrays as the plain numbers or tuples that they hold."""
    import numpy as np

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


def _plain_sequence(value: Any) -> dict[str, Any]:
    import numpy as np

    if len(value) > 8 or not all(isinstance(item, int | float | np.integer | np.floating) for item in value):
        return {"kind": "other", "name": f"{type(value).__name__} of {len(value)}"}
    return {"kind": "numbers", "value": [_number(item) for item in value]}


def _number(value: Any) -> int | float | None:
    """None for what JSON, or any honest answer, has no room for. Raises TypeError for what is no number."""
    import numpy as np

    if not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{type(value).__name__} is no number")
    exact = int(value) if isinstance(value, int | np.integer) else float(value)
    if abs(exact) > LARGEST or not math.isfinite(exact):
        return None
    return int(exact) if exact == int(exact) else exact


def _weights(layer: Any) -> list[Any]:
    import numpy as np

    return [np.ascontiguousarray(np.asarray(array), dtype="<f4") for array in layer.get_weights()]


def _text(text: str) -> str:
    """One line of at most TEXT_LIMIT characters, none of them a control character or half a character."""
    return "".join(char if char.isprintable() else " " for char in str(text)[:TEXT_LIMIT])


def _type_name(value: Any) -> str:
    name: str = _safely(lambda: _text(type(value).__name__), "object")
    return name


def _safely(what: Callable[..., Any], otherwise: Any, *args: Any) -> Any:
    """`what(*args)`, or `otherwise`: a student's object may raise anything from any attribute."""
    try:
        return what(*args)
    except ANY_ERROR:
        return otherwise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
