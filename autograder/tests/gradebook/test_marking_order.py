from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from autograder.gradebook.marking_order import Share, in_order, share_out, written_answers
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.policy.policy import Policy

NAMES = tuple(f"s{number}" for number in range(100))
SHARES = tuple(map(Share, NAMES))


def report(name: str, answer: str | None, status: Status = Status.GRADED) -> GradeReport:
    return GradeReport(name, name, status, (QuestionGrade("q1", "Why", True, 4, None, answer=answer),))


def test_answers_are_found_by_question_and_submission(rules: Policy) -> None:
    found = written_answers([report("a", "To measure."), report("b", None)], rules)
    assert found["q1"] == {"a": "To measure.", "b": None}
    assert found["q2"] == {}


@pytest.mark.parametrize(
    ("status", "answers"), [(Status.REJECTED, {}), (Status.UNGRADED, {"a": "x"})], ids=lambda value: str(value)
)
def test_a_rejected_file_has_nothing_to_mark_but_one_with_a_grader_fault_has(
    status: Status, answers: dict[str, str], rules: Policy
) -> None:
    assert written_answers([report("a", "x", status)], rules)["q1"] == answers


@pytest.mark.parametrize(("text", "kept"), [(" \n\t", None), ("a\0b", "a\ufffdb"), ("\ud800x", "?x")])
def test_text_is_kept_as_every_database_takes_it(text: str, kept: str | None, rules: Policy) -> None:
    assert written_answers([report("a", text)], rules)["q1"]["a"] == kept


def test_the_order_is_always_the_same_and_another_for_each_question() -> None:
    assert in_order("q1", NAMES) == in_order("q1", reversed(NAMES))
    first, second = in_order("q1", NAMES), in_order("q2", NAMES)
    assert set(first) == set(second) == set(NAMES)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 10


@pytest.mark.parametrize("people", [("ann",), ("ann", "ben"), ("ann", "ben", "cat")])
def test_work_is_shared_out_evenly(people: tuple[str, ...]) -> None:
    load = Counter(share.first for share in share_out("q1", SHARES, people, 0))
    assert max(load.values()) - min(load.values()) <= 1
    assert set(load) == set(people)


@pytest.mark.parametrize("people", [("ann", "ben"), ("ann", "ben", "cat")])
def test_the_sample_goes_to_two_and_the_load_stays_even(people: tuple[str, ...]) -> None:
    shared = share_out("q1", SHARES, people, 30)
    assert tuple(share.submission for share in shared) == NAMES, "in the same order"
    sample = [share for share in shared if share.second]
    load = Counter(name for share in shared for name in (share.first, share.second) if name)
    assert len(sample) == 30
    assert all(share.first != share.second for share in sample)
    assert max(load.values()) - min(load.values()) <= 1


def test_of_three_reviewers_every_pair_takes_turns() -> None:
    shared = share_out("q1", SHARES, ("ann", "ben", "cat"), 30)
    pairs = Counter(frozenset((share.first, share.second)) for share in shared if share.second)
    assert len(pairs) == 3


def test_the_sample_is_the_class_at_most_and_needs_two_reviewers() -> None:
    assert all(share.second for share in share_out("q1", SHARES, ("ann", "ben"), 1000))
    assert not any(share.second for share in share_out("q1", SHARES, ("ann",), 30))


def test_the_sample_is_another_for_each_question() -> None:
    first, second = (
        {share.submission for share in share_out(question, SHARES, ("ann", "ben"), 30) if share.second}
        for question in ("q1", "q2")
    )
    assert first != second


def test_what_is_marked_stays_where_it_is() -> None:
    done = replace(SHARES[0], first="zoe", second="ann", marked=True)
    alone = replace(SHARES[1], first="zoe", marked=True)
    shared = share_out("q1", (done, alone, *SHARES[2:]), ("ann", "ben"), 10)
    assert shared[:2] == (done, alone)
    assert sum(share.second is not None for share in shared) == 10
    load = Counter(name for share in shared for name in (share.first, share.second) if name)
    assert abs(load["ann"] - load["ben"]) <= 1


def test_sharing_out_again_changes_nothing() -> None:
    once = share_out("q1", SHARES, ("ann", "ben", "cat"), 30)
    assert share_out("q1", once, ("ann", "ben", "cat"), 30) == once
