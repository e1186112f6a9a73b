"""A calibration on the terminal, and its picture."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from autograder.calibration import miss_rate
from autograder.calibration.miss_rate import Levels
from autograder.calibration.reference import Calibration, TrainingRun
from autograder.report.calibration_report import odds, picture, tables_and_advice
from autograder.tests.calibrations import LEVELS, calibration, runs

WILD = calibration(*runs(8, error=0.3, spread=1.0))


def shown(found: Calibration, levels: Levels = LEVELS) -> list[str]:
    """Return the lines on the screen with single spaces."""
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(tables_and_advice(found, miss_rate.fit(found.accuracies), levels))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def drawn(found: Calibration, levels: Levels = LEVELS) -> bytes:
    return picture(found, miss_rate.fit(found.accuracies), levels)


@pytest.mark.parametrize(
    ("chance", "expected"),
    [
        (1.0, "100 in 100"),
        (0.0951, "10 in 100"),
        (0.09, "1 in 11"),
        (0.00123, "1 in 810"),
        (1.01e-6, "1 in 990,000"),
        (1 / 999_000, "1 in 1 million"),
        (1.1e-9, "1 in 910 million"),
        (9.9e-10, "< 1 in 10^9"),
        (0.0, "< 1 in 10^9"),
    ],
)
def test_a_chance_is_once_in_so_many(chance: float, expected: str) -> None:
    assert odds(chance) == expected


def test_the_screen_shows_the_distribution() -> None:
    some = [TrainingRun(seed=seed, accuracy=0.97 + seed / 1000, earned=26.0) for seed in range(1, 10)]
    lines = shown(calibration(*some))
    assert "runs mean sd lowest median highest" in lines
    assert "9 97.50% 0.27% 97.10% 97.50% 97.90%" in lines


def test_every_level_has_a_row_with_its_chance_and_a_verdict() -> None:
    found = calibration()
    chance = miss_rate.fit(found.accuracies).miss_rate(0.97)
    below = sum(accuracy < 0.97 for accuracy in found.accuracies)
    lines = shown(found, (*LEVELS, (0.97, 9.5)))
    assert lines[lines.index("runs 95% sure:") + 1] == "accuracy points below chance from to verdict"
    assert "80% 4 0 < 1 in 10^9 < 1 in 10^9 < 1 in 10^9 safe" in lines
    assert any(line.startswith("95% 8 0 < 1 in 10^9 ") and line.endswith("safe") for line in lines)
    assert f"97% 9.5 {below} {odds(chance.estimate)} {odds(chance.low)} {odds(chance.high)} too high" in lines


@pytest.mark.parametrize(
    ("levels", "bands"),
    [(LEVELS, "Every band is safe."), ((*LEVELS, (0.97, 9.0), (0.98, 10.0)), "Lower in grading.yml: 97%, 98%.")],
)
def test_the_advice_is_the_highest_safe_accuracy_and_its_assumption(levels: Levels, bands: str) -> None:
    found = calibration()
    best = miss_rate.fit(found.accuracies).recommended
    assert best is not None
    assert (
        f"{100 * best:g}% is the highest safe accuracy: a submission that trains like the solution misses it less than "
        f"once in 100,000 times. {bands} This holds if the runs follow the fitted curve: look at the plot"
    ) in " ".join(shown(found, levels))


def test_where_no_accuracy_is_safe_the_advice_is_to_look_at_the_solution() -> None:
    assert "No accuracy is safe: the runs differ too much." in " ".join(shown(WILD))


def test_runs_without_full_marks_are_listed() -> None:
    short = [TrainingRun(seed=50 + place, accuracy=0.94, earned=24.0, lost=("q5", "q7")) for place in range(12)]
    lines = shown(calibration(*runs(20), *short))
    assert "12 of 32 runs did not get full marks, so some bands or checks are too strict:" in lines
    assert "seed 50: 94.00%, 24 points, lost some in q5, q7" in lines
    assert sum(line.startswith("seed ") for line in lines) == 10
    assert "and 2 more" in lines
    assert "full marks" not in " ".join(shown(calibration()))


def test_the_picture_is_the_same_for_the_same_runs() -> None:
    assert drawn(calibration()) == drawn(calibration())


@pytest.mark.parametrize(
    ("found", "levels"),
    [
        (calibration(*runs(8)), ()),
        (calibration(*runs(200)), ((0.97, 1.0), (0.972, 2.0), (0.99, 3.0))),
        (WILD, LEVELS),
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
