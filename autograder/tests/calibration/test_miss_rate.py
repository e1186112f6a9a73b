"""Chances to miss an accuracy, fitted to samples whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest

from autograder.calibration.miss_rate import FEWEST, RARE, STEP, MissRate, fit, require_enough
from autograder.errors import CalibrationError

MEAN, SD = math.log(0.025), 0.06  # of the log error rate: about what the solution has on MNIST


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


@pytest.mark.parametrize("asked", [0.96, 0.97, 0.98])
def test_a_chance_is_that_of_the_fitted_normal_distribution(asked: float) -> None:
    fitted = fit(sample(50))
    chance = fitted.miss_rate(asked)
    assert chance.estimate == pytest.approx(1 - NormalDist(fitted.mean, fitted.sd).cdf(math.log(1 - asked)), abs=1e-12)
    assert chance.low < chance.estimate < chance.high


@pytest.mark.parametrize(("size", "chance"), [(FEWEST, 0.5), (FEWEST, RARE), (30, 0.01), (30, RARE)])
def test_one_interval_in_forty_ends_on_either_side_of_the_true_chance(size: int, chance: float) -> None:
    found = [fit(sample(size, seed)).miss_rate(level(chance)) for seed in range(3000)]
    assert np.mean([each.high < chance for each in found]) == pytest.approx(0.025, abs=0.008)
    assert np.mean([each.low > chance for each in found]) == pytest.approx(0.025, abs=0.008)


def test_a_run_at_a_level_has_reached_it() -> None:
    found = [0.97, 0.971, 0.972, 0.973, 0.974, 0.975, 0.976, 0.977]
    fitted = fit(found)
    assert [fitted.miss_rate(asked).below for asked in (0.95, 0.97, 0.9701, 0.975, 0.98)] == [0, 0, 1, 5, 8]


def test_far_below_all_runs_nothing_is_missed_and_far_above_everything() -> None:
    fitted = fit(sample(200))
    assert 0 < fitted.miss_rate(0.9).estimate < fitted.miss_rate(0.9).high < 1e-50
    assert fitted.miss_rate(0.9999).low == pytest.approx(1)


def test_the_recommended_level_is_the_last_safe_one_of_the_grid() -> None:
    fitted = fit(sample(30))
    best = fitted.recommended
    assert best is not None
    assert round(best / STEP, 6) == round(best / STEP)
    assert fitted.miss_rate(best).high < RARE <= fitted.miss_rate(best + STEP).high


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


def test_a_run_that_stands_apart_lowers_the_recommended_level() -> None:
    alike, apart = fit(sample(60)).recommended, fit([*sample(60), 0.9]).recommended
    assert alike is not None
    assert apart is not None
    assert apart <= 0.9 < alike


def test_the_density_is_that_of_the_accuracies() -> None:
    fitted = fit(sample(100))
    places = np.linspace(0.95, 0.99, 4001)
    density = np.array([fitted.density(place) for place in places])
    assert np.trapezoid(density, places) == pytest.approx(1, abs=1e-6)
    low = places < 0.974 + 1e-9
    assert np.trapezoid(density[low], places[low]) == pytest.approx(fitted.miss_rate(0.974).estimate, abs=1e-5)


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ([0.97, 0.98], r"2 runs are too few .* at least 8 are needed"),
        ([0.97] * 30, r"every run reached the same accuracy, 97\.00%.* seed of its own\?"),
        ([0.97] * 29 + [1.0], r"a run reached 100\.00%; only accuracies from 0% to below 100%"),
        ([0.97] * 29 + [math.nan], "a run reached nan%"),
        ([0.97] * 29 + [-0.1], r"a run reached -10\.00%"),
    ],
    ids=["too few", "all the same", "perfect", "no number", "negative"],
)
def test_what_cannot_be_fitted_is_told(accuracies: Sequence[float], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        fit(accuracies)


def test_the_fewest_runs_that_are_demanded_are_enough() -> None:
    require_enough(FEWEST)
    assert fit(sample(FEWEST)).recommended is not None
    with pytest.raises(CalibrationError, match="7 runs are too few"):
        require_enough(FEWEST - 1)
