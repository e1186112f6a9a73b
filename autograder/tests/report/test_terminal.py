"""Tables and sentences for the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from autograder.gradebook.gradebook import GradeChange
from autograder.lms.external_grades import GRADESCOPE, OTTER, Comparison, ExternalGrade, MatchedGrade
from autograder.report.terminal import changed_points, class_grades, external_grades, join_remarks, remarks, timing
from autograder.tests.journals import RULES
from autograder.tests.reports import HOSTILE, QUESTIONS, graded, half_graded, hostile, rejected, ungraded, whole


def printed(table: Table, width: int = 120) -> list[str]:
    """Return the lines of a table with single spaces."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_the_grades_are_points_and_symbols_each_under_its_question() -> None:
    reports = [graded(), rejected(), ungraded(), half_graded(), whole(name="w")]
    found = printed(class_grades([*reports, graded(name="older", questions=QUESTIONS[1:])], RULES))
    for expected in (
        "A test of checks",
        "q1 q4 q5 q6 q7 auto",
        "submission /4 /6 /8 /4 /8 /26 accuracy",
        "first • 6 2.66 0 8 16.66 96.0%",
        "second 0 0 0 0 0 0",
        "third • ? ? ? ? ?",
        "first • 6 2.66 0 ? ? 96.0%",
        "w 2.5 6 2.66 0 8 16.66 96.0%",
        "older 6 2.66 0 8 16.66 96.0%",
    ):
        assert expected in found


def test_remarks_are_a_line_each_and_only_where_there_is_something_to_say() -> None:
    assert remarks([graded(notes=()), rejected(), ungraded()]) == (
        "second: It is not a notebook.\nthird: could not be graded: the judge took too long"
    )
    assert remarks([]) == ""


def test_changed_points_are_shown_before_and_after() -> None:
    found = printed(changed_points([GradeChange("ann", 3.5, 4.0), GradeChange("bo", None, 0.0)]))
    assert {"ann 3.5 4", "bo ? 0"} <= set(found)


def test_the_times_of_a_run_are_added_up_by_phase() -> None:
    seconds = {"start": 9.6, "notebook": 31.2, "all": 60.0}
    assert timing(seconds) == "60 s, of which 10 s to start; summed over submissions: notebook 31 s"
    assert timing({}) == ""


ANN = ExternalGrade(GRADESCOPE, "ann@x.edu", "ann@x.edu", "17", "Ann", 20.5, (("q1", 3.5), ("q4", 6.0)), "Graded")
BO = ExternalGrade(OTTER, "bo", "", "", "", None, (("q4", None),), "Exit code: 1\nand more")


def test_grades_from_elsewhere_are_shown_beside_those_of_the_gradebook() -> None:
    compared = [
        Comparison(MatchedGrade(ANN, "smith_17"), 17.0, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="cy"), "cy"), 16.66, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="di"), "di"), 12.0, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="ed"), "ed"), 17.0, None),
        Comparison(MatchedGrade(BO, None, "no submission has bo in its name"), None, None),
    ]
    found = printed(external_grades(compared))
    for expected in (
        "4 of 5 joined",
        "total auto auto",
        "name origin joined to there there here difference",
        "ann@x.edu Gradescope smith_17 20.5 17 16.66 +0.34",
        "cy Gradescope cy 20.5 16.66 16.66 0",
        "di Gradescope di 20.5 12 16.66 -4.66",
        "ed Gradescope ed 20.5 17 ?",
        "bo otter grade – ? ? ?",
    ):
        assert expected in found


def test_rows_that_are_not_joined_or_no_grade_get_a_line_with_the_reason() -> None:
    compared = [
        Comparison(MatchedGrade(ANN, "smith_17"), 17.0, 16.66),
        Comparison(MatchedGrade(BO, None, "no submission has bo in its name"), None, None),
        Comparison(MatchedGrade(replace(BO, name="cy", status=""), "cy"), None, 3.0),
    ]
    assert join_remarks(compared).splitlines() == [
        "bo: not joined, no submission has bo in its name; no grade from otter grade, its status is Exit code: 1",
        "cy: no grade from otter grade, without a reason",
    ]
    assert join_remarks(compared[:1]) == ""


def test_the_terminal_obeys_nobodys_name() -> None:
    joined = [Comparison(MatchedGrade(replace(BO, name=HOSTILE, status=HOSTILE), None, f"not {HOSTILE}"), None, None)]
    lines = [
        *printed(class_grades([hostile()], RULES), width=300),
        *printed(changed_points([GradeChange(HOSTILE, 1.0, 2.0)]), width=300),
        *printed(external_grades(joined), width=300),
        *join_remarks(joined).splitlines(),
        *remarks([hostile()]).splitlines(),
    ]
    assert (
        sum("<script>alert(1)</script> [red]red[/red] \ufffd[31mred\ufffd[0m \ufffd &" in line for line in lines) == 5
    )
    assert all(line.isprintable() for line in lines)
