"""The pages: every outcome in words, and a student's words never more than words."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from autograder.judge.grade_report import CheckResult, GradeReport, MarkedItem, Outcome, QuestionGrade
from autograder.report.feedback_page import class_page, feedback_page
from autograder.tests.journals import RULES
from autograder.tests.reports import (
    CLASS,
    HOSTILE,
    MARKED,
    QUESTIONS,
    graded,
    half_graded,
    hostile,
    member,
    rejected,
    ungraded,
    whole,
)

VOID = {"meta", "link", "br"}
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


class Page(HTMLParser):
    """The tags, links and visible words of a page; a tag that is closed wrongly is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.styles: list[str] = []
        self.labels: list[str | None] = []
        self.parts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.styles += [style for name, value in attrs if name == "class" for style in (value or "").split()]
        self.labels += [value for name, value in attrs if name == "aria-label"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.parts.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.parts).split())


def feedback(report: GradeReport) -> str:
    return Page(feedback_page(report, RULES)).words


def everyone(*reports: GradeReport) -> Page:
    links = {report.name: f"submissions/{number}/feedback.html" for number, report in enumerate(reports)}
    return Page(class_page(reports, RULES, links))


def test_feedback_shows_points_checks_and_messages() -> None:
    said = feedback(graded())
    for expected in (
        "A test of checks Feedback for first 16.66 of 26 automatic points",
        "Remarks One command was skipped.",
        "q1. Why awaiting review, 4 points Because it is so.",
        "q4. Look 6 of 6 ✓ shape 3 of 3 ✓ length 3 of 3",
        "q5. Build 2.66 of 8 Cell 3 stopped with KeyError: x ✓ layer 1 2.66 of 2.66",
        "✗ layer 2 0 of 2.66 Found: layer 2 has 64 neurons Expected: 128",
        "On images it had never seen, your model got 95.98 % right.",
    ):
        assert expected in said


def test_checks_that_are_worth_nothing_are_not_listed() -> None:
    assert "public" not in feedback(graded())


def test_an_answer_that_was_not_given_is_said_so() -> None:
    assert "q1. Why awaiting review, 4 points No answer was found." in feedback(
        graded(questions=(QuestionGrade("q1", "Why", True, 4, None),))
    )


def test_feedback_on_a_rejected_file_is_the_reason_and_nothing_else() -> None:
    said = feedback(rejected())
    assert said.endswith("0 of 26 automatic points This file cannot be graded as it is It is not a notebook.")


def test_feedback_without_a_score_does_not_speak_of_accuracy() -> None:
    assert "never seen" not in feedback(graded(accuracy=None))


def test_feedback_on_an_ungraded_notebook_shows_no_points_as_lost_and_no_fault() -> None:
    said = feedback(ungraded())
    assert "Feedback for third could not be graded Not your fault The grader failed on this notebook." in said
    assert "No points were taken; your instructor will look at it." in said
    assert "q4. Look could not be graded, 6 points" in said
    assert "0 of" not in said
    assert "took too long" not in said


def test_feedback_on_one_ungraded_question_shows_no_points_as_lost_there() -> None:
    said = feedback(half_graded())
    assert "q7. Train could not be graded, 8 points ? level 1 could not be graded, 8 points" in said
    assert "q4. Look 6 of 6" in said
    assert "secret" not in said


def test_hostile_words_are_words() -> None:
    source = feedback_page(hostile(), RULES)
    page = Page(source)
    assert "script" not in page.tags
    assert page.words.count("<script>alert(1)</script> [red]red[/red]") == 6
    assert not {"\x1b", "\x00", "\ud800"} & set(source)
    source.encode()


def test_an_answer_keeps_its_lines() -> None:
    answer = "one\n\ttwo\r\nthree\u00a0four 👩\u200d🔬"
    questions = (replace(QUESTIONS[0], answer=answer), *QUESTIONS[1:])
    page = feedback_page(graded(questions=questions), RULES)
    assert '<pre class="answer">one\n\ttwo\ufffd\nthree\u00a0four 👩\u200d🔬</pre>' in page


def test_a_marked_answer_is_shown_with_what_it_was_given_points_for() -> None:
    said = feedback(whole())
    assert "Feedback for first 19.16 of 30 points" in said
    assert (
        "q1. Why 2.5 of 4 Because it is so. ✓ 1 of 1 It is fitted. – 0 of 3 It is not seen. ✗ −1 It is far too long. "
        "+2.5 adjusted by the reviewer Comment Say what for. q4."
    ) in said
    assert "something else" not in said


def test_what_a_mark_has_not_is_not_spoken_of() -> None:
    bare = replace(MARKED, marking=(), adjustment=0.0, message="", earned=4.0)
    said = feedback(graded(questions=(bare, *QUESTIONS[1:])))
    assert "q1. Why 4 of 4 Because it is so. q4." in said


def test_points_that_were_taken_off_have_a_minus() -> None:
    page = Page(feedback_page(graded(questions=(replace(MARKED, marking=(), adjustment=-0.5),)), RULES))
    assert "−0.5 adjusted by the reviewer" in page.words
    assert "failed" in page.styles


def test_an_answer_that_was_not_given_may_be_marked_too() -> None:
    said = feedback(graded(questions=(replace(MARKED, answer=None, message=""),)))
    assert "q1. Why 2.5 of 4 No answer was found. ✓ 1 of 1 It is fitted." in said


def test_the_total_is_of_the_automatic_questions_until_all_written_ones_are_marked() -> None:
    half = whole()
    half = replace(half, questions=(*half.questions, replace(QUESTIONS[0], id="q2")))
    assert "Feedback for first 16.66 of 26 automatic points" in feedback(half)
    assert "q2. Why awaiting review, 4 points" in feedback(half)
    broken = replace(half_graded(), questions=(MARKED, *half_graded().questions[1:]))
    assert "Feedback for first could not be graded" in feedback(broken)


def test_hostile_words_of_a_rubric_or_a_comment_are_words() -> None:
    item = MarkedItem("a", 4, HOSTILE, True)
    source = feedback_page(graded(questions=(replace(MARKED, marking=(item,), message=HOSTILE),)), RULES)
    assert "script" not in Page(source).tags
    assert Page(source).words.count("<script>alert(1)</script>") == 2
    assert not {"\x1b", "\x00", "\ud800"} & set(source)


def test_a_comment_keeps_its_lines() -> None:
    assert "<pre>one\n  two</pre>" in feedback_page(graded(questions=(replace(MARKED, message="one\n  two"),)), RULES)


def test_the_class_page_counts_automatic_points_alone_as_automatic() -> None:
    assert "first 2.5 6 2.66 0 8 16.66 96.0 %" in everyone(whole()).words


def test_pages_need_nothing_from_elsewhere() -> None:
    pages = [
        Page(feedback_page(report, RULES)) for report in (graded(), whole(), rejected(), ungraded(), half_graded())
    ]
    assert [page.links for page in pages] == [[]] * 5


def test_the_class_is_a_row_each_with_links() -> None:
    page = everyone(graded(), rejected(), ungraded(), replace(half_graded(), name="fourth"))
    assert page.links == [f"submissions/{number}/feedback.html" for number in range(4)]
    for expected in (
        "4 submissions, 2 with a grade, 2 that could not be graded . A dot (•)",
        "submission q1 /4 q4 /6 q5 /8 q6 /4 q7 /8 automatic accuracy seconds remark",
        "first • 6 2.66 0 8 16.66 96.0 % 11.7 One command was skipped.",
        "second 0 0 0 0 0 0 It is not a notebook.",
        "third • ? ? ? ? ? could not be graded: the judge took too long",
        "fourth • 6 2.66 0 ? ? 96.0 % 11.7 q7 could not be graded: KeyError: secret",
    ):
        assert expected in page.words


def test_a_class_without_faults_does_not_speak_of_them() -> None:
    assert "1 submissions, 1 with a grade. A dot" in everyone(graded()).words


def test_hostile_names_in_the_class_are_words() -> None:
    page = everyone(hostile())
    assert "script" not in page.tags
    assert page.words.count("<script>alert(1)</script>") == 4, "name, note, and the messages of two checks"
    assert page.links == ["submissions/0/feedback.html"]


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.UNGRADED])
def test_every_outcome_of_a_check_has_a_sign(outcome: Outcome) -> None:
    check = CheckResult("the one", True, 8, outcome, HOSTILE)
    earned = None if outcome is Outcome.UNGRADED else check.earned
    said = feedback(graded(questions=(QuestionGrade("q7", "Train", False, 8, earned, (check,)),)))
    sign = {
        Outcome.PASSED: "✓ the one 8 of 8",
        Outcome.FAILED: "✗ the one 0 of 8",
        Outcome.NOT_CHECKED: "– the one not checked, 0 of 8",
        Outcome.UNGRADED: "? the one",
    }
    assert sign[outcome] in said


@pytest.mark.parametrize("outcome", Outcome)
def test_a_page_knows_every_style_it_uses(outcome: Outcome) -> None:
    checks = (CheckResult("the one", True, 8, outcome, HOSTILE),)
    earned = {Outcome.PASSED: 8.0, Outcome.PARTIAL: 4.0}.get(outcome, 0.0)
    written = outcome is Outcome.AWAITING
    unsure = written or outcome is Outcome.UNGRADED
    report = graded(questions=(QuestionGrade("q7", "Train", written, 8, None if unsure else earned, checks),))
    for source in (feedback_page(report, RULES), class_page([report], RULES, {report.name: ""})):
        unknown = [style for style in Page(source).styles if not re.search(rf"\.{style}\b[^{{}}]*{{", source)]
        assert not unknown


def test_a_check_that_was_not_made_does_not_look_like_a_failed_one() -> None:
    waited = CheckResult("the one", True, 8, Outcome.NOT_CHECKED, "Not checked: there is no model yet")
    page = Page(feedback_page(graded(questions=(QuestionGrade("q7", "Train", False, 8, 4, (waited,)),)), RULES))
    assert page.styles.count("unchecked") == 1
    assert not {"failed", "not", "checked"} & set(page.styles)


def test_the_class_is_analysed_question_by_question() -> None:
    said = everyone(*CLASS, rejected(name="no notebook")).words
    for expected in (
        "Question by question Of the submissions that were graded. Not checked means that something earlier",
        "Above about 0.3, the question tells strong from weak students; near 0 or below, look at the question",
        "Over 5 submissions, chance alone moves it by about ±0.50. A dash (–) stands where",
        "full marks mean discrimination passed in part failed not checked a. Title of a",
        "a. Title of a 40 % 1 of 2 0.46 tells apart 2 1 2 0",
        "a1 60 % 0.6 of 1 0.84 3 2 0 2 of the 2 who failed were told Found: nothing for a1 Expected: something",
        "a2 40 % 0.4 of 1 0.36 2 1 2 1 of the 1 who failed were told Found: nothing for a2 Expected: something",
        "b. Title of b 40 % 0.8 of 2 0.46 tells apart 2 0 3 0",
    ):
        assert expected in said
    assert "could not be graded" not in said


def test_a_message_keeps_its_lines_in_the_analysis() -> None:
    page = class_page(CLASS, RULES, {each.name: "" for each in CLASS})
    assert "<pre>Found: nothing for a1\nExpected: something</pre>" in page


def test_a_discrimination_below_zero_has_a_minus_and_a_question_without_one_a_dash() -> None:
    strong, weak = member(PASSED, PASSED, FAILED), member(FAILED, FAILED, PASSED)
    assert "b. Title of b 60 % 1.2 of 2 −1.00 look at it 3 0 2 0" in everyone(strong, strong, weak, weak, weak).words
    said = everyone(strong, weak).words
    assert "It takes 5 submissions with all their points; here are 2. A dash" in said
    assert "b. Title of b 50 % 1 of 2 – 1 0 1 0" in said


def test_a_check_without_points_shows_none() -> None:
    assert "public form 100 % no points – 1 0 0" in everyone(graded()).words


def test_a_class_with_something_ungraded_has_a_column_for_it() -> None:
    said = everyone(half_graded()).words
    assert "in no number but its own" in said
    assert "failed not checked could not be graded q4. Look" in said
    assert "q7. Train – – – 0 0 0 0 1 public 100 % no points – 1 0 0 0 level 1 – – – 0 0 0 1" in said


def test_every_bar_has_its_number_in_words() -> None:
    page = everyone(*CLASS)
    assert page.tags.count("svg") == page.styles.count("bar") == 5
    bars = [label for label in page.labels if label and label.endswith("of the points")]
    assert bars == [f"{share} % of the points" for share in (50, 60, 40, 40, 40)]


@pytest.mark.parametrize("reports", [(), (rejected(),), (rejected(), ungraded())], ids=["none", "rejected", "ungraded"])
def test_a_class_without_grades_is_not_analysed(reports: tuple[GradeReport, ...]) -> None:
    page = everyone(*reports)
    assert "Question by question" not in page.words
    assert "svg" not in page.tags


def test_flags_are_listed_for_staff_with_a_link_each() -> None:
    flagged = [graded(flags=("Look here.", "And here.")), graded(name="quiet"), rejected(flags=(HOSTILE,))]
    page = everyone(*flagged)
    assert "For staff to look at None of this has cost points, and no student's page shows it." in page.words
    assert "first Look here. And here. second <script>alert(1)</script>" in page.words
    assert "script" not in page.tags
    assert [page.links.count(f"submissions/{number}/feedback.html") for number in range(3)] == [2, 1, 2]


def test_a_class_without_flags_does_not_speak_of_them() -> None:
    assert "staff" not in everyone(graded(), rejected(), ungraded()).words


@pytest.mark.parametrize("report", [graded(), rejected(), ungraded(), half_graded()], ids=lambda report: report.status)
def test_no_student_sees_a_flag(report: GradeReport) -> None:
    flagged = replace(report, flags=("FOR STAFF",))
    assert feedback_page(flagged, RULES) == feedback_page(report, RULES)
