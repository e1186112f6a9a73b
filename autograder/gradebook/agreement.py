"""The agreement of two reviewers who marked the same answers without seeing each other's marks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["Agreement", "agreement"]

DIGITS = 6  # digits to which points are rounded, as a rubric does: 2.66 + 2.66 and 5.32 agree
WIDTH = NormalDist().inv_cdf(0.975)  # standard errors on either side of kappa in a 95 % interval


@dataclass(frozen=True)
class Agreement:
    """The agreement of two reviewers on `count` answers.

    `percent` of the answers, 0 to 100, got the same points from both; None without answers.
    `kappa` is Cohen's, -1 to 1: 1 is perfect, 0 is chance alone. Every number of points is a category, so half a point
    of difference counts as much as four. None without answers, or if both gave every answer the same points, because
    chance alone then agrees fully.
    `low` and `high` are its 95 % interval, None if kappa is. The interval is meant for 30 answers or more; with few it
    is rough, and if both agree on every answer it has no width.
    """

    count: int
    percent: float | None
    kappa: float | None
    low: float | None
    high: float | None


def agreement(pairs: Iterable[tuple[float, float]]) -> Agreement:
    """Return the agreement of two reviewers, from the points that each gave to the same answer.

    Kappa: J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20
    (1960). Its standard error where kappa is not 0: J. L. Fleiss, J. Cohen and B. S. Everitt, Large sample standard
    errors of kappa and weighted kappa, Psychological Bulletin 72 (1969), formula 13.
    """
    cells = Counter((round(one, DIGITS), round(other, DIGITS)) for one, other in pairs)
    count = cells.total()
    if not count:
        return Agreement(0, None, None, None, None)
    same = sum(number for (one, other), number in cells.items() if one == other) / count
    categories = {points for cell in cells for points in cell}
    if len(categories) == 1:
        return Agreement(count, 100 * same, None, None, None)
    rows: Counter[float] = Counter()
    columns: Counter[float] = Counter()
    for (one, other), number in cells.items():
        rows[one] += number
        columns[other] += number
    chance = sum(rows[points] * columns[points] for points in categories) / count**2
    kappa = (same - chance) / (1 - chance)
    agreed = disagreed = 0.0
    for (one, other), number in cells.items():
        if one == other:
            agreed += number * (1 - (rows[one] + columns[one]) / count * (1 - kappa)) ** 2
        else:
            disagreed += number * ((columns[one] + rows[other]) / count) ** 2
    spread = (agreed + disagreed * (1 - kappa) ** 2) / count - (kappa - chance * (1 - kappa)) ** 2
    # Rounding can leave slightly less than 0 if both agree on every answer.
    error = math.sqrt(max(0.0, spread) / count) / (1 - chance)
    low, high = max(-1.0, kappa - WIDTH * error), min(1.0, kappa + WIDTH * error)
    return Agreement(count, 100 * same, kappa, low, high)
