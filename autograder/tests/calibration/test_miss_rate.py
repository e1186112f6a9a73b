"""The tail of accuracies: fitted to samples of which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest

from autograder.calibration.miss_rate import FEWEST, MOST, RARE, STEP, MissRate, above, demand, fit, limits
from autograder.errors import CalibrationError

MEAN, SD = math.log(0.025), 0.06
"""Of the log error rate: about what the solution has on MNIST."""


def sample(size: int, seed: int = 0) -> list[float]:
    errors = np.exp(np.random.default_rng(seed).normal(MEAN, SD, size))
    return [float(1 - error) for error in errors]


def level(chance: float) -> float:
    """The accuracy that is truly missed with this chance."""
    return 1 - math.exp(MEAN + SD * NormalDist().inv_cdf(1 - chance))


def test_the_log_of_the_error_rate_is_what_is_fitted() -> None:
    found = sample(40)
    errors = np.log(1 - np.array(found))
    fitted = fit(found)
    assert fitted.accuracies == tuple(sorted(found))
    assert (fitted.mean, fitted.sd) == pytest.approx((errors.mean(), errors.std(ddof=1)))
    assert not fitted.doubtful


def test_the_order_of_the_runs_makes_no_difference() -> None:
    found = sample(12)
    one, other = fit(found), fit(found[::-1])
    assert one.accuracies == other.accuracies
    assert (one.mean, one.sd, one.normality) == pytest.approx((other.mean, other.sd, other.normality))


@pytest.mark.parametrize("asked", [0.96, 0.97, 0.98])
def test_a_chance_is_that_of_the_fitted_normal_distribution(asked: float) -> None:
    fitted = fit(sample(50))
    chance = fitted.chance(asked)
    assert chance.estimate == pytest.approx(1 - NormalDist(fitted.mean, fitted.sd).cdf(math.log(1 - asked)), abs=1e-12)
    assert chance.low < chance.estimate < chance.high


def test_nineteen_of_twenty_intervals_hold_the_true_chance() -> None:
    chances = [fit(sample(12, seed)).chance(level(0.01)) for seed in range(300)]
    assert np.mean([each.low <= 0.01 <= each.high for each in chances]) == pytest.approx(0.95, abs=0.03)


def test_a_run_at_a_level_has_reached_it() -> None:
    found = [0.97, 0.971, 0.972, 0.973, 0.974, 0.975, 0.976, 0.977]
    fitted = fit(found)
    assert [fitted.chance(asked).below for asked in (0.95, 0.97, 0.9701, 0.975, 0.98)] == [0, 0, 1, 5, 8]


def test_far_below_all_runs_nothing_is_missed_and_far_above_everything() -> None:
    fitted = fit(sample(200))
    assert fitted.chance(0.5).high < 1e-100
    assert fitted.chance(0.9999).low == pytest.approx(1)


def test_the_recommended_level_is_the_last_safe_one_of_the_grid() -> None:
    fitted = fit(sample(30))
    best = fitted.recommended
    assert best is not None
    assert round(best / STEP, 6) == round(best / STEP)
    assert fitted.chance(best).high < RARE <= fitted.chance(best + STEP).high


def test_more_runs_alike_allow_for_a_higher_level() -> None:
    few, many = fit(sample(8)).recommended, fit(sample(8) * 25).recommended
    assert few is not None
    assert many is not None
    assert few < many


def test_a_level_that_a_run_has_missed_is_never_safe() -> None:
    assert MissRate(0.9, 0.0, 0.0, 0.0, below=0).safe
    assert not MissRate(0.9, 0.0, 0.0, 0.0, below=1).safe
    assert not MissRate(0.9, 0.0, 0.0, high=RARE, below=0).safe


def test_where_the_runs_differ_too_much_no_level_is_recommended() -> None:
    assert fit([0.0, 0.0, 0.1, 0.97, 0.975, 0.98, 0.99, 0.99]).recommended is None


def test_a_run_that_stands_apart_makes_the_fit_doubtful() -> None:
    fitted = fit([*sample(60), 0.9])
    assert fitted.doubtful
    assert fitted.recommended is not None
    assert fitted.recommended <= 0.9 < fit(sample(60)).recommended  # type: ignore[operator]  # there is one, as above


def test_the_density_is_that_of_the_accuracies() -> None:
    fitted = fit(sample(100))
    places = np.linspace(0.95, 0.99, 4001)
    density = np.array([fitted.density(place) for place in places])
    assert np.trapezoid(density, places) == pytest.approx(1, abs=1e-6)
    low = places < 0.974 + 1e-9
    assert np.trapezoid(density[low], places[low]) == pytest.approx(fitted.chance(0.974).estimate, abs=1e-5)


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ([0.97, 0.98], r"2 runs are too few .* at least 8 are needed"),
        ([0.97] * 30, r"every run reached the same accuracy, 97\.00%.* seed of its own\?"),
        ([0.97] * 29 + [1.0], r"an accuracy of 100\.00% was found; only from 0% to below 100%"),
        ([0.97] * 29 + [math.nan], r"an accuracy of nan% was found"),
        ([0.97] * 29 + [-0.1], r"an accuracy of -10\.00% was found"),
        ([0.97] * 5001, r"5,001 runs are more than can be worked with: 5,000"),
    ],
    ids=["too few", "all the same", "perfect", "no number", "negative", "too many"],
)
def test_what_cannot_be_fitted_is_told(accuracies: Sequence[float], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        fit(accuracies)


def test_the_fewest_runs_that_are_demanded_are_enough() -> None:
    demand(FEWEST)
    assert fit(sample(FEWEST)).recommended is not None
    with pytest.raises(CalibrationError, match="7 runs are too few"):
        demand(FEWEST - 1)


# Factors of one-sided tolerance limits, 95 % confidence (R. E. Odeh and D. B. Owen, "Tables for Normal Tolerance
# Limits", 1980), and an example of the NIST/SEMATECH e-Handbook (7.2.6.3): size, chance above, confidence, factor.
FACTORS = [
    (10, 0.05, 0.95, 2.911),
    (10, 0.01, 0.95, 3.981),
    (30, 0.05, 0.95, 2.220),
    (30, 0.01, 0.95, 3.064),
    (43, 0.10, 0.99, 1.874),
]


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
    for size in (8, 30, 200, MOST):
        low, high = limits(2.5, size)
        assert low < above(2.5) < high
        widths.append(high / low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 1.5


def test_the_limits_of_a_level_below_the_mean_mirror_those_above_it() -> None:
    low, high = limits(1.7, 20)
    assert limits(-1.7, 20) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("size", [8, 30, 200])
def test_the_limits_are_chances_however_far_the_level_is(size: int) -> None:
    for distance in (20.0, 200.0, math.inf):
        low, high = limits(distance, size)
        assert 0 <= low <= high < 1e-6
        assert limits(-distance, size) == pytest.approx((1 - high, 1 - low))


def test_weights_of_men_are_as_little_normal_as_shapiro_and_wilk_found() -> None:
    weights = [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236]  # their paper of 1965
    assert fit([1 - math.exp(weight / 10 - 30) for weight in weights]).normality == pytest.approx(0.0067, abs=1e-4)
