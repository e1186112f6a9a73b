"""A calibration for an instructor: tables and sentences for the terminal, and a picture."""

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

from autograder.calibration.calibration import Calibration, TrainingRun
from autograder.calibration.miss_rate import CONFIDENCE, RARE, AccuracyDistribution, Levels, MissRate

__all__ = ["once", "picture", "screen"]

NEGLIGIBLE = 1e-9
"""Chances below this, one in a billion, are not told apart."""

LISTED = 10
"""Runs without full marks that are named one by one."""

NEAR = 4
"""A level this many times the spread of the runs below them is still drawn at their scale."""

FILL, INK, ADVICE = "#b8cbe0", "#222222", "#0b5394"
"""Colours of bars, of what is asked for, and of what is recommended; light, black and dark when printed in grey."""

PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
"""Behind words, where they cross a line."""


def screen(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> RenderableType:
    """The distribution, what each level means for a correct submission, and what to do about it."""
    parts: list[RenderableType] = [_distribution(found), _chances(fitted, levels)]
    parts.append(Text(_advice(fitted, levels)))
    if found.short_of_full:
        parts.append(Text(_short(found), "red"))
    return Group(*parts)


def once(chance: float) -> str:
    """A chance in words, to two digits: 0.00123 is "1 in 810"."""
    if chance >= 0.095:
        return f"{100 * chance:.0f} in 100"
    if chance < NEGLIGIBLE:
        return "< 1 in 10^9"
    count = float(f"{1 / chance:.2g}")
    return f"1 in {count / 1e6:g} million" if count >= 1e6 else f"1 in {count:,.0f}"


def picture(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> bytes:
    """A PNG: how many runs reached what, the fitted curve, and the levels.

    Where a level is far below the runs, all levels are shown once more beneath, on a scale that has room for them.
    """
    from matplotlib.figure import Figure  # here, because it takes a second

    figure = Figure(figsize=(8, 5.2), layout="constrained")
    if all(level >= _floor(fitted) for level, _ in levels):
        near = figure.add_subplot()
    else:
        near, whole = figure.subplots(2, 1, height_ratios=(4, 1))
        _draw_scale(whole, fitted, levels)
    _draw_runs(near, fitted)
    _draw_levels(near, fitted, levels)
    figure.suptitle(f"What a correct solution reaches: {len(found.runs)} trainings, each from another seed")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})  # the same bytes for the same runs
    return out.getvalue()


def _distribution(found: Calibration) -> Table:
    accuracies = found.accuracies
    table = Table(box=box.SIMPLE_HEAD, title="Hidden accuracy of the solution", title_justify="left")
    for heading in ("runs", "mean", "sd", "least", "median", "highest"):
        table.add_column(heading, justify="right", no_wrap=True)
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    figures = (fmean(accuracies), spread, min(accuracies), found.reference, max(accuracies))
    table.add_row(str(len(accuracies)), *(f"{figure:.2%}" for figure in figures))
    return table


def _chances(fitted: AccuracyDistribution, levels: Levels) -> Table:
    title = "How often a correct submission misses what grading.yml asks for"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))  # to fit 80 columns
    sure = f"{CONFIDENCE:.0%} sure"
    for heading in ("accuracy", "points", "runs\nbelow", "chance", f"{sure}:\nfrom", "\nto"):
        table.add_column(heading, justify="right")
    table.add_column("verdict", no_wrap=True)
    for level, points in levels:
        chance = fitted.miss_rate(level)
        chances = map(once, (chance.estimate, chance.low, chance.high))
        table.add_row(_percent(level), f"{points:g}", str(chance.below), *chances, _verdict(chance))
    return table


def _verdict(chance: MissRate) -> Text:
    return Text("safe", "green") if chance.safe else Text("too high", "red")


def _advice(fitted: AccuracyDistribution, levels: Levels) -> str:
    """What to ask for, in one plain sentence, and what was asked for that is too much."""
    meaning = (
        f"a submission that trains as the solution does misses it less than {once(RARE).replace('1 in', 'once in')}"
    )
    high = [_percent(level) for level, _ in levels if not fitted.miss_rate(level).safe]
    if fitted.recommended is None:
        return "No accuracy can be asked for safely: the runs differ too much. Look at the solution first."
    most = _percent(fitted.recommended)
    told = f"{most} is the most to ask for: {meaning} times."
    bands = f"Lower in grading.yml: {', '.join(high)}." if high else "Every band is safe."
    return (
        f"{told} {bands}\nThis holds if the runs follow the fitted curve: look at the plot for runs that stand apart."
    )


def _short(found: Calibration) -> str:
    short = found.short_of_full
    lines = [f"{len(short)} of {len(found.runs)} runs did not get full marks, so bands or checks ask too much:"]
    lines += map(_told, short[:LISTED])
    if len(short) > LISTED:
        lines.append(f"  and {len(short) - LISTED} more")
    return "\n".join(lines)


def _told(run: TrainingRun) -> str:
    return f"  seed {run.seed}: {run.accuracy:.2%}, {run.earned:g} points, not all of {', '.join(run.lost)}"


def _percent(level: float) -> str:
    return f"{round(100 * level, 4):g}%"


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _floor(fitted: AccuracyDistribution) -> float:
    """The lowest accuracy that is drawn at the scale of the runs."""
    least, highest = fitted.accuracies[0], fitted.accuracies[-1]
    return least - NEAR * (highest - least)


def _draw_runs(axes: Any, fitted: AccuracyDistribution) -> None:
    """The histogram, its bins a whole number of images wide, and the fitted curve at the same scale."""
    accuracies = [100 * accuracy for accuracy in fitted.accuracies]
    least, span = accuracies[0], accuracies[-1] - accuracies[0]
    distinct = sorted({round(accuracy, 6) for accuracy in accuracies})
    image = min(after - before for before, after in pairwise(distinct))
    width = image * max(1, round(span / (1.5 * math.sqrt(len(accuracies))) / image))
    edges = [least - image / 2 + place * width for place in range(math.ceil((span + image) / width) + 1)]
    axes.hist(accuracies, bins=edges, color=FILL, edgecolor="white", linewidth=0.8, label="runs")
    start, end = least - span / 3, min(accuracies[-1] + span / 3, 99.999)
    places = [start + (end - start) * step / 400 for step in range(401)]
    curve = [fitted.density(place / 100) / 100 * width * len(accuracies) for place in places]
    axes.plot(places, curve, color=INK, linewidth=1.6, label="fitted curve")
    axes.set(xlabel="hidden accuracy in percent", ylabel="runs")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for labels
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(edgecolor="none", loc="upper right")


def _draw_levels(axes: Any, fitted: AccuracyDistribution, levels: Levels) -> None:
    """Lines for the recommended level and for those of the policy, where they are near the runs."""
    floor = _floor(fitted)
    for level, points in levels:
        if level >= floor:
            axes.axvline(100 * level, color=INK, linewidth=1.4)
            _label(axes, level, f"asked for: {_percent(level)}, {_points(points)}", INK)
    if fitted.recommended is not None and fitted.recommended >= floor:
        axes.axvline(100 * fitted.recommended, color=ADVICE, linewidth=1.4, linestyle=(0, (4, 2)))
        _label(axes, fitted.recommended, f"safe up to {_percent(fitted.recommended)}", ADVICE, right=True)


def _label(axes: Any, level: float, text: str, color: str, *, right: bool = False) -> None:
    """Words along a line, on its left or right side."""
    axes.annotate(
        text,
        (100 * level, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3 if right else -3, -2),
        textcoords="offset points",
        rotation=90,
        ha="left" if right else "right",
        va="top",
        color=color,
        fontsize=9,
        bbox=PAPER,
    )


def _draw_scale(axes: Any, fitted: AccuracyDistribution, levels: Levels) -> None:
    """All levels of the policy, and the runs, on one scale up to 100 %; labels in two rows, so that near ones fit."""
    least, highest = (100 * fitted.accuracies[at] for at in (0, -1))
    axes.axvspan(least, highest, color=FILL)
    axes.text(highest, 0.5, " runs", ha="left", va="center", fontsize=9)
    for place, (level, points) in enumerate(levels):
        axes.axvline(100 * level, color=INK, linewidth=1.4)
        text, row = f"{_percent(level)}, {_points(points)}", 0.72 if place % 2 else 0.28
        words = {"ha": "right", "va": "center", "fontsize": 9, "color": INK, "bbox": PAPER}
        axes.annotate(text, (100 * level, row), xytext=(-4, 0), textcoords="offset points", **words)
    first = 100 * min(level for level, _ in levels)
    axes.set(xlim=(first - 0.3 * (100 - first), 100), yticks=[], xlabel="the same on the whole scale, in percent")
    axes.spines[["top", "left", "right"]].set_visible(False)
