"""grading.yml as objects: the shipped file, shared points, and never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autograder.errors import PolicyError
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.policy.policy import AttemptLimit, Policy, Review, share
from autograder.tests.policies import FILE, SAMPLE


@pytest.mark.parametrize(
    ("text", "attempts"),
    [("{per_day: 3, per_assignment: 1000}", AttemptLimit(per_day=3, per_assignment=1000)), ("{}", AttemptLimit())],
)
def test_each_limit_on_attempts_may_be_given_or_left_out(text: str, attempts: AttemptLimit) -> None:
    assert grading_file.parse(f"{SAMPLE}attempts: {text}\n", FILE).attempts == attempts


def test_the_shipped_file_has_no_limit_and_no_reviewers_and_shows_how_to_write_them() -> None:
    text = HOME.policy.read_text(encoding="utf-8")
    shipped = grading_file.parse(text, FILE)
    assert (shipped.attempts, shipped.review) == (AttemptLimit(), Review())
    shown = grading_file.parse(re.sub(r"(?m)^# (?=attempts:|review:|  )", "", text), FILE)
    assert shown.attempts == AttemptLimit(per_day=5, per_assignment=20)
    assert shown.review == Review(reviewers=("ann", "ben"), sample=20)


@pytest.mark.parametrize("text", [SAMPLE.replace("\n", "\r\n"), "\ufeff" + SAMPLE], ids=["CRLF", "byte order mark"])
def test_what_editors_on_windows_add_changes_nothing(text: str) -> None:
    assert grading_file.parse(text, FILE) == grading_file.parse(SAMPLE, FILE)


def test_an_anchor_may_be_used_again() -> None:
    text = SAMPLE.replace("points: 4\n", "points: &p 4\n").replace("points: 6\n", "points: &p 6\n")
    assert grading_file.parse(text, FILE) == grading_file.parse(SAMPLE, FILE)


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        grading_file.parse(SAMPLE, FILE).questions["q1"].points = 5  # type: ignore[misc]  # frozen: the test


def test_the_fingerprint_is_the_same_for_another_layout_and_comments() -> None:
    other = SAMPLE.replace("  split_seed: 3\n", "").replace("  name", "  split_seed: 3  # this term's\n  name")
    other = "# Term 2\n" + other.replace("phrases: [faster]", "phrases:\n          - faster").replace(
        "points: 8", "points: 8.0"
    )
    assert other != SAMPLE
    assert grading_file.parse(other, FILE).fingerprint == grading_file.parse(SAMPLE, FILE).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "decides"),
    [
        ("seed: 3", "seed: 4", True),
        ("0.95", "0.951", True),
        ("feedback:", "attempts: {per_day: 3, per_assignment: 9}\nfeedback:", False),
        ("feedback:", "feedback:\n  leaderboard: true", False),
        ("hidden: hidden", "hidden: visible", False),
        ("feedback:", "review: {reviewers: [ann, ben], sample: 10}\nfeedback:", False),
        ("It is fitted.", "It fits.", False),
        ("phrases: [faster]", "phrases: [quicker]", False),
    ],
)
def test_the_fingerprint_changes_with_what_decides_about_points_alone(old: str, new: str, decides: bool) -> None:
    sample, other = grading_file.parse(SAMPLE, FILE), grading_file.parse(SAMPLE.replace(old, new), FILE)
    assert other != sample
    assert (other.fingerprint != sample.fingerprint) is decides


@pytest.mark.parametrize(
    ("points", "parts", "shares"),
    [
        (4.0, 2, (2.0, 2.0)),
        (1.0, 3, (0.33, 0.33, 0.34)),
        (0.125, 1, (0.125,)),
        (1.14, 2, (0.57, 0.57)),
        (0.01, 2, (0.0, 0.01)),
    ],
    ids=["even", "the last takes the rest", "one part", "missed by binary fractions", "under a hundredth each"],
)
def test_points_are_shared_evenly(points: float, parts: int, shares: tuple[float, ...]) -> None:
    assert share(points, parts) == shares


@given(cents=st.integers(1, 100_000), parts=st.integers(1, 20))
@settings(derandomize=True, deadline=None)
def test_shares_add_up_and_differ_by_rounding_alone(cents: int, parts: int) -> None:
    shares = share(cents / 100, parts)
    assert len(shares) == parts
    assert round(sum(shares), 6) == cents / 100
    assert round(max(shares) - min(shares), 6) <= parts / 100


def parses_or_is_reported(text: str) -> None:
    try:
        outcome: Policy | str = grading_file.parse(text, FILE)
    except PolicyError as error:
        outcome = str(error)
    assert isinstance(outcome, Policy) or outcome.startswith("grading.yml:")


THOROUGH = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
PIECES = st.sampled_from(
    [*" \t\n:-[]{}&*!|>'\"%@#,?~.0\0é", "&a ", "*a", "<<: *a", "!!set ", "!!omap ", "!x ", "---\n", "? "]
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["delete", "replace", "insert", "double"]), st.booleans(), st.floats(0, 1), PIECES),
    min_size=1,
    max_size=3,
)


def edited(text: str, edits: list[tuple[str, bool, float, str]]) -> str:
    """The text with characters or whole lines deleted, replaced, inserted or doubled."""
    for verb, lines, place, piece in edits:
        parts = text.splitlines(keepends=True) if lines else list(text)
        at = int(place * max(len(parts) - 1, 0))
        new = {
            "delete": [],
            "replace": [piece],
            "insert": [piece, *parts[at : at + 1]],
            "double": parts[at : at + 1] * 2,
        }
        text = "".join([*parts[:at], *new[verb], *parts[at + 1 :]])
    return text


@given(text=st.text())
@example(text="=")
@example(text="questions: {2: {kind: code, titel: x}}")
@example(text="&a\nassignment: *a\nquestions: *a\n")
@example(text="questions: !!set {a, b}\nassignment: !x 5\n")
@THOROUGH
def test_any_text_is_parsed_or_reported(text: str) -> None:
    parses_or_is_reported(text)


@pytest.mark.parametrize("path", [None, HOME.policy], ids=["the sample", "the shipped file"])
@given(edits=EDITS)
@settings(THOROUGH, max_examples=100)
def test_a_file_with_random_edits_is_parsed_or_reported(
    path: Path | None, edits: list[tuple[str, bool, float, str]]
) -> None:
    parses_or_is_reported(edited(path.read_text(encoding="utf-8") if path else SAMPLE, edits))
