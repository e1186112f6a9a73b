"""The numbers of the class report: what is counted, and what is not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome
from autograder.policy.policy import Policy
from autograder.report import overview
from autograder.report.overview import Band, Bin, Counts, Group, Mistake, Stretch
from autograder.tests.journals import RULES
from autograder.tests.reports import (
    CLASS,
    QUESTIONS,
    check,
    graded,
    half_graded,
    marked,
    question,
    rejected,
    ungraded,
)


def scored(*accuracies: float | None) -> list[GradeReport]:
    return [graded(name=f"{place}", accuracy=accuracy) for place, accuracy in enumerate(accuracies)]


def test_every_submission_is_counted_once_and_marks_of_those_that_can_have_one() -> None:
    reports = [graded(), marked(3), half_graded(), rejected(), ungraded(), rejected()]
    assert overview.counts(reports) == Counts(
        submissions=6, graded=2, in_part=1, rejected=2, failed=1, written=4, marked=1
    )
    assert overview.counts(reports).unsure == 2
    assert overview.counts([]) == Counts(0, 0, 0, 0, 0, 0, 0)


def test_total_points_are_of_those_with_all_marks_and_automatic_ones_of_all_while_some_are_missing() -> None:
    total, automatic = overview.spreads([marked(4), marked(0), graded(), half_graded(), rejected(), ungraded()])
    assert (total.automatic, total.points, total.values) == (False, 30, (16.66, 20.66))
    assert (automatic.automatic, automatic.points, automatic.values) == (True, 26, (16.66, 16.66, 16.66))
    assert (total.mean, total.median, total.full) == (18.66, 18.66, 0)
    assert total.deviation == pytest.approx(2.828427)


def test_once_everything_is_marked_there_are_total_points_alone() -> None:
    assert [each.automatic for each in overview.spreads([marked(4), half_graded(), ungraded()])] == [False]
    assert [each.automatic for each in overview.spreads([graded()])] == [True]
    assert overview.spreads([rejected(), ungraded()]) == ()


def test_a_class_without_written_questions_has_total_points() -> None:
    (spread,) = overview.spreads(CLASS)
    assert (spread.automatic, spread.points, spread.values, spread.full) == (False, 4, (0, 0, 2, 3, 4), 1)


def test_a_class_of_one_has_no_deviation() -> None:
    assert overview.spreads([marked(4)])[0].deviation is None


def test_questions_of_which_nobody_has_points_are_there() -> None:
    asked = overview.questions([graded(), half_graded()], RULES)
    found = [(each.id, each.written, each.count, each.mean) for each in asked]
    assert found[:2] == [("q1", True, 0, None), ("q4", False, 2, 1.0)]
    assert found[4] == ("q7", False, 1, 1.0)
    assert [each.count for each in overview.questions([], RULES)] == [0] * 5


def test_questions_that_grading_yml_has_no_more_come_last() -> None:
    asked = overview.questions([graded(questions=(question("old", check("a", 2)), *QUESTIONS))], RULES)
    assert [each.id for each in asked] == [*RULES.questions, "old"]
    assert not asked[-1].written


def test_rubric_items_are_counted_over_marked_answers() -> None:
    (tally,) = overview.tallies(
        [marked(4), marked(0), marked(2, answer=" ", adjustment=2.0), graded(), rejected()], RULES
    )
    assert (tally.id, tally.marked, tally.empty, tally.adjusted) == ("q1", 3, 1, 1)
    assert [(item.id, item.points, given) for item, given in tally.items] == [("a", 4, 1)]


def test_points_without_a_rubric_are_no_marked_answer() -> None:
    (tally,) = overview.tallies([graded(questions=(replace(QUESTIONS[0], earned=3), *QUESTIONS[1:]))], RULES)
    assert (tally.marked, tally.items) == (0, ())


@pytest.mark.parametrize(
    ("accuracy", "place"), [(0.8499, 0), (0.85, 1), (0.92, 1), (0.93, 2), (0.9649, 2), (0.965, 3), (1.0, 3), (0.0, 0)]
)
def test_a_band_begins_at_its_level(accuracy: float, place: int) -> None:
    found = overview.accuracies(scored(accuracy), RULES)
    assert found
    ((id, bands),) = found.bands
    expected = [Band(None, 0, 0), Band(85, 4, 0), Band(93, 6, 0), Band(96.5, 8, 0)]
    expected[place] = replace(expected[place], count=1)
    assert (id, bands) == ("q7", tuple(expected))


def test_accuracies_far_below_what_is_asked_for_have_no_bins_of_their_own() -> None:
    found = overview.accuracies(scored(0.1, 0.799, 0.8, 0.966, 1.0, None), RULES)
    assert found
    assert (found.below, found.median, len(found.bins)) == (2, 80, 20)
    assert [each for each in found.bins if each.count] == [Bin(80, 81, 1), Bin(96, 97, 1), Bin(99, 100, 1)]


def test_without_a_model_there_are_no_accuracies() -> None:
    assert overview.accuracies([*scored(None), rejected(), ungraded()], RULES) is None


def test_a_level_that_hangs_on_an_unknown_reference_has_no_band() -> None:
    rule = RULES.code["q7"].accuracy
    assert rule
    unknown = rule.model_copy(update={"full": None, "reference_margin": 0.01})
    asked = RULES.code["q7"].model_copy(update={"accuracy": unknown})
    found = overview.accuracies(scored(0.9), Policy(assignment=RULES.assignment, questions={"q7": asked}))
    assert found
    assert [band.low for band in found.bands[0][1]] == [None, 85, 93]


def test_an_assignment_that_asks_for_no_accuracy_has_no_bands() -> None:
    prose = Policy(assignment=RULES.assignment, questions={"q1": RULES.questions["q1"]})
    found = overview.accuracies(scored(0.9, 0.5), prose)
    assert found
    assert (found.bands, found.below) == ((), 0)
    assert sum(each.count for each in found.bins) == 2


def test_the_commonest_mistakes_come_first_and_the_same_words_once() -> None:
    said = "Found: nothing for {}\nExpected: something"
    twice = question("c", check("hidden", 1, Outcome.FAILED, "Same"), check("public", 0, Outcome.FAILED, "Same"))
    reports = [*CLASS, graded(name="f", questions=(twice,))]
    assert overview.mistakes(overview.questions(reports, RULES)) == (
        Mistake("b", "b1", said.format("b1"), 3, 5),
        Mistake("a", "a1", said.format("a1"), 2, 5),
        Mistake("a", "a2", said.format("a2"), 1, 5),
        Mistake("c", "hidden", "Same", 1, 1),
    )


def test_the_slowest_notebook_comes_first_and_what_was_not_run_not_at_all() -> None:
    slow = graded(name="slow", seconds=(("notebook", 99.0), ("judge", 1.0)), cpu_seconds=None, peak_memory_mb=None)
    assert overview.runs([graded(), slow, rejected(), ungraded(), graded(name="none", seconds=())]) == (
        Stretch("slow", 99, None, None),
        Stretch("first", 10.4, 11.5, 900),
    )


def test_what_could_not_be_graded_is_grouped_by_its_reason() -> None:
    reports = [
        half_graded(),
        ungraded(),
        ungraded(name="also"),
        rejected(),
        rejected(name="b", notes=("Empty.", "Really.")),
    ]
    assert overview.faults(reports) == (
        Group("the judge took too long", ("also", "third")),
        Group("q7: KeyError: secret", ("first",)),
    )
    assert overview.turned_away(reports) == (
        Group("Empty. Really.", ("b",)),
        Group("It is not a notebook.", ("second",)),
    )


def test_flags_are_grouped_too() -> None:
    reports = [graded(flags=("x", "y")), graded(name="b", flags=("y",))]
    assert overview.flags(reports) == (Group("y", ("b", "first")), Group("x", ("first",)))


@pytest.mark.parametrize(
    ("span", "most", "width"),
    [
        (40, 20, 2),
        (26, 20, 2),
        (20, 20, 1),
        (21, 20, 2),
        (4, 20, 0.2),
        (1, 10, 0.1),
        (0.3, 3, 0.1),
        (100, 20, 5),
        (1000, 20, 50),
    ],
)
def test_widths_are_round(span: float, most: int, width: float) -> None:
    assert overview.nice(span, most) == width


@pytest.mark.parametrize(
    ("values", "heights", "below"),
    [
        ([], [0, 0, 0], 0),
        ([0, 0.9999, 1, 2.4999, 2.5, 9], [2, 1, 3], 0),
        ([-0.1, 2], [0, 0, 1], 1),
        ([0.1 * 3 + 0.7], [0, 1, 0], 0),
    ],
)
def test_a_bin_holds_its_lower_edge(values: Sequence[float], heights: list[int], below: int) -> None:
    bins, less = overview.binned(values, 0, 2.5, 1)
    assert [(each.low, each.high) for each in bins] == [(0, 1), (1, 2), (2, 2.5)]
    assert ([each.count for each in bins], less) == (heights, below)


def test_no_number_depends_on_the_order_of_the_reports() -> None:
    reports = [*CLASS, *scored(0.3, 0.9, 0.97), rejected(), ungraded(), half_graded(), marked(3)]
    mixed = random.Random(1).sample(reports, len(reports))
    for count in (
        overview.counts,
        overview.spreads,
        overview.runs,
        overview.faults,
        overview.turned_away,
        overview.flags,
    ):
        assert count(mixed) == count(reports)
    for of_policy in (overview.questions, overview.accuracies, overview.tallies):
        assert of_policy(mixed, RULES) == of_policy(reports, RULES)


def test_a_member_of_the_class_with_an_item_that_was_dropped_since_is_still_counted() -> None:
    old = marked(4, marking=(MarkedItem("old", 1, "Gone.", True),))
    (tally,) = overview.tallies([marked(4), old], RULES)
    assert [(item.id, given) for item, given in tally.items] == [("a", 1), ("old", 1)]
