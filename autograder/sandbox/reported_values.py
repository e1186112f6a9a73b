"""A student's reported value as plain data.

The value may be any object, and any attribute of it may raise anything; nothing of that leaves this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["LARGEST", "describe_value", "number", "one_line", "safely", "type_name"]

TEXT_LIMIT = 200
"""Characters of any one string in the journal."""

LARGEST = 10**15
"""No honest number is beyond this."""

NUMBERS = (int, float, np.integer, np.floating)

# What a student's object may raise. TimeLimit is none of these and passes through.
ANY_ERROR = (Exception, SystemExit, KeyboardInterrupt, GeneratorExit)


def describe_value(namespace: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Describe a variable: its kind, and its value if it is a number, a text or a few numbers."""
    if name not in namespace:
        return {"kind": "missing"}
    value = namespace[name]
    found: dict[str, Any] | None = safely(_plain, None, value)
    return {"kind": "other", "name": type_name(value)} if found is None else found


def _plain(value: Any) -> dict[str, Any]:
    if value is None or value is Ellipsis:
        return {"kind": "none" if value is None else "ellipsis"}
    if type(value) is str:
        return {"kind": "text", "value": one_line(value)}
    value = _unwrapped(value)
    if isinstance(value, bool | np.bool_):
        return {"kind": "bool", "value": bool(value)}
    if isinstance(value, NUMBERS):
        return {"kind": "number", "value": number(value)}
    if isinstance(value, np.ndarray):
        return {"kind": "array", "name": one_line(f"array of shape {value.shape}")}
    if type(value) not in (tuple, list):
        return {"kind": "other", "name": type_name(value)}
    if len(value) > 8 or not all(isinstance(item, NUMBERS) for item in value):
        return {"kind": "other", "name": f"{type(value).__name__} of {len(value)}"}
    return {"kind": "numbers", "value": [number(item) for item in value]}


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


def number(value: Any) -> int | float | None:
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


def type_name(value: Any) -> str:
    return str(safely(lambda: one_line(type(value).__name__), "object"))


def safely(what: Callable[..., Any], otherwise: Any, *args: Any) -> Any:
    """Return `what(*args)`, or `otherwise` if that raises: a student's object may raise anything from any attribute."""
    try:
        return what(*args)
    except ANY_ERROR:
        return otherwise
