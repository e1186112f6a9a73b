"""The picture of a calibration."""

from __future__ import annotations

import pytest

from autograder.calibration import miss_rate
from autograder.calibration.calibration import Calibration, TrainingRun
from autograder.calibration.miss_rate import Levels
from autograder.report.calibration_plot import picture
from autograder.tests.calibrations import LEVELS, calibration, runs


def drawn(found: Calibration, levels: Levels = LEVELS) -> bytes:
    return picture(found, miss_rate.fit(found.accuracies), levels)


def test_the_picture_is_the_same_for_the_same_runs() -> None:
    assert drawn(calibration()) == drawn(calibration())


@pytest.mark.parametrize(
    ("found", "levels"),
    [
        (calibration(*runs(8)), ()),
        (calibration(*runs(200)), ((0.97, 1.0), (0.972, 2.0), (0.99, 3.0))),
        (calibration(*runs(8, error=0.3, spread=1.0)), LEVELS),
        (
            calibration(*(TrainingRun(seed=seed, accuracy=0.97 + (seed == 3) / 5000, earned=1.0) for seed in range(8))),
            ((0.96, 1.0),),
        ),
        (calibration(*runs(30, error=0.0008, spread=0.4)), LEVELS),
    ],
    ids=["no levels", "levels among the runs", "wild", "two values", "nearly perfect"],
)
def test_any_runs_make_a_picture(found: Calibration, levels: Levels) -> None:
    assert drawn(found, levels).startswith(b"\x89PNG\r\n\x1a\n")
