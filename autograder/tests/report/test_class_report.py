"""The report on a class: every number in words, whatever the class is like, and nothing from outside the page."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Progress
from autograder.gradebook.marked_report import MarkedClass
from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome
from autograder.policy.policy import Policy
from autograder.report import distributions
from autograder.report.class_report import class_report
from autograder.tests.journals import RULES
from autograder.tests.report.parsed_page import ParsedPage
from autograder.tests.reports import (
    CLASS,
    HOSTILE,
    QUESTIONS,
    check,
    graded,
    half_graded,
    hostile,
    marked,
    member,
    question,
    rejected,
    ungraded,
)

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
AGREED = {"q1": Agreement(20, 85.0, 0.72, 0.41, 1.0)}
DONE = (Progress("q1", None, 12, 14, 12), Progress("q1", "ann", 5, 7, 12), Progress("q1", "ben", 7, 7, 12))
MIXED = (marked(4), marked(1, "b"), graded(name="c", accuracy=0.2), half_graded(), rejected(), ungraded())
ALL = (marked(4), marked(1, "b", adjustment=-1.0), marked(4, "c", answer=None))
CLASSES: Mapping[str, tuple[GradeReport, ...]] = {
    "empty": (),
    "one": (graded(),),
    "one marked": (marked(4),),
    "one rejected": (rejected(),),
    "one ungraded": (ungraded(),),
    "nothing marked": (graded(), graded(name="b")),
    "some marked": MIXED,
    "all marked": ALL,
    "no accuracy": (graded(accuracy=None),),
    "other questions": CLASS,
    "hostile": (hostile(), replace(hostile(), name=f"{HOSTILE}2", flags=(HOSTILE,)), rejected(notes=(HOSTILE,))),
    "a thousand": tuple(marked(4, f"s{n}") if n % 9 else rejected(name=f"s{n}") for n in range(1000)),
}


def page(
    *reports: GradeReport, policy: Policy = RULES, links: Mapping[str, str] | None = None, **review: Any
) -> ParsedPage:
    seen = MarkedClass(policy, reports, **review)
    return ParsedPage(class_report(seen, links=links or {}, made_at="today at noon"))


@pytest.fixture(scope="module")
def pages() -> dict[str, ParsedPage]:
    return {name: page(*reports) for name, reports in CLASSES.items()}


@pytest.fixture(params=CLASSES)
def found(request: pytest.FixtureRequest, pages: Mapping[str, ParsedPage]) -> ParsedPage:
    """The page of each class in turn."""
    return pages[request.param]


@pytest.fixture(scope="module")
def mixed() -> ParsedPage:
    return page(*MIXED, agreements=AGREED, progress=DONE, flagged=[("b", "q1"), ("first", "q1")])


def test_whatever_the_class_is_there_is_a_whole_page_that_needs_nothing_from_elsewhere(found: ParsedPage) -> None:
    assert len(found.headings) == 10
    assert not re.search(r"\b(nan|None(?! of this)|inf|Undefined)\b", found.words)
    assert found.unknown_styles() == []
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(found.tags)
    assert not [attribute for attribute, _ in found.attributes if attribute.startswith("on") or attribute == "src"]
    assert not re.search(r"https?:|@import|url\(", found.source)
    found.source.encode()


def test_every_link_leads_to_one_place_and_every_chart_has_a_name_and_a_table(found: ParsedPage) -> None:
    ids = found.values("id")
    assert len(set(ids)) == len(ids)
    assert {value.removeprefix("#") for value in found.values("href")} <= set(ids)
    assert set(found.values("aria-labelledby")) <= set(ids)
    charts = found.tags.count("figure")
    assert found.values("role").count("img") == charts
    assert sum(label.startswith("Histogram of") for label in found.values("aria-label")) == charts
    assert sum(label.endswith(": numbers") for label in found.tables) == charts


def test_the_same_class_gives_the_same_page_and_without_a_time_it_names_none(mixed: ParsedPage) -> None:
    again = page(*MIXED, agreements=AGREED, progress=DONE, flagged=[("first", "q1"), ("b", "q1")])
    assert again.source == mixed.source
    assert "Class report, today at noon. For staff" in mixed.words
    assert "Class report. For staff" in class_report(MarkedClass(RULES, ()), links={})


def test_no_number_depends_on_the_order_of_the_reports() -> None:
    accurate = [graded(name=f"{accuracy}", accuracy=accuracy) for accuracy in (0.3, 0.9, 0.97)]
    reports = [*CLASS, *accurate, rejected(), ungraded(), half_graded(), marked(3)]
    first, second = page(*reports), page(*random.Random(1).sample(reports, len(reports)))
    assert first.tables.pop("Submissions") != second.tables.pop("Submissions")
    assert (first.tables, first.values("aria-label")) == (second.tables, second.values("aria-label"))


def test_the_bars_of_the_scores_are_in_their_tables(mixed: ParsedPage) -> None:
    for scores, name in zip(distributions.scores(MIXED), ("Total points", "Automatic points"), strict=True):
        rows = mixed.tables[f"{name}: numbers"][1:]
        assert [int(row[1]) for row in rows] == [each.count for each in scores.bins]
    assert [mixed.tables["Total points: numbers"][at][0] for at in (1, -1)] == ["0 to below 2", "28 to 30"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("some marked", "submissions 6 graded 3 could not be graded 2 1 of them in part rejected files 1 0 points"),
        ("some marked", "written answers marked 2 of 5"),
        ("nothing marked", "Not final: 2 of 2 written answers are awaiting review. These are automatic points only."),
        ("some marked", "Not final: 3 of 5 written answers are awaiting review. Total points cover the submissions"),
        ("all marked", "Total points of 3 graded submissions, out of 30: mean 19.66, median 20.66,"),
        ("one marked", "Total points of 1 graded submission, out of 30: 20.66."),
        ("one rejected", "No submission has been graded, so there are no scores."),
        ("empty", "There are no submissions yet, so there is nothing to report."),
    ],
)
def test_the_page_says_what_it_counts_and_shows(name: str, expected: str, pages: Mapping[str, ParsedPage]) -> None:
    assert expected in pages[name].words


def test_unmarked_answers_of_what_could_not_be_graded_do_not_make_the_rest_less_final() -> None:
    words = page(marked(4), ungraded()).words
    assert "1 of 2 written answers are awaiting review; they belong to submissions that could not be graded" in words
    assert "Not final" not in words


def test_each_question_and_check_is_a_row_with_its_analysis() -> None:
    found = page(*CLASS, rejected(name="no notebook"))
    table = found.tables["Questions and their checks"]
    assert table[0] == [
        *("question and its checks", "graded", "mean points", "full marks", "discrimination"),
        *("passed", "in part", "failed", "not checked"),
    ]
    assert table[1] == ["q1. Why written", "0", "– of 4", "–", "–", "0", "0", "0", "0"]
    assert table[6:] == [
        ["a. Title of a", "5", "1 of 2 (50 %)", "40 %", "0.46 separates well", "2", "1", "2", "0"],
        ["a1", "5", "0.6 of 1 (60 %)", "60 %", "0.84", "3", "", "2", "0"],
        ["2 of the 2 who failed saw Found: nothing for a1 Expected: something"],
        ["a2", "5", "0.4 of 1 (40 %)", "40 %", "0.36", "2", "", "1", "2"],
        ["1 of the 1 who failed saw Found: nothing for a2 Expected: something"],
        ["b. Title of b", "5", "0.8 of 2 (40 %)", "40 %", "0.46 separates well", "2", "0", "3", "0"],
        ["b1", "5", "0.8 of 2 (40 %)", "40 %", "0.46", "2", "", "3", "0"],
        ["3 of the 3 who failed saw Found: nothing for b1 Expected: something"],
    ]
    assert "With 5 submissions, chance alone moves it by about ±0.50." in found.words
    assert "<pre>Found: nothing for a1\nExpected: something</pre>" in found.source


def test_a_discrimination_below_zero_has_a_minus_and_takes_five_submissions() -> None:
    strong, weak = member(PASSED, PASSED, FAILED), member(FAILED, FAILED, PASSED)
    rows = page(strong, strong, weak, weak, weak).tables["Questions and their checks"]
    assert ["b. Title of b", "5", "1.2 of 2 (60 %)", "60 %", "−1.00 take a look", "3", "0", "2", "0"] in rows
    assert "It takes 5 fully graded submissions; there are 2." in page(strong, weak).words


def test_whatever_could_not_be_graded_has_a_column_of_its_own() -> None:
    found = page(half_graded())
    assert "counted in the last column only" in found.words
    rows = found.tables["Questions and their checks"]
    assert rows[0][-1] == "could not be graded"
    assert ["q7. Train", "0", "– of 8", "–", "–", "0", "0", "0", "0", "1"] in rows
    assert ["public", "1", "no points", "100 %", "–", "1", "", "0", "0", "0"] in rows
    assert ["level 1", "0", "– of 8", "–", "–", "0", "", "0", "0", "1"] in rows


def test_the_submissions_are_a_row_each_linked_to_their_page_if_there_is_one() -> None:
    older = graded(name="older", questions=QUESTIONS[1:], notes=())
    reports = (graded(), rejected(), replace(half_graded(), name="fourth"), older)
    links = {report.name: f"submissions/{report.name}/feedback.html" for report in reports[1:]}
    found = page(*reports, links=links)
    assert found.tables["Submissions"] == [
        *[["submission", "q1 /4", "q4 /6", "q5 /8", "q6 /4", "q7 /8", "automatic", "accuracy", "seconds", "remark"]],
        ["first", "•", "6", "2.66", "0", "8", "16.66", "96.0 %", "11.7", "One command was skipped."],
        ["second", "0", "0", "0", "0", "0", "0", "", "", "It is not a notebook."],
        ["fourth", "•", "6", "2.66", "0", "?", "?", "96.0 %", "11.7", "q7 could not be graded: KeyError: secret"],
        ["older", "", "6", "2.66", "0", "8", "16.66", "96.0 %", "11.7", ""],
    ]
    assert {each for each in found.values("href") if not each.startswith("#")} == set(links.values())


def test_rubric_items_are_shown_with_how_often_they_were_given_also_those_that_the_rubric_has_lost_since() -> None:
    old = marked(4, marking=(MarkedItem("old", 1, "Gone.", True),))
    without_rubric = graded(questions=(replace(QUESTIONS[0], earned=3), *QUESTIONS[1:]))
    found = page(*ALL, old, marked(0, answer=" "), graded(), rejected(), without_rubric)
    assert "q1 Why 5 answers marked, 2 of them empty; a reviewer adjusted the points of 1." in found.words
    assert found.tables["Rubric of q1"][1:] == [["Because.", "+4", "2", "40 %"], ["Gone.", "+1", "1", "20 %"]]
    minus = marked(3, marking=(MarkedItem("a", -1, HOSTILE, True),))
    assert page(minus).tables["Rubric of q1"][1][1:] == ["−1", "1", "100 %"]
    assert "No answer to this question has been marked by a reviewer yet." in page(without_rubric).words


def test_the_accuracies_are_shown_by_bin_and_by_band(mixed: ParsedPage) -> None:
    rows = mixed.tables["Accuracy: numbers"][1:]
    assert [row for row in rows if row[1] != "0"] == [["below 80 %", "1"], ["95 % to below 96 %", "3"]]
    assert mixed.tables["Accuracy bands of q7"][1:] == [
        ["below 85 %", "0", "1", "25 %"],
        ["85 % to below 93 %", "4", "0", "0 %"],
        ["93 % to below 96.5 %", "6", "3", "75 %"],
        ["96.5 % or more", "8", "0", "0 %"],
    ]
    lines = "85 %: 4 points; 93 %: 6 points; 96.5 %: 8 points."
    alt = f"Histogram of the accuracy of 4 submissions, median 95.98 %, with lines at {lines}"
    assert alt in mixed.values("aria-label")


def test_the_most_common_mistakes_come_first_and_the_same_words_once() -> None:
    same = check("public", 0, FAILED, "Same")
    twice, once = question("c", check("hidden", 1, FAILED, "Same"), same), question("c", check("hidden", 1), same)
    assert page(*CLASS, graded(questions=(twice,)), graded(questions=(once,))).tables["Most common mistakes"][1:] == [
        ["Found: nothing for b1 Expected: something", "b", "b1", "3", "60 %"],
        ["Found: nothing for a1 Expected: something", "a", "a1", "2", "40 %"],
        ["Same", "c", "public", "2", "100 %"],
        ["Found: nothing for a2 Expected: something", "a", "a2", "1", "20 %"],
    ]


def test_progress_and_agreement_of_the_reviewers_on_the_policys_questions_are_shown(mixed: ParsedPage) -> None:
    assert mixed.tables["Agreement"][1:] == [["q1 Why", "20", "85 %", "0.72", "0.41 to 1.00"]]
    assert 'style="left: 41.0%; width: 59.0%"' in mixed.source
    assert mixed.tables["Progress of the reviewers"] == [
        ["answers marked", "all", "ann", "ben"],
        ["q1", "12 of 14", "5 of 7", "7 of 7"],
    ]
    same = page(*ALL, agreements={"q1": Agreement(5, 100.0, None, None, None)})
    assert same.tables["Agreement"][1:] == [["q1 Why", "5", "100 %", "–", "–"]]
    words = page(*ALL, agreements={"q4": AGREED["q1"]}).words
    assert "No answer has been marked by two reviewers, so their agreement is unknown." in words
    assert "kappa" not in words


def test_the_ten_slowest_notebooks_are_shown_and_what_was_not_run_is_not() -> None:
    slow = [graded(name=f"n{number}", seconds=(("notebook", float(number)),)) for number in range(12)]
    unknown = graded(name="unknown", seconds=(("notebook", 600.0),), cpu_seconds=None, peak_memory_mb=None)
    not_run = (rejected(), ungraded(), graded(seconds=()))
    found = page(*slow, unknown, *not_run)
    rows = found.tables["Slowest notebooks"][1:]
    assert rows[:2] == [["unknown", "600.0 s", "–", "–", "200 %"], ["n11", "11.0 s", "11.5 s", "900 MB", "4 %"]]
    assert len(rows) == 10
    assert "half of all notebooks took 6.0 s or less. grading.yml allows 300 s and 3,072 MB." in found.words
    assert "No notebook was run." in page(*not_run).words


def test_faults_rejected_files_and_flags_are_grouped_with_the_submissions(mixed: ParsedPage) -> None:
    others = (ungraded(name="also"), rejected(name="b", notes=("No.", "Empty."), flags=("x", "y")))
    found = page(*MIXED, *others, graded(flags=("y",)), links={"first": "a.html"})
    assert found.tables["Faults of the grader"][1:] == [
        ["the judge took too long", "2", "also, third"],
        ["q7: KeyError: secret", "1", "first"],
    ]
    assert found.tables["Rejected files"][1:] == [["It is not a notebook.", "1", "second"], ["No. Empty.", "1", "b"]]
    assert found.tables["Flagged by the grader"][1:] == [["y", "2", "b, first"], ["x", "1", "b"]]
    assert '<a href="a.html">first</a>' in found.source.partition('id="flags"')[2]
    assert mixed.tables["Flagged by reviewers"][1:] == [["q1", "2", "b, first"]]
    assert "Flagged by the grader" not in mixed.words
    assert "Nothing is flagged." in page(graded()).words


def test_many_names_are_all_there_and_folded(pages: Mapping[str, ParsedPage]) -> None:
    (row,) = pages["a thousand"].tables["Rejected files"][1:]
    assert row[1] == "112"
    assert "and 106 more" in row[2]
    assert row[2].count("s") == 6 + 112


def test_hostile_words_are_words(pages: Mapping[str, ParsedPage]) -> None:
    reviewed = page(hostile(), flagged=[(HOSTILE, "q1")], progress=[Progress("q1", HOSTILE, 1, 1, 1)])
    for found in (pages["hostile"], reviewed):
        assert "script" not in found.tags
        assert not {"\x1b", "\x00", "\ud800"} & set(found.source)
        assert found.words.count("<script>alert(1)</script> [red]red[/red]") >= 4


def test_an_assignment_without_prose_or_accuracy_does_not_mention_reviewers() -> None:
    plain = Policy(assignment=RULES.assignment, questions={id: RULES.questions[id] for id in ("q4", "q6")})
    assert "eviewer" not in page(*CLASS, policy=plain).words
    found = page(graded(accuracy=None), policy=plain)
    assert "No question of this assignment asks for an accuracy." in found.words
    assert not {"#rubric", "#reviewers"} & set(found.values("href"))
