"""A stand-in for `google.colab`: a notebook that mounts a drive or asks for a file continues without it."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

__all__ = ["stand_in"]

MODULE = "google.colab"


def stand_in(note: Callable[[str], None]) -> None:
    """Make `google.colab` and everything below it importable; `note` is called with a remark for each skipped call."""
    sys.meta_path.append(_Finder(note))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  # importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002  # the same
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == MODULE or fullname.startswith(f"{MODULE}."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = _Nothing(module.__name__, self._note).__getattr__  # type: ignore[method-assign]  # PEP 562


class _Nothing:
    """A function or module of Colab that does nothing; a call leaves a note and returns an empty dictionary."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name, self._note = name, note

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self._name}.{name}", self._note)

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        self._note(f"`{self._name}` was skipped: it works only on Colab, and the assignment does not need it.")
        return {}
