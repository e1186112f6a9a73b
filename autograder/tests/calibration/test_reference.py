"""Bands that are relative to what the hidden solution reaches: known once, stored with its origin."""

from __future__ import annotations

import pytest

from autograder.calibration.reference import Calibration, Origin, TrainingRun, rules
from autograder.errors import CalibrationError
from autograder.layout import HOME, Layout

SHIPPED = "{full: 0.95, bands: [[0.80, 3], [0.90, 5]], scaled: 1, measured: {test_accuracy: 1}}"
RELATIVE = SHIPPED.replace("full: 0.95", "reference_margin: 0.02")


def relative(home: Layout, rule: str = RELATIVE) -> None:
    text = home.policy.read_text(encoding="utf-8")
    assert SHIPPED in text
    home.policy.write_text(text.replace(SHIPPED, rule), encoding="utf-8")


def calibrated(home: Layout, *accuracies: float, split_seed: int = 20) -> None:
    runs = [TrainingRun(seed=seed, accuracy=value, earned=26) for seed, value in enumerate(accuracies)]
    made = Calibration.of(Origin.of(home, "mnist", split_seed), runs)
    home.calibration.write_text(made.to_json(), encoding="utf-8")


def levels(home: Layout) -> tuple[float, ...]:
    rule = rules(home).code["q7"].accuracy
    assert rule is not None
    return rule.levels


def reference(home: Layout) -> float | None:
    rule = rules(home).code["q7"].accuracy
    assert rule is not None
    return rule.reference


def test_the_band_of_full_points_is_the_median_less_the_margin(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.97, 0.99, 0.974)
    assert levels(home) == (0.8, 0.9, 0.954)


def test_a_band_that_is_a_number_stays_and_the_reference_is_known(home: Layout) -> None:
    assert reference(home) is None
    calibrated(home, 0.97)
    assert (levels(home), reference(home)) == ((0.8, 0.9, 0.95), 0.97)


def test_a_reference_in_the_file_goes_before_the_stored_one(home: Layout) -> None:
    relative(home, RELATIVE.replace("{", "{reference: 0.96, ", 1))
    assert levels(home)[-1] == 0.94
    calibrated(home, 0.97)
    assert levels(home)[-1] == 0.94


def test_a_margin_without_a_calibration_says_how_to_make_one(home: Layout) -> None:
    relative(home)
    with pytest.raises(CalibrationError, match=r"relative to the hidden solution's: .*missing\. Make it: mnist-kit"):
        rules(home)


def test_a_calibration_of_another_split_is_not_used_and_refused_where_it_is_needed(home: Layout) -> None:
    calibrated(home, 0.97, split_seed=21)
    assert reference(home) is None
    relative(home)
    with pytest.raises(CalibrationError, match=r"is of another solution, data or split_seed\. Make it again"):
        rules(home)


def test_an_unpacked_zip_has_no_solution_to_compare_with(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.97, split_seed=21)
    home.solution.unlink()
    home.manifest.write_text("{}")
    assert levels(home)[-1] == 0.95


def test_a_margin_that_leaves_no_room_for_the_bands_is_refused(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.91)
    with pytest.raises(CalibrationError, match=r"with the hidden solution's 91\.00%, .* leaves no room"):
        rules(home)


def test_the_shipped_calibration_is_of_the_shipped_solution() -> None:
    assert reference(HOME) is not None
