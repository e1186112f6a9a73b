"""Chances in a normal tail and the test of normality, held to published tables and to simulation."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from autograder import normal
from autograder.normal import FAR, LARGEST, SMALLEST, above, limits, shapiro_wilk

# Factors of one-sided tolerance limits, 95 % confidence (R. E. Odeh and D. B. Owen, "Tables for Normal Tolerance
# Limits", 1980), and an example of the NIST/SEMATECH e-Handbook (7.2.6.3): size, chance above, confidence, factor.
FACTORS = [
    (10, 0.05, 0.95, 2.911),
    (10, 0.01, 0.95, 3.981),
    (30, 0.05, 0.95, 2.220),
    (30, 0.01, 0.95, 3.064),
    (43, 0.10, 0.99, 1.874),
]

# Royston's own examples, as R and SciPy give them; the last is of Shapiro and Wilk (1965): the weights of eleven men.
UNEVEN = [
    0.11, 7.87, 4.61, 10.14, 7.95, 3.14, 0.46, 4.43, 0.21, 4.75,
    0.71, 1.52, 3.24, 0.93, 0.42, 4.97, 9.53, 4.55, 0.47, 6.66,
]  # fmt: skip
EVEN = [
    1.36, 1.14, 2.92, 2.55, 1.46, 1.06, 5.27, -1.11, 3.48, 1.10,
    0.88, -0.51, 1.46, 0.52, 6.20, 1.69, 0.08, 3.67, 2.81, 3.49,
]  # fmt: skip
MEN = [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236]


@pytest.mark.parametrize("z", [-8.0, -1.0, 0.0, 0.3, 2.0])
def test_the_chance_above_is_that_of_the_standard_library(z: float) -> None:
    assert above(z) == pytest.approx(NormalDist().cdf(-z), rel=1e-12)


def test_the_chance_far_out_is_not_zero() -> None:
    assert above(20) == pytest.approx(2.753624e-89, rel=1e-6, abs=0)


@pytest.mark.parametrize(("size", "chance", "confidence", "factor"), FACTORS)
def test_the_upper_limit_is_that_of_published_tolerance_limits(
    size: int, chance: float, confidence: float, factor: float
) -> None:
    _, high = limits(factor, size, 2 * confidence - 1)  # one-sided confidence is half of what two sides leave out
    assert high == pytest.approx(chance, rel=2e-3)


@pytest.mark.parametrize(("size", "true"), [(8, 2.0), (30, 4.265)])
def test_the_limits_miss_the_truth_in_one_of_forty_samples_on_each_side(size: int, true: float) -> None:
    """The limits fall with the distance, so those that miss the truth lie beyond two distances, found first."""

    def first(side: int) -> float:
        low, high = 0.0, 40.0
        for _ in range(25):
            middle = (low + high) / 2
            low, high = (middle, high) if limits(middle, size)[side] > above(true) else (low, middle)
        return high

    samples = np.random.default_rng(1).standard_normal((100_000, size))
    distances = (true - samples.mean(1)) / samples.std(1, ddof=1)
    assert np.mean(distances < first(0)) == pytest.approx(0.025, abs=0.0015)
    assert np.mean(distances > first(1)) == pytest.approx(0.025, abs=0.0015)


def test_the_limits_enclose_the_estimate_and_close_in_on_it_with_the_size_of_the_sample() -> None:
    widths = []
    for size in (8, 30, 200, LARGEST):
        low, high = limits(2.5, size)
        assert low < above(2.5) < high
        widths.append(high / low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 1.5


def test_the_limits_of_a_level_below_the_mean_mirror_those_above_it() -> None:
    low, high = limits(1.7, 20)
    assert limits(-1.7, 20) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("size", [SMALLEST, 1000])
def test_the_limits_are_chances_however_far_the_level_is(size: int) -> None:
    low, high = limits(0.0, size)
    assert 0 < low < 0.5 < high < 1
    for distance in (FAR, 2 * FAR, math.inf):
        assert limits(distance, size) == (0.0, 0.0)
        assert limits(-distance, size) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("sample", "expected"), [(UNEVEN, 0.0420897), (EVEN, 0.524598), (MEN, 0.006704)], ids=["uneven", "even", "men"]
)
def test_the_test_of_normality_gives_published_values(sample: list[float], expected: float) -> None:
    assert shapiro_wilk(sample) == pytest.approx(expected, rel=1e-4)
    assert shapiro_wilk([3 - 2 * value for value in reversed(sample)]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("size", [8, 11, 12, 60])
def test_the_test_of_normality_is_wrong_as_often_as_it_says(size: int) -> None:
    samples = np.random.default_rng(size).standard_normal((1500, size))
    found = np.array([shapiro_wilk(sample.tolist()) for sample in samples])
    for share in (0.05, 0.5):
        assert np.mean(found < share) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 1500))


def test_a_sample_like_the_weights_themselves_could_not_be_more_normal() -> None:
    assert shapiro_wilk(normal._weights(20).tolist()) == pytest.approx(1)


def test_a_single_value_far_off_is_not_normal() -> None:
    sample = [*np.random.default_rng(3).standard_normal(29), 12.0]
    assert shapiro_wilk(sample) < 1e-6
    assert shapiro_wilk([0.0] * 7 + [1.0]) < 1e-5
