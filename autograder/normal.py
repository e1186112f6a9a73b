"""What a normal sample tells: the chance far out in a tail, with exact limits, and whether it is normal at all.

SciPy has all of this too; these hundred lines spare every container a library that is used once a term. The tests hold
them to published tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean

import numpy as np
import numpy.typing as npt

__all__ = ["FAR", "LARGEST", "SMALLEST", "above", "limits", "shapiro_wilk"]

Floats = npt.NDArray[np.float64]

SMALLEST, LARGEST = 8, 5000
"""Sizes of a sample. Royston's form of the Shapiro-Wilk test was made for 3 to 5,000 values; with fewer than 8 it sees
next to nothing, and the limits of a tail are too wide to be of use."""

REACH = 9.0
"""Standard deviations that count; what lies beyond has a probability below 1e-18."""

FAR = 200.0
"""Standard deviations from a sample's mean beyond which all limits are 0, or 1, to the last digit."""

HALVINGS = 40
"""Steps of a bisection: they take an interval of a hundred standard deviations to one of 1e-10."""

# P. Royston, "Remark AS R94: a remark on algorithm AS 181: the W-test for normality", Applied Statistics 44 (1995),
# 547-551. Polynomials, the constant term first: of 1/sqrt(n) for the two outermost weights; of n (up to 11 values) or
# log(n) for the mean and the log of the standard deviation of the transformed W.
OUTERMOST = (0.0, 0.221157, -0.147981, -2.071190, 4.434685, -2.706056)
NEXT = (0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633)
FEW = 11
FEW_SHIFT = (-2.273, 0.459)
FEW_MEAN = (0.5440, -0.39978, 0.025054, -0.0006714)
FEW_LOG_SD = (1.3822, -0.77857, 0.062767, -0.0020322)
MANY_MEAN = (-1.5861, -0.31082, -0.083751, 0.0038915)
MANY_LOG_SD = (-0.4803, -0.082676, 0.0030302)


def above(z: float) -> float:
    """The chance that a standard normal value is above `z`; exact far out, too, where 1 minus a chance would be 0."""
    return math.erfc(z / math.sqrt(2)) / 2


def limits(distance: float, size: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided confidence limits for the chance that a normal value is above a level.

    `distance` is from the sample's mean to the level, in the sample's standard deviations (ddof 1); `size` is the
    number of values, SMALLEST or more; `confidence` is a fraction. The limits are exact for normal samples: the
    distance times sqrt(size) has a noncentral t distribution with size - 1 degrees of freedom, and its noncentrality
    is the true distance times sqrt(size) (D. B. Owen, "A survey of properties and applications of the noncentral
    t-distribution", Technometrics 10 (1968), 445-478). The noncentralities that make the observed value a limit of
    what is to be expected are quantiles of t U - Z, where U is chi over the root of its degrees of freedom and Z is
    standard normal.
    """
    root = math.sqrt(size)
    t = min(max(distance, -FAR), FAR) * root
    beyond = (1 - confidence) / 2
    near, far = (_quantile(share, t, size - 1) / root for share in (beyond, 1 - beyond))
    return above(far), above(near)


def shapiro_wilk(values: Sequence[float]) -> float:
    """The p-value of the Shapiro-Wilk test: how often a normal sample looks less normal than this one (0 to 1).

    Takes SMALLEST to LARGEST values, not all equal; the approximation is Royston's (see above).
    """
    size = len(values)
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    centred = ordered - fmean(ordered)
    unlike = 1 - float(_weights(size) @ centred) ** 2 / float(centred @ centred)
    log_unlike = math.log(max(unlike, np.finfo(float).eps))
    if size <= FEW:
        mean, log_sd = (_polynomial(each, size) for each in (FEW_MEAN, FEW_LOG_SD))
        found = -math.log(_polynomial(FEW_SHIFT, size) - log_unlike)  # the shift is positive from six values on
    else:
        mean, log_sd = (_polynomial(each, math.log(size)) for each in (MANY_MEAN, MANY_LOG_SD))
        found = log_unlike
    return above((found - mean) / math.exp(log_sd))


def _weights(size: int) -> Floats:
    """The weights of the ordered values in the Shapiro-Wilk statistic W."""
    scores = np.array([NormalDist().inv_cdf((place - 0.375) / (size + 0.25)) for place in range(1, size + 1)])
    square = float(scores @ scores)
    last, second = (
        _polynomial(terms, size**-0.5) + float(scores[-place]) / math.sqrt(square)
        for place, terms in ((1, OUTERMOST), (2, NEXT))
    )
    left = square - 2 * float(scores[-1]) ** 2 - 2 * float(scores[-2]) ** 2
    weights = scores / math.sqrt(left / (1 - 2 * last**2 - 2 * second**2))
    weights[[0, 1, -2, -1]] = -last, -second, second, last
    return np.asarray(weights)


def _quantile(share: float, t: float, degrees: int) -> float:
    """The value below which t U - Z stays with the chance `share`."""
    places, masses = _chi(t, degrees)
    shifts = t * places
    low, high = float(shifts.min()) - REACH, float(shifts.max()) + REACH
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        chances = np.fromiter(map(above, (shifts - middle).tolist()), np.float64, len(shifts))
        if float(masses @ chances) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _chi(t: float, degrees: int) -> tuple[Floats, Floats]:
    """Places of U and their masses, close enough for sums over normal chances at t U.

    Equal steps, of the width of what is summed: for smooth functions that fall off at both ends such a sum differs from
    the integral by some billionths.
    """
    spread = 1 / math.sqrt(2 * degrees)
    step = 1 / math.sqrt(2 * degrees + t * t)
    first = max(step, 1 - REACH * spread)
    places = np.arange(first, 1 + REACH * spread, step)
    log_masses = (degrees - 1) * np.log(places) - degrees * places**2 / 2
    masses = np.exp(log_masses - log_masses.max())
    return places, masses / masses.sum()


def _polynomial(terms: Sequence[float], x: float) -> float:
    return sum(term * x**power for power, term in enumerate(terms))
