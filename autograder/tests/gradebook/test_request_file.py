"""Requests to look at a mark again: in from a form or a spreadsheet, out with the answers, and in again."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.errors import ImportedFileError
from autograder.gradebook.request_file import read, render
from autograder.gradebook.request_store import RegradeRequest
from autograder.lms import roster
from autograder.lms.roster import Student

QUESTIONS = ("q1", "q2")
CLASS = ("hw_ann", "ben@x.edu", "student_19", "di_1", "di_2")


def read_text(
    folder: Path, text: str | bytes, students: Collection[Student] | None = None
) -> tuple[RegradeRequest, ...]:
    path = folder / "requests.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    roll = None if students is None else roster.join(list(students), CLASS)
    return read(path, QUESTIONS, CLASS, roll)


def refused(folder: Path, text: str | bytes, students: Collection[Student] | None = None) -> str:
    with pytest.raises(ImportedFileError) as caught:
        read_text(folder, text, students)
    assert str(caught.value).startswith(str(folder / "requests.csv"))
    return str(caught.value)


def test_requests_are_read_by_submission_email_or_id(tmp_path: Path) -> None:
    text = (
        "Email,Question,Text,Submission,ID,Timestamp\n"
        ',q1,"I said so,\r\nin my second line.",HW_Ann.ipynb,,2026\n'
        "ben@x.edu,Q2,Please look.,,,2026\n"
        ",q1,Why?,,19,2026\n"
        "ann@x.edu,q2,Again.,,,2026\n"
    )
    assert read_text(tmp_path, text) == (
        RegradeRequest("hw_ann", "q1", "I said so,\nin my second line."),
        RegradeRequest("ben@x.edu", "q2", "Please look."),
        RegradeRequest("student_19", "q1", "Why?"),
        RegradeRequest("hw_ann", "q2", "Again."),
    )
    semicolons = io.StringIO()
    csv.writer(semicolons, delimiter=";", lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
    assert read_text(tmp_path, "\ufeff" + semicolons.getvalue()) == read_text(tmp_path, text)


def test_with_a_roster_an_email_or_id_is_looked_up_there(tmp_path: Path) -> None:
    students = [Student("Ann", ("17",), ("a.lee@x.edu",), "hw_ann.ipynb"), Student("Ed", ("21",))]
    assert read_text(tmp_path, "email,question,text\nA.Lee@x.edu,q1,Why?\n", students) == (
        RegradeRequest("hw_ann", "q1", "Why?"),
    )
    assert read_text(tmp_path, "id,submission,question,text\n99,hw_ann,q1,Why?\n", students)[0].submission == "hw_ann"
    assert "line 2: no students on the roster have ben@x.edu." in refused(
        tmp_path, "email,question,text\nben@x.edu,q1,Why?\n", students
    )
    assert "line 2: no submission of id 21." in refused(tmp_path, "id,question,text\n21,q1,Why?\n", students)
    assert "line 2: 2 students on the roster have a.lee@x.edu or id 21." in refused(
        tmp_path, "id,email,question,text\n21,a.lee@x.edu,q1,Why?\n", students
    )
    twice = [Student("Di", (), ("di@x.edu",))]
    assert "matches 2 submissions (di_1, di_2); name one in the" in refused(
        tmp_path, "email,question,text\ndi@x.edu,q1,Why?\n", twice
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty; expected the columns question and text, and one or more of submission, email and id."),
        (b"\xff", "it is not UTF-8 text (byte 0); expected a CSV file of requests."),
        ("email,text\na,b\n", "its first line is 'email,text'; expected the columns question and text"),
        ("name,question,text\n", "Give the columns these names."),
        ("email,question,text\n", "a header but no request; expected a row for each."),
        ("email,question,text\n,q1,Why?\n", "line 2: the row names nobody; expected a submission, an email or an id."),
        ("email,question,text\ned@x.edu,q1,Why?\n", "line 2: no submission of ed@x.edu. Fix or delete these rows"),
        ("id,question,text\n20,q1,Why?\n", "line 2: no submission of id 20."),
        (
            "email,question,text\ndi@x.edu,q1,Why?\n",
            "line 2: matches 2 submissions (di_1, di_2); name one in the `submission` column.",
        ),
        ("submission,question,text\nhw_ann,q9,Why?\n", "line 2: no question 'q9'; expected one of q1, q2."),
        ("submission,question,text\nhw_ann,q1,\n", "line 2: no text; expected the student's words."),
        (
            "submission,question,text\nhw_ann,q1,a\nhw_ann,q2,a\nhw_ann,q1,b\nHW_ann,q1,a\n",
            "requests.csv, line 5: the same request of hw_ann on q1 as in line 2. Fix or delete",
        ),
        ("submission,question,text\nhw_ann,q1,a,b\n", "line 2: 4 cells; expected 3"),
    ],
)
def test_what_is_no_file_of_requests_is_told_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in refused(tmp_path, text)


def test_all_rows_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    rows = "".join(f"nobody{number},q1,Why?\n" for number in range(7))
    said = refused(tmp_path, f"submission,question,text\nhw_ann,q1,Why?\n{rows}")
    assert said.count("no submission of nobody") == 5
    assert "line 3: no submission of nobody0; line 4: " in said
    assert said.endswith(" (and 2 more rows). Fix or delete these rows; nothing was imported.")


def test_what_goes_out_is_a_row_each_and_no_formula() -> None:
    text = render(
        [
            RegradeRequest("=x", "q1", "=1+1\nmore \x1b[31m\ud800", "declined", "-no", 2.5, 2.5),
            RegradeRequest("y", "q2", "?"),
        ]
    )
    text.encode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["submission", "question", "text", "status", "reply", "before", "after"],
        ["'=x", "q1", "'=1+1\nmore \ufffd[31m\ufffd", "declined", "'-no", "2.5", "2.5"],
        ["y", "q2", "?", "open", "", "", ""],
    ]


NAMES = (*CLASS, "-ann")
WORDS = st.text(alphabet=st.sampled_from("ab =-'\"@,;\né\u200d"), max_size=12).map(str.strip)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.builds(
            RegradeRequest,
            st.sampled_from(NAMES),
            st.sampled_from(QUESTIONS),
            WORDS.filter(bool),
            st.sampled_from(["open", "accepted", "declined"]),
            WORDS,
            st.sampled_from([None, 0.0, 1.5]),
            st.sampled_from([None, 0.0, 2.25]),
        ),
        min_size=1,
        unique_by=lambda request: (request.submission, request.question, request.text),
    )
)
def test_what_went_out_comes_in_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, requests: list[RegradeRequest]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-requests.csv"
    path.write_bytes(render(requests).encode())
    assert read(path, QUESTIONS, NAMES) == tuple(
        RegradeRequest(request.submission, request.question, request.text) for request in requests
    )
