"""Canvas's gradebook: exports of every shape go out as they came in, but for the cells that were filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import ImportedFileError
from autograder.judge.grade_report import GradeReport
from autograder.lms import roster
from autograder.lms.canvas import CanvasExport, FilledExport, fill, find_column, read
from autograder.lms.roster import Enrolment, Student
from autograder.tests.reports import QUESTIONS, graded, half_graded, rejected, ungraded

TITLE = "A test of checks"
FULL = (
    "Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section,Notes,Warm-up (31),A test of checks (32),"
    "Exercises Current Score,Exercises Unposted Current Score,Exercises Final Score,Exercises Unposted Final Score,"
    "Current Score,Unposted Current Score,Final Score,Unposted Final Score,Final Grade\r\n"
    ",,,,,,,,,Manual Posting,,,,,,,,,\r\n"
    "    Points Possible,,,,,,,(read only),10.00,30.00,(read only),(read only),(read only),(read only),(read only),"
    "(read only),(read only),(read only),(read only)\r\n"
    '"Lee, Ann",90001,s17,ann@x.edu,,x.edu,Spring A,"says ""hi"", often",9.50,,95.00,95.00,23.75,23.75,95,95,23,,F\r\n'
    '"O\'Ray, Ben ""B.""",90002,s18,ben@x.edu,,x.edu,"Spring A and Spring B",,10.00,12.00,,,,,,,,,\r\n'
    "Cy,90003,,cy,,x.edu,Spring A,,EX,EX,,,,,,,,,\r\n"
    '"Dée, Dî",90004,s20,di@x.edu,,x.edu,Spring A,,N/A,N/A,,,,,,,,,\r\n'
    '"Eck, Ed",90005,s21,ed@x.edu,,x.edu,Spring A,,-,-,,,,,,,,,\r\n'
    '"Student, Test",90099,,0a1b2c3d,,x.edu,Spring A,,,,,,,,,,,,\r\n'
)
SHORT = (
    "Student,ID,SIS Login ID,Section,A test of checks (32)\n"
    "    Points Possible,,,,30.00\n"
    '"Lee, Ann",90001,ann@x.edu,A,\n'
    '"Ray, Ben",90002,ben,A,7\n'
)
WHOLE = graded(questions=(replace(QUESTIONS[0], earned=3.502), *QUESTIONS[1:]))
"""Marked and graded: 20.162 of 30 points."""


def of(name: str, report: GradeReport = WHOLE) -> GradeReport:
    return replace(report, name=name)


def export(folder: Path, text: str) -> CanvasExport:
    path = folder / "canvas.csv"
    path.write_bytes(text.encode())
    return read(path)


def filled(
    folder: Path, text: str, reports: Sequence[GradeReport], students: Sequence[Student] | None = None
) -> FilledExport:
    exported = export(folder, text)
    matched = None if students is None else roster.join(students, [report.name for report in reports])
    return fill(exported, find_column(exported, TITLE), reports, roster=matched)


def names(enrolments: Sequence[Enrolment]) -> dict[str, str | None]:
    """Map students' names to their submissions."""
    return {entry.student.name: entry.submission for entry in enrolments}


def reasons(enrolments: Sequence[Enrolment]) -> list[tuple[str, str]]:
    return [(entry.student.name, entry.why) for entry in enrolments]


def test_a_full_export_is_filled_and_all_else_stays(tmp_path: Path) -> None:
    reports = [of("hw_ann@x.edu"), of("ben_hw"), of("cy"), of("di"), of("ed", graded()), of("stranger")]
    done = filled(tmp_path, FULL, reports)
    assert done.content == FULL.replace("9.50,,95", "9.50,20.16,95").replace("10.00,12.00", "10.00,20.16")
    assert done.column == "A test of checks (32)"
    assert names(done.filled) == {"Lee, Ann": "hw_ann@x.edu", 'O\'Ray, Ben "B."': "ben_hw"}
    assert reasons(done.skipped) == [
        ("Cy", "excused in Canvas"), ("Dée, Dî", "not assigned in Canvas"), ("Eck, Ed", "not marked yet: q1"),
    ]  # fmt: skip
    assert (done.unmatched, done.without_student, done.remark) == ((), ("stranger",), "")


HALF = replace(half_graded(), questions=(WHOLE.questions[0], *half_graded().questions[1:]))


@pytest.mark.parametrize(
    ("before", "report", "after", "why"),
    [
        ("7", graded(), "7", "not marked yet: q1"),
        ("7", ungraded(), "7", "could not be graded"),
        ("7", HALF, "7", "could not be graded"),
        ("7", rejected(), "0.00", ""),
        ("20.16", WHOLE, "20.16", ""),
        ("20.160", WHOLE, "20.160", ""),
        (" 20.16", WHOLE, " 20.16", ""),
    ],
    ids=["unmarked", "ungraded", "one question ungraded", "rejected", "same", "same with a zero", "same with a blank"],
)
def test_a_cell_changes_only_if_its_student_has_another_total(
    tmp_path: Path, before: str, report: GradeReport, after: str, why: str
) -> None:
    done = filled(tmp_path, SHORT.replace(",7\n", f",{before}\n"), [of("ben", report)])
    assert done.content == SHORT.replace(",7\n", f",{after}\n")
    assert names(done.filled) == ({} if why else {"Ray, Ben": "ben"})
    assert reasons(done.skipped) == ([("Ray, Ben", why)] if why else [])
    assert reasons(done.unmatched) == [("Lee, Ann", "no submission")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["no BOM", "BOM"])
def test_what_a_spreadsheet_or_a_language_makes_of_it_stays(tmp_path: Path, start: str, end: str) -> None:
    text = start + SHORT.replace('"Lee, Ann"', '"Lee; Ann"').replace("Ray, ", "").replace(",", ";").replace("\n", end)
    assert filled(tmp_path, text, [of("ben")]).content == text.replace(";A;7", ";A;20.16")


@pytest.mark.parametrize(
    ("number", "shown"), [("12,50", "20,16"), ("12.50", "20.16"), ("12", "20.16"), ("1,5 and 2.50", "20.16")]
)
def test_a_decimal_comma_is_written_where_canvas_writes_one(tmp_path: Path, number: str, shown: str) -> None:
    head = "Student;ID;SIS Login ID;Section;Warm-up (31);A test of checks (32)\n"
    text = f"{head}Points Possible;;;;20;30\nLee, Ann;1;ann;A;{number.replace(' and ', ';')};\n"
    if "and" in number:
        text = text.replace("Warm-up (31);", "Warm-up (31);Other (33);").replace(";20;30", ";20;20;30")
    assert filled(tmp_path, text, [of("ann")]).content == text[:-1] + f"{shown}\n"
    commas = text.replace("Lee, Ann", "Ann").replace("12,50", '"12,50"').replace("1,5", '"1,5"').replace(";", ",")
    expected = f'"{shown}"' if "," in shown else shown
    assert filled(tmp_path, commas, [of("ann")]).content == commas[:-1] + f"{expected}\n"


def test_points_that_differ_are_reported_and_not_scaled(tmp_path: Path) -> None:
    text = SHORT.replace("30.00", "100")
    done = filled(tmp_path, text, [of("ann")])
    assert done.remark == "A test of checks (32) is worth 100 points in Canvas, and 30 here; the points are not scaled"
    assert done.content == text.replace("ann@x.edu,A,", "ann@x.edu,A,20.16")
    assert filled(tmp_path, SHORT.replace(",30.00", ","), [of("ann")]).remark == ""
    rows = SHORT.splitlines(keepends=True)
    assert filled(tmp_path, rows[0] + "".join(rows[2:]), [of("ann")]).remark == ""


@pytest.mark.parametrize(
    "submission",
    [
        "90001", "hw_90001", "leeann_90001_555_hw1", "leeann_LATE_90001_555_hw1", "s17", "hw-s17", "ann@x.edu", "ann",
        "hw1_ann", "Ann Lee", "lee_ann", "Lee, Ann/notebook",
    ],
)  # fmt: skip
def test_students_are_known_by_id_sis_id_login_or_name(tmp_path: Path, submission: str) -> None:
    done = filled(tmp_path, FULL, [of(submission), of("nobody")])
    assert names(done.filled) == {"Lee, Ann": submission}
    assert done.without_student == ("nobody",)


@pytest.mark.parametrize(
    ("text", "ann", "ben"),
    [
        (SHORT, "leeann_90001_90002_hw1", "rayben_90002_90001_hw1"),
        (SHORT.replace("90001", "1").replace("90002", "2"), "hw_2_ann", "hw_1_ben"),
    ],
    ids=["the first number of a download", "a short ID or the number of an exercise"],
)
def test_a_number_in_a_name_is_not_taken_for_somebody_elses_id(tmp_path: Path, text: str, ann: str, ben: str) -> None:
    assert names(filled(tmp_path, text, [of(ann), of(ben)]).filled) == {"Lee, Ann": ann, "Ray, Ben": ben}


def test_nobody_hands_in_for_the_test_student(tmp_path: Path) -> None:
    done = filled(tmp_path, FULL, [of("Test Student"), of("90099")])
    assert done.content == FULL
    assert "Student, Test" not in dict(reasons(done.unmatched))


def test_with_a_roster_students_are_known_by_their_row_of_it(tmp_path: Path) -> None:
    students = [
        Student("Somebody Else", ("s17",), file="one.ipynb"),
        Student("", (), ("ben@elsewhere.edu",), file="two.ipynb"),
        Student("Ed Eck", file="three.ipynb"),
        Student("Dî Dée", ("x",), ("none@x.edu",)),
    ]
    reports = [of(name) for name in ("one", "two", "three", "ann", "90002", "cy")]
    done = filled(tmp_path, FULL, reports, students)
    assert names(done.filled) == {"Lee, Ann": "one", 'O\'Ray, Ben "B."': "two", "Eck, Ed": "three"}
    assert reasons(done.unmatched) == [("Cy", "not on the roster"), ("Dée, Dî", "no submission")]
    assert done.without_student == ("ann", "90002", "cy")


TWICE = [Student("Ann Lee", ("1",)), Student("Lee Ann", ("2",))]


@pytest.mark.parametrize(
    ("submissions", "students", "why"),
    [
        (
            ["hw_90001", "ann_hw", "hw_ann@x.edu"],
            None,
            "matches 2 submissions (hw_90001, hw_ann@x.edu); name one in the",
        ),
        (["ann_1", "ann_2"], [Student("", (), ("ann@x.edu",))], "matches 2 submissions (ann_1, ann_2); name one"),
        (["1"], TWICE, "matches 2 roster rows (1: Ann Lee, 2: Lee Ann)"),
    ],
    ids=["without a roster", "the roster", "two rows of the roster"],
)
def test_who_cannot_be_matched_beyond_doubt_is_listed(
    tmp_path: Path, submissions: Sequence[str], students: Sequence[Student] | None, why: str
) -> None:
    done = filled(tmp_path, SHORT, [of(name) for name in submissions], students)
    assert done.content == SHORT
    name, found = reasons(done.unmatched)[0]
    assert (name, found.startswith(why)) == ("Lee, Ann", True)


def test_first_and_last_name_may_have_columns_of_their_own(tmp_path: Path) -> None:
    head = "LastName,FirstName,ID,Section,A test of checks (32)\n    Points Possible,,,,30\n"
    text = f"{head}Lee,Ann,1,A,\nStudent,Test,2,A,\n"
    done = filled(tmp_path, text, [of("ann_lee")])
    assert done.content == text.replace("1,A,", "1,A,20.16")
    assert done.unmatched == ()


def with_columns(folder: Path, columns: str, possible: str = "") -> CanvasExport:
    """Export one student and these assignments' columns."""
    blank = "," * columns.count(",")
    return export(folder, f"Student,ID,Section,{columns}\nPoints Possible,,,{possible}{blank}\nAnn,1,A,{blank}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty; expected the columns Student (or LastName, FirstName) and ID"),
        ("Name,SID,Email\n", "its first line is 'Name,SID,Email'; expected the columns Student"),
        ("PK\x03\x04", "and use that file unchanged."),
        ("Student,ID,Section,T (1)\n    Points Possible,,,\n", "no student in it; expected a row for each."),
        ("Student,ID,Section,T (1)\nLee, Ann,1,A,\n", "line 2: 5 cells; expected 4, as in the header."),
        ("Student,ID,Section,T (1)\nAnn,1,A,\n\nBen,1,A,\n", "line 4: a second row with the ID 1, the first is line 2"),
        ('Student;ID;Section;T (1)\n"Ann;1;A;\n', "line 2: unexpected end of data"),
    ],
    ids=["nothing", "another file", "a zip", "nobody", "a comma", "an ID twice", "a quote"],
)
def test_what_is_not_a_gradebook_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportedFileError) as caught:
        export(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "canvas.csv"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "chosen", "found"),
    [
        ("A test of checks (32)", None, "A test of checks (32)"),
        ("A test of checks", None, "A test of checks"),
        ("a Test  of checks (32)", None, "a Test  of checks (32)"),
        ("A test of checks(32)", None, "A test of checks(32)"),
        ("Other (9)", "Other (9)", "Other (9)"),
        ("Other (9)", "other", "Other (9)"),
        ("Other (9)", "9", "Other (9)"),
        ("Other (2026) (9)", "Other (2026)", "Other (2026) (9)"),
        ("Other (2026) (9)", "(9)", "Other (2026) (9)"),
        ("Other (9),Other (10)", "10", "Other (10)"),
        ("Other (9),Other (10)", "Other (9)", "Other (9)"),
        ("Other,Other (10)", "Other", "Other"),
        ("9 (8),Other (9)", "9", "Other (9)"),
    ],
)
def test_the_column_is_found_by_title_or_id_or_as_chosen(
    tmp_path: Path, columns: str, chosen: str | None, found: str
) -> None:
    exported = with_columns(tmp_path, columns)
    assert exported.file.header[find_column(exported, TITLE, chosen)] == found


@pytest.mark.parametrize(
    ("columns", "chosen", "message"),
    [
        ("Other (9)", None, "no column is called 'A test of checks'; expected one of 'Other (9)'. Choose it with"),
        ("Other (9)", "Others", "no column is called 'Others'"),
        ("Other (9)", "ID", "Canvas does not import the column 'ID'; expected the column of an assignment"),
        ("Total,Final Score", "Final Score", "Canvas does not import the column 'Final Score'"),
        ("Other (9),other (10)", "OTHER", "2 columns match 'OTHER': 'Other (9)', 'other (10)'; expected one."),
        ("Other (9),Other (9)", "Other (9)", "2 columns match 'Other (9)'"),
        ("Final Score", None, "no column is an assignment; expected one called 'A test of checks'."),
        (",".join(f"T ({n})" for n in range(12)), "x", "'T (9)' and 2 more. Choose it"),
    ],
)
def test_a_column_that_is_not_found_is_an_error(tmp_path: Path, columns: str, chosen: str | None, message: str) -> None:
    with pytest.raises(ImportedFileError) as caught:
        find_column(with_columns(tmp_path, columns), TITLE, chosen)
    assert message in str(caught.value)


def test_a_column_that_is_read_only_is_none_to_fill(tmp_path: Path) -> None:
    with pytest.raises(ImportedFileError, match="no column is an assignment"):
        find_column(with_columns(tmp_path, f"{TITLE} (32)", "(read only)"), TITLE)
