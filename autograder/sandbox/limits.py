"""What one student process may use, and the eye that watches what the kernel does not count.

Kernel limits (setrlimit(2)) are set in the child before any student code; the zygote watches the rest from
outside: resident memory (shared anonymous memory evades RLIMIT_DATA) and the size of the work directory
(RLIMIT_FSIZE is per file).
"""

from __future__ import annotations

import os
import resource
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

__all__ = ["Limits", "Use", "apply", "excess", "use_of"]

OPEN_FILES = 256
THREADS = 256
CPU_GRACE_S = 10
"""Seconds of CPU time on top of the wall clock's limit, before the kernel kills."""

HEADROOM_MB = 2048
"""Address space on top of the memory limit: TensorFlow reserves far more than it touches."""


@dataclass(frozen=True)
class Limits:
    """Limits on one submission. Wall-clock seconds, megabytes of 2**20 bytes, number of files."""

    wall_s: float
    memory_mb: float
    work_mb: float
    files: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


@dataclass(frozen=True)
class Use:
    """What a process and its work directory take at one moment."""

    memory_mb: float
    work_mb: float
    files: int


def apply(limits: Limits, cores: int) -> None:
    """Set the kernel's limits on this process, soft and hard alike (they cannot be raised again)."""
    size = int(limits.work_mb * 2**20)
    space = int((_status_kb("self", "VmSize") / 1024 + limits.memory_mb + HEADROOM_MB) * 2**20)
    cpu = int(limits.wall_s * cores) + CPU_GRACE_S
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, THREADS),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0) if hasattr(resource, "RLIMIT_MSGQUEUE") else (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (allowed, allowed))


def use_of(pid: int, work: Path, most_files: int) -> Use:
    """What process `pid` and its work directory take now; counting stops past `most_files` files.

    A process that is gone takes nothing.
    """
    try:
        memory_kb = _status_kb(str(pid), "VmRSS")
    except OSError:
        memory_kb = 0
    size, files = _folder(work, most_files)
    return Use(memory_kb / 1024, size / 2**20, files)


def excess(use: Use, limits: Limits) -> str | None:
    """Which limit is passed: `memory`, `disk`, `files`, or None."""
    if use.memory_mb > limits.memory_mb:
        return "memory"
    if use.work_mb > limits.work_mb:
        return "disk"
    return "files" if use.files > limits.files else None


def _folder(path: Path, most_files: int) -> tuple[int, int]:
    """Bytes (as allocated, so that holes do not count) and number of entries under `path`; links are not followed."""
    size = count = 0
    waiting = [str(path)]
    while waiting and count <= most_files:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                count += 1
                if count > most_files:
                    break
                try:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
    return size, count


def _status_kb(pid: str, field: str) -> int:
    """A field of /proc/PID/status in KiB (proc(5)); 0 where it is not there, as for a zombie."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0
