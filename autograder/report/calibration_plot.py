"""A picture of a calibration: what the solution reached, and the levels of grading.yml."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from typing import Any

from autograder.calibration.calibration import Calibration
from autograder.calibration.miss_rate import AccuracyDistribution, Levels
from autograder.report.calibration_screen import percent

__all__ = ["picture"]

NEAR = 4
"""A level is drawn at the scale of the runs if it is at most this many times their spread below them."""

FILL, INK, ADVICE = "#b8cbe0", "#222222", "#0b5394"
"""Colours of bars, required levels and the recommended one; light, black and dark when printed in grey."""

PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
"""The background of words that cross a line."""


def picture(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> bytes:
    """Return a PNG: the histogram of the runs, the fitted curve, and the levels. Same arguments, same bytes.

    If a level is far below the runs, a second plot shows all levels on a scale that has room for them.
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
    figure.suptitle(f"Accuracy of the solution in {len(found.runs)} trainings with different seeds")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})
    return out.getvalue()


def _floor(fitted: AccuracyDistribution) -> float:
    """Return the lowest accuracy that is drawn at the scale of the runs."""
    least, highest = fitted.accuracies[0], fitted.accuracies[-1]
    return least - NEAR * (highest - least)


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


def _draw_levels(axes: Any, fitted: AccuracyDistribution, levels: Levels) -> None:
    """Draw lines for the recommended level and for those of the policy that are near the runs."""
    floor = _floor(fitted)
    for level, points in levels:
        if level >= floor:
            axes.axvline(100 * level, color=INK, linewidth=1.4)
            _label(axes, level, f"required: {percent(level)}, {_points(points)}", INK)
    if fitted.recommended is not None and fitted.recommended >= floor:
        axes.axvline(100 * fitted.recommended, color=ADVICE, linewidth=1.4, linestyle=(0, (4, 2)))
        _label(axes, fitted.recommended, f"safe up to {percent(fitted.recommended)}", ADVICE, right=True)


def _label(axes: Any, level: float, text: str, color: str, *, right: bool = False) -> None:
    """Write words along a line, on its left or right side."""
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
    """Draw all levels and the runs on one scale up to 100 %; labels in two rows, so that close ones fit."""
    least, highest = (100 * fitted.accuracies[at] for at in (0, -1))
    axes.axvspan(least, highest, color=FILL)
    axes.text(highest, 0.5, " runs", ha="left", va="center", fontsize=9)
    for index, (level, points) in enumerate(levels):
        axes.axvline(100 * level, color=INK, linewidth=1.4)
        text, row = f"{percent(level)}, {_points(points)}", 0.72 if index % 2 else 0.28
        words = {"ha": "right", "va": "center", "fontsize": 9, "color": INK, "bbox": PAPER}
        axes.annotate(text, (100 * level, row), xytext=(-4, 0), textcoords="offset points", **words)
    first = 100 * min(level for level, _ in levels)
    axes.set(xlim=(first - 0.3 * (100 - first), 100), yticks=[], xlabel="the same on a wider scale, in percent")
    axes.spines[["top", "left", "right"]].set_visible(False)


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"
