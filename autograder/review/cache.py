"""A short-lived cache of what many pages show, so that marking stays fast while others mark too."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["RecentCache"]

T = TypeVar("T")


class RecentCache:
    """Values computed less than `seconds` ago, and after the asking reviewer's latest change. Thread-safe.

    Reviewers see their own changes at once, and those of others up to `seconds` later.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._computing: dict[Hashable, threading.Lock] = {}
        self._values: dict[Hashable, tuple[float, Any]] = {}
        self._changed: dict[str, float] = {}

    def expire(self, reviewer: str) -> None:
        """Note that this reviewer has changed something."""
        with self._lock:
            self._changed[reviewer] = self._clock()

    def get(self, reviewer: str, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value of this key; of several who ask at once, one computes it and the others wait."""
        with self._lock:
            oldest = max(self._changed.get(reviewer, -math.inf), self._clock() - self._seconds)
            computing = self._computing.setdefault(key, threading.Lock())
        with computing:
            when, value = self._values.get(key, (-math.inf, None))
            if when > oldest:
                return cast(T, value)
            started = self._clock()
            computed = compute()
            self._values[key] = (started, computed)
            return computed
