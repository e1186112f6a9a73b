"""The rate at which a correct submission misses an accuracy, estimated from retrained solutions.

Networks that are trained alike from different random numbers differ in their errors. Error rates are skewed, because
they have a floor and no ceiling, but their logarithm is close to normal, so a normal distribution is fitted to it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist, fmean, stdev

from autograder.errors import CalibrationError

__all__ = ["CONFIDENCE", "FEWEST", "RARE", "AccuracyDistribution", "Levels", "MissRate", "fit", "require_enough"]

RARE = 1e-5
"""A negligible chance, once in 100,000: a class of a thousand, every year for a century, sees one case."""

CONFIDENCE = 0.95
"""The confidence of the two-sided interval for a chance: one in forty such intervals ends below the truth."""

WIDTH = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)  # half the width of that interval, in standard errors

STEP = 0.005
"""The distance between levels that can be recommended: bands are written in halves of a percent."""

Levels = Sequence[tuple[float, float]]
"""The accuracies (fractions) that are asked for, with the points that each is worth; rising."""

FEWEST = 8
"""The fewest runs that can be fitted. With fewer, the interval is too wide to be of use."""


@dataclass(frozen=True)
class MissRate:
    """The chance that a correct submission misses `level` (a fraction): its estimate and its confidence limits.

    `below` is the number of runs that missed the level.
    """

    level: float
    estimate: float
    low: float
    high: float
    below: int

    @property
    def safe(self) -> bool:
        """True if even the upper limit is below RARE and no run missed the level."""
        return self.high < RARE and not self.below


@dataclass(frozen=True)
class AccuracyDistribution:
    """The fitted distribution of accuracies.

    `accuracies` (fractions) rise; `mean` and `sd` (ddof 1) are those of the log error rate.
    """

    accuracies: tuple[float, ...]
    mean: float
    sd: float

    @cached_property
    def recommended(self) -> float | None:
        """The highest safe level on the grid of STEP; None if no level is safe."""
        grid = [round(index * STEP, 6) for index in range(1, round(1 / STEP))]
        count = bisect_left(grid, True, key=lambda level: not self.miss_rate(level).safe)
        return grid[count - 1] if count else None

    def miss_rate(self, level: float) -> MissRate:
        """Estimate the chance of missing `level` (above 0, below 1).

        The standard error of a level's distance from the mean, in standard deviations, is the usual one for a normal
        sample; NIST's approximate tolerance limits follow from it (NIST/SEMATECH e-Handbook of Statistical Methods,
        7.2.6.3). With 8 runs or more, between 2 and 3 % of the intervals lie on either side of the truth.
        """
        size = len(self.accuracies)
        distance = (math.log1p(-level) - self.mean) / self.sd
        margin = WIDTH * math.sqrt(1 / size + distance**2 / (2 * (size - 1)))
        low, estimate, high = (_chance_above(z) for z in (distance + margin, distance, distance - margin))
        return MissRate(level, estimate, low, high, bisect_left(self.accuracies, level))

    def density(self, accuracy: float) -> float:
        """Return the fitted density at `accuracy` (below 1), per unit of accuracy."""
        return NormalDist(self.mean, self.sd).pdf(math.log1p(-accuracy)) / (1 - accuracy)


def require_enough(runs: int) -> None:
    """Raise CalibrationError if there are too few runs to fit a distribution."""
    if runs < FEWEST:
        raise CalibrationError(
            f"{runs} runs are too few to show how accuracies spread: at least {FEWEST} are needed, and 30 are better"
        )


def fit(accuracies: Sequence[float]) -> AccuracyDistribution:
    """Fit the distribution to the accuracies (fractions) of independent runs.

    Raises CalibrationError if they are too few, all the same, or not all from 0 to below 1.
    """
    require_enough(len(accuracies))
    for accuracy in accuracies:
        if not 0 <= accuracy < 1:
            raise CalibrationError(
                f"a run reached {accuracy:.2%}; only accuracies from 0% to below 100% can be fitted, because "
                "the log of the error rate is needed"
            )
    if min(accuracies) == max(accuracies):
        raise CalibrationError(
            f"every run reached the same accuracy, {accuracies[0]:.2%}, so the seeds make no difference. Does the "
            "solution set a seed of its own?"
        )
    errors = [math.log1p(-accuracy) for accuracy in accuracies]
    return AccuracyDistribution(tuple(sorted(accuracies)), fmean(errors), stdev(errors))


def _chance_above(z: float) -> float:
    """Return the chance that a standard normal value is above `z`, exact even far out."""
    return math.erfc(z / math.sqrt(2)) / 2
