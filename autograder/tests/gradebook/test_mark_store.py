"""Marks: saved, replaced, taken back, given blind; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.errors import ReviewError
from autograder.gradebook.mark import Conflict, Draft, Mark
from autograder.gradebook.stores import ReviewStores
from autograder.policy.policy import Policy
from autograder.tests.gradebook.marking import FULL, mark, rows, sync


def test_an_answer_waits_until_it_is_marked(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    assert stores.answers.at("q1", 1, "ann").mark is None
    assert stores.marks.final() == {}
    saved = mark(stores, 1, "ann", Draft(("overfit", "unseen"), -0.5, " a\0b\ud800 ", True))
    assert (saved.points, saved.comment, saved.flagged, saved.reviewer) == (2.5, "a\ufffdb?", True, "ann")
    assert saved.items == ("unseen", "overfit"), "the order of the rubric"
    position = stores.answers.at("q1", 1, "ben")
    assert position.mark == saved
    assert stores.marks.final() == {(position.answer.submission, "q1"): saved}


def test_marks_survive_a_restart(location: Path | str, rules: Policy) -> None:
    with ReviewStores(location) as first:
        sync(first, rules)
        saved = mark(first, 2, "ann")
    with ReviewStores(location) as second:
        sync(second, rules)
        assert second.answers.at("q1", 2, "ben").mark == saved
    if isinstance(location, Path):
        assert [path.name for path in location.parent.iterdir()] == ["gradebook.db"], "no second file is left"


def test_a_reviewer_who_did_not_see_the_current_mark_gets_a_conflict(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    first = mark(stores, 1, "ann")
    with pytest.raises(Conflict, match="ann has marked this answer in the meantime: 4 points") as caught:
        mark(stores, 1, "ben", Draft(), seen=0)
    assert caught.value.current == first
    assert stores.answers.at("q1", 1, "ben").mark == first
    second = mark(stores, 1, "ben", Draft(("fit",)), seen=first.id)
    assert [saved.id for saved in stores.marks.history(first.answer, "ann")] == [first.id, second.id]


def test_a_reviewer_who_saw_a_mark_that_was_taken_back_is_told(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    first = mark(stores, 1, "ann")
    stores.marks.undo("ann")
    with pytest.raises(ReviewError, match="has been taken back"):
        mark(stores, 1, "ben", seen=first.id)


def test_undo_takes_back_the_last_and_then_the_one_before(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    first = mark(stores, 1, "ann", Draft(("fit",)))
    mark(stores, 1, "ann", FULL)
    other = mark(stores, 2, "ben")
    assert stores.marks.undo("ann") == (first.answer,)
    assert stores.answers.at("q1", 1, "ann").mark == first
    assert stores.marks.undo("ann") == (first.answer,)
    assert stores.answers.at("q1", 1, "ann").mark is None
    assert stores.marks.undo("ann") == ()
    assert stores.answers.at("q1", 2, "ann").mark == other
    assert [saved.standing for saved in stores.marks.history(first.answer, "ann")] == ["undone", "undone"]


def test_undo_leaves_a_change_by_another_and_restores_the_mark_before_it(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    first = mark(stores, 1, "ann")
    second = mark(stores, 1, "ben", Draft())
    assert stores.marks.undo("ann") == ()
    assert stores.answers.at("q1", 1, "ann").mark == second
    stores.marks.undo("ben")
    assert stores.answers.at("q1", 1, "ann").mark == first


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft(("gone",)), "no longer has the item 'gone'"),
        (Draft(adjustment=float("nan")), "not nan"),
        (Draft(adjustment=1e9), "up to 1000"),
        (Draft(comment="x" * 20_001), "20001"),
    ],
)
def test_an_invalid_mark_is_refused(draft: Draft, message: str, stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    with pytest.raises(ReviewError, match=message):
        mark(stores, 1, "ann", draft)
    assert stores.answers.at("q1", 1, "ann").mark is None


def test_an_answer_of_the_sample_is_marked_blind(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 4, sample=4)
    mark(stores, 1, "ann", FULL)
    position = stores.answers.at("q1", 1, "ben")
    assert position.mark is None
    assert stores.marks.history(position.answer.id, "ben") == ()
    mark(stores, 1, "ben", Draft(("fit",)))
    assert len(stores.marks.history(position.answer.id, "ben")) == 2


def test_the_sample_counts_where_both_agree_or_somebody_settled_it(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 2, sample=2)
    for reviewer in ("ann", "ben"):
        mark(stores, 1, reviewer, FULL)
    mark(stores, 2, "ann", FULL)
    second = stores.answers.at("q1", 2, "ann").answer
    with pytest.raises(ReviewError, match="once both of its reviewers"):
        stores.marks.settle(second.id, "ann", FULL, 0, "too early")
    assert len(stores.marks.final()) == 1
    mark(stores, 2, "ben", Draft(("fit",)))
    assert len(stores.marks.final()) == 1
    pair = stores.marks.pairs("q1")[1]
    assert (pair.both, pair.agree, pair.settled) == (True, False, None)
    settled = stores.marks.settle(second.id, "ann", Draft(("unseen",)), 0, "settle")
    assert stores.marks.final()[second.submission, "q1"] == settled
    with pytest.raises(Conflict):
        stores.marks.settle(second.id, "ben", FULL, 0, "settle too")


def test_a_third_reviewer_may_look_but_not_mark(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 3, ("ann", "ben", "cat"), sample=1)
    pair = stores.marks.pairs("q1")[0]
    first, second = pair.answer.reviewers
    third = ({"ann", "ben", "cat"} - {first, second}).pop()
    with pytest.raises(ReviewError, match=f"in the sample of {first} and {second}"):
        mark(stores, pair.number, third)
    while (number := stores.answers.next("q1", third)) is not None:
        mark(stores, number, third)
    assert len(stores.marks.final()) == 2


LIKE = {"x1": "because it is faster", "x2": "because it is faster"}


def test_similar_answers_are_marked_together_and_undone_together(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 3, ("ann",), words=LIKE)
    answers = [position.answer.id for position in stores.answers.groups("q1", "ann")[0]]
    saved = stores.marks.save_group(answers, "ann", Draft(comment="Faster is not why."), "group")
    assert len({one.id for one in saved}) == len({one.answer for one in saved}) == 2
    assert len(stores.marks.final()) == 2
    assert sorted(stores.marks.undo("ann")) == sorted(answers)
    assert stores.marks.final() == {}


def test_a_group_is_marked_and_undone_as_a_whole_or_not_at_all(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 0, ("ann", "ben"), words=LIKE)
    group = stores.answers.groups("q1", "ann")[0]
    answers = [position.answer.id for position in group]
    mark(stores, group[-1].number, "ben")
    with pytest.raises(Conflict):
        stores.marks.save_group(answers, "ann", Draft(), "conflict")
    assert len(stores.marks.final()) == 1
    stores.marks.undo("ben")
    stores.marks.save_group(answers, "ann", Draft(), "group")
    mark(stores, group[0].number, "ben", FULL)
    with pytest.raises(ReviewError, match="marked again since"):
        stores.marks.undo("ann")


def test_of_many_who_mark_one_answer_at_once_one_is_first_and_the_others_get_a_conflict(
    stores: ReviewStores, rules: Policy
) -> None:
    sync(stores, rules, 1, ("ann",))
    answer = stores.answers.at("q1", 1, "ann").answer.id
    start = threading.Barrier(12)

    def attempt(number: int) -> str:
        start.wait()
        try:
            stores.marks.save(answer, f"r{number}", Draft(("fit",)), 0, f"race-{number}")
        except Conflict:
            return "conflict"
        return "first"

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(attempt, range(12))) == {"first": 1, "conflict": 11}
    assert len(stores.marks.history(answer, "ann")) == 1


def test_marks_of_many_at_once_are_stored_once(location: Path | str, stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 60, ("ann",))
    answers = [stores.answers.at("q1", number, "ann").answer.id for number in range(1, 61)]

    def save(number: int) -> Mark:
        return stores.marks.save(answers[number % 60], "ann", FULL, 0, f"n{number % 60}")

    with ThreadPoolExecutor(20) as pool:
        saved = list(pool.map(save, range(180)))
    assert len({one.id for one in saved}) == 60
    assert rows(location, "select count(*) from marks") == [(60,)]
