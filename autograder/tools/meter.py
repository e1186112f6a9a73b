"""The cost of a command: wall time, CPU time of all its processes, and the peak of their memory together."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

__all__ = ["CORES", "Cost", "machine", "measure", "tree_cpu_s"]

CORES = os.cpu_count() or 1

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

    def run(command: Sequence[str | Path]) -> None:
        done = subprocess.run(
            list(command), cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{done.args} failed:\n{done.stdout[-2000:]}")

    peak_mb = 0.0
    before, began = os.times(), time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(run, command) for command in commands]
        while wait(running, LOOK_EVERY_S).not_done:
            peak_mb = max(peak_mb, _held_mb())
    wall_s, after = time.monotonic() - began, os.times()
    for done in running:
        done.result()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall_s, cpu_s, peak_mb)


def tree_cpu_s() -> float:
    """Return the core-seconds of this process and all its descendants so far, including those that have ended."""
    used = 0.0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            used += sum(process.cpu_times()[:4])  # user and system, its own and of children that have ended
    return used


def machine(*packages: str) -> str:
    """Return a sentence about what was measured on, and when."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{CORES} cores ({platform.machine()}), Python {platform.python_version()}, {versions}; "
        f"{datetime.now(UTC):%Y-%m-%d}."
    )


def _held_mb() -> float:
    held = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            held += process.memory_full_info().pss
    return held / 2**20
