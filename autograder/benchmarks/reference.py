"""Time and memory of grading one reference notebook, warm and cold.

    python -m autograder.benchmarks.reference

Prints a table: the start of the engine (TensorFlow's import), and, for three gradings of the solution, wall time
by phase and the peak memory of the student process.
"""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from autograder import build, grading_file, submission
from autograder.engine import Engine
from autograder.layout import HOME

__all__ = ["main"]

REPEATS = 3


def main() -> None:
    """Measure and print."""
    rules = grading_file.load(HOME.policy)
    tests = build.build(HOME).tests
    (reference,) = submission.collect([HOME.solution], int(rules.execution.notebook_mb * 2**20))
    table = Table(title="Grading the solution notebook", title_justify="left")
    for heading in ("", "wall s", "notebook s", "judge s", "peak memory MB", "score"):
        table.add_column(heading, justify="left" if not heading else "right")
    began = time.monotonic()
    with Engine(rules, tests, HOME.data) as engine:
        table.add_row("start of the engine", f"{time.monotonic() - began:.1f}")
        for number in range(1, REPEATS + 1):
            began = time.monotonic()
            report = engine.grade(reference)
            seconds = dict(report.seconds)
            table.add_row(
                f"grading {number}",
                f"{time.monotonic() - began:.1f}",
                f"{seconds['notebook']:.1f}",
                f"{seconds['judge']:.1f}",
                f"{report.peak_memory_mb:.0f}",
                f"{report.earned:g}",
            )
    console = Console()
    console.print(table)
    console.print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"TensorFlow {version('tensorflow-cpu')}, Keras {version('keras')}"
    )


if __name__ == "__main__":
    main()
