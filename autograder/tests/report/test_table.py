"""The class as rows: for a spreadsheet, and for a terminal."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from autograder.judge.grade_report import GradeReport, QuestionGrade
from autograder.lms.external_grades import GRADESCOPE, OTTER, Comparison, ExternalGrade, MatchedGrade
from autograder.lms.roster import FILE_COLUMN, Student, join
from autograder.report.table import (
    automatic,
    cell,
    grades_csv,
    join_remarks,
    joins,
    remark,
    remarks,
    screen,
    totals_csv,
    unmarked,
)
from autograder.tests.journals import RULES
from autograder.tests.reports import HOSTILE, QUESTIONS, graded, half_graded, hostile, rejected, ungraded, whole


def rows(*reports: GradeReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(grades_csv(reports, RULES))))


def shown(*reports: GradeReport, width: int = 120) -> str:
    return printed(screen(reports, RULES), width)


def printed(table: Table, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_graded_submission_is_a_row_of_points() -> None:
    assert rows(graded()) == [
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
            "flags": "",
        }
    ]


def test_flags_are_the_last_column_and_stand_in_one_cell() -> None:
    text = grades_csv([graded(flags=("Look here.", "And here.")), rejected(flags=("=1+1",))], RULES)
    assert text.partition("\n")[0].endswith(",status,remark,flags")
    assert [row["flags"] for row in csv.DictReader(io.StringIO(text))] == ["Look here.; And here.", "'=1+1"]


def test_a_rejected_submission_has_zeros_and_a_reason() -> None:
    (row,) = rows(rejected())
    assert [row[key] for key in ("q1", "q7", "automatic", "status", "remark")] == [
        "0",
        "0",
        "0",
        "rejected",
        "It is not a notebook.",
    ]


def test_what_could_not_be_graded_is_blank_and_never_zero() -> None:
    whole, half = rows(ungraded(), half_graded())
    assert [whole[key] for key in (*RULES.questions, "automatic", "accuracy")] == [""] * 7
    assert (whole["status"], whole["remark"]) == ("could not be graded", "could not be graded: the judge took too long")
    assert (half["q4"], half["q7"], half["automatic"]) == ("6", "", "")
    assert half["remark"] == "q7 could not be graded: KeyError: secret"


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", '=HYPERLINK("http://x")'],
    ids=["equals", "plus", "minus", "at", "tab", "return", "line end", "space", "full width", "link"],
)
def test_no_cell_is_a_formula(name: str) -> None:
    (row,) = rows(graded(name=name, notes=(name,)))
    for value in (row["submission"], row["remark"]):
        assert value.strip()[0] not in "=+-@＝＋－＠"
        assert name.strip() in value


def test_names_that_only_contain_signs_are_left_alone() -> None:
    (row,) = rows(graded(name="a-b=c, \"d\" 'e'"))
    assert row["submission"] == "a-b=c, \"d\" 'e'"


def test_hostile_words_stay_in_their_cell_and_can_be_written() -> None:
    text = grades_csv([hostile(), graded()], RULES)
    text.encode()
    assert not {"\x1b", "\x00", "\r"} & set(text)
    first, second = csv.DictReader(io.StringIO(text))
    assert first["submission"].startswith("<script>alert(1)</script> [red]red[/red] \ufffd[31mred")
    assert second["submission"] == "first"


def test_the_screen_shows_points_and_signs() -> None:
    lines = shown(graded(), rejected(), ungraded(), half_graded()).splitlines()
    found = [" ".join(line.split()) for line in lines]
    for expected in (
        "A test of checks",
        "q1 q4 q5 q6 q7 auto",
        "submission /4 /6 /8 /4 /8 /26 accuracy",
        "first • 6 2.66 0 8 16.66 96.0%",
        "second 0 0 0 0 0 0",
        "third • ? ? ? ? ?",
        "first • 6 2.66 0 ? ? 96.0%",
    ):
        assert expected in found


def test_the_screen_obeys_no_ones_name() -> None:
    said = shown(hostile(), width=300)
    assert "<script>alert(1)</script> [red]red[/red] \ufffd[31mred\ufffd[0m \ufffd &" in said
    assert not {"\x1b", "\x00"} & set(said)


def test_remarks_are_a_line_each_and_only_where_there_is_something_to_say() -> None:
    assert remarks([graded(notes=()), rejected(), ungraded()]) == (
        "second: It is not a notebook.\nthird: could not be graded: the judge took too long"
    )
    assert remarks([]) == ""
    assert "\n" not in remarks([hostile()])
    assert remarks([hostile()]).isprintable()


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        (QUESTIONS[0], "•"),
        (replace(QUESTIONS[0], answer=""), "–"),
        (replace(QUESTIONS[0], answer=None), "–"),
        (replace(QUESTIONS[0], earned=3.5), "3.5"),
        (QUESTIONS[1], "6"),
        (replace(QUESTIONS[1], earned=0.0), "0"),
        (replace(QUESTIONS[1], earned=None), "?"),
    ],
    ids=["answer", "empty answer", "no answer", "marked answer", "points", "no points", "fault"],
)
def test_a_cell_is_points_or_a_sign(question: QuestionGrade, sign: str) -> None:
    assert cell(question) == sign


def test_a_remark_is_the_fault_first_then_the_first_note_that_matters() -> None:
    assert remark(ungraded(notes=("A note.",))) == "could not be graded: the judge took too long"
    assert remark(graded(notes=("q1: no answer was written.", "A note.", "More."))) == "A note."
    assert remark(graded(notes=())) == ""


def test_written_points_are_no_automatic_ones() -> None:
    assert automatic(whole()) == automatic(graded()) == 16.66
    assert [rows(whole())[0][key] for key in ("q1", "automatic")] == ["2.5", "16.66"]
    assert "first 2.5 6 2.66 0 8 16.66" in " ".join(shown(whole()).split())


def test_what_is_not_marked_is_told_by_question() -> None:
    assert unmarked(whole()) == unmarked(rejected()) == ()
    assert unmarked(replace(graded(), questions=(*graded().questions, replace(QUESTIONS[0], id="q9")))) == ("q1", "q9")


def totals(*reports: GradeReport, students: tuple[Student, ...] | None = None) -> list[list[str]]:
    roll = None if students is None else join(students, [report.name for report in reports])
    return list(csv.reader(io.StringIO(totals_csv(reports, RULES, roll))))


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
        [
            *("fifth", "2.5", "6", "2.66", "0", "", "", "2.5", "", "30"),
            "q7 could not be graded: KeyError: secret",
        ],
    ]


def test_with_a_roster_its_students_are_the_rows_and_strangers_stand_below() -> None:
    students = (
        Student("Bo", ("2",), ("bo@x.edu",), section="A"),
        Student("=Ann", ("1",), file="first.ipynb"),
        Student("Cy", (), ("cy@x.edu",)),
    )
    reports = [whole(notes=()), rejected(), whole(name="cy 1", notes=()), whole(name="1 cy", notes=())]
    head, *found = totals(*reports, students=students)
    assert head[:5] == ["name", "id", "email", "section", "submission"]
    points = ["2.5", "6", "2.66", "0", "8", "16.66", "2.5", "19.16", "30"]
    assert found == [
        ["Bo", "2", "bo@x.edu", "A", *[""] * 10, "no submission"],
        ["'=Ann", "1", "", "", "first", *points, ""],
        ["Cy", "", "cy@x.edu", "", *[""] * 10, f"matches 2 submissions (1 cy, cy 1); name one {FILE_COLUMN}"],
        ["", "", "", "", "second", *["0"] * 8, "30", "no student on the roster; It is not a notebook."],
        ["", "", "", "", "cy 1", *points, "no student on the roster"],
        ["", "", "", "", "1 cy", *points, "no student on the roster"],
    ]


def test_hostile_names_are_printable_in_the_totals() -> None:
    text = totals_csv([hostile()], RULES)
    text.encode()
    assert not {"\x1b", "\x00", "\r"} & set(text)


ANN = ExternalGrade(GRADESCOPE, "ann@x.edu", "ann@x.edu", "17", "Ann", 20.5, (("q1", 3.5), ("q4", 6.0)), "Graded")
BO = ExternalGrade(OTTER, "bo", "", "", "", None, (("q4", None),), "Exit code: 1\nand more")


def test_grades_from_elsewhere_stand_beside_those_of_the_gradebook() -> None:
    compared = [
        Comparison(MatchedGrade(ANN, "smith_17"), 17.0, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="cy"), "cy"), 16.66, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="di"), "di"), 12.0, 16.66),
        Comparison(MatchedGrade(replace(ANN, name="ed"), "ed"), 17.0, None),
        Comparison(MatchedGrade(BO, None, "no submission has bo in its name"), None, None),
    ]
    found = [" ".join(line.split()) for line in printed(joins(compared)).splitlines()]
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


def test_the_rows_that_need_a_word_get_one_line_for_each() -> None:
    compared = [
        Comparison(MatchedGrade(ANN, "smith_17"), 17.0, 16.66),
        Comparison(MatchedGrade(BO, None, "no submission has bo in its name"), None, None),
        Comparison(MatchedGrade(replace(BO, name="cy", status=""), "cy"), None, 3.0),
    ]
    assert join_remarks(compared).splitlines() == [
        "bo: not joined, no submission has bo in its name; no grade from otter grade, which says Exit code: 1",
        "cy: no grade from otter grade, nor a reason",
    ]
    assert join_remarks(compared[:1]) == ""


def test_the_names_of_a_file_that_came_back_are_not_obeyed() -> None:
    told = [Comparison(MatchedGrade(replace(BO, name=HOSTILE, status=HOSTILE), None, f"not {HOSTILE}"), None, None)]
    said = printed(joins(told), width=300)
    assert "<script>alert(1)</script> [red]red[/red] \ufffd[31mred" in said
    assert not {"\x1b", "\x00"} & set(said)
    assert all(line.isprintable() for line in join_remarks(told).split("\n"))
