"""`tf.keras.datasets.mnist.load_data()` without a network.

Keras downloads MNIST at the first call and checks the hash of its own cached file. Here the module that holds
the function is given another one, at once if it has been imported and otherwise when it is.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["Arrays", "answer_with"]

MODULE = "keras.src.datasets.mnist"
COPIES = ("keras.datasets.mnist", "keras._tf_keras.keras.datasets.mnist")
"""Modules that copy the function's name when they are imported."""

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]
"""(x_train, y_train), (x_test, y_test), as Keras returns them: uint8 arrays."""


def answer_with(arrays: Callable[[], Arrays]) -> None:
    """Let `load_data` return what `arrays()` gives, as arrays of its own at every call."""

    def load_data(path: str = "mnist.npz") -> Arrays:  # noqa: ARG001  # Keras's signature
        """Loads the MNIST data (the copy that comes with the assignment; nothing is downloaded)."""
        (x_train, y_train), (x_test, y_test) = arrays()
        return (np.array(x_train), np.array(y_train)), (np.array(x_test), np.array(y_test))

    _Patch.load_data = staticmethod(load_data)
    loaded = [sys.modules[name] for name in (MODULE, *COPIES) if name in sys.modules]
    for module in loaded:
        module.load_data = load_data  # type: ignore[attr-defined]  # the module is Keras's
    if not any(isinstance(finder, _Patch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Patch())


class _Patch(importlib.abc.MetaPathFinder):
    """Finds MODULE by the ordinary finders and replaces its function once it has been executed."""

    load_data: Callable[..., Arrays]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.load_data = self.load_data  # type: ignore[attr-defined]  # the module is Keras's

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # this one loader object only
        return spec
