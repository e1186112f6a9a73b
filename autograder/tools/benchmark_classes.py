"""Classes of several sizes, graded by this kit and by its peers in the same run.

    python -m autograder.tools.benchmark_classes [--full]

Writes `docs/benchmark-classes.md` and `.png`. The peers start again for every notebook at the same cost, so they are
measured on a few (`--full`: on all) and extrapolated; the table says which.
"""

from __future__ import annotations

import copy
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import mean
from typing import Any

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
from autograder.tools.meter import CORES, Cost, machine, tree_cpu_s
from autograder.tools.peers import PEERS, kit, write_class

__all__ = ["Measurement", "main", "plot", "report"]

SIZES = (1, 8, 32)
TIMED = 8  # notebooks that time their training
CHEAP = (32, 256)  # notebooks in the small and in the large class of cheap ones

SAMPLE = {"otter run, one at a time": 1, "otter run, as many at once as cores": CORES, "nbgrader autograde": 2}
"""Notebooks that each peer is measured on, once before and once after the largest class."""

ROUNDS = 2  # large classes to measure, with as many notebooks in small classes around each
IDLE_S = 6  # seconds that a notebook of the memory measurement waits, so that all workers run at once
DOCUMENTS = Path(__file__).parent.parent / "docs"
IDLE = f"""
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(np.zeros((64, 28, 28)), np.zeros(64), verbose=0)
import time; time.sleep({IDLE_S})
"""
"""Trains the model on a handful of images, then waits."""


@dataclass(frozen=True)
class Measurement:
    """The cost of grading one class in one way; measured on `measured` notebooks, extrapolated to `size`."""

    way: str
    size: int
    measured: int
    cost: Cost
    notebooks_cpu_s: float = 0.0
    """Core-seconds of the notebooks' own processes; 0 if unknown."""


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the table and the plot."""
    console = Console()
    build.write(build.build(HOME), HOME)
    solution = nbformat.read(HOME.solution, as_version=4)
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        rows = _classes(folder, solution, console, full="--full" in arguments)
        console.print("the bare loop")
        limit_s = bare_loop.seconds()
        console.print(f"{limit_s}; notebooks that time their training")
        other_s = _beside_training(folder / "timed", solution)
        console.print(f"{other_s}; cheap notebooks")
        cheap = _cheap_classes(folder)
        console.print(f"{cheap}; memory")
        idle = _made({"q5": MODEL, "q6": IDLE})
        memory = {workers: _graded(folder / f"idle{workers}", idle, workers, workers) for workers in (1, 4)}
    text = report(rows, limit_s, other_s, cheap, {workers: cost.memory_mb for workers, cost in memory.items()})
    (DOCUMENTS / "benchmark-classes.md").write_text(text, encoding="utf-8")
    plot(rows, DOCUMENTS / "benchmark-classes.png")
    console.print(text, markup=False)


def _classes(folder: Path, solution: NotebookNode, console: Console, *, full: bool) -> list[Measurement]:
    """Measure the peers before and after the largest class, because the load of a machine changes."""
    numbers = count()

    def measured(way: str, size: int) -> tuple[Cost, Path]:
        place = folder / str(next(numbers))
        cost = PEERS[way](write_class(place / "class", solution, size), place)
        console.print(f"{way}, {size}: {cost}")
        return cost, place

    def own(size: int) -> Measurement:
        cost, place = measured(first, size)
        return Measurement(first, size, size, cost, sum(map(_own_cpu_s, _results(place))))

    first, *peers = PEERS
    rows = [own(size) for size in SIZES[:-1]]
    before = {way: measured(way, SAMPLE[way])[0] for way in peers}
    rows.append(own(SIZES[-1]))
    after = {way: measured(way, SAMPLE[way])[0] for way in peers}
    for way in peers:
        both, one, other = 2 * SAMPLE[way], before[way], after[way]
        for size in SIZES:
            factor = size / both
            wall_s, cpu_s = factor * (one.wall_s + other.wall_s), factor * (one.cpu_s + other.cpu_s)
            row = Measurement(way, size, both, Cost(wall_s, cpu_s, max(one.memory_mb, other.memory_mb)))
            rows.append(Measurement(way, size, size, measured(way, size)[0]) if full and size > both else row)
    return rows


def _graded(folder: Path, notebook: NotebookNode, size: int, workers: int) -> Cost:
    return kit(write_class(folder / "class", notebook, size), folder, workers)


def _results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in folder.glob("out/submissions/*/results.json")]


def _own_cpu_s(result: Mapping[str, Any]) -> float:
    """Return the core-seconds of a notebook's own process."""
    return float(result["extra_data"]["cpu_seconds"])


def _made(answers: Mapping[str, str]) -> NotebookNode:
    member = Member("made", "for a measurement", {}, answers)
    return nbformat.reads(member.make(nbformat.read(HOME.template, as_version=4)).decode(), as_version=4)


def _beside_training(folder: Path, solution: NotebookNode) -> float:
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
    _graded(folder, timed, TIMED, CORES)
    others = []
    for result in _results(folder):
        (fit_ms,) = re.findall(r"`train_labels_length` is (\d+)", json.dumps(result))
        others.append(_own_cpu_s(result) - int(fit_ms) / 1000)
    return mean(others)


def _cheap_classes(folder: Path) -> Mapping[int, float]:
    """Return the mean core-seconds of grading a small and a large class of cheap notebooks, one at a time.

    They are measured in turn, on equally many notebooks, because the load of a machine changes. All notebooks of a
    class but the first count, and all pages: the start of the engine varies by as much as a small class costs.
    """
    few, many = CHEAP
    around = (few,) * (many // few // 2)
    notebook = _made({"q4": LOAD})
    costs: dict[int, list[float]] = {few: [], many: []}
    for number, size in enumerate((*around, many, *around) * ROUNDS):
        place, clock = folder / f"cheap{number}", _Clock()
        paths = write_class(place / "class", notebook, size)
        grade(GradeOptions(tuple(paths), place / "out", workers=1), clock)
        costs[size].append(clock.graded_at[-1] - clock.graded_at[0] + tree_cpu_s() - clock.ended_at)
    return {size: mean(several) for size, several in costs.items()}


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


def report(
    rows: list[Measurement],
    limit_s: float,
    other_s: float,
    cheap: Mapping[int, float],
    memory_mb: Mapping[int, float],
) -> str:
    """Return the table as Markdown, with its ratios.

    `limit_s` are the core-seconds of the bare loop, `other_s` those of a notebook's own process without training;
    `cheap` and `memory_mb` are the core-seconds by size and the memory by workers.
    """
    by = {(row.way, row.size): row.cost for row in rows}
    (first, *peers), (few, many) = PEERS, SIZES[-2:]
    further_s = (by[first, many].cpu_s - by[first, few].cpu_s) / (many - few)
    own = {row.size: row for row in rows if row.way == first}
    notebook_s = own[many].notebooks_cpu_s / many
    beside = {size: own[size].cost.cpu_s - own[size].notebooks_cpu_s for size in (1, many)}
    beside_s = (beside[many] - beside[1]) / (many - 1)
    low, high = CHEAP
    growth = cheap[high] / (high - 1) / (cheap[low] / (low - 1))
    further_mb = (memory_mb[4] - memory_mb[1]) / 3
    ratios = {
        f"throughput with {many} notebooks, against {way}": by[way, many].wall_s / by[first, many].wall_s
        for way in peers
    }
    ratios["one notebook, cold, against otter run"] = by[peers[0], 1].wall_s / by[first, 1].wall_s
    ratios["core-seconds of a further notebook, against the bare loop"] = further_s / limit_s
    ratios[f"cost of each of {high} cheap notebooks, against each of {low}, graded one at a time"] = growth
    table = "\n".join(map(_line, rows))
    ratio_table = "\n".join(f"| {what} | {ratio:.2f} |" for what, ratio in ratios.items())
    return f"""\
# Grading a class: this kit and its peers

Made by `make bench`, all in one run. Every notebook is the solution, with its five epochs of training. If
fewer notebooks were measured than the class has, wall time and core-seconds are extrapolated.

| | class | measured | wall s | core-seconds | peak memory MB | wall s a notebook |
|---|--:|--:|--:|--:|--:|--:|
{table}

| ratio | |
|---|--:|
{ratio_table}

A further notebook takes {notebook_s:.1f} core-seconds in its own process and {beside_s:.1f} for the border, \
the judge, the pages and the gradebook.
Without its training (`model.fit`) its own process takes {other_s:.1f}, measured in {TIMED} \
notebooks that time themselves.
A bare loop over the same training takes {limit_s:.1f}.
1,000 notebooks take {1000 * further_s / 3600:.1f} core-hours, on any number of machines.
A further worker takes {further_mb:.0f} MB beside the arrays of its notebook.

{machine("tensorflow-cpu", "keras", "otter-grader", "nbgrader")}
"""


def _line(row: Measurement) -> str:
    cost = row.cost
    figures = (f"{each:.0f}" for each in (cost.wall_s, cost.cpu_s, cost.memory_mb))
    return f"| {row.way} | {row.size} | {row.measured} | {' | '.join(figures)} | {cost.wall_s / row.size:.1f} |"


def plot(rows: list[Measurement], path: Path) -> None:
    """Plot wall time over class size; filled markers are measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for way, marker in zip(PEERS, "osD^", strict=True):
        mine = [row for row in rows if row.way == way]
        (line,) = axes.plot(
            [row.size for row in mine], [row.cost.wall_s / 60 for row in mine], label=way, lw=1.5, marker=marker
        )
        for row in mine:
            face = line.get_color() if row.measured == row.size else "white"
            axes.plot(row.size, row.cost.wall_s / 60, marker, color=line.get_color(), markerfacecolor=face)
    axes.set(xlabel="notebooks in the class", ylabel="minutes", title="Grading a class (white: extrapolated)")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main(sys.argv[1:])
