"""Item analysis: numbers that were worked out by hand, and what holds for every class."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.judge.grade_report import GradeReport, Outcome, QuestionGrade, Status
from autograder.report.item_analysis import FEWEST, ItemSummary, analyse, comparable, reading, scatter
from autograder.tests.reports import CLASS, check, graded, half_graded, member, question, rejected, ungraded

PASSED, FAILED, WAITED, UNGRADED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.UNGRADED


def written(mark: float | None) -> QuestionGrade:
    return QuestionGrade("w", "Why", True, 4, mark, answer="Because.")


def report(*questions: QuestionGrade) -> GradeReport:
    return graded(questions=questions)


def by_name(reports: Sequence[GradeReport]) -> dict[str, ItemSummary]:
    """Questions and checks alike."""
    return {each.name: each for item in analyse(reports) for each in (item, *item.checks)}


def counts(item: ItemSummary) -> tuple[int, ...]:
    return item.passed, item.partial, item.failed, item.not_checked, item.ungraded


def one(*outcomes: Outcome, points: float = 1) -> ItemSummary:
    """The only check of a class in which it came out like this."""
    return by_name([report(question("a", check("a1", points, outcome))) for outcome in outcomes])["a1"]


def test_questions_come_in_their_order_each_with_its_checks() -> None:
    found = analyse(CLASS)
    assert [(item.name, item.title, item.points) for item in found] == [("a", "Title of a", 2), ("b", "Title of b", 2)]
    assert [[(each.name, each.title, each.points) for each in item.checks] for item in found] == [
        [("a1", "", 1), ("a2", "", 1)],
        [("b1", "", 2)],
    ]


def test_every_outcome_is_counted_by_itself() -> None:
    found = by_name(CLASS)
    assert {name: counts(item) for name, item in found.items()} == {
        "a": (2, 1, 2, 0, 0),
        "a1": (3, 0, 2, 0, 0),
        "a2": (2, 0, 1, 2, 0),
        "b": (2, 0, 3, 0, 0),
        "b1": (2, 0, 3, 0, 0),
    }
    assert {item.decided for item in found.values()} == {5}


def test_the_mean_is_a_share_of_the_points_and_the_share_of_full_marks_another() -> None:
    found = by_name(CLASS)
    # a: (2 + 2 + 1 + 0 + 0) / 5 of 2 points
    assert {name: item.mean for name, item in found.items()} == pytest.approx(
        {"a": 0.5, "a1": 0.6, "a2": 0.4, "b": 0.4, "b1": 0.4}
    )
    assert found["a"].full == pytest.approx(0.4)


def test_discrimination_leaves_the_item_out_of_the_rest() -> None:
    # Sums of products of deviations, by hand, of CLASS. a: (2 2 1 0 0) with (2 0 2 0 0): 2 / √(4 · 4.8).
    # a1: (1 1 1 0 0) with (3 1 2 0 0): 2.4 / √(1.2 · 6.8). a2: (1 1 0 0 0) with (3 1 3 0 0): 1.2 / √(1.2 · 9.2).
    two = 2 / math.sqrt(4 * 4.8)
    expected = {"a": two, "a1": 2.4 / math.sqrt(1.2 * 6.8), "a2": 1.2 / math.sqrt(1.2 * 9.2), "b": two, "b1": two}
    assert {name: item.discrimination for name, item in by_name(CLASS).items()} == pytest.approx(expected)


def test_an_item_that_only_the_weak_get_right_discriminates_negatively() -> None:
    strong, weak = member(PASSED, PASSED, FAILED), member(FAILED, FAILED, PASSED)
    assert by_name([strong, strong, weak, weak, weak])["b"].discrimination == pytest.approx(-1)


def test_a_question_of_which_nothing_could_be_checked_is_not_failed() -> None:
    waiting = report(question("a", check("public", 0, FAILED), check("a1", 1, WAITED), check("a2", 1, WAITED)))
    failed = report(question("a", check("public", 0), check("a1", 1, FAILED), check("a2", 1, WAITED)))
    (item,) = analyse([waiting, failed])
    assert counts(item) == (0, 0, 1, 1, 0)
    assert item.mean == 0


def test_only_submissions_that_were_graded_count() -> None:
    others = [rejected(), ungraded()]
    assert analyse([*CLASS, *others]) == analyse(CLASS)
    assert analyse(others) == analyse([]) == ()


def test_what_could_not_be_graded_is_counted_and_left_out_of_every_statistic() -> None:
    broken = report(question("a", check("a1", 1), check("a2", 1, UNGRADED)), question("b", check("b1", 2)))
    before, after = by_name(CLASS), by_name([*CLASS, broken])
    for name in ("a", "a2"):
        assert after[name] == replace(before[name], ungraded=1, checks=after[name].checks)
    # What was decided counts, but the submission has no total to hold it against.
    assert counts(after["b"]) == (3, 0, 3, 0, 0)
    assert after["b"].mean == pytest.approx(0.5)
    assert {name: item.discrimination for name, item in after.items()} == {
        name: item.discrimination for name, item in before.items()
    }


def test_where_nothing_could_be_graded_there_are_no_statistics() -> None:
    item = one(UNGRADED, UNGRADED)
    assert (counts(item), item.decided, item.mean, item.full) == ((0, 0, 0, 0, 2), 0, None, None)


def test_a_check_without_points_is_counted_and_has_no_mean() -> None:
    item = one(PASSED, PASSED, FAILED, WAITED, UNGRADED, points=0)
    assert (counts(item), item.mean, item.discrimination) == ((2, 0, 1, 1, 1), None, None)


def test_written_questions_count_where_they_have_a_mark() -> None:
    marks = (4, 3, None, 0, None)
    marked = [
        replace(each, questions=(written(mark), *each.questions)) for each, mark in zip(CLASS, marks, strict=True)
    ]
    first, *rest = analyse(marked)
    assert (first.name, counts(first), first.checks) == ("w", (1, 1, 1, 0, 0), ())
    assert first.mean == pytest.approx((1 + 0.75 + 0) / 3)
    assert tuple(rest) == analyse(CLASS), "marks that only some have yet are in nobody's rest"


def test_written_questions_without_any_mark_are_left_out() -> None:
    unmarked = [replace(each, questions=(written(None), *each.questions)) for each in CLASS]
    assert analyse(unmarked) == analyse(CLASS)


def test_a_written_question_is_held_against_all_automatic_points() -> None:
    marked = [
        replace(each, questions=(written(mark), *each.questions))
        for each, mark in zip(CLASS, (4, 0, 0, 0, 0), strict=True)
    ]
    # (4 0 0 0 0) with (4 2 3 0 0): 8.8 / √(12.8 · 12.8)
    assert by_name(marked)["w"].discrimination == pytest.approx(8.8 / 12.8)


def test_too_few_submissions_have_no_discrimination() -> None:
    assert len(CLASS) == FEWEST
    assert {item.discrimination for item in by_name(CLASS[:-1]).values()} == {None}


def test_points_that_are_the_same_for_all_have_no_discrimination() -> None:
    same = [member(a1, PASSED, PASSED) for a1 in (PASSED, PASSED, FAILED, FAILED, FAILED)]
    found = by_name(same)
    assert found["a2"].discrimination is None, "no difference here"
    assert found["a1"].discrimination is None, "no difference elsewhere"


def test_errors_of_rounding_are_no_difference_between_students() -> None:
    assert 2.68 + 2 - 2.68 != 2
    with_last = report(question("a", check("a1", 2.68)), question("b", check("b1", 2)))
    without = report(question("a", check("a1", 2.68, FAILED)), question("b", check("b1", 2)))
    assert by_name([with_last, with_last, without, without, without])["a1"].discrimination is None


def saying(*messages: str, outcome: Outcome = FAILED) -> GradeReport:
    """A submission whose checks, one for each message, say this."""
    checks = (check(f"c{number}", 1, outcome, message) for number, message in enumerate(messages))
    return report(question("a", *checks))


def test_the_commonest_message_is_told_with_how_many_got_it() -> None:
    item = by_name([saying("Found: 64"), saying("Found: 32"), saying("Found: 64"), saying("")])["c0"]
    assert (item.message, item.message_count, item.failed) == ("Found: 64", 2, 4)


def test_of_messages_that_are_as_common_the_first_in_the_alphabet_is_told() -> None:
    said = [saying("b"), saying("a"), saying("c"), saying("c"), saying("b")]
    assert {(by_name(order)["c0"].message, by_name(order)["c0"].message_count) for order in permutations(said)} == {
        ("b", 2)
    }


def test_a_question_counts_a_message_once_a_submission() -> None:
    item = by_name([saying(*["again"] * 3), saying("other", "else"), saying("other", "more")])["a"]
    assert (item.message, item.message_count) == ("other", 2)


@pytest.mark.parametrize("outcome", [PASSED, WAITED, UNGRADED])
def test_only_failed_checks_have_a_say(outcome: Outcome) -> None:
    item = by_name([saying("x", outcome=outcome)])["c0"]
    assert (item.message, item.message_count) == ("", 0)


def test_checks_are_matched_by_name_and_a_submission_without_them_is_skipped() -> None:
    swapped = report(question("a", check("a2", 1, FAILED), check("a1", 1)))
    none = report(QuestionGrade("a", "Title of a", False, 2, None))
    found = by_name([member(PASSED, PASSED, PASSED), swapped, none])
    assert (counts(found["a1"]), counts(found["a2"])) == ((2, 0, 0, 0, 0), (1, 0, 1, 0, 0))
    assert counts(found["a"]) == (1, 1, 0, 0, 1)


def test_only_whole_grades_can_be_compared() -> None:
    assert comparable([graded(), rejected(), ungraded(), half_graded()]) == [graded()]


def test_the_scatter_of_chance_is_that_of_all_ways_to_deal_out_the_points() -> None:
    points, rest = (0.0, 1.0, 1.0, 2.0, 5.0), (3.0, 0.0, 4.0, 4.0, 9.0)
    by_chance = [float(np.corrcoef(points, dealt)[0, 1]) for dealt in permutations(rest)]
    assert scatter(5) == pytest.approx(np.std(by_chance)) == pytest.approx(0.5)
    assert scatter(101) == pytest.approx(0.1)
    assert scatter(FEWEST - 1) is None
    assert scatter(0) is None


@pytest.mark.parametrize(
    ("discrimination", "words"),
    [
        (1.0, "separates well"),
        (0.3, "separates well"),
        (0.29, "separates a little"),
        (0.2, "separates a little"),
        (0.19, "take a look"),
        (0.0, "take a look"),
        (-1.0, "take a look"),
        (None, ""),
    ],
)
def test_a_discrimination_has_a_reading(discrimination: float | None, words: str) -> None:
    assert reading(discrimination) == words


SHAPE = (
    ("a", (("public", 0.0), ("a1", 2.66), ("a2", 2.66), ("a3", 2.68))),
    ("b", (("b1", 0.1), ("b2", 0.2))),
    ("c", (("c1", 4.0),)),
)
OUTCOMES = st.sampled_from([PASSED, PASSED, FAILED, FAILED, WAITED, UNGRADED])


@st.composite
def reports(draw: st.DrawFn) -> GradeReport:
    """A submission to one assignment, with any outcome of any check."""
    questions = [
        question(id, *(check(name, points, draw(OUTCOMES), draw(st.sampled_from("xyz"))) for name, points in checks))
        for id, checks in SHAPE
    ]
    mark = draw(st.none() | st.floats(0, 4))
    status = draw(st.sampled_from([Status.GRADED] * 4 + [Status.REJECTED, Status.UNGRADED]))
    return graded(questions=(written(mark), *questions), status=status)


CLASSES = st.lists(reports(), max_size=12)


@settings(deadline=None)
@given(CLASSES)
def test_every_number_is_within_its_range(everybody: list[GradeReport]) -> None:
    marked = [each for each in everybody if each.status is Status.GRADED]
    for item in analyse(everybody):
        for each in (item, *item.checks):
            assert min(counts(each)) >= 0
            assert each.decided + each.ungraded == len(marked) or each.name == "w"
            assert each.mean is None or 0 <= each.mean <= 1
            assert each.full is None or 0 <= each.full <= 1
            assert each.discrimination is None or -1 <= each.discrimination <= 1
            assert bool(each.message) == bool(each.message_count)
            assert 0 <= each.message_count <= len(marked)
        assert all(each.message_count <= each.failed for each in item.checks)


@settings(deadline=None)
@given(CLASSES, st.randoms(use_true_random=False))
def test_the_order_of_submissions_does_not_matter(everybody: list[GradeReport], chance: random.Random) -> None:
    shuffled = chance.sample(everybody, len(everybody))
    before, after = analyse(everybody), analyse(shuffled)
    assert [item.name for item in before] == [item.name for item in after]
    first, second = by_name(everybody), by_name(shuffled)
    for name, item in first.items():
        assert (counts(item), item.message, item.message_count) == (
            counts(second[name]),
            second[name].message,
            second[name].message_count,
        )
        assert (item.mean, item.discrimination) == pytest.approx((second[name].mean, second[name].discrimination))


@settings(deadline=None)
@given(st.lists(reports(), min_size=FEWEST, max_size=12))
def test_discrimination_is_what_numpy_makes_of_the_same_points(everybody: list[GradeReport]) -> None:
    whole = [each for each in everybody if each.status is Status.GRADED and each.complete]
    found = by_name(everybody)
    for place, (id, _) in enumerate(SHAPE, start=1):
        own = np.array([each.questions[place].earned for each in whole], dtype=float)
        rest = np.array([sum(q.earned or 0 for q in each.questions[1:] if q.id != id) for each in whole])
        if len(whole) < FEWEST or np.ptp(own) < 1e-6 or np.ptp(rest) < 1e-6:
            assert id not in found or found[id].discrimination is None
        else:
            assert found[id].discrimination == pytest.approx(float(np.corrcoef(own, rest)[0, 1]))
