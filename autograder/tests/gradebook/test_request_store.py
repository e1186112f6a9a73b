from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.errors import ReviewError
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RequestStore

ONE = ("s1", "q1", "I did say why.")
OTHER = ("s2", "q1", "Please look again.")


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[MarkStore]:
    with MarkStore(tmp_path / "gradebook.db") as opened:
        yield opened


@pytest.fixture
def inbox(marks: MarkStore) -> RequestStore:
    return RequestStore(marks.database)


def test_requests_are_kept_with_the_points_of_that_moment(inbox: RequestStore) -> None:
    assert inbox.add([ONE, OTHER], {("s1", "q1"): 2.5}) == 2
    first, second = inbox.requests()
    assert (first.submission, first.text, first.status, first.before) == ("s1", "I did say why.", "open", 2.5)
    assert second.before is None


def test_the_same_request_again_is_one(inbox: RequestStore) -> None:
    inbox.add([ONE], {})
    assert inbox.add([ONE, OTHER], {}) == 1
    assert len(inbox.requests()) == 2


def test_open_ones_come_first_and_the_log_says_who_answered(inbox: RequestStore, marks: MarkStore) -> None:
    inbox.add([ONE, OTHER], {})
    inbox.answer_request(inbox.requests()[0].id, "declined", " It was counted. ", "ann")
    assert [(each.submission, each.status, each.reply) for each in inbox.requests()] == [
        ("s2", "open", ""),
        ("s1", "declined", "It was counted."),
    ]
    assert (marks.log()[0].who, marks.log()[0].what) == ("ann", "declined the request on q1")


@pytest.mark.parametrize(
    ("id", "status", "reply", "said"),
    [(99, "accepted", "", "no request 99"), (1, "maybe", "", "not 'maybe'"), (1, "accepted", "x" * 20_001, "20001")],
)
def test_what_cannot_be_is_refused(id: int, status: str, reply: str, said: str, inbox: RequestStore) -> None:
    inbox.add([ONE], {})
    with pytest.raises(ReviewError, match=said):
        inbox.answer_request(id, status, reply, "ann")
    assert inbox.requests()[0].status == "open"
