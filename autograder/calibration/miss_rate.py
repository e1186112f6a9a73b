"""How likely a correct submission is to miss an accuracy: the tail of what retrained solutions reach.

Pure. Networks that are trained alike from different random numbers differ in their errors, and those are skewed: there
is a floor, and no ceiling. The log of the error rate is close to normal, so that is what is fitted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from autograder.errors import CalibrationError

__all__ = [
    "CONFIDENCE",
    "DOUBTFUL",
    "FEWEST",
    "MOST",
    "RARE",
    "Levels",
    "MissRate",
    "Tail",
    "above",
    "demand",
    "fit",
    "limits",
]

RARE = 1e-5
"""A chance that may be neglected, once in 100,000: a class of a thousand, every year for a century, has one case."""

CONFIDENCE = 0.95
"""Of the two-sided interval for a chance: one in forty such intervals ends below the truth."""

DOUBTFUL = 0.01
"""A p-value of the Shapiro-Wilk test below which log errors are not taken for normal without a word."""

STEP = 0.005
"""Distance of the levels that can be recommended: bands are written in halves of a percent."""

Levels = Sequence[tuple[float, float]]
"""Accuracies (fractions) that are asked for, and the points each is worth; rising."""

FEWEST, MOST = 8, 5000
"""Runs that can be fitted. With fewer the limits of a tail are too wide to be of use; the Shapiro-Wilk test was made
for at most 5,000 (P. Royston, Applied Statistics 44 (1995), 547-551)."""

FAR = 100.0
"""Standard deviations beyond which a chance is 0, or 1, to the last digit."""


@dataclass(frozen=True)
class MissRate:
    """That a correct submission misses `level` (a fraction): the estimate, and its confidence interval.

    `below` is how many of the runs missed it.
    """

    level: float
    estimate: float
    low: float
    high: float
    below: int

    @property
    def safe(self) -> bool:
        """Even the upper limit of the chance is below RARE, and no run missed the level."""
        return self.high < RARE and not self.below


@dataclass(frozen=True)
class Tail:
    """What was fitted. `accuracies` (fractions) rise; `mean` and `sd` (ddof 1) are of the log error rate.

    `normality` is the p-value of the Shapiro-Wilk test on the log error rates.
    """

    accuracies: tuple[float, ...]
    mean: float
    sd: float
    normality: float

    @property
    def doubtful(self) -> bool:
        """The log errors do not look normal, so every chance is a guess."""
        return self.normality < DOUBTFUL

    @cached_property
    def recommended(self) -> float | None:
        """The highest safe level on the grid of STEP; None where not even the lowest one is."""
        grid = [round(place * STEP, 6) for place in range(1, round(1 / STEP))]
        count = bisect_left(grid, True, key=lambda level: not self.chance(level).safe)
        return grid[count - 1] if count else None

    def chance(self, level: float) -> MissRate:
        """The chance to miss `level` (above 0, below 1)."""
        distance = (math.log1p(-level) - self.mean) / self.sd
        low, high = limits(distance, len(self.accuracies))
        return MissRate(level, above(distance), low, high, bisect_left(self.accuracies, level))

    def density(self, accuracy: float) -> float:
        """The fitted density at `accuracy` (below 1), per unit of accuracy."""
        z = (math.log1p(-accuracy) - self.mean) / self.sd
        return math.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * self.sd * (1 - accuracy))


def demand(runs: int) -> None:
    """Raises CalibrationError where that is too few runs, or too many, to fit anything to them."""
    if runs < FEWEST:
        raise CalibrationError(
            f"{runs} runs are too few to tell how accuracies spread: at least {FEWEST} are needed, and 30 are better"
        )
    if runs > MOST:
        raise CalibrationError(f"{runs:,} runs are more than can be worked with: {MOST:,} at most")


def fit(accuracies: Sequence[float]) -> Tail:
    """Fit the tail to the accuracies (fractions) of independent runs.

    Raises CalibrationError where there are too few, where one of them is not from 0 to below 1, or where they are all
    the same.
    """
    demand(len(accuracies))
    for accuracy in accuracies:
        if not 0 <= accuracy < 1:
            raise CalibrationError(
                f"an accuracy of {accuracy:.2%} was found; only from 0% to below 100% is there an error rate to take "
                "the log of"
            )
    if min(accuracies) == max(accuracies):
        raise CalibrationError(
            f"every run reached the same accuracy, {accuracies[0]:.2%}, so the seeds make no difference. Does the "
            "solution set a seed of its own?"
        )
    errors = [math.log1p(-accuracy) for accuracy in accuracies]
    return Tail(tuple(sorted(accuracies)), fmean(errors), stdev(errors), float(_stats().shapiro(errors).pvalue))


def above(z: float) -> float:
    """The chance that a standard normal value is above `z`; exact far out, too."""
    return float(_stats().norm.sf(z))


def limits(distance: float, size: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two-sided confidence limits for the chance that a normal value is above a level.

    `distance` is from the sample's mean to the level, in the sample's standard deviations (ddof 1); `size` is the
    number of values; `confidence` is a fraction. The limits are exact for normal samples: the distance times
    sqrt(size) has a noncentral t distribution with size - 1 degrees of freedom, and its noncentrality is the true
    distance times sqrt(size) (D. B. Owen, Technometrics 10 (1968), 445-478).
    """
    from scipy.special import nctdtrinc  # the noncentrality at which a value has a given cumulative chance

    if distance < 0:
        low, high = limits(-distance, size, confidence)
        return 1 - high, 1 - low
    root = math.sqrt(size)
    t = min(distance, FAR) * root
    beyond = (1 - confidence) / 2
    far, near = (float(nctdtrinc(size - 1, share, t)) / root for share in (beyond, 1 - beyond))
    return above(far), above(near)


def _stats() -> Any:
    """SciPy's statistics; here, because only a calibration has any use for them."""
    from scipy import stats

    return stats
