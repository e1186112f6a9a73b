"""Distributions of points and accuracies over a class."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import AccuracyRule, Policy
from autograder.report.grade_cells import automatic
from autograder.report.histogram import DIGITS, Bin, Chart, Level, bin_width, binned, chart
from autograder.report.item_analysis import graded

__all__ = ["Band", "ClassAccuracies", "ClassScores", "accuracies", "scores"]

SCORE_BINS, ACCURACY_BINS = 20, 30  # the largest number of bins in a histogram: a bar has to have room for its number
MARGIN = 5.0  # percent below the lowest level of grading.yml that still have bins of their own


@dataclass(frozen=True)
class ClassScores:
    """The points of a class in rising order, out of `points`: all of them, or the automatic ones alone."""

    automatic: bool
    points: float
    values: tuple[float, ...]

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

    @property
    def bins(self) -> tuple[Bin, ...]:
        return binned(self.values, 0.0, self.points, bin_width(self.points, SCORE_BINS))[0]

    @property
    def chart(self) -> Chart:
        """The bins, with lines at mean and median, which are no news of one submission."""
        mean, median = (f"{round(value, 1):g}" for value in (self.mean, self.median))
        levels = [Level(self.mean, f"mean {mean}", dashed=True), Level(self.median, f"median {median}")]
        if mean == median:
            levels = [Level(self.median, f"mean and median {median}")]
        return chart(self.bins, levels=levels if len(self.values) > 1 else ())


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

    @property
    def levels(self) -> list[Level]:
        """The levels of grading.yml, with the points for each."""
        return [
            Level(band.low, f"{round(band.low, 2):g} %: {_points(band.points)}{f' ({id})' * (len(self.bands) > 1)}")
            for id, bands in self.bands
            for band in bands
            if band.low is not None
        ]

    @property
    def chart(self) -> Chart:
        return chart(self.bins, self.below, self.levels)


def scores(reports: Sequence[GradeReport]) -> list[ClassScores]:
    """Return the total points of fully decided submissions and, while some are not, everybody's automatic points."""
    decided = [report for report in graded(reports) if report.complete]
    final = [report for report in decided if report.marked]
    found = []
    if final:
        totals = sorted(report.earned for report in final)
        found.append(ClassScores(False, max(report.points for report in final), tuple(totals)))
    if len(final) < len(decided):
        totals = sorted(map(automatic, decided))
        found.append(ClassScores(True, max(report.automatic_points for report in decided), tuple(totals)))
    return [scores for scores in found if scores.points]


def accuracies(reports: Sequence[GradeReport], policy: Policy) -> ClassAccuracies | None:
    """Return None if no model was scored. Bins end at 100 and begin a little below the lowest level of grading.yml.

    The policy knows the reference if full points depend on it.
    """
    values = sorted(round(100 * report.accuracy, DIGITS) for report in graded(reports) if report.accuracy is not None)
    if not values:
        return None
    levels = {id: _levels(q.points, q.accuracy) for id, q in policy.code.items() if q.accuracy is not None}
    lowest = min((level for found in levels.values() for level, _ in found), default=values[0])
    span = min(100.0, round(100 - lowest + MARGIN, DIGITS))
    width = bin_width(span, ACCURACY_BINS)
    bins, below = binned(values, max(0.0, 100 - width * math.ceil(round(span / width, DIGITS))), 100.0, width)
    bands = tuple((id, _bands(values, found)) for id, found in levels.items())
    return ClassAccuracies(tuple(values), bins, below, bands)


def _levels(points: float, rule: AccuracyRule) -> list[tuple[float, float]]:
    """Return the accuracies that a question of `points` asks for, in percent, and the points for each, rising."""
    worth = (*(part for _, part in rule.bands), round(points - rule.other_points, 6))
    return [(round(100 * level, DIGITS), part) for level, part in zip(rule.levels, worth, strict=True)]


def _bands(values: Sequence[float], levels: Sequence[tuple[float, float]]) -> tuple[Band, ...]:
    reached = Counter(sum(value >= level for level, _ in levels) for value in values)
    lows, points = (None, *(level for level, _ in levels)), (0.0, *(points for _, points in levels))
    counts = (reached[index] for index in range(len(lows)))
    return tuple(map(Band, lows, (*lows[1:], None), points, counts))


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"
