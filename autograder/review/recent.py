"""Values kept in memory for seconds: what many pages show, and who looks at which answer now."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["FORGOTTEN_S", "Presence", "RecentCache"]

FORGOTTEN_S = 5.0
"""Seconds after the last message of a page until its reviewer counts as gone; pages send one every 1.5 seconds."""

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
            when, _ = self._values.get(key, (-math.inf, None))
            if when <= oldest:
                self._values[key] = (self._clock(), compute())
            return cast(T, self._values[key][1])


class Presence:
    """The answer that each reviewer looks at. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, float]] = {}

    def visit(self, answer: int, reviewer: str) -> tuple[str, ...]:
        """Note that this reviewer looks at this answer, and return the others who do."""
        now = self._clock()
        with self._lock:
            self._seen[reviewer] = (answer, now)
            recent = {name for name, seen in self._seen.items() if seen[0] == answer and now - seen[1] < FORGOTTEN_S}
        return tuple(sorted(recent - {reviewer}))
