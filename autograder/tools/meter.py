"""The cost of a command: wall time, CPU time of all its processes, and the peak of their memory together."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Cost", "measure", "tree_cpu_s"]

LOOK_EVERY_S = 3.0
"""Seconds between two measurements of memory; each takes a tenth of a second of a core that is being measured."""


@dataclass(frozen=True)
class Cost:
    """The cost of a command: `wall_s` seconds by the clock, `cpu_s` core-seconds (user and system), and `memory_mb`.

    The last is the peak of the proportional set sizes of all processes (shared pages count once), in 2**20 bytes.
    """

    wall_s: float
    cpu_s: float
    memory_mb: float


def measure(
    commands: Sequence[Sequence[str | Path]], *, at_once: int = 1, folder: Path, environment: Mapping[str, str]
) -> Cost:
    """Run commands in `folder`, `at_once` at a time. Raises RuntimeError with the output of one that fails."""

    def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(command), cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    over = threading.Event()
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(over, peak))
    before, began = _cpu(), time.monotonic()
    watcher.start()
    try:
        with ThreadPoolExecutor(at_once) as pool:
            for done in pool.map(run, commands):
                if done.returncode:
                    raise RuntimeError(f"{done.args} failed:\n{done.stdout[-2000:]}")
        wall, cpu = time.monotonic() - began, _cpu() - before
    finally:
        over.set()
        watcher.join()
    return Cost(wall, cpu, peak[0])


def tree_cpu_s() -> float:
    """Return the core-seconds of this process and all its descendants so far, including those that have ended."""
    used = 0.0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


def _cpu() -> float:
    """Return the core-seconds of all descendants that have ended and been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(over: threading.Event, peak: list[float]) -> None:
    own = psutil.Process()
    while not over.wait(LOOK_EVERY_S):
        held = 0
        for process in own.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                held += process.memory_full_info().pss
        peak[0] = max(peak[0], held / 2**20)
