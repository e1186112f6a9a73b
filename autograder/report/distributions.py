"""Distributions of points and accuracies over a class, in bins with round edges."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.report.item_analysis import graded

__all__ = ["Band", "Bin", "ClassAccuracies", "ClassScores", "accuracies", "bin_width", "binned", "scores"]

SCORE_BINS, ACCURACY_BINS = 20, 30
"""The largest number of bins in a histogram: a bar has to have room for its number."""

MARGIN = 5.0
"""Percent below the lowest level of grading.yml that still have bins of their own."""

STEPS = (1, 2, 5, 10)
"""Widths of bins, times a power of ten."""

DIGITS = 9
"""Digits that edges and values are rounded to, so that 0.1 + 0.2 reaches 0.3."""


@dataclass(frozen=True)
class Bin:
    """The number of values from `low` to below `high`; in the last bin, to `high` itself."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class ClassScores:
    """The points of a class in rising order, out of `points`: all of them, or the automatic ones alone."""

    automatic: bool
    points: float
    values: tuple[float, ...]
    bins: tuple[Bin, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation; None for a class of one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def full(self) -> int:
        """The number of submissions with all points."""
        return sum(round(value - self.points, DIGITS) >= 0 for value in self.values)


@dataclass(frozen=True)
class Band:
    """Models of an accuracy from `low` to below `high` percent (None: without a limit), and the points they get."""

    low: float | None
    high: float | None
    points: float
    count: int


@dataclass(frozen=True)
class ClassAccuracies:
    """Accuracies in percent, rising; `below` are less than the first bin. The bands are by question."""

    values: tuple[float, ...]
    bins: tuple[Bin, ...]
    below: int
    bands: tuple[tuple[str, tuple[Band, ...]], ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def scores(reports: Sequence[GradeReport]) -> tuple[ClassScores, ...]:
    """Return the total points of fully decided submissions and, while some are not, everybody's automatic points."""
    decided = [report for report in graded(reports) if report.complete]
    final = [report for report in decided if report.marked]
    found = []
    if final:
        totals = [math.fsum(question.earned or 0.0 for question in report.questions) for report in final]
        found.append(_scores(totals, max(report.points for report in final), automatic=False))
    if len(final) < len(decided):
        totals = [math.fsum(q.earned or 0.0 for q in report.questions if not q.written) for report in decided]
        found.append(_scores(totals, max(report.automatic_points for report in decided), automatic=True))
    return tuple(scores for scores in found if scores.points)


def accuracies(reports: Sequence[GradeReport], policy: Policy) -> ClassAccuracies | None:
    """Return None if no model was scored. Bins end at 100 and begin a little below the lowest level of grading.yml."""
    values = sorted(round(100 * report.accuracy, DIGITS) for report in graded(reports) if report.accuracy is not None)
    if not values:
        return None
    levels = {id: found for id in policy.code if (found := _levels(policy, id))}
    lowest = min((level for found in levels.values() for level, _ in found), default=values[0])
    span = min(100.0, round(100 - lowest + MARGIN, DIGITS))
    width = bin_width(span, ACCURACY_BINS)
    bins, below = binned(values, max(0.0, 100 - width * math.ceil(round(span / width, DIGITS))), 100.0, width)
    bands = tuple((id, _bands(values, found)) for id, found in levels.items())
    return ClassAccuracies(tuple(values), bins, below, bands)


def bin_width(span: float, most: int) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that cuts `span` (above 0) into at most `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(round(power * step, DIGITS) for step in STEPS if round(power * step * most - span, DIGITS) >= 0)


def binned(values: Iterable[float], low: float, high: float, width: float) -> tuple[tuple[Bin, ...], int]:
    """Return bins of this width from `low` to `high` (the last may be narrower), and the number of values below.

    Values above `high` count in the last bin.
    """
    number = max(1, math.ceil(round((high - low) / width, DIGITS)))
    heights, below = [0] * number, 0
    for value in values:
        index = math.floor(round((value - low) / width, DIGITS))
        if index < 0:
            below += 1
        else:
            heights[min(index, number - 1)] += 1
    edges = [round(low + index * width, DIGITS) for index in range(number)]
    return tuple(map(Bin, edges, (*edges[1:], high), heights)), below


def _scores(values: Sequence[float], points: float, *, automatic: bool) -> ClassScores:
    bins, _ = binned(values, 0.0, points, bin_width(points, SCORE_BINS)) if points else ((), 0)
    return ClassScores(automatic, points, tuple(sorted(values)), bins)


def _levels(policy: Policy, id: str) -> list[tuple[float, float]]:
    """Return the accuracies that a question asks for, in percent, and their points, rising."""
    question = policy.code[id]
    rule = question.accuracy
    if rule is None:
        return []
    levels = list(rule.bands)
    if rule.full_accuracy is not None:  # else it depends on a reference that is not known here
        levels.append((rule.full_accuracy, round(question.points - rule.other_points, 6)))
    return [(round(100 * level, DIGITS), points) for level, points in levels]


def _bands(values: Sequence[float], levels: Sequence[tuple[float, float]]) -> tuple[Band, ...]:
    reached = Counter(sum(value >= level for level, _ in levels) for value in values)
    lows, points = (None, *(level for level, _ in levels)), (0.0, *(points for _, points in levels))
    counts = (reached[index] for index in range(len(lows)))
    return tuple(map(Band, lows, (*lows[1:], None), points, counts))
