"""The grades of a class as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from autograder.judge.grade_report import GradeReport
from autograder.lms.roster import Student, join
from autograder.report.grades_csv import grades_csv, totals_csv
from autograder.tests.journals import RULES
from autograder.tests.reports import QUESTIONS, graded, half_graded, hostile, rejected, ungraded, whole


def rows(*reports: GradeReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(grades_csv(reports, RULES))))


def totals(*reports: GradeReport, students: tuple[Student, ...] | None = None) -> list[list[str]]:
    roster = None if students is None else join(students, [report.name for report in reports])
    return list(csv.reader(io.StringIO(totals_csv(reports, RULES, roster))))


def test_a_graded_submission_is_a_row_of_points() -> None:
    assert rows(graded(flags=("Look here.", "And here."))) == [
        {
            "submission": "first",
            "q1": "",
            "q4": "6",
            "q5": "2.66",
            "q6": "0",
            "q7": "8",
            "automatic": "16.66",
            "out_of": "26",
            "accuracy": "0.9598",
            "status": "graded",
            "remark": "One command was skipped.",
            "flags": "Look here.; And here.",
        }
    ]
    assert (rows(whole())[0]["q1"], rows(whole())[0]["automatic"]) == ("2.5", "16.66")


def test_points_stand_under_their_question_whatever_else_the_report_has() -> None:
    older = graded(questions=QUESTIONS[1:], notes=())
    (row,) = rows(older)
    assert [row[id] for id in RULES.questions] == ["", "6", "2.66", "0", "8"]
    assert totals(older)[1] == ["first", "", "6", "2.66", "0", "8", "16.66", "0", "16.66", "26", ""]


def test_a_rejected_submission_has_zeros_and_a_reason() -> None:
    (row,) = rows(rejected())
    found = [row[key] for key in ("q1", "q7", "automatic", "status", "remark")]
    assert found == ["0", "0", "0", "rejected", "It is not a notebook."]


def test_what_could_not_be_graded_is_blank_and_never_zero() -> None:
    failed, half = rows(ungraded(), half_graded())
    assert [failed[key] for key in (*RULES.questions, "automatic", "accuracy")] == [""] * 7
    assert (failed["status"], failed["remark"]) == (
        "could not be graded",
        "could not be graded: the judge took too long",
    )
    assert (half["q4"], half["q7"], half["automatic"]) == ("6", "", "")


@pytest.mark.parametrize("name", ["=1+1", " =1", '=HYPERLINK("http://x")', "a-b=c, \"d\" 'e'"])
def test_no_cell_is_a_formula_and_others_are_unchanged(name: str) -> None:
    (row,) = rows(graded(name=name, notes=(name,), flags=(name,)))
    expected = name if name[0] == "a" else f"'{name}"
    assert (row["submission"], row["remark"], row["flags"]) == (expected, expected, expected)
    assert totals(graded(name=name))[1][0] == expected


def test_hostile_words_stay_in_their_cell_and_can_be_written() -> None:
    for text in (grades_csv([hostile(), graded()], RULES), totals_csv([hostile(), graded()], RULES)):
        text.encode()
        assert not {"\x1b", "\x00", "\r"} & set(text)
        first, second = csv.DictReader(io.StringIO(text))
        assert first["submission"].startswith("<script>alert(1)</script> [red]red[/red] \ufffd[31mred")
        assert second["submission"] == "first"


def test_totals_are_there_once_everything_is_decided() -> None:
    broken = replace(half_graded(), name="fifth", questions=(whole().questions[0], *half_graded().questions[1:]))
    assert totals(whole(notes=()), graded(name="b", notes=()), rejected(), ungraded(), broken) == [
        ["submission", "q1", "q4", "q5", "q6", "q7", "automatic", "written", "total", "out_of", "remark"],
        ["first", "2.5", "6", "2.66", "0", "8", "16.66", "2.5", "19.16", "30", ""],
        ["b", "", "6", "2.66", "0", "8", "16.66", "", "", "30", "not marked yet: q1"],
        ["second", "0", "0", "0", "0", "0", "0", "0", "0", "30", "It is not a notebook."],
        [
            *("third", "", "", "", "", "", "", "", "", "30"),
            "could not be graded: the judge took too long; not marked yet: q1",
        ],
        [*("fifth", "2.5", "6", "2.66", "0", "", "", "2.5", "", "30"), "q7 could not be graded: KeyError: secret"],
    ]


def test_with_a_roster_its_students_are_the_rows_and_strangers_come_last() -> None:
    students = (
        Student("Bo", ("2",), ("bo@x.edu",), section="A"),
        Student("=Ann", ("1",), file="first.ipynb"),
        Student("Cy", (), ("cy@x.edu",)),
    )
    reports = [whole(notes=()), rejected(), whole(name="cy 1", notes=()), whole(name="1 cy", notes=())]
    header, *found = totals(*reports, students=students)
    assert header[:5] == ["name", "id", "email", "section", "submission"]
    points = ["2.5", "6", "2.66", "0", "8", "16.66", "2.5", "19.16", "30"]
    assert found[0] == ["Bo", "2", "bo@x.edu", "A", *[""] * 10, "no submission"]
    assert found[1] == ["'=Ann", "1", "", "", "first", *points, ""]
    assert found[2][:4] == ["Cy", "", "cy@x.edu", ""]
    assert "1 cy" in found[2][-1]
    assert found[3:] == [
        ["", "", "", "", "second", *["0"] * 8, "30", "no student on the roster; It is not a notebook."],
        ["", "", "", "", "cy 1", *points, "no student on the roster"],
        ["", "", "", "", "1 cy", *points, "no student on the roster"],
    ]
