"""Calibrations made by hand, for tests that train nothing."""

from __future__ import annotations

import math

import numpy as np

from autograder.calibration.reference import Calibration, Origin, TrainingRun

LEVELS = ((0.8, 4.0), (0.9, 6.0), (0.95, 8.0))

ORIGIN = Origin(solution="a" * 64, data="b" * 64, split_seed=20, kit="0.1.0+c", tensorflow="2.21.0", keras="3.15.1")


def runs(size: int = 30, seed: int = 5, *, error: float = 0.025, spread: float = 0.06) -> tuple[TrainingRun, ...]:
    """Runs with full marks: log errors normal, `spread` their standard deviation; on 5,000 images, as in a real run."""
    errors = np.exp(np.random.default_rng(seed).normal(math.log(error), spread, size))
    accuracies = np.round((1 - errors) * 5000) / 5000
    return tuple(TrainingRun(seed=place, accuracy=float(each), earned=26.0) for place, each in enumerate(accuracies, 1))


def calibration(*some: TrainingRun) -> Calibration:
    return Calibration.of(ORIGIN, some or runs())
