"""A calibration on the terminal: tables and advice for the instructor."""

from __future__ import annotations

from statistics import fmean, stdev

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.calibration.calibration import Calibration
from autograder.calibration.miss_rate import CONFIDENCE, RARE, AccuracyDistribution, Levels

__all__ = ["calibration_screen", "odds", "percent"]

NEGLIGIBLE = 1e-9
"""Chances below this, one in a billion, are not distinguished."""

LISTED = 10
"""The number of runs without full marks that are named."""


def calibration_screen(found: Calibration, fitted: AccuracyDistribution, levels: Levels) -> RenderableType:
    """Return the distribution, the chance that a correct submission misses each level, and the advice."""
    parts: list[RenderableType] = [_distribution(found), _chances(fitted, levels)]
    parts.append(Text(_advice(fitted, levels)))
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


def _distribution(found: Calibration) -> Table:
    accuracies = found.accuracies
    table = Table(box=box.SIMPLE_HEAD, title="Hidden accuracy of the solution", title_justify="left")
    for heading in ("runs", "mean", "sd", "lowest", "median", "highest"):
        table.add_column(heading, justify="right", no_wrap=True)
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    figures = (fmean(accuracies), spread, min(accuracies), found.reference, max(accuracies))
    table.add_row(str(len(accuracies)), *(f"{figure:.2%}" for figure in figures))
    return table


def _chances(fitted: AccuracyDistribution, levels: Levels) -> Table:
    title = "How often a correct submission misses the levels of grading.yml"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))  # to fit 80 columns
    sure = f"{CONFIDENCE:.0%} sure"
    for heading in ("accuracy", "points", "runs\nbelow", "chance", f"{sure}:\nfrom", "\nto"):
        table.add_column(heading, justify="right")
    table.add_column("verdict", no_wrap=True)
    for level, points in levels:
        chance = fitted.miss_rate(level)
        chances = map(odds, (chance.estimate, chance.low, chance.high))
        verdict = Text("safe", "green") if chance.safe else Text("too high", "red")
        table.add_row(percent(level), f"{points:g}", str(chance.below), *chances, verdict)
    return table


def _advice(fitted: AccuracyDistribution, levels: Levels) -> str:
    """Return the highest safe accuracy, and the levels of grading.yml above it."""
    meaning = f"a submission that trains like the solution misses it less than {odds(RARE).replace('1 in', 'once in')}"
    high = [percent(level) for level, _ in levels if not fitted.miss_rate(level).safe]
    if fitted.recommended is None:
        return "No accuracy is safe: the runs differ too much. Look at the solution first."
    most = percent(fitted.recommended)
    advice = f"{most} is the highest safe accuracy: {meaning} times."
    bands = f"Lower in grading.yml: {', '.join(high)}." if high else "Every band is safe."
    return f"{advice} {bands}\nThis holds if the runs follow the fitted curve: look at the plot for outliers."


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


def percent(level: float) -> str:
    """Return a fraction in percent, to four digits."""
    return f"{round(100 * level, 4):g}%"
