"""Who is looking at which answer now: in memory, and forgotten within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["FORGOTTEN_S", "Presence"]

FORGOTTEN_S = 5.0
"""Seconds after which nobody is taken to be there who has not been heard of; pages speak up every 1.5 seconds."""


class Presence:
    """Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, float]] = {}

    def here(self, answer: int, reviewer: str) -> tuple[str, ...]:
        """Note that this reviewer looks at this answer; the others who do."""
        now = self._clock()
        with self._lock:
            self._seen[reviewer] = (answer, now)
            return tuple(
                sorted(
                    name
                    for name, (where, when) in self._seen.items()
                    if name != reviewer and where == answer and now - when < FORGOTTEN_S
                )
            )
