"""What a student process writes down about its variables, and where.

Border contract
---------------
In:   for every code question, which variables to look at (never what they should hold).
Out:  two open files. The *journal* takes one JSON object a line, in the order things happened; a line cut
      short by a kill is meaningless. The *blob* takes the weights of models, little-endian float32.
It is not trusted: the process it runs in can write anything at all into both. What they must look like is
said, and enforced, in `autograder.evidence`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

__all__ = ["JOURNAL_LIMIT", "SETTINGS", "Recorder", "describe_model", "describe_value", "take"]

JOURNAL_LIMIT = 256 * 1024
"""Bytes. The trusted side reads no more than this."""

TEXT_LIMIT = 200
"""Characters of any one string in the journal."""

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
"""`{"reports": [names]}`, or `{"model": name, "weights": bool}`."""


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

    def cell(self, index: int) -> None:
        """Cell `index` starts now."""
        self._append({"cell": index})

    def error(self, index: int, name: str, text: str) -> None:
        """Cell `index` raised an error of class `name`."""
        self._append({"error": {"cell": index, "name": name[:TEXT_LIMIT], "text": text[:TEXT_LIMIT]}})

    def note(self, text: str) -> None:
        """Something the student should be told about how the notebook was run."""
        self._append({"note": text[:TEXT_LIMIT]})

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
            self._record(question, "end", namespace)
        self._append({"finished": True})

    def _record(self, question: str, at: str, namespace: Mapping[str, Any]) -> None:
        spec = self._questions[question]
        evidence, arrays = take(spec, namespace)
        if arrays and not (at == "end" and question in self._weighed):
            self._weighed.add(question)
            evidence["model"]["blob"] = self._write_weights(arrays)
        self._append({"question": question, "at": at, **evidence})

    def _write_weights(self, arrays: list[Any]) -> dict[str, int]:
        start = self._blob_floats
        for array in arrays:
            _write_all(self._blob, array.astype("<f4").tobytes())
            self._blob_floats += int(array.size)
        return {"start": start, "count": self._blob_floats - start}

    def _append(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        if self._written + len(line) <= JOURNAL_LIMIT:
            self._written += len(line)
            _write_all(self._journal, line)


def take(spec: Spec, namespace: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The evidence for one question, and the model's weights (numpy arrays) where the spec asks for them."""
    if "reports" in spec:
        return {"values": {name: describe_value(namespace, name) for name in spec["reports"]}}, []
    model, arrays = describe_model(namespace, spec["model"], weights=spec["weights"])
    return {"model": model}, arrays


def describe_value(namespace: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A reported value as plain data: its kind, and the value where it is a number, a text or a few numbers."""
    if name not in namespace:
        return {"kind": "missing"}
    value = namespace[name]
    found: dict[str, Any] = _safely(_plain, {"kind": "other", "name": _type_name(value)}, value)
    return found


def describe_model(namespace: Mapping[str, Any], name: str, *, weights: bool) -> tuple[dict[str, Any], list[Any]]:
    """The model called `name`: layers, compile settings, and (where asked) the weights in layer order."""
    if name not in namespace:
        return {"kind": "missing"}, []
    value = namespace[name]
    if value is Ellipsis:
        return {"kind": "ellipsis"}, []
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(value, keras.Model):
        return {"kind": "other", "name": _type_name(value)}, []
    structure, layers = _safely(lambda: _structure(value, keras), ("unknown", []))
    described: dict[str, Any] = {
        "kind": "keras",
        "name": _type_name(value),
        "structure": structure,
        "built": bool(_safely(lambda: value.built, False)),
        "input_shape": _safely(lambda: _shape(value.input_shape), None),
        "output_shape": _safely(lambda: _shape(value.output_shape), None),
        "layers": [],
        "compile": _safely(lambda: _compile(value), None),
        "steps": _safely(lambda: int(value.optimizer.iterations), 0),
    }
    arrays: list[Any] = []
    for layer in layers[:200]:
        held = _safely(_weights, [], layer)
        described["layers"].append(
            {
                "type": _origin(type(layer)),
                "settings": _settings(layer),
                "weights": [list(map(int, array.shape)) for array in held],
            }
        )
        if weights:
            arrays += held
    return described, arrays


def _structure(model: Any, keras: Any) -> tuple[str, list[Any]]:
    if type(model) is keras.Sequential:
        return "sequential", list(_flat(model.layers, keras))
    if type(model).__name__ == "Functional" and type(model).__module__.startswith("keras."):
        operations = list(model.operations)
        linear = len(model.inputs) == len(model.outputs) == 1 and all(
            any(_sources(node) == [before] for node in operation._inbound_nodes)
            for before, operation in pairwise(operations)
        )
        return ("functional" if linear else "branching"), list(_flat(operations, keras))
    return "subclassed", list(model.layers)


def _sources(node: Any) -> list[Any]:
    return [tensor._keras_history.operation for tensor in node.input_tensors]


def _flat(layers: list[Any], keras: Any) -> Iterator[Any]:
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
            found[name] = _origin(value) if value is not None else "keras:linear"
        else:
            found[name] = _safely(_setting, None, value)
    return found


def _setting(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:TEXT_LIMIT]
    return [_setting(item) for item in list(value)[:8]]


def _compile(model: Any) -> dict[str, Any] | None:
    if not model.compiled:
        return None
    optimizer, loss = model.optimizer, model.loss
    from_logits = getattr(loss, "from_logits", None)
    rate = _safely(lambda: float(optimizer.learning_rate), None)
    return {
        "optimizer": _origin(type(optimizer)),
        "learning_rate": rate if rate is not None and abs(rate) < 1e9 else None,
        "loss": None if loss is None else _origin(loss if isinstance(loss, str) or _is_function(loss) else type(loss)),
        "from_logits": from_logits if isinstance(from_logits, bool) else None,
    }


def _origin(thing: Any) -> str:
    """`keras:Name`, `tensorflow:name` or `custom:name` of a string, class, function or callable object."""
    if isinstance(thing, str):
        return f"keras:{thing[:TEXT_LIMIT]}"
    if not isinstance(thing, type) and not _is_function(thing):
        thing = type(thing)
    module = str(getattr(thing, "__module__", "")).partition(".")[0]
    name = str(getattr(thing, "__name__", "?"))[:TEXT_LIMIT]
    return f"{module if module in ('keras', 'tensorflow') else 'custom'}:{name}"


def _is_function(thing: Any) -> bool:
    return callable(thing) and isinstance(getattr(thing, "__name__", None), str) and not isinstance(thing, type)


def _shape(shape: Any) -> list[int | None] | None:
    if not isinstance(shape, tuple) or len(shape) > 8:
        return None
    return [None if size is None else int(size) for size in shape]


def _plain(value: Any) -> dict[str, Any]:
    import numpy as np

    if value is None or value is Ellipsis:
        return {"kind": "none" if value is None else "ellipsis"}
    if type(value) is str:
        return {"kind": "text", "value": value[:TEXT_LIMIT]}
    value = _unwrapped(value)
    if isinstance(value, bool | np.bool_):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, int | np.integer):
        return {"kind": "number", "value": _number(int(value))}
    if isinstance(value, float | np.floating):
        return {"kind": "number", "value": _number(float(value))}
    if isinstance(value, np.ndarray):
        return {"kind": "array", "name": f"array of shape {value.shape}"[:TEXT_LIMIT]}
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
    whole = (int, np.integer)
    return {"kind": "numbers", "value": [_number(int(n) if isinstance(n, whole) else float(n)) for n in value]}


def _number(value: int | float) -> int | float | None:
    """None for what JSON, or any honest answer, has no room for."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if abs(value) < 1e15 else None


def _weights(layer: Any) -> list[Any]:
    import numpy as np

    return [np.ascontiguousarray(np.asarray(array), dtype="<f4") for array in layer.get_weights()]


def _type_name(value: Any) -> str:
    return type(value).__name__[:TEXT_LIMIT]


def _safely(what: Callable[..., Any], otherwise: Any, *args: Any) -> Any:
    """`what(*args)`, or `otherwise`: a student's object may raise anything from any attribute."""
    try:
        return what(*args)
    except Exception:
        return otherwise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
