"""Bands that are relative to what the hidden solution reaches: known once, stored with what it came from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.calibration.calibration import Calibration, Origin, TrainingRun
from autograder.calibration.reference import rules
from autograder.errors import CalibrationError
from autograder.layout import HOME, Layout
from autograder.policy.policy import Policy
from autograder.policy.questions import AccuracyRule

RELATIVE = "{reference_margin: 0.02, bands: [[0.80, 3], [0.90, 5]], scaled: 1, measured: {test_accuracy: 1}}"
SHIPPED = "{full: 0.95, bands: [[0.80, 3], [0.90, 5]], scaled: 1, measured: {test_accuracy: 1}}"


@pytest.fixture
def place(tmp_path: Path) -> Layout:
    """A copy of what a reference comes from, without a calibration."""
    copy = Layout(tmp_path)
    shutil.copy(HOME.policy, copy.policy)
    for source, target in ((HOME.solution, copy.solution), (HOME.data("mnist"), copy.data("mnist"))):
        target.parent.mkdir(parents=True)
        shutil.copy(source, target)
    return copy


def relative(place: Layout, rule: str = RELATIVE) -> None:
    text = place.policy.read_text(encoding="utf-8")
    assert SHIPPED in text
    place.policy.write_text(text.replace(SHIPPED, rule), encoding="utf-8")


def calibrated(place: Layout, *accuracies: float, split_seed: int = 20) -> None:
    runs = [TrainingRun(seed=seed, accuracy=value, earned=26) for seed, value in enumerate(accuracies)]
    place.calibration.write_text(
        Calibration.of(Origin.of(place, "mnist", split_seed), runs).to_json(), encoding="utf-8"
    )


def rule_of(policy: Policy) -> AccuracyRule:
    rule = policy.code["q7"].accuracy
    assert rule is not None
    return rule


def test_the_band_of_full_points_is_the_median_less_the_margin(place: Layout) -> None:
    relative(place)
    calibrated(place, 0.97, 0.99, 0.974)
    assert rule_of(rules(place)).levels == (0.8, 0.9, 0.954)


def test_a_band_that_is_a_number_stays_and_the_reference_is_known(place: Layout) -> None:
    assert rule_of(rules(place)).reference is None
    calibrated(place, 0.97)
    rule = rule_of(rules(place))
    assert (rule.levels, rule.reference) == ((0.8, 0.9, 0.95), 0.97)


def test_a_reference_in_the_file_goes_before_the_stored_one(place: Layout) -> None:
    relative(place, RELATIVE.replace("{", "{reference: 0.96, ", 1))
    assert rule_of(rules(place)).levels[-1] == 0.94
    calibrated(place, 0.97)
    assert rule_of(rules(place)).levels[-1] == 0.94


def test_a_margin_without_a_calibration_says_how_to_make_one(place: Layout) -> None:
    relative(place)
    with pytest.raises(CalibrationError, match=r"relative to the hidden solution's: .*missing\. Make it: mnist-kit"):
        rules(place)


def test_a_calibration_of_another_split_or_solution_is_not_used(place: Layout) -> None:
    relative(place)
    calibrated(place, 0.97, split_seed=21)
    with pytest.raises(CalibrationError, match=r"is of another solution, data or split_seed\. Renew it"):
        rules(place)
    calibrated(place, 0.97)
    assert rule_of(rules(place)).full_accuracy == 0.95
    place.solution.write_text(place.solution.read_text(encoding="utf-8").replace("epochs=5", "epochs=6"))
    with pytest.raises(CalibrationError, match="is of another solution"):
        rules(place)


def test_a_calibration_that_is_not_needed_may_be_of_anything(place: Layout) -> None:
    calibrated(place, 0.97, split_seed=21)
    assert rule_of(rules(place)).reference is None


def test_an_unpacked_zip_has_no_solution_to_compare_with(place: Layout) -> None:
    relative(place)
    calibrated(place, 0.97, split_seed=21)
    place.solution.unlink()
    place.manifest.write_text("{}")
    assert rule_of(rules(place)).full_accuracy == 0.95


def test_a_margin_that_leaves_no_room_for_the_bands_is_told(place: Layout) -> None:
    relative(place)
    calibrated(place, 0.91)
    with pytest.raises(CalibrationError, match=r"with the hidden solution's 91\.00%, .* leaves no room"):
        rules(place)


def test_the_shipped_calibration_is_of_the_shipped_solution() -> None:
    assert rule_of(rules(HOME)).reference is not None
