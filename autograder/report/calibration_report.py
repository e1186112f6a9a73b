"""A calibration for the instructor: tables and advice on the terminal, and a picture."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.calibration.miss_rate import CONFIDENCE, RARE, AccuracyDistribution, Levels
from autograder.calibration.reference import Calibration

__all__ = ["odds", "picture", "tables_and_advice"]

NEGLIGIBLE = 1e-9  # chances below this, one in a billion, are not distinguished
LISTED = 10  # the number of runs without full marks that are named

NEAR = 4
"""A level is drawn at the scale of the runs if it is at most this many times their spread below them."""

FILL, INK, ADVICE = "#b8cbe0", "#222222", "#0b5394"
"""Colours of bars, required levels and the recommended one; light, black and dark when printed in grey."""

LABEL = {"fontsize": 9, "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}}
"""The size of words, and the background of those that cross a line."""


def tables_and_advice(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> RenderableType:
    """Return the distribution, the chance that a correct submission misses each level, and the advice."""
    parts: list[RenderableType] = [_distribution(found), _chances(fitted, levels), Text(_advice(fitted, levels))]
    if found.short_of_full:
        parts.append(Text(_short(found), "red"))
    return Group(*parts)


def odds(chance: float) -> str:
    """Return a chance in words, to two digits: 0.00123 is "1 in 810"."""
    if chance >= 0.095:
        return f"{100 * chance:.0f} in 100"
    if chance < NEGLIGIBLE:
        return "< 1 in 10^9"
    count = float(f"{1 / chance:.2g}")
    return f"1 in {count / 1e6:g} million" if count >= 1e6 else f"1 in {count:,.0f}"


def picture(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> bytes:
    """Return a PNG: the histogram of the runs, the fitted curve, and the levels. Same arguments, same bytes.

    If a level is far below the runs, a second plot shows all levels on a scale that has room for them.
    """
    from matplotlib.figure import Figure  # here, because it takes a second

    figure = Figure(figsize=(8, 5.2), layout="constrained")
    least, highest = fitted.accuracies[0], fitted.accuracies[-1]
    floor = least - NEAR * (highest - least)
    near_levels = [(level, points) for level, points in levels if level >= floor]
    if len(near_levels) == len(levels):
        near = figure.add_subplot()
    else:
        near, whole = figure.subplots(2, 1, height_ratios=(4, 1))
        _draw_scale(whole, fitted, levels)
    _draw_runs(near, fitted)
    for level, points in near_levels:
        near.axvline(100 * level, color=INK, linewidth=1.4)
        _label(near, level, f"required: {_level(level, points)}", INK)
    if fitted.recommended is not None and fitted.recommended >= floor:
        near.axvline(100 * fitted.recommended, color=ADVICE, linewidth=1.4, linestyle=(0, (4, 2)))
        _label(near, fitted.recommended, f"safe up to {_percent(fitted.recommended)}", ADVICE, right=True)
    figure.suptitle(f"Accuracy of the solution in {len(found.runs)} trainings with different seeds")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})
    return out.getvalue()


def _distribution(found: Calibration) -> Table:
    accuracies = found.accuracies
    table = Table(box=box.SIMPLE_HEAD, title="Hidden accuracy of the solution", title_justify="left")
    for heading in ("runs", "mean", "sd", "lowest", "median", "highest"):
        table.add_column(heading, justify="right", no_wrap=True)
    figures = (fmean(accuracies), stdev(accuracies), min(accuracies), found.reference, max(accuracies))
    table.add_row(str(len(accuracies)), *(f"{figure:.2%}" for figure in figures))
    return table


def _chances(fitted: AccuracyDistribution, levels: Levels) -> Table:
    title = "How often a correct submission misses the levels of grading.yml"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))  # to fit 80 columns
    for heading in ("accuracy", "points", "runs\nbelow", "chance", f"{CONFIDENCE:.0%} sure:\nfrom", "\nto"):
        table.add_column(heading, justify="right")
    table.add_column("verdict", no_wrap=True)
    for level, points in levels:
        chance = fitted.miss_rate(level)
        chances = map(odds, (chance.estimate, chance.low, chance.high))
        verdict = Text("safe", "green") if chance.safe else Text("too high", "red")
        table.add_row(_percent(level), f"{points:g}", str(chance.below), *chances, verdict)
    return table


def _advice(fitted: AccuracyDistribution, levels: Levels) -> str:
    """Return the highest safe accuracy, and the levels of grading.yml above it."""
    if fitted.recommended is None:
        return "No accuracy is safe: the runs differ too much. Look at the solution first."
    rare = odds(RARE).replace("1 in", "once in")
    high = [_percent(level) for level, _ in levels if not fitted.miss_rate(level).safe]
    bands = f"Lower in grading.yml: {', '.join(high)}." if high else "Every band is safe."
    return (
        f"{_percent(fitted.recommended)} is the highest safe accuracy: a submission that trains like the solution "
        f"misses it less than {rare} times. {bands}\nThis holds if the runs follow the fitted curve: look at the plot "
        "for outliers."
    )


def _short(found: Calibration) -> str:
    short = found.short_of_full
    lines = [f"{len(short)} of {len(found.runs)} runs did not get full marks, so some bands or checks are too strict:"]
    lines += [
        f"  seed {run.seed}: {run.accuracy:.2%}, {run.earned:g} points, lost some in {', '.join(run.lost)}"
        for run in short[:LISTED]
    ]
    if len(short) > LISTED:
        lines.append(f"  and {len(short) - LISTED} more")
    return "\n".join(lines)


def _draw_runs(axes: Any, fitted: AccuracyDistribution) -> None:
    """Draw the histogram, its bins a whole number of images wide, and the fitted curve at the same scale."""
    accuracies = [100 * accuracy for accuracy in fitted.accuracies]
    least, span = accuracies[0], accuracies[-1] - accuracies[0]
    distinct = sorted({round(accuracy, 6) for accuracy in accuracies})
    image = min(after - before for before, after in pairwise(distinct))
    width = image * max(1, round(span / (1.5 * math.sqrt(len(accuracies))) / image))
    edges = [least - image / 2 + step * width for step in range(math.ceil((span + image) / width) + 1)]
    axes.hist(accuracies, bins=edges, color=FILL, edgecolor="white", linewidth=0.8, label="runs")
    start, end = least - span / 3, min(accuracies[-1] + span / 3, 99.999)
    xs = [start + (end - start) * step / 400 for step in range(401)]
    curve = [fitted.density(x / 100) / 100 * width * len(accuracies) for x in xs]
    axes.plot(xs, curve, color=INK, linewidth=1.6, label="fitted curve")
    axes.set(xlabel="hidden accuracy in percent", ylabel="runs")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for labels
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(edgecolor="none", loc="upper right")


def _label(axes: Any, level: float, text: str, color: str, *, right: bool = False) -> None:
    """Write words along a line, on its left or right side."""
    side = {"xytext": (3, -2), "ha": "left"} if right else {"xytext": (-3, -2), "ha": "right"}
    place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "rotation": 90, "va": "top"}
    axes.annotate(text, (100 * level, 1), color=color, **place, **side, **LABEL)


def _draw_scale(axes: Any, fitted: AccuracyDistribution, levels: Levels) -> None:
    """Draw all levels and the runs on one scale up to 100 %; labels in two rows, so that close ones fit."""
    least, highest = (100 * fitted.accuracies[at] for at in (0, -1))
    axes.axvspan(least, highest, color=FILL)
    axes.text(highest, 0.5, " runs", ha="left", va="center", fontsize=9)
    for index, (level, points) in enumerate(levels):
        axes.axvline(100 * level, color=INK, linewidth=1.4)
        place = (100 * level, 0.72 if index % 2 else 0.28)
        words = {"xytext": (-4, 0), "textcoords": "offset points", "ha": "right", "va": "center", **LABEL}
        axes.annotate(_level(level, points), place, color=INK, **words)
    first = 100 * min(level for level, _ in levels)
    axes.set(xlim=(first - 0.3 * (100 - first), 100), yticks=[], xlabel="the same on a wider scale, in percent")
    axes.spines[["top", "left", "right"]].set_visible(False)


def _percent(level: float) -> str:
    """Return a fraction in percent, to four digits."""
    return f"{round(100 * level, 4):g}%"


def _level(level: float, points: float) -> str:
    return f"{_percent(level)}, {points:g} point{'' if points == 1 else 's'}"
