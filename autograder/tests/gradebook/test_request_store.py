from __future__ import annotations

import pytest

from autograder.errors import ReviewError
from autograder.gradebook.request_store import RegradeRequest, RequestStore
from autograder.gradebook.stores import ReviewStores

ONE = RegradeRequest("s1", "q1", "I did say why.")
OTHER = RegradeRequest("s2", "q1", "Please look again.")


@pytest.fixture
def requests(stores: ReviewStores) -> RequestStore:
    return stores.requests


def test_requests_are_stored_once_with_the_points_of_that_moment(requests: RequestStore) -> None:
    requests.add([ONE], {("s1", "q1"): 2.5})
    requests.add([ONE, OTHER, OTHER], {("s1", "q1"): 4})
    first, second = requests.all()
    assert (first.submission, first.text, first.status, first.before) == ("s1", "I did say why.", "open", 2.5)
    assert (second.submission, second.before) == ("s2", None)


def test_open_ones_come_first_and_the_log_says_who_replied(requests: RequestStore, stores: ReviewStores) -> None:
    requests.add([ONE, OTHER], {})
    first = requests.all()[0].id
    requests.reply(first, "declined", " It was counted. ", "ann")
    assert [(request.submission, request.status, request.reply) for request in requests.all()] == [
        ("s2", "open", ""),
        ("s1", "declined", "It was counted."),
    ]
    assert (stores.log.newest()[0].who, stores.log.newest()[0].what) == ("ann", "declined the request on q1")
    with pytest.raises(ReviewError, match="ann has declined this request in the meantime"):
        requests.reply(first, "accepted", "", "ben")


@pytest.mark.parametrize(
    ("id", "status", "reply", "message"),
    [
        (99, "accepted", "", "no request 99"),
        (1, "maybe", "", "not 'maybe'"),
        (1, "open", "", "not 'open'"),
        (1, "accepted", "x" * 20_001, "20001"),
    ],
)
def test_an_invalid_reply_is_refused(id: int, status: str, reply: str, message: str, requests: RequestStore) -> None:
    requests.add([ONE], {})
    with pytest.raises(ReviewError, match=message):
        requests.reply(id, status, reply, "ann")
    assert requests.all()[0].status == "open"
