"""The reviewers who look at an answer now: kept in memory, forgotten within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["FORGOTTEN_S", "Presence"]

FORGOTTEN_S = 5.0
"""Seconds after the last message of a page until its reviewer counts as gone; pages send one every 1.5 seconds."""


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
