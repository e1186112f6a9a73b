"""The model of a class: what is counted, and what is not."""

from __future__ import annotations

import random
from dataclasses import replace

from autograder.gradebook.agreement import Agreement
from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome
from autograder.report.class_summary import (
    ClassCounts,
    ClassSummary,
    CommonMistake,
    RemarkGroup,
    summarise,
)
from autograder.tests.journals import RULES
from autograder.tests.reports import CLASS, QUESTIONS, check, graded, half_graded, marked, question, rejected, ungraded


def summary(*reports: GradeReport) -> ClassSummary:
    return summarise(reports, RULES)


def test_every_submission_is_counted_once_and_marks_of_those_that_can_have_one() -> None:
    counts = summary(graded(), marked(3), half_graded(), rejected(), ungraded(), rejected()).counts
    assert counts == ClassCounts(submissions=6, graded=2, in_part=1, rejected=2, failed=1, written=4, marked=1)
    assert counts.ungraded == 2
    assert summary().counts == ClassCounts(0, 0, 0, 0, 0, 0, 0)


def test_questions_without_points_are_there_and_those_of_an_older_grading_yml_come_last() -> None:
    old = graded(questions=(question("old", check("a", 2)), *QUESTIONS))
    found = [(item.name, item.written, item.decided, item.mean) for item in summary(old, half_graded()).questions]
    assert found[:2] == [("q1", True, 0, None), ("q4", False, 2, 1.0)]
    assert found[4:] == [("q7", False, 1, 1.0), ("old", False, 1, 1.0)]
    assert [item.decided for item in summary().questions] == [0] * 5


def test_rubric_items_are_counted_over_marked_answers_also_those_that_the_rubric_has_lost_since() -> None:
    old = marked(4, marking=(MarkedItem("old", 1, "Gone.", True),))
    (rubric,) = summary(marked(4), marked(0), marked(2, answer=" ", adjustment=2.0), old, graded(), rejected()).rubrics
    assert (rubric.id, rubric.marked, rubric.empty, rubric.adjusted) == ("q1", 4, 1, 1)
    assert [(item.id, item.points, given) for item, given in rubric.items] == [("a", 4, 1), ("old", 1, 1)]


def test_points_without_a_rubric_are_no_marked_answer() -> None:
    (rubric,) = summary(graded(questions=(replace(QUESTIONS[0], earned=3), *QUESTIONS[1:]))).rubrics
    assert (rubric.marked, rubric.items) == (0, ())


def test_the_commonest_mistakes_come_first_and_the_same_words_once() -> None:
    message = "Found: nothing for {}\nExpected: something"
    twice = question("c", check("hidden", 1, Outcome.FAILED, "Same"), check("public", 0, Outcome.FAILED, "Same"))
    assert summary(*CLASS, graded(name="f", questions=(twice,))).mistakes == (
        CommonMistake("b", "b1", message.format("b1"), 3, 5),
        CommonMistake("a", "a1", message.format("a1"), 2, 5),
        CommonMistake("a", "a2", message.format("a2"), 1, 5),
        CommonMistake("c", "hidden", "Same", 1, 1),
    )


def test_the_slowest_notebook_comes_first_and_what_was_not_run_not_at_all() -> None:
    slow = graded(name="slow", seconds=(("notebook", 99.0), ("judge", 1.0)))
    reports = (graded(), slow, rejected(), ungraded(), graded(name="none", seconds=()))
    assert summary(*reports).slowest == (slow, graded())


def test_remarks_are_grouped_with_the_names_they_were_made_of() -> None:
    found = summarise(
        [
            half_graded(),
            ungraded(),
            ungraded(name="also"),
            rejected(flags=("x", "y")),
            rejected(name="b", notes=("Empty.", "Really."), flags=("y",)),
        ],
        RULES,
        flagged=[("b", "q1"), ("a", "q1")],
    )
    assert found.faults == (
        RemarkGroup("the judge took too long", ("also", "third")),
        RemarkGroup("q7: KeyError: secret", ("first",)),
    )
    assert found.rejections == (
        RemarkGroup("Empty. Really.", ("b",)),
        RemarkGroup("It is not a notebook.", ("second",)),
    )
    assert found.flags == (RemarkGroup("y", ("b", "second")), RemarkGroup("x", ("second",)))
    assert found.flagged_marks == (RemarkGroup("q1", ("a", "b")),)


def test_only_agreement_on_answers_to_the_policys_questions_is_kept() -> None:
    some, none = Agreement(5, 100.0, None, None, None), Agreement(0, None, None, None, None)
    assert summarise([], RULES, agreements={"q1": some, "q4": some}).agreements == {"q1": some}
    assert summarise([], RULES, agreements={"q1": none}).agreements == {}


def test_no_number_depends_on_the_order_of_the_reports() -> None:
    accurate = [graded(name=f"{accuracy}", accuracy=accuracy) for accuracy in (0.3, 0.9, 0.97)]
    reports = [*CLASS, *accurate, rejected(), ungraded(), half_graded(), marked(3)]
    mixed = random.Random(1).sample(reports, len(reports))
    assert replace(summary(*mixed), reports=()) == replace(summary(*reports), reports=())
