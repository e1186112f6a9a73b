"""Classes of several sizes, graded by this kit and by its peers in the same run.

    python -m autograder.tools.benchmark_classes [--full]

Writes `docs/benchmark-classes.md` and `.png`. The peers start again for every notebook at the same cost, so they are
measured on a few (`--full`: on all) and extrapolated; the table says which.
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from statistics import mean

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from autograder.authoring import build
from autograder.authoring.bundled_class import LOAD, MODEL, Member
from autograder.commands.grade import GradeObserver, GradeOptions, grade
from autograder.gradebook.gradebook import GradeChange
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.tools import bare_loop
from autograder.tools.class_table import CHEAP, SIZES, TIMED, Measurement, plot, report
from autograder.tools.meter import Cost, tree_cpu_s
from autograder.tools.peers import PEERS, kit, write_class

__all__ = ["main"]

SAMPLE = {
    "otter run, one at a time": 1,
    "otter run, as many at once as cores": os.cpu_count() or 1,
    "nbgrader autograde": 2,
}
"""Notebooks that each peer is measured on, once before and once after the largest class."""

ROUNDS = 2
"""Large classes to measure, with as many notebooks in small classes around each."""

IDLE_S = 6
"""Seconds that a notebook of the memory measurement waits, so that all workers run at once."""

DOCUMENTS = Path(__file__).parent.parent / "docs"
IDLE = f"""
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(np.zeros((64, 28, 28)), np.zeros(64), verbose=0)
import time; time.sleep({IDLE_S})
"""
"""Trains the model on a handful of images, then waits."""


def main(arguments: list[str]) -> None:
    """Measure, print, and write the table and the plot."""
    console = Console()
    cores = os.cpu_count() or 1
    build.write(build.build(HOME), HOME)
    solution = nbformat.read(HOME.solution, as_version=4)
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        rows = _classes(folder, solution, cores, console, full="--full" in arguments)
        console.print("the bare loop")
        limit_s = bare_loop.seconds()
        console.print(f"{limit_s}; notebooks that time their training")
        other_s = _beside_training(folder / "timed", solution, cores)
        console.print(f"{other_s}; cheap notebooks")
        cheap = _cheap_classes(folder)
        console.print(f"{cheap}; memory")
        idle = _made({"q5": MODEL, "q6": IDLE})
        memory: dict[int, Cost] = {}
        for workers in (1, 4):
            place = folder / f"idle{workers}"
            memory[workers] = kit(write_class(place / "class", idle, workers), place, workers)
    text = report(rows, limit_s, other_s, cheap, memory, cores)
    (DOCUMENTS / "benchmark-classes.md").write_text(text, encoding="utf-8")
    plot(rows, DOCUMENTS / "benchmark-classes.png")
    console.print(text, markup=False)


def _classes(folder: Path, solution: NotebookNode, cores: int, console: Console, *, full: bool) -> list[Measurement]:
    """Measure the peers before and after the largest class, because the load of a machine changes."""
    numbers = count()

    def measured(way: str, size: int, place: Path | None = None) -> Cost:
        place = place or folder / str(next(numbers))
        cost = PEERS[way](write_class(place / "class", solution, size), place, cores)
        console.print(f"{way}, {size}: {cost}")
        return cost

    def own(size: int) -> Measurement:
        place = folder / f"own{size}"
        cost = measured(first, size, place)
        results = [json.loads(path.read_bytes()) for path in place.glob("out/submissions/*/results.json")]
        return Measurement(first, size, size, cost, sum(each["extra_data"]["cpu_seconds"] for each in results))

    first, *peers = PEERS
    rows = [own(size) for size in SIZES[:-1]]
    before = {way: measured(way, SAMPLE[way]) for way in peers}
    rows.append(own(SIZES[-1]))
    after = {way: measured(way, SAMPLE[way]) for way in peers}
    for way in peers:
        both, one, other = 2 * SAMPLE[way], before[way], after[way]
        for size in SIZES:
            if full and size > both:
                rows.append(Measurement(way, size, size, measured(way, size)))
                continue
            factor = size / both
            wall_s, cpu_s = factor * (one.wall_s + other.wall_s), factor * (one.cpu_s + other.cpu_s)
            cost = Cost(wall_s, cpu_s, max(one.memory_mb, other.memory_mb))
            rows.append(Measurement(way, size, both, cost))
    return rows


def _made(answers: Mapping[str, str]) -> NotebookNode:
    member = Member("made", "for a measurement", {}, answers)
    return nbformat.reads(member.make(nbformat.read(HOME.template, as_version=4)).decode(), as_version=4)


def _beside_training(folder: Path, solution: NotebookNode, cores: int) -> float:
    """Return the mean core-seconds of a notebook's own process without `model.fit`, both from the same process.

    Nothing but answers comes out of such a process, so the time is handed in as a wrong answer.
    """
    timed = copy.deepcopy(solution)
    answer = next(cell for cell in timed.cells if "model.fit(" in cell.source)
    fit = next(line for line in answer.source.splitlines() if "model.fit(" in line)
    timed_fit = f"import time; began = time.process_time(); {fit}; spent = time.process_time() - began"
    answer.source = answer.source.replace(fit, timed_fit)
    says = "train_labels_length = round(1000 * spent)\ngrader.check('q4')"
    timed.cells.append(nbformat.v4.new_code_cell(says, id="time"))
    kit(write_class(folder / "class", timed, TIMED), folder, cores)
    results = [json.loads(path.read_bytes()) for path in folder.glob("out/submissions/*/results.json")]
    fits = [re.findall(r"`train_labels_length` is (\d+)", json.dumps(each)) for each in results]
    own = [float(each["extra_data"]["cpu_seconds"]) for each in results]
    return mean(took - int(fit) / 1000 for took, (fit,) in zip(own, fits, strict=True))


def _cheap_classes(folder: Path) -> Mapping[int, float]:
    """Return the mean core-seconds of a small and a large class of cheap notebooks.

    They are measured in turn, on equally many notebooks, because the load of a machine changes.
    """
    few, many = CHEAP
    around = (few,) * (many // few // 2)
    costs: dict[int, list[float]] = {few: [], many: []}
    for number, size in enumerate((*around, many, *around) * ROUNDS):
        costs[size].append(_once_started(folder / f"cheap{number}", _made({"q4": LOAD}), size))
    return {size: mean(several) for size, several in costs.items()}


def _once_started(folder: Path, notebook: NotebookNode, size: int) -> float:
    """Return the core-seconds of grading all notebooks of a class but the first, one at a time, and of all pages.

    The first includes the start of the engine, which varies by as much as a small class costs.
    """
    paths = write_class(folder / "class", notebook, size)
    clock = _Clock()
    grade(GradeOptions(tuple(paths), folder / "out", workers=1), clock)
    return clock.graded_at[-1] - clock.graded_at[0] + tree_cpu_s() - clock.ended_at


class _Clock(GradeObserver):
    """Core-seconds when each notebook was graded, and after the end of the engine, which is not a cost of the class."""

    def __init__(self) -> None:
        self.graded_at: list[float] = []
        self.ended_at = 0.0

    def graded(self, report: GradeReport) -> None:  # noqa: ARG002
        self.graded_at.append(tree_cpu_s())

    def accepts(self, changes: Sequence[GradeChange]) -> bool:  # noqa: ARG002
        self.ended_at = tree_cpu_s()
        return True


if __name__ == "__main__":
    main(sys.argv[1:])
