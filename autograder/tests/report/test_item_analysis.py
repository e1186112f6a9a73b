"""Item analysis: numbers that were worked out by hand."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade
from autograder.report.item_analysis import FEWEST, ItemSummary, analyse, comparable, reading, scatter
from autograder.tests.reports import CLASS, check, graded, half_graded, member, question, rejected, ungraded

PASSED, FAILED, NOT_CHECKED, UNGRADED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.UNGRADED


def written(mark: float | None) -> QuestionGrade:
    return QuestionGrade("w", "Why", True, 4, mark, answer="Because.")


def report(*questions: QuestionGrade) -> GradeReport:
    return graded(questions=questions)


def marked_class(*marks: float | None) -> list[GradeReport]:
    """Return CLASS with a written question that has these marks."""
    return [replace(each, questions=(written(mark), *each.questions)) for each, mark in zip(CLASS, marks, strict=True)]


def by_name(reports: Sequence[GradeReport]) -> dict[str, ItemSummary]:
    """Return questions and checks alike."""
    return {each.name: each for item in analyse(reports) for each in (item, *item.checks)}


def counts(item: ItemSummary) -> tuple[int, ...]:
    return item.passed, item.partial, item.failed, item.not_checked, item.ungraded


def one(*outcomes: Outcome, points: float = 1) -> ItemSummary:
    """Return the only check of a class in which it came out like this."""
    return by_name([report(question("a", check("a1", points, outcome))) for outcome in outcomes])["a1"]


def test_outcomes_are_counted_and_means_taken_by_question_and_by_check() -> None:
    found = by_name(CLASS)
    assert [(item.name, item.title, item.points, len(item.checks)) for item in found.values()] == [
        ("a", "Title of a", 2, 2),
        ("a1", "", 1, 0),
        ("a2", "", 1, 0),
        ("b", "Title of b", 2, 1),
        ("b1", "", 2, 0),
    ]
    assert {name: counts(item) for name, item in found.items()} == {
        "a": (2, 1, 2, 0, 0),
        "a1": (3, 0, 2, 0, 0),
        "a2": (2, 0, 1, 2, 0),
        "b": (2, 0, 3, 0, 0),
        "b1": (2, 0, 3, 0, 0),
    }
    # a: (2 + 2 + 1 + 0 + 0) / 5 of 2 points
    assert {name: item.mean for name, item in found.items()} == pytest.approx(
        {"a": 0.5, "a1": 0.6, "a2": 0.4, "b": 0.4, "b1": 0.4}
    )
    assert found["a"].decided == 5
    assert found["a"].full == pytest.approx(0.4)


def test_discrimination_leaves_the_item_out_of_the_rest() -> None:
    # Sums of products of deviations, by hand, of CLASS. a: (2 2 1 0 0) with (2 0 2 0 0): 2 / √(4 · 4.8).
    # a1: (1 1 1 0 0) with (3 1 2 0 0): 2.4 / √(1.2 · 6.8). a2: (1 1 0 0 0) with (3 1 3 0 0): 1.2 / √(1.2 · 9.2).
    two = 2 / math.sqrt(4 * 4.8)
    expected = {"a": two, "a1": 2.4 / math.sqrt(1.2 * 6.8), "a2": 1.2 / math.sqrt(1.2 * 9.2), "b": two, "b1": two}
    assert {name: item.discrimination for name, item in by_name(CLASS).items()} == pytest.approx(expected)
    strong, weak = member(PASSED, PASSED, FAILED), member(FAILED, FAILED, PASSED)
    assert by_name([strong, strong, weak, weak, weak])["b"].discrimination == pytest.approx(-1)


def test_rounding_carries_no_discrimination_past_1() -> None:
    points = (0.1, 0.2, 0.3, 0.3, 0.0)
    assert statistics.correlation(points, [round(3 * own, 6) for own in points]) > 1
    perfect = [
        report(QuestionGrade("a", "A", False, 0.3, own), QuestionGrade("b", "B", False, 0.9, round(3 * own, 6)))
        for own in points
    ]
    assert by_name(perfect)["a"].discrimination == 1


def test_a_question_of_which_nothing_could_be_checked_is_not_failed() -> None:
    waiting = report(
        question("a", check("public", 0, FAILED), check("a1", 1, NOT_CHECKED), check("a2", 1, NOT_CHECKED))
    )
    failed = report(question("a", check("public", 0), check("a1", 1, FAILED), check("a2", 1, NOT_CHECKED)))
    (item,) = analyse([waiting, failed])
    assert (counts(item), item.mean) == ((0, 0, 1, 1, 0), 0)


def test_only_submissions_that_were_graded_count() -> None:
    others = [rejected(), ungraded()]
    assert analyse([*CLASS, *others]) == analyse(CLASS)
    assert analyse(others) == analyse([]) == ()
    assert comparable([graded(), *others, half_graded()]) == [graded()]


def test_what_could_not_be_graded_is_counted_and_left_out_of_every_statistic() -> None:
    broken = report(question("a", check("a1", 1), check("a2", 1, UNGRADED)), question("b", check("b1", 2)))
    before, after = by_name(CLASS), by_name([*CLASS, broken])
    for name in ("a", "a2"):
        assert after[name] == replace(before[name], ungraded=1, checks=after[name].checks)
    # What was decided counts, but the submission has no total to hold it against.
    assert counts(after["b"]) == (3, 0, 3, 0, 0)
    assert after["b"].mean == pytest.approx(0.5)
    assert [item.discrimination for item in after.values()] == [item.discrimination for item in before.values()]
    item = one(UNGRADED, UNGRADED)
    assert (counts(item), item.decided, item.mean, item.full) == ((0, 0, 0, 0, 2), 0, None, None)


def test_a_check_without_points_is_counted_and_has_no_mean() -> None:
    item = one(PASSED, PASSED, FAILED, NOT_CHECKED, UNGRADED, points=0)
    assert (counts(item), item.mean, item.discrimination) == ((2, 0, 1, 1, 1), None, None)


def test_written_questions_count_once_they_have_a_mark() -> None:
    first, *rest = analyse(marked_class(4, 3, None, 0, None))
    assert (first.name, first.written, counts(first), first.checks) == ("w", True, (1, 1, 1, 0, 0), ())
    assert first.mean == pytest.approx((1 + 0.75 + 0) / 3)
    assert tuple(rest) == analyse(CLASS), "marks that only some have yet are in nobody's rest"
    assert analyse(marked_class(*[None] * 5)) == analyse(CLASS)
    # (4 0 0 0 0) with all automatic points, (4 2 3 0 0): 8.8 / √(12.8 · 12.8)
    assert by_name(marked_class(4, 0, 0, 0, 0))["w"].discrimination == pytest.approx(8.8 / 12.8)


def test_without_enough_submissions_or_any_difference_there_is_no_discrimination() -> None:
    assert len(CLASS) == FEWEST
    assert {item.discrimination for item in by_name(CLASS[:-1]).values()} == {None}
    found = by_name([member(a1, PASSED, PASSED) for a1 in (PASSED, PASSED, FAILED, FAILED, FAILED)])
    assert found["a2"].discrimination is None, "no difference here"
    assert found["a1"].discrimination is None, "no difference elsewhere"


def test_errors_of_rounding_are_no_difference_between_students() -> None:
    assert 2.68 + 2 - 2.68 != 2
    with_last = report(question("a", check("a1", 2.68)), question("b", check("b1", 2)))
    without = report(question("a", check("a1", 2.68, FAILED)), question("b", check("b1", 2)))
    assert by_name([with_last, with_last, without, without, without])["a1"].discrimination is None


def saying(*messages: str, outcome: Outcome = FAILED) -> GradeReport:
    """Return a submission whose checks have these messages, one each."""
    checks = (check(f"c{number}", 1, outcome, message) for number, message in enumerate(messages))
    return report(question("a", *checks))


@pytest.mark.parametrize(
    ("reports", "name", "message", "count"),
    [
        ([saying("Found: 64"), saying("Found: 32"), saying("Found: 64"), saying("")], "c0", "Found: 64", 2),
        ([saying(*["again"] * 3), saying("other", "else"), saying("other", "more")], "a", "other", 2),
        *[([saying("x", outcome=outcome)], "c0", "", 0) for outcome in (PASSED, NOT_CHECKED, UNGRADED)],
    ],
    ids=["most frequent", "once a submission", "passed", "not checked", "ungraded"],
)
def test_the_most_frequent_message_of_failed_checks_is_counted(
    reports: Sequence[GradeReport], name: str, message: str, count: int
) -> None:
    assert (by_name(reports)[name].message, by_name(reports)[name].message_count) == (message, count)


def test_of_tied_messages_the_first_in_the_alphabet_is_shown() -> None:
    said = [saying("b"), saying("a"), saying("c"), saying("c"), saying("b")]
    found = [by_name(order)["c0"] for order in permutations(said)]
    assert {(item.message, item.message_count) for item in found} == {("b", 2)}


def test_checks_are_matched_by_name_and_a_submission_without_them_is_skipped() -> None:
    either = [report(question(name, check("c", 1))) for name in ("b", "a")]
    assert list(by_name(either)) == ["a", "c", "b"], "questions at the same place are in alphabetical order"
    swapped = report(question("a", check("a2", 1, FAILED), check("a1", 1)))
    none = report(QuestionGrade("a", "Title of a", False, 2, None))
    found = by_name([member(PASSED, PASSED, PASSED), swapped, none])
    assert (counts(found["a1"]), counts(found["a2"])) == ((2, 0, 0, 0, 0), (1, 0, 1, 0, 0))
    assert counts(found["a"]) == (1, 1, 0, 0, 1)


def test_the_scatter_of_chance_is_that_of_all_ways_to_deal_out_the_points() -> None:
    points, rest = (0.0, 1.0, 1.0, 2.0, 5.0), (3.0, 0.0, 4.0, 4.0, 9.0)
    by_chance = [float(np.corrcoef(points, dealt)[0, 1]) for dealt in permutations(rest)]
    assert scatter(5) == pytest.approx(np.std(by_chance)) == pytest.approx(0.5)
    assert scatter(101) == pytest.approx(0.1)
    assert scatter(FEWEST - 1) is None


def test_a_discrimination_has_a_meaning_in_words() -> None:
    assert [reading(value) for value in (0.3, 0.29, 0.2, 0.19, -1.0)] == [
        *["separates well", "separates a little", "separates a little", "take a look", "take a look"]
    ]
    assert reading(None) == ""
