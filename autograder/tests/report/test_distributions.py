"""Distributions of points and accuracies: what is counted, what is not, and in which bin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.report.distributions import Band, accuracies, scores
from autograder.report.histogram import Bin
from autograder.tests.journals import RULES
from autograder.tests.reports import CLASS, graded, half_graded, marked, rejected, ungraded


def scored(*found: float | None) -> list[GradeReport]:
    return [graded(name=f"{number}", accuracy=accuracy) for number, accuracy in enumerate(found)]


def test_total_points_are_of_those_with_all_marks_and_automatic_ones_of_all_while_some_are_missing() -> None:
    total, automatic = scores([marked(4), marked(0), graded(), half_graded(), rejected(), ungraded()])
    assert (total.automatic, total.points, total.values) == (False, 30, (16.66, 20.66))
    assert (automatic.automatic, automatic.points, automatic.values) == (True, 26, (16.66, 16.66, 16.66))
    assert (total.mean, total.median, total.full) == (18.66, 18.66, 0)
    assert [level.text for _, level in total.chart.levels] == ["mean and median 18.7"]
    assert total.deviation == pytest.approx(2.828427)
    assert scores([marked(4)])[0].deviation is None


def test_once_everything_is_marked_there_are_total_points_alone() -> None:
    assert [each.automatic for each in scores([marked(4), half_graded(), ungraded()])] == [False]
    assert [each.automatic for each in scores([graded()])] == [True]
    assert scores([rejected(), ungraded()]) == []
    (without_prose,) = scores(CLASS)
    assert (without_prose.automatic, without_prose.values, without_prose.full) == (False, (0, 0, 2, 3, 4), 1)


@pytest.mark.parametrize(
    ("accuracy", "place"), [(0.8499, 0), (0.85, 1), (0.92, 1), (0.93, 2), (0.9649, 2), (0.965, 3), (1.0, 3), (0.0, 0)]
)
def test_a_band_begins_at_its_level(accuracy: float, place: int) -> None:
    found = accuracies(scored(accuracy), RULES)
    assert found
    expected = [Band(None, 85, 0, 0), Band(85, 93, 4, 0), Band(93, 96.5, 6, 0), Band(96.5, None, 8, 0)]
    expected[place] = replace(expected[place], count=1)
    assert found.bands == (("q7", tuple(expected)),)


def test_accuracies_far_below_the_levels_have_no_bins_of_their_own() -> None:
    found = accuracies(scored(0.1, 0.799, 0.8, 0.966, 1.0, None), RULES)
    assert found
    assert (found.below, found.median, len(found.bins)) == (2, 80, 20)
    assert [each for each in found.bins if each.count] == [Bin(80, 81, 1), Bin(96, 97, 1), Bin(99, 100, 1)]


def test_without_a_model_there_are_no_accuracies() -> None:
    assert accuracies([*scored(None), rejected(), ungraded()], RULES) is None


def test_an_assignment_without_levels_has_no_bands() -> None:
    prose = Policy(assignment=RULES.assignment, questions={"q1": RULES.questions["q1"]})
    found = accuracies(scored(0.9, 0.5), prose)
    assert found
    assert (found.bands, found.below, sum(each.count for each in found.bins)) == ((), 0, 2)
