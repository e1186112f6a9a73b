"""Any submission_metadata.json is read; attempts are counted fairly; a refusal takes no points away."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.gradescope.metadata import Attempt, Metadata, carried_over, read, refusal
from autograder.policy.policy import AttemptLimit
from autograder.report.results_json import results
from autograder.tests.journals import RULES
from autograder.tests.report.test_results_json import validate
from autograder.tests.reports import graded, half_graded, rejected, ungraded

PACIFIC = timezone(timedelta(hours=-7))
NOW = datetime(2026, 9, 14, 19, 40, 51, tzinfo=PACIFIC)
HOUR = timedelta(hours=1)
SHORTEST = timedelta.resolution

EARLIER = {
    "submission_time": "2026-09-13T08:00:00.250000-07:00",
    "score": "16.66",
    "autograder_error": False,
    "results": results(graded(), RULES),
}
DOCUMENTED = {
    "id": 123456,
    "created_at": "2026-09-14T19:40:51.000000-07:00",
    "assignment": {"due_date": "2026-09-20T23:00:00.000000-07:00", "id": 25828, "total_points": "40.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.com", "id": 1, "name": "Ada"}],
    "previous_submissions": [EARLIER],
}


def read_text(folder: Path, content: str | bytes) -> Metadata:
    path = folder / "submission_metadata.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


def read_entry(folder: Path, **changes: Any) -> Attempt:
    """Read an earlier submission with these changes."""
    content = {"previous_submissions": [{**EARLIER, **changes}]}
    return read_text(folder, json.dumps(content)).previous[0]


def test_the_documented_form_is_read(tmp_path: Path) -> None:
    earlier = Attempt(datetime(2026, 9, 13, 8, 0, 0, 250_000, PACIFIC), 16.66, False, results(graded(), RULES))
    assert read_text(tmp_path, json.dumps(DOCUMENTED)) == Metadata(NOW, (earlier,))


UNREADABLE = {
    "empty, as Otter makes it": b"",
    "no JSON": b"{",
    "nested without end": b"[" * 100_000,
    "a time without a zone": b'{"created_at": "2026-09-14T19:40:51"}',
    "not a time": b'{"created_at": "yesterday"}',
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_metadata_counts_as_missing(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "submission_metadata.json") == read(tmp_path) == Metadata()
    assert read_text(tmp_path, content) == Metadata()


def test_an_odd_entry_affects_no_other(tmp_path: Path) -> None:
    metadata = read_text(tmp_path, json.dumps({**DOCUMENTED, "previous_submissions": [7, EARLIER, {}]}))
    assert [attempt.score for attempt in metadata.previous] == [16.66, None]


@pytest.mark.parametrize("value", [None, "none", True, [7.5], float("nan"), float("inf"), "-inf", 10**400], ids=repr)
def test_a_score_is_a_finite_number_or_missing(tmp_path: Path, value: Any) -> None:
    assert [read_entry(tmp_path, score=number).score for number in (7.5, 7, "7.5")] == [7.5, 7.0, 7.5]
    assert read_entry(tmp_path, score=value).score is None


FAULTS = {
    "a graded one": ({}, False),
    "a rejected file": ({"results": results(rejected(), RULES)}, False),
    "one question ungraded": ({"results": results(half_graded(), RULES)}, True),
    "the whole ungraded": ({"results": results(ungraded(), RULES)}, True),
    "Gradescope's own error": ({"autograder_error": True, "results": None}, True),
    "a refused one": ({"results": {"score": 5, "extra_data": {"status": "graded", "attempt": "refused"}}}, True),
    "an error that is not a boolean": ({"autograder_error": "false"}, False),
    "no results": ({"results": None}, False),
    "results of another form": ({"results": [{"extra_data": {"attempt": "refused"}}]}, False),
    "extra data of another form": ({"results": {"extra_data": "refused"}}, False),
    "a status of another form": ({"results": {"extra_data": {"status": ["could not be graded"]}}}, False),
}


@pytest.mark.parametrize(("changes", "fault"), FAULTS.values(), ids=FAULTS)
def test_ungraded_attempts_are_recognised(tmp_path: Path, changes: dict[str, Any], fault: bool) -> None:
    assert read_entry(tmp_path, **changes).fault is fault


def test_numbers_that_json_cannot_hold_are_left_out_of_results(tmp_path: Path) -> None:
    content = b'{"previous_submissions": [{"results": {"score": 1e999, "output": NaN}}]}'
    assert read_text(tmp_path, content).previous[0].results == {"score": None, "output": None}


def entry(hours: float = 2, score: float | None = 5.0, fault: bool = False) -> Attempt:
    """Make an attempt `hours` before now."""
    return Attempt(NOW - hours * HOUR, score, fault, None)


def test_without_a_limit_nothing_is_refused() -> None:
    assert refusal(Metadata(NOW, (entry(),) * 2000), AttemptLimit()) == ""


@pytest.mark.parametrize("limits", [AttemptLimit(per_day=3), AttemptLimit(per_assignment=3)], ids=["day", "assignment"])
def test_as_many_graded_attempts_as_the_limit_says_are_accepted(limits: AttemptLimit) -> None:
    assert refusal(Metadata(NOW, (entry(), entry(), *[entry(fault=True)] * 5)), limits) == ""
    assert refusal(Metadata(NOW, (entry(), entry(), entry())), limits)


AGES = {
    "just now": (timedelta(0), True),
    "a moment less than a day ago": (24 * HOUR - SHORTEST, True),
    "a day ago": (24 * HOUR, False),
    "later, by another clock": (-HOUR, False),
}


@pytest.mark.parametrize(("age", "counts"), AGES.values(), ids=AGES)
def test_a_day_is_the_24_hours_before(age: timedelta, counts: bool) -> None:
    earlier = replace(entry(), at=(NOW - age).astimezone(UTC))
    assert bool(refusal(Metadata(NOW, (earlier,)), AttemptLimit(per_day=1))) is counts


@pytest.mark.parametrize(
    "metadata",
    [Metadata(NOW, (replace(entry(), at=None),)), Metadata(None, (entry(),))],
    ids=["earlier attempt", "submission"],
)
def test_an_unknown_time_counts_for_the_assignment_but_not_for_the_day(metadata: Metadata) -> None:
    assert refusal(metadata, AttemptLimit(per_day=1)) == ""
    assert refusal(metadata, AttemptLimit(per_assignment=1))


def refused(limits: AttemptLimit, *previous: Attempt) -> str:
    return refusal(Metadata(NOW, previous), limits)


def test_a_refusal_names_the_attempts_used_and_the_time_of_the_next_one() -> None:
    message = refused(AttemptLimit(per_assignment=3), *[entry(score=3.25)] * 4)
    assert "the limit for this assignment is 3 attempts, and 4 had been used before it. No further" in message
    assert message.endswith("The score of your last graded attempt counts.")
    assert "3.25" not in message, "the score may still be hidden"
    message = refused(AttemptLimit(per_day=2), entry(2), entry(30), entry(20, score=3.25))
    assert "the limit is 2 attempts in 24 hours, and 2 had been used in the 24 hours before it." in message
    assert "The next attempt is possible from 2026-09-14 23:41 (UTC-07:00)." in message
    assert "3.25" not in message, "the score may still be hidden"
    assert "the limit is 1 attempt in 24 hours, and 1 had been used" in refused(AttemptLimit(per_day=1), entry())
    assert "The next attempt" not in refused(AttemptLimit(per_day=1, per_assignment=1), entry())


@given(
    minutes=st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=8),
    seconds=st.integers(0, 59),
    limit=st.integers(1, 4),
)
@settings(derandomize=True, deadline=None)
def test_the_next_attempt_is_possible_at_the_stated_time_and_not_two_minutes_before(
    minutes: list[int], seconds: int, limit: int
) -> None:
    now = NOW.replace(second=seconds)
    previous = tuple(Attempt(now - timedelta(minutes=each), 1.0) for each in minutes)
    found = refusal(Metadata(now, previous), AttemptLimit(per_day=limit))
    if not found:
        return
    stated = datetime.fromisoformat(found.split(" from ")[1][:16]).replace(tzinfo=PACIFIC)
    assert stated > now
    assert refusal(Metadata(stated, previous), AttemptLimit(per_day=limit)) == ""
    too_soon = max(now, stated - 2 * timedelta(minutes=1))
    assert refusal(Metadata(too_soon, previous), AttemptLimit(per_day=limit))


OLD, NEW, UNTIMED = entry(hours=9, score=9.0), entry(hours=1, score=2.0), replace(entry(), at=None)
LAST = {
    "the newest": ((OLD, NEW), NEW),
    "in any order": ((NEW, OLD), NEW),
    "without a score": ((OLD, entry(score=None)), OLD),
    "a fault": ((OLD, entry(fault=True)), OLD),
    "a time before none": ((UNTIMED, OLD), OLD),
    "the last without a time": ((replace(UNTIMED, score=6.0), UNTIMED), UNTIMED),
}


@pytest.mark.parametrize(("previous", "last"), LAST.values(), ids=LAST)
def test_the_newest_graded_attempt_counts(previous: tuple[Attempt, ...], last: Attempt) -> None:
    assert Metadata(NOW, previous).last is last


def test_without_any_score_a_total_of_0_is_called_a_placeholder() -> None:
    message = refused(AttemptLimit(per_day=1), entry(score=None))
    assert message.endswith("a total of 0 shown here is a placeholder, not a mark.")
    assert carried_over(message, None)["score"] == 0.0


def test_a_refused_attempt_keeps_the_last_results_with_the_refusal_before_them() -> None:
    before = results(graded(), RULES)
    before["leaderboard"] = [{"name": "Accuracy", "value": 0.9598}]
    untouched = copy.deepcopy(before)
    document = carried_over("Too soon.", Attempt(NOW, 16.66, False, before))
    validate(document)
    assert document["output"] == "Too soon.\n\n" + before["output"]
    assert document["extra_data"] == {**before["extra_data"], "attempt": "refused"}
    same = before.keys() - {"output", "extra_data"}
    assert {"score", "tests", "leaderboard", "visibility"} <= same
    assert {key: document[key] for key in same} == {key: before[key] for key in same}
    document["tests"].clear()
    document["extra_data"]["seconds"].clear()
    assert before == untouched


WITHOUT_RESULTS = {
    "no attempt": (None, 0.0),
    "a score alone": (Attempt(NOW, 7.5), 7.5),
    "a score of 0": (Attempt(NOW, 0.0), 0.0),
    "empty results": (Attempt(NOW, 7.5, False, {}), 7.5),
    "results without a text": (Attempt(NOW, 7.5, False, {"score": 7.5, "output": ["x"], "extra_data": [1]}), 7.5),
}


@pytest.mark.parametrize(("last", "score"), WITHOUT_RESULTS.values(), ids=WITHOUT_RESULTS)
def test_without_earlier_results_only_the_score_is_carried_over(last: Attempt | None, score: float) -> None:
    document = carried_over("Too soon.", last)
    validate(document)
    assert (document["score"], document["output"]) == (score, "Too soon.")
    assert document["extra_data"] == {"attempt": "refused"}


def test_refused_attempts_do_not_accumulate(tmp_path: Path) -> None:
    first = {**EARLIER, "submission_time": "2026-09-14T10:00:00-07:00"}
    content = {**DOCUMENTED, "previous_submissions": [first]}
    metadata = read_text(tmp_path, json.dumps(content))
    once = carried_over(refusal(metadata, AttemptLimit(per_day=1)), metadata.last)
    second = {**first, "submission_time": "2026-09-14T11:00:00-07:00", "results": once}
    content["previous_submissions"] = [first, second]
    metadata = read_text(tmp_path, json.dumps(content))
    assert carried_over(refusal(metadata, AttemptLimit(per_day=1)), metadata.last) == once


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str)
ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)))
TIMES = st.datetimes(timezones=ZONES).map(datetime.isoformat) | ATOMS
JSON = st.recursive(ATOMS, lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside), max_leaves=8)
EXTRA = st.fixed_dictionaries({}, optional={"status": JSON, "attempt": JSON})
RESULTS = JSON | st.fixed_dictionaries({"extra_data": JSON | EXTRA})
FIELDS = {"submission_time": TIMES, "score": JSON, "autograder_error": JSON, "results": RESULTS}
ENTRY = st.fixed_dictionaries({}, optional=FIELDS)
PREVIOUS = JSON | st.lists(JSON | ENTRY, max_size=4)
NEARLY = st.fixed_dictionaries({}, optional={"created_at": TIMES, "previous_submissions": PREVIOUS})
CONTENTS = st.binary() | st.text().map(str.encode) | (JSON | NEARLY).map(json.dumps).map(str.encode)


def at_the_end(created_at: str | None, *submitted: str) -> bytes:
    """Return metadata with times at an end of the calendar."""
    previous = [{"submission_time": time, "score": 1} for time in submitted]
    return json.dumps({"created_at": created_at, "previous_submissions": previous}).encode()


@given(content=CONTENTS)
@example(content=at_the_end(None, *["9998-12-31T23:59:59-23:59"] * 2))
@example(content=at_the_end("9998-12-31T23:59:59-23:59", "9998-12-31T23:59:59+23:59"))
@example(content=at_the_end("0002-01-01T00:00:00+23:59", "0002-01-01T00:00:00+23:59"))
@example(content=b"\xef\xbb\xbf{}")
@example(content=b'{"created_at": "2026\\ud80009-14T00:00:00Z", "users": [{"email": "\\ud800"}]}')
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_content_is_read_decided_and_answered_without_an_exception(tmp_path: Path, content: bytes) -> None:
    metadata = read_text(tmp_path, content)
    assert all(moment.tzinfo for moment in (metadata.created_at, *(one.at for one in metadata.previous)) if moment)
    for limits in (AttemptLimit(per_day=1), AttemptLimit(per_assignment=1)):
        if message := refusal(metadata, limits):
            json.dumps(carried_over(message, metadata.last), allow_nan=False)
