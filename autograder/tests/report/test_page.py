"""The feedback page: every outcome in words, and a student's words never more than words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.judge.grade_report import CheckResult, GradeReport, MarkedItem, Outcome, QuestionGrade
from autograder.report.page import feedback_page
from autograder.tests.journals import RULES
from autograder.tests.report.parsed_page import ParsedPage
from autograder.tests.reports import HOSTILE, MARKED, QUESTIONS, graded, half_graded, hostile, rejected, ungraded, whole


def page(report: GradeReport) -> ParsedPage:
    return ParsedPage(feedback_page(report, RULES))


def with_first(question: QuestionGrade) -> GradeReport:
    """Return the usual report with another first question."""
    return graded(questions=(question, *QUESTIONS[1:]))


def test_a_page_shows_points_checks_and_messages() -> None:
    words = page(graded()).words
    for expected in (
        "A test of checks Feedback for first 16.66 of 26 automatic points",
        "Remarks One command was skipped.",
        "q1. Why awaiting review, 4 points Because it is so.",
        "q4. Look 6 of 6 ✓ shape 3 of 3 ✓ length 3 of 3",
        "q5. Build 2.66 of 8 Cell 3 stopped with KeyError: x ✓ layer 1 2.66 of 2.66",
        "✗ layer 2 0 of 2.66 Found: layer 2 has 64 neurons Expected: 128",
        "On images it had never seen, your model got 95.98 % right.",
    ):
        assert expected in words
    assert "public" not in words, "checks without points are not listed"
    assert "never seen" not in page(graded(accuracy=None)).words


def test_a_missing_answer_is_named() -> None:
    words = page(graded(questions=(QuestionGrade("q1", "Why", True, 4, None),))).words
    assert "q1. Why awaiting review, 4 points No answer was found." in words


def test_a_rejected_file_gets_the_reason_and_nothing_else() -> None:
    words = page(rejected()).words
    assert words.endswith("0 of 26 automatic points This file cannot be graded as it is It is not a notebook.")


def test_an_ungraded_notebook_shows_no_points_as_lost_and_no_fault() -> None:
    words = page(ungraded()).words
    assert "Feedback for third could not be graded Not your fault The grader failed on this notebook." in words
    assert "q4. Look could not be graded, 6 points" in words
    assert "0 of" not in words
    assert "took too long" not in words


def test_an_ungraded_question_shows_no_points_as_lost_there() -> None:
    words = page(half_graded()).words
    assert "q7. Train could not be graded, 8 points ? level 1 could not be graded, 8 points" in words
    assert "q4. Look 6 of 6" in words
    assert "secret" not in words


def test_a_marked_answer_is_shown_with_the_reasons_for_its_points() -> None:
    words = page(whole()).words
    assert "Feedback for first 19.16 of 30 points" in words
    assert (
        "q1. Why 2.5 of 4 Because it is so. ✓ 1 of 1 It is fitted. – 0 of 3 It is not seen. ✗ −1 It is far too long. "
        "+2.5 adjusted by the reviewer Comment Say what for. q4."
    ) in words
    assert "something else" not in words


def test_parts_that_a_mark_does_not_have_are_left_out() -> None:
    bare = replace(MARKED, marking=(), adjustment=0.0, message="", earned=4.0)
    assert "q1. Why 4 of 4 Because it is so. q4." in page(with_first(bare)).words
    empty = replace(MARKED, answer=None, message="")
    assert "q1. Why 2.5 of 4 No answer was found. ✓ 1 of 1 It is fitted." in page(with_first(empty)).words


def test_points_that_were_taken_off_have_a_minus() -> None:
    found = page(graded(questions=(replace(MARKED, marking=(), adjustment=-0.5),)))
    assert "−0.5 adjusted by the reviewer" in found.words
    assert '<span class="mark failed">−0.5' in found.source


def test_the_total_is_of_the_automatic_questions_until_all_written_ones_are_marked() -> None:
    half = replace(whole(), questions=(*whole().questions, replace(QUESTIONS[0], id="q2")))
    assert "Feedback for first 16.66 of 26 automatic points" in page(half).words
    broken = replace(half_graded(), questions=(MARKED, *half_graded().questions[1:]))
    assert "Feedback for first could not be graded" in page(broken).words


def test_answers_and_comments_keep_their_lines() -> None:
    answer = "one\n\ttwo\r\nthree\u00a0four 👩\u200d🔬"
    found = page(with_first(replace(MARKED, answer=answer, message="one\n  two")))
    assert '<pre class="answer">one\n\ttwo\ufffd\nthree\u00a0four 👩\u200d🔬</pre>' in found.source
    assert "<pre>one\n  two</pre>" in found.source


def test_hostile_words_are_words() -> None:
    marked = replace(MARKED, marking=(MarkedItem("a", 4, HOSTILE, True),), message=HOSTILE)
    for report, count in ((hostile(), 6), (graded(questions=(marked,)), 2)):
        found = page(report)
        assert "script" not in found.tags
        assert found.words.count("<script>alert(1)</script> [red]red[/red]") == count
        assert not {"\x1b", "\x00", "\ud800"} & set(found.source)
        found.source.encode()


def test_a_page_needs_nothing_from_elsewhere() -> None:
    for report in (graded(), whole(), rejected(), ungraded(), half_graded()):
        found = page(report)
        assert not [*found.values("href"), *found.values("src")]
        assert found.unknown_styles() == []


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.PASSED, 'passed">✓ the one</span> <span class="soft">8 of 8'),
        (Outcome.FAILED, 'failed">✗ the one</span> <span class="soft">0 of 8'),
        (Outcome.NOT_CHECKED, 'unchecked">– the one</span> <span class="soft">not checked, 0 of 8'),
        (Outcome.UNGRADED, 'waiting">? the one</span> <span class="soft">could not be graded, 8 points'),
    ],
)
def test_every_outcome_of_a_check_has_a_sign_and_a_style(outcome: Outcome, expected: str) -> None:
    check = CheckResult("the one", True, 8, outcome, HOSTILE)
    earned = None if outcome is Outcome.UNGRADED else check.earned
    found = page(graded(questions=(QuestionGrade("q7", "Train", False, 8, earned, (check,)),)))
    assert expected in " ".join(found.source.split())
    assert found.unknown_styles() == []


@pytest.mark.parametrize("report", [graded(), rejected(), ungraded(), half_graded()], ids=lambda report: report.status)
def test_no_student_sees_a_flag(report: GradeReport) -> None:
    assert page(replace(report, flags=("FOR STAFF",))).source == page(report).source
