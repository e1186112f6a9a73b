"""The cost of confining one student process.

    python -m autograder.tools.benchmark_confinement

Forks children from a process that has TensorFlow loaded, as the zygote does, with and without confinement, in turn,
and prints medians in milliseconds: the wall time from the fork to the first line of student code, and the CPU time of
the child until then, which other work on the machine does not affect.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console

from autograder.engine import isolation
from autograder.sandbox import confine
from autograder.sandbox.limits import Limits

__all__ = ["main"]

REPEATS = 60


def main() -> None:
    """Measure and print."""
    import keras

    _ = keras.Sequential
    plan = isolation.demand(isolation.examine())
    limits = Limits(wall_s=60, memory_mb=3072, work_mb=256, files=2000)
    gates = confine.prepare()
    measured: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    layers: tuple[str, ...] = ()
    for number in range(2 * REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o711)
            work = Path(folder) / "work"
            work.mkdir(mode=0o700)
            uid = isolation.free_uid(set()) if plan.own_users else None
            if uid is not None:
                os.chown(work, uid, uid)
            jail = confine.Jail(work, (), uid, plan.required, limits)
            wall, cpu, layers = _once(jail if number % 2 else None, gates)
            measured[bool(number % 2)].append((wall, cpu))
    console = Console()
    console.print(f"{plan.where}; in force: {', '.join(layers)}")
    for index, name in enumerate(("wall", "CPU")):
        bare, confined = (1000 * statistics.median(row[index] for row in measured[how]) for how in (False, True))
        console.print(
            f"{name}: fork {bare:.1f} ms, with confinement {confined:.1f} ms, a difference of {confined - bare:.1f} ms"
        )
    console.print(f"medians of {REPEATS} each")


def _once(jail: confine.Jail | None, gates: confine.Gates) -> tuple[float, float, tuple[str, ...]]:
    """Return the wall and CPU seconds until a child would run its first cell, and the layers it reports."""
    read_end, write_end = os.pipe()
    parent, began = os.getpid(), time.monotonic()
    pid = os.fork()
    if pid == 0:
        layers = () if jail is None else confine.confine(jail, gates, (write_end,), parent)
        os.write(write_end, f"{time.monotonic()}|{time.process_time()}|{'|'.join(layers)}".encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        at, cpu, *layers_ = pipe.read().decode().split("|")
    os.waitpid(pid, 0)
    return float(at) - began, float(cpu), tuple(layers_)


if __name__ == "__main__":
    main()
