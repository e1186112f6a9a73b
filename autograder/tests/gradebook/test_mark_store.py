"""The same promises on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook.mark import Conflict, Draft, Mark
from autograder.gradebook.rubric import RubricItem
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.policy.policy import Policy, Review
from autograder.tools.postgresql import new_database, postgresql

FULL = Draft(("fit", "unseen", "overfit"))
NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """The place of an empty gradebook."""
    if request.param == "sqlite":
        return tmp_path / "gradebook.db"
    return new_database(request.getfixturevalue("server"), f"marks{next(NUMBERS)}")


@pytest.fixture
def stores(store: Path | str) -> Iterator[ReviewStores]:
    with ReviewStores(store) as opened:
        yield opened


def class_of(size: int, words: Mapping[str, str | None] | None = None) -> tuple[GradeReport, ...]:
    """Submissions s0, s1, … with an answer to q1 each, others where `words` says so."""
    said = {f"s{number}": f"answer of {number}" for number in range(size)} | dict(words or {})
    return tuple(
        GradeReport(name, name, Status.GRADED, (QuestionGrade("q1", "Why", True, 4, None, answer=text),))
        for name, text in said.items()
    )


def alone(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:  # noqa: ARG001  # has the form of a grouping
    return ()


def same_words(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:
    by_text: dict[str | None, list[int]] = {}
    for id, text in texts.items():
        by_text.setdefault(text, []).append(id)
    return tuple(tuple(ids) for ids in by_text.values() if len(ids) > 1)


def fill(
    stores: ReviewStores, rules: Policy, size: int = 5, people: Sequence[str] = ("ann", "ben"), sample: int = 0,
    words: Mapping[str, str | None] | None = None,
) -> None:  # fmt: skip
    policy = rules.model_copy(update={"review": Review(reviewers=tuple(people), sample=sample)})
    stores.sync(policy, class_of(size, words), people, same_words)


def say(stores: ReviewStores, number: int, reviewer: str, draft: Draft = FULL, seen: int | None = None) -> Mark:
    """Mark the answer at this place, as one who has seen what is there."""
    place = stores.answers.at("q1", number, reviewer)
    known = (place.mark.id if place.mark else 0) if seen is None else seen
    return stores.marks.save(place.answer.id, reviewer, draft, known, f"nonce-{next(NUMBERS)}")


def test_an_answer_waits_until_it_is_marked(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    assert stores.answers.at("q1", 1, "ann").mark is None
    assert stores.marks.final() == {}
    said = say(stores, 1, "ann", Draft(("unseen",), 0.5, " Good. ", True))
    assert (said.points, said.comment, said.flagged, said.reviewer) == (2.5, "Good.", True, "ann")
    assert stores.answers.at("q1", 1, "ben").mark == said
    assert stores.marks.final() == {(stores.answers.at("q1", 1, "ann").answer.submission, "q1"): said}


def test_it_is_all_there_after_a_restart(store: Path | str, rules: Policy) -> None:
    with ReviewStores(store) as first:
        fill(first, rules)
        said = say(first, 2, "ann")
        secret = first.secret()
    with ReviewStores(store) as second:
        fill(second, rules)
        assert second.answers.at("q1", 2, "ben").mark == said
        assert second.secret() == secret


def test_items_are_stored_in_the_order_of_the_rubric(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    assert say(stores, 1, "ann", Draft(("overfit", "fit"))).items == ("fit", "overfit")


def test_whoever_did_not_see_the_mark_that_counts_is_told(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    first = say(stores, 1, "ann")
    with pytest.raises(Conflict, match="ann has marked this answer in the meantime: 4 points") as told:
        say(stores, 1, "ben", Draft(), seen=0)
    assert told.value.current == first
    assert stores.answers.at("q1", 1, "ben").mark == first
    second = say(stores, 1, "ben", Draft(("fit",)), seen=first.id)
    assert [mark.id for mark in stores.marks.history(first.answer, "ann")] == [first.id, second.id]


def test_the_same_act_sent_again_is_done_once(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    answer = stores.answers.at("q1", 1, "ann").answer.id
    first = stores.marks.save(answer, "ann", FULL, 0, "n1")
    assert stores.marks.save(answer, "ann", FULL, 0, "n1") == first
    assert len(stores.marks.history(answer, "ann")) == 1


def test_undo_takes_back_the_last_and_then_the_one_before(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    first = say(stores, 1, "ann", Draft(("fit",)))
    say(stores, 1, "ann", FULL)
    other = say(stores, 2, "ben")
    assert stores.marks.undo("ann") == (first.answer,)
    assert stores.answers.at("q1", 1, "ann").mark == first
    assert stores.marks.undo("ann") == (first.answer,)
    assert stores.answers.at("q1", 1, "ann").mark is None
    assert stores.marks.undo("ann") == ()
    assert stores.answers.at("q1", 2, "ann").mark == other
    assert [mark.standing for mark in stores.marks.history(first.answer, "ann")] == ["undone", "undone"]


def test_undo_leaves_what_another_changed_since(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    say(stores, 1, "ann")
    over = say(stores, 1, "ben", Draft())
    assert stores.marks.undo("ann") == ()
    assert stores.answers.at("q1", 1, "ann").mark == over


def test_undo_of_anothers_change_gives_the_mark_back(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    first = say(stores, 1, "ann")
    say(stores, 1, "ben", Draft())
    stores.marks.undo("ben")
    assert stores.answers.at("q1", 1, "ann").mark == first


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft(("gone",)), "no item 'gone'"),
        (Draft(adjustment=float("nan")), "not nan"),
        (Draft(adjustment=1e9), "up to 1000"),
        (Draft(comment="x" * 20_001), "20001"),
    ],
)
def test_what_is_no_mark_is_refused(draft: Draft, said: str, stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    with pytest.raises(ReviewError, match=said):
        say(stores, 1, "ann", draft)
    assert stores.answers.at("q1", 1, "ann").mark is None


def test_a_comment_is_kept_as_every_database_takes_it(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    assert say(stores, 1, "ann", Draft(comment="a\0b\ud800")).comment == "a\ufffdb?"


@pytest.mark.parametrize(("number", "said"), [(0, "no answer number 0; it has 5"), (6, "no answer number 6")])
def test_there_is_no_answer_outside_the_class(number: int, said: str, stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    with pytest.raises(ReviewError, match=said):
        stores.answers.at("q1", number, "ann")


def test_next_goes_through_the_own_share_and_then_the_rest(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 6)
    seen = []
    after = 0
    while (number := stores.answers.next("q1", "ann", after)) is not None:
        seen.append(stores.answers.at("q1", number, "ann").answer.reviewers[0])
        say(stores, number, "ann")
        after = number
    assert seen == ["ann", "ann", "ann", "ben", "ben", "ben"]


def test_next_begins_again_where_something_was_left_out(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 3, ("ann",))
    assert [stores.answers.next("q1", "ann", after) for after in (0, 1, 2, 3)] == [1, 2, 3, 1]


def test_progress_counts_shares_and_all(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 6)
    say(stores, 1, "ben")
    found = {each.reviewer: (each.done, each.total) for each in stores.answers.progress() if each.question == "q1"}
    owner = stores.answers.at("q1", 1, "ann").answer.reviewers[0]
    other = "ben" if owner == "ann" else "ann"
    assert found == {None: (1, 6), owner: (1, 3), other: (0, 3)}


# The sample


def test_an_answer_of_the_sample_is_marked_blind(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 4, sample=4)
    say(stores, 1, "ann", FULL)
    assert stores.answers.at("q1", 1, "ben").mark is None
    answer = stores.answers.at("q1", 1, "ben").answer.id
    assert stores.marks.history(answer, "ben") == ()
    say(stores, 1, "ben", Draft(("fit",)))
    assert len(stores.marks.history(answer, "ben")) == 2


def test_it_counts_where_both_agree_or_somebody_settled_it(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 2, sample=2)
    for reviewer in ("ann", "ben"):
        say(stores, 1, reviewer, FULL)
    say(stores, 2, "ann", FULL)
    assert len(stores.marks.final()) == 1
    say(stores, 2, "ben", Draft(("fit",)))
    assert len(stores.marks.final()) == 1
    pair = stores.marks.pairs("q1")[1]
    assert (pair.both, pair.agree, pair.settled) == (True, False, None)
    settled = stores.marks.settle(pair.answer.id, "ann", Draft(("unseen",)), 0, "settle")
    assert stores.marks.final()[pair.answer.submission, "q1"] == settled
    with pytest.raises(Conflict):
        stores.marks.settle(pair.answer.id, "ben", FULL, 0, "settle too")


def test_nothing_is_settled_before_both_have_marked(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 2, sample=2)
    say(stores, 1, "ann")
    with pytest.raises(ReviewError, match="once both of its reviewers"):
        stores.marks.settle(stores.answers.at("q1", 1, "ann").answer.id, "ann", FULL, 0, "n")


def test_a_third_reviewer_may_look_but_not_mark(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 3, ("ann", "ben", "cat"), sample=1)
    pair = stores.marks.pairs("q1")[0]
    first, second = pair.answer.reviewers
    third = ({"ann", "ben", "cat"} - {first, second}).pop()
    with pytest.raises(ReviewError, match=f"in the sample of {first} and {second}"):
        say(stores, pair.number, third)
    while (number := stores.answers.next("q1", third)) is not None:
        say(stores, number, third)
    assert len(stores.marks.final()) == 2


def test_progress_wants_two_marks_of_an_answer_in_the_sample(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 4, sample=2)
    pair = stores.marks.pairs("q1")[0]
    say(stores, pair.number, "ann")
    found = {each.reviewer: (each.done, each.total) for each in stores.answers.progress()}
    assert found == {None: (1, 6), "ann": (1, 3), "ben": (0, 3)}


def test_the_total_of_a_question_is_what_progress_says_of_all(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 6, sample=2)
    pair = stores.marks.pairs("q1")[0]
    say(stores, pair.number, "ann")
    say(stores, pair.number, "ben", Draft())
    stores.marks.settle(pair.answer.id, "ann", FULL, 0, "settled")
    say(
        stores,
        next(number for number in range(1, 7) if not stores.answers.at("q1", number, "ann").answer.in_sample),
        "ben",
    )
    whole = [each for each in stores.answers.progress() if each.question == "q1" and each.reviewer is None]
    assert [stores.answers.question_progress("q1")] == whole
    assert (whole[0].done, whole[0].total) == (3, 8)


# Groups


LIKE = {"x1": "because it is faster", "x2": "because it is faster", "e1": None, "e2": " ", "e3": None}


def test_like_answers_are_marked_together_and_stay_records_of_their_own(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 3, ("ann",), words=LIKE)
    empty, faster = stores.answers.groups("q1", "ann")
    assert [len(group) for group in (empty, faster)] == [3, 2]
    assert {place.answer.text for place in empty} == {None}
    said = stores.marks.save_group(
        [place.answer.id for place in faster], "ann", Draft(comment="Faster is not why."), "g1"
    )
    assert len({mark.id for mark in said}) == len({mark.answer for mark in said}) == 2
    assert len(stores.marks.final()) == 2
    assert sorted(stores.marks.undo("ann")) == sorted(mark.answer for mark in said)
    assert stores.marks.final() == {}


def test_a_group_is_marked_as_a_whole_or_not_at_all(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 0, ("ann", "ben"), words=LIKE)
    group = stores.answers.groups("q1", "ann")[0]
    say(stores, group[-1].number, "ben")
    with pytest.raises(Conflict):
        stores.marks.save_group([place.answer.id for place in group], "ann", Draft(), "g1")
    assert len(stores.marks.final()) == 1


def test_a_group_that_was_partly_changed_since_is_not_undone(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 0, ("ann", "ben"), words=LIKE)
    group = stores.answers.groups("q1", "ann")[0]
    stores.marks.save_group([place.answer.id for place in group], "ann", Draft(), "g1")
    say(stores, group[0].number, "ben", FULL)
    with pytest.raises(ReviewError, match="marked again since"):
        stores.marks.undo("ann")


def test_an_answer_is_taken_out_of_its_group_and_put_back(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 0, ("ann",), words=LIKE)
    one = stores.answers.groups("q1", "ann")[0][0].answer.id
    stores.answers.set_apart(one, "ann", apart=True)
    assert [len(group) for group in stores.answers.groups("q1", "ann")] == [2, 2]
    stores.answers.set_apart(one, "ann", apart=False)
    assert [len(group) for group in stores.answers.groups("q1", "ann")] == [3, 2]


# The rubric


def test_a_changed_rubric_counts_for_what_is_marked_already(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    said = say(stores, 1, "ann", Draft(("fit",)))
    say(stores, 2, "ann", Draft(("unseen",)))
    now = stores.rubrics.in_force("q1")
    new = replace(now, items=(RubricItem("fit", 2, "x"), RubricItem("unseen", 2, "y"), RubricItem("faster", -1, "z")))
    effects = stores.rubrics.preview(new)
    assert [(each.number, each.before, each.after) for each in effects] == [(1, 1, 2)]
    assert stores.answers.at("q1", 1, "ann").mark == said
    assert stores.rubrics.apply(new, "ann") == effects
    seen = stores.answers.at("q1", 1, "ann").mark
    assert seen is not None
    assert seen.points == 2
    assert say(stores, 3, "ann", Draft(("unseen", "faster"))).points == 1


def test_a_rubric_that_does_not_add_up_is_refused(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    now = stores.rubrics.in_force("q1")
    with pytest.raises(ReviewError, match="the question is worth 4"):
        stores.rubrics.apply(replace(now, items=now.items[:1]), "ann")
    assert stores.rubrics.in_force("q1") == now


def test_two_who_change_the_rubric_at_once_do_not_overwrite_each_other(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    now = stores.rubrics.in_force("q1")
    stores.rubrics.apply(replace(now, items=(*now.items, RubricItem("a", -1, "a"))), "ann")
    with pytest.raises(ReviewError, match="in the meantime"):
        stores.rubrics.apply(replace(now, items=(*now.items, RubricItem("b", -1, "b"))), "ben")


def changed(rules: Policy) -> Policy:
    """The same policy with the points of two rubric items of q1 exchanged."""
    data = rules.model_dump()
    first, second, *_ = data["questions"]["q1"]["rubric"]
    first["points"], second["points"] = second["points"], first["points"]
    return Policy.model_validate(data)


def test_grading_yml_changes_the_rubric_where_no_mark_changes(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    fill(stores, changed(rules))
    assert [item.points for item in stores.rubrics.in_force("q1").items] == [2, 1, 1]
    assert stores.rubrics.pending("q1") is None


def test_grading_yml_does_not_take_away_what_a_reviewer_added(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    now = stores.rubrics.in_force("q1")
    mine = (*now.items, RubricItem("late", -1, "handed in late"))
    stores.rubrics.apply(replace(now, items=mine), "ann")
    fill(stores, changed(rules))
    assert stores.rubrics.in_force("q1").items == mine
    assert stores.rubrics.pending("q1") is not None


def test_where_marks_would_change_grading_yml_waits_for_a_yes(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    say(stores, 1, "ann", Draft(("fit",)))
    fill(stores, changed(rules))
    assert [item.points for item in stores.rubrics.in_force("q1").items] == [1, 2, 1]
    offered = stores.rubrics.pending("q1")
    assert offered is not None
    assert [(each.before, each.after) for each in stores.rubrics.preview(offered)] == [(1, 2)]
    stores.rubrics.apply(offered, "ann")
    assert stores.rubrics.pending("q1") is None
    fill(stores, changed(rules))
    assert [item.points for item in stores.rubrics.in_force("q1").items] == [2, 1, 1]


# What comes later


def test_an_answer_handed_in_again_keeps_its_place_and_its_history(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    old = stores.answers.at("q1", 3, "ann").answer
    said = say(stores, 3, "ann")
    fill(stores, rules, words={old.submission: "other words"})
    new = stores.answers.at("q1", 3, "ann")
    assert (new.answer.submission, new.answer.text, new.mark) == (old.submission, "other words", None)
    assert [mark.id for mark in stores.marks.history(new.answer.id, "ann")] == [said.id]
    with pytest.raises(ReviewError, match="handed in another answer"):
        stores.marks.save(old.id, "ann", FULL, said.id, "late")


def test_one_more_student_goes_to_the_end(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    before = [stores.answers.at("q1", number, "ann").answer.id for number in range(1, 6)]
    fill(stores, rules, 7)
    assert [stores.answers.at("q1", number, "ann").answer.id for number in range(1, 6)] == before
    assert stores.answers.at("q1", 1, "ann").of == 7


def test_an_answer_is_found_by_whose_it_is(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    place = stores.answers.at("q1", 3, "ann")
    assert stores.answers.find(place.answer.submission, "q1") == place.answer.id
    assert stores.answers.find(place.answer.submission, "q2") is None
    assert stores.answers.find("nobody", "q1") is None


def test_the_same_again_changes_nothing(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, sample=2)
    before = [stores.answers.at("q1", number, "ann") for number in range(1, 6)]
    fill(stores, rules, sample=2)
    assert [stores.answers.at("q1", number, "ann") for number in range(1, 6)] == before


def test_names_are_told_and_the_log_says_who_asked(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    answer = stores.answers.at("q1", 1, "ann").answer
    assert stores.answers.reveal(answer.id, "ann") == answer.submission
    newest = stores.log.newest()[0]
    assert (newest.who, newest.what, newest.answer) == ("ann", "revealed the name", answer.id)


def test_snippets_are_kept_once_and_dropped(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules)
    first = stores.snippets.add("q1", " Say why. ", "ann")
    assert stores.snippets.add("q1", "Say why.", "ben") == first
    stores.snippets.add("q1", "More.", "ann")
    stores.snippets.remove(first.id)
    assert [snippet.text for snippet in stores.snippets.all("q1")] == ["More."]
    with pytest.raises(ReviewError, match="1 to 20000"):
        stores.snippets.add("q1", "  ", "ann")


def test_a_name_that_is_no_text_is_taken(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 1, words={"\udcff": "x"})
    assert stores.answers.at("q1", 1, "ann").of == 2


# Many at once


def test_of_many_who_mark_one_answer_at_once_one_is_first_and_the_others_are_told(
    stores: ReviewStores, rules: Policy
) -> None:
    fill(stores, rules, 1, ("ann",))
    answer = stores.answers.at("q1", 1, "ann").answer.id
    start = threading.Barrier(12)

    def attempt(number: int) -> str:
        start.wait()
        try:
            stores.marks.save(answer, f"r{number}", Draft(("fit",)), 0, f"race-{number}")
        except Conflict:
            return "told"
        return "first"

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(attempt, range(12))) == {"first": 1, "told": 11}
    assert len(stores.marks.history(answer, "ann")) == 1


def test_marks_of_many_at_once_are_all_there_once(stores: ReviewStores, rules: Policy) -> None:
    fill(stores, rules, 60, ("ann",))
    ids = [stores.answers.at("q1", number, "ann").answer.id for number in range(1, 61)]

    def act(number: int) -> Mark:
        return stores.marks.save(ids[number % 60], "ann", FULL, 0, f"n{number % 60}")

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(act, range(180)))
    assert len({mark.id for mark in said}) == 60
    assert sum(len(stores.marks.history(id, "ann")) for id in ids) == 60


# Older and broken gradebooks


def test_a_gradebook_that_is_held_by_another_says_so(
    tmp_path: Path, rules: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.gradebook.database.BUSY_S", 0.2)
    path = tmp_path / "gradebook.db"
    with ReviewStores(path) as stores:
        fill(stores, rules)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(GradebookError, match="locked"):
                say(stores, 1, "ann")
            assert stores.answers.at("q1", 1, "ann").mark is None
        finally:
            other.close()
        say(stores, 1, "ann")


def test_the_file_stands_alone_when_the_review_has_ended(tmp_path: Path, rules: Policy) -> None:
    with ReviewStores(tmp_path / "gradebook.db") as stores:
        fill(stores, rules)
        say(stores, 1, "ann")
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
