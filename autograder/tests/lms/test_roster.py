"""A course's students: files as people and systems write them, and whose each submission is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import ImportedFileError
from autograder.lms.roster import Enrolment, MatchedRoster, Student, join, read

ANN = Student("Ann Lee", ("17",), ("ann@x.edu",), section="A")
BEN = Student("Ben Ray", ("18",), ("ben@x.edu",), section="B")
PLAIN = "name,id,email,section\nAnn Lee,17,ann@x.edu,A\nBen Ray,18,ben@x.edu,B\n"


def read_text(folder: Path, text: str) -> tuple[Student, ...]:
    path = folder / "roster.csv"
    path.write_bytes(text.encode())
    return read(path)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "Section,E-Mail,SID,Student Name\nA,ann@x.edu,17,Ann Lee\nB,ben@x.edu,18,Ben Ray\n",
        "First Name,Last Name,student_id,Email Address,Sections\nAnn,Lee,17,ann@x.edu,A\nBen,Ray,18,ben@x.edu,B\n",
        'EMAIL;ID;"Full Name";Section;note\nann@x.edu;17;Ann Lee;A;"a;b"\n\nben@x.edu;18;Ben Ray;B;\n;;;;\n',
        "Surname,Given name,SIS User ID,SIS Login ID,section\nLee,Ann,17,ann@x.edu,A\nRay,Ben,18,ben@x.edu,B\n",
    ],
    ids=["plain", "turned", "Gradescope", "European", "two names"],
)
def test_students_are_read_from_whatever_columns_say_who_they_are(tmp_path: Path, text: str) -> None:
    assert read_text(tmp_path, text) == (ANN, BEN)


def test_a_file_and_a_name_alone_will_do(tmp_path: Path) -> None:
    assert read_text(tmp_path, "Name,Submission\nAnn,hw/ann.ipynb\nBen,\n") == (
        Student("Ann", file="hw/ann.ipynb"),
        Student("Ben"),
    )
    assert read_text(tmp_path, "email\nann@x.edu\n") == (Student("", (), ("ann@x.edu",)),)


def test_canvas_own_gradebook_is_a_roster_without_its_other_rows(tmp_path: Path) -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,HW (7)\n"
        ",,,,,Manual Posting\n"
        "    Points Possible,,,,,40.00\n"
        '"Lee, Ann",9001,17,ann@x.edu,A,\n'
        '"Ray, Ben",9002,,ben,A and B,3\n'
        '"Student, Test",9003,,0a1b,A,\n'
    )
    assert read_text(tmp_path, text) == (
        Student("Lee, Ann", ("17", "9001"), ("ann@x.edu",), section="A"),
        Student("Ray, Ben", ("9002",), ("ben",), section="A and B"),
    )
    split = text.replace("Student,ID", "LastName,FirstName,ID").replace("Possible,,", "Possible,,,")
    split = split.replace(",,,,,Manual", ",,,,,,Manual").replace('"', "").replace(", ", ",")
    assert [student.name for student in read_text(tmp_path, split)] == ["Ann Lee", "Ben Ray"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty; expected a header with one or more of the columns name"),
        ("file,total_points_earned,grading_status\nann,1,Completed\n", "its first line is 'file,total_points_earned"),
        ("PK\x03\x04", "Give the columns these names."),
        ("name,id\n", "no student, only a header; expected a row for each."),
        ("name,id,note\nAnn,1,\n,,x\n", "line 3: the row names nobody; expected a name, an id or an email."),
        ("name,id\nAnn,1\nBen,2\nAnna,1\n", "line 4: a second row with the id 1, the first is line 2; expected one"),
        ("name,Email\nAnn,a@x\nBen,A@X\n", "line 3: a second row with the Email A@X, the first is line 2"),
        ("name,file\nAnn,a.ipynb\nBen,a\n", "line 3: a second row with the file a, the first is line 2"),
        ("name\nAnn\nann\n", "line 3: a second row with the name ann, the first is line 2"),
        ("First Name,Last Name\nAnn,Lee\nAnn,Lee\n", "line 3: a second row with the name Ann Lee"),
    ],
    ids=[
        "nothing", "grades of Otter", "a zip", "a head alone", "nobody", "an id twice", "an email twice",
        "a file twice", "a name twice", "both names twice",
    ],
)  # fmt: skip
def test_what_is_no_roster_is_reported_with_its_place_and_a_way_out(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportedFileError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "roster.csv"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["name,id\nAnn,1\nAnn,2\n", "Student,ID,SIS User ID\nAnn,1,2\nBen,2,1\n", "name\nTest Student\nAnn\n"],
    ids=["one name", "one person's id in another column", "Canvas's test student, but not Canvas's file"],
)
def test_people_may_share_a_name_or_be_called_test_student(tmp_path: Path, text: str) -> None:
    assert len(read_text(tmp_path, text)) == 2


@pytest.mark.parametrize(
    ("student", "submission"),
    [
        (Student("", file="ann.ipynb"), "ann"),
        (Student("", file="Class\\ann.ipynb"), "class/ann"),
        (Student("", file="ann.ipynb"), "section 1/ann"),
        (Student("", file="zip/ann.ipynb"), "ann"),
        (Student("", ("17",)), "17"),
        (Student("", ("17",)), "student_17"),
        (Student("", ("9", "17")), "student_17"),
        (Student("", (), ("ann@x.edu",)), "hw1 ann@x.edu"),
        (Student("", (), ("ann@x.edu",)), "ann_hw1"),
        (Student("Ann Lee", ("17",)), "lee_ann"),
        (Student("Lee, Ann", file="gone.ipynb"), "Ann Lee"),
    ],
)
def test_a_student_is_joined_by_file_id_email_or_name(student: Student, submission: str) -> None:
    others = ("another", "1717", "joanne", "annlee2", "banner")
    assert join([student], [*others, submission]).enrolments == (Enrolment(student, submission),)


def test_a_class_is_joined_and_what_could_not_be_is_listed() -> None:
    twice, gone, cy = Student("Di", ("20",)), Student("Ed", ("21",)), Student("Cy", (), ("cy@x.edu",))
    same = Student("Cy", (), ("cy@y.edu",))
    roll = join([ANN, BEN, twice, gone, cy, same], ["17", "hw_20", "20_again", "hw_ben", "stranger", "cy_hw"])
    assert roll == MatchedRoster(
        (
            Enrolment(ANN, "17"),
            Enrolment(BEN, "hw_ben"),
            Enrolment(twice, None, "matches 2 submissions (20_again, hw_20); name one in the roster's `file` column"),
            Enrolment(gone, None),
            Enrolment(cy, None, "2 rows match the submission cy_hw; name it in the roster's `file` column"),
            Enrolment(same, None, "2 rows match the submission cy_hw; name it in the roster's `file` column"),
        ),
        ("hw_20", "20_again", "stranger", "cy_hw"),
    )
    assert roll.missing == (gone,)
    assert [each.student for each in roll.unmatched] == [twice, cy, same]


def test_the_file_that_is_reported_counts_more_than_a_name() -> None:
    one, other = Student("", ("17",), file="b.ipynb"), Student("", ("18",), file="student_17.ipynb")
    assert [each.submission for each in join([one, other], ["b", "student_17"]).enrolments] == ["b", "student_17"]


@given(st.lists(st.text(alphabet="ab1@._/ ", min_size=1, max_size=6), unique=True), st.data())
def test_no_submission_is_ever_given_to_two_students(names: list[str], data: st.DataObject) -> None:
    marks = data.draw(st.lists(st.text(alphabet="ab1@._", min_size=1, max_size=5), unique=True))
    roll = join([Student(mark, (mark[:2],), (mark,), mark) for mark in marks], names)
    given_out = [each.submission for each in roll.enrolments if each.submission is not None]
    assert len(set(given_out)) == len(given_out)
    assert sorted([*given_out, *roll.without_student]) == sorted(names)
    assert len(roll.missing) + len(roll.unmatched) + len(given_out) == len(marks)
