"""The table and the plot of the benchmark of classes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from autograder.tools.meter import Cost
from autograder.tools.peers import PEERS

__all__ = ["CHEAP", "SIZES", "TIMED", "Measurement", "plot", "report"]

SIZES = (1, 8, 32)
TIMED = 8
CHEAP = (32, 256)
"""Notebooks in the small and in the large class of cheap ones."""


@dataclass(frozen=True)
class Measurement:
    """The cost of grading one class in one way; measured on `measured` notebooks, extrapolated to `size`."""

    way: str
    size: int
    measured: int
    cost: Cost
    notebooks_cpu_s: float = 0.0
    """Core-seconds of the notebooks' own processes; 0 if unknown."""


def report(
    rows: list[Measurement],
    limit_s: float,
    other_s: float,
    cheap: Mapping[int, float],
    memory: Mapping[int, Cost],
    cores: int,
) -> str:
    """Return the table as Markdown, with its ratios.

    `limit_s` are the core-seconds of the bare loop, `other_s` those of a notebook's own process without training.
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
    further_mb = (memory[4].memory_mb - memory[1].memory_mb) / 3
    ratios = {
        f"throughput with {many} notebooks, against {way}": by[way, many].wall_s / by[first, many].wall_s
        for way in peers
    }
    ratios["one notebook, cold, against otter run"] = by[peers[0], 1].wall_s / by[first, 1].wall_s
    ratios["core-seconds of a further notebook, against the bare loop"] = further_s / limit_s
    ratios[f"cost of each of {high} cheap notebooks, against each of {low}, graded one at a time"] = growth
    versions = ("tensorflow-cpu", "keras", "otter-grader", "nbgrader")
    lines = [
        "# Grading a class: this kit and its peers",
        "",
        "Made by `make bench`, all in one run. Every notebook is the solution, with its five epochs of training. If",
        "fewer notebooks were measured than the class has, wall time and core-seconds are extrapolated.",
        "",
        "| | class | measured | wall s | core-seconds | peak memory MB | wall s a notebook |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *map(_line, rows),
        "",
        "| ratio | |",
        "|---|--:|",
        *(f"| {what} | {ratio:.2f} |" for what, ratio in ratios.items()),
        "",
        f"A further notebook takes {notebook_s:.1f} core-seconds in its own process and {beside_s:.1f} for the border, "
        "the judge, the pages and the gradebook.",
        f"Without its training (`model.fit`) its own process takes {other_s:.1f}, measured in {TIMED} "
        "notebooks that time themselves.",
        f"A bare loop over the same training takes {limit_s:.1f}.",
        f"1,000 notebooks take {1000 * further_s / 3600:.1f} core-hours, on any number of machines.",
        f"A further worker takes {further_mb:.0f} MB beside the arrays of its notebook.",
        "",
        f"{cores} cores ({platform.machine()}), Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in versions)
        + f"; {datetime.now(UTC):%Y-%m-%d}.",
        "",
    ]
    return "\n".join(lines)


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
