"""The queue of answers, progress and groups; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import pytest

from autograder.errors import ReviewError
from autograder.gradebook.mark import Draft
from autograder.gradebook.stores import ReviewStores
from autograder.policy.policy import Policy
from autograder.tests.gradebook.marking import FULL, mark, sync


def test_an_answer_is_found_by_its_number_its_id_and_its_submission(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    position = stores.answers.at("q1", 3, "ann")
    assert position.number == 3
    assert stores.answers.by_id(position.answer.id, "ann") == position
    assert stores.answers.find(position.answer.submission, "q1") == position.answer.id
    assert stores.answers.find(position.answer.submission, "q2") is None
    assert stores.answers.find("nobody", "q1") is None


@pytest.mark.parametrize(("number", "message"), [(0, "no answer number 0; it has 5"), (6, "no answer number 6")])
def test_there_is_no_answer_outside_the_class(number: int, message: str, stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    with pytest.raises(ReviewError, match=message):
        stores.answers.at("q1", number, "ann")
    with pytest.raises(ReviewError, match="no answer 999 in"):
        stores.answers.by_id(999, "ann")


def test_next_goes_through_the_own_share_and_then_the_rest(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 6)
    shares: list[str] = []
    after = 0
    while (number := stores.answers.next("q1", "ann", after)) is not None:
        shares += stores.answers.at("q1", number, "ann").answer.reviewers
        mark(stores, number, "ann")
        after = number
    assert shares == ["ann", "ann", "ann", "ben", "ben", "ben"]


def test_next_starts_again_if_an_answer_was_left_out(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 3, ("ann",))
    assert [stores.answers.next("q1", "ann", after) for after in (0, 1, 2, 3)] == [1, 2, 3, 1]


def test_progress_counts_all_and_each_share_and_two_marks_for_the_sample(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 6, sample=2)
    pair = stores.marks.pairs("q1")[0]
    mark(stores, pair.number, "ann")
    mark(stores, pair.number, "ben", Draft())
    stores.marks.settle(pair.answer.id, "ann", FULL, 0, "settled")  # an extra mark, which nobody had to give
    answers = (stores.answers.at("q1", number, "ann").answer for number in range(1, 7))
    other = next(answer for answer in answers if answer.reviewers == ("ben",))
    mark(stores, other.number, "ann")
    progress = {one.reviewer: one for one in stores.answers.progress()}
    done = {reviewer: (one.done, one.total, one.answers) for reviewer, one in progress.items()}
    assert done == {None: (3, 8, 6), "ann": (1, 4, 6), "ben": (2, 4, 6)}
    assert stores.answers.question_progress("q1") == progress[None]


LIKE = {"x1": "because it is faster", "x2": "because it is faster", "e1": None, "e2": " ", "e3": None}


def test_groups_are_the_blank_answers_and_then_similar_ones(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, 3, ("ann",), words=LIKE)
    blank, faster = stores.answers.groups("q1", "ann")
    assert {position.answer.text for position in blank} == {None}
    assert [len(group) for group in (blank, faster)] == [3, 2]
    answer = blank[0].answer.id
    stores.answers.set_apart(answer, "ann", apart=True)
    assert [len(group) for group in stores.answers.groups("q1", "ann")] == [2, 2]
    stores.answers.set_apart(answer, "ann", apart=False)
    assert [len(group) for group in stores.answers.groups("q1", "ann")] == [3, 2]


def test_a_changed_answer_keeps_its_number_and_its_history(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    old = stores.answers.at("q1", 3, "ann").answer
    saved = mark(stores, 3, "ann")
    sync(stores, rules, words={old.submission: "other words"})
    new = stores.answers.at("q1", 3, "ann")
    assert (new.answer.submission, new.answer.text, new.mark) == (old.submission, "other words", None)
    assert [one.id for one in stores.marks.history(new.answer.id, "ann")] == [saved.id]
    with pytest.raises(ReviewError, match="handed in another answer"):
        stores.marks.save(old.id, "ann", FULL, saved.id, "late")


def test_another_student_goes_to_the_end_and_nothing_else_changes(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules, sample=2)
    before = [stores.answers.at("q1", number, "ann") for number in range(1, 6)]
    sync(stores, rules, sample=2)
    assert [stores.answers.at("q1", number, "ann") for number in range(1, 6)] == before
    sync(stores, rules, 6, words={"\udcff": "a name that is not UTF-8"})
    after = [stores.answers.at("q1", number, "ann") for number in range(1, 8)]
    assert [position.answer.id for position in after[:5]] == [position.answer.id for position in before]


def test_a_name_is_revealed_and_the_log_says_to_whom(stores: ReviewStores, rules: Policy) -> None:
    sync(stores, rules)
    answer = stores.answers.at("q1", 1, "ann").answer
    assert stores.answers.reveal(answer.id, "ann") == answer.submission
    stores.log.add("ben", "opened the gradebook")
    entries = [(entry.who, entry.what, entry.answer) for entry in stores.log.newest()]
    assert entries == [("ben", "opened the gradebook", None), ("ann", "revealed the name", answer.id)]


def test_snippets_are_kept_once_and_removed(stores: ReviewStores) -> None:
    first = stores.snippets.add("q1", " Say why. ", "ann")
    assert stores.snippets.add("q1", "Say why.", "ben").id == first.id
    stores.snippets.add("q1", "More.", "ann")
    stores.snippets.remove(first.id)
    assert [snippet.text for snippet in stores.snippets.all("q1")] == ["More."]
    with pytest.raises(ReviewError, match="1 to 20000"):
        stores.snippets.add("q1", "  ", "ann")
