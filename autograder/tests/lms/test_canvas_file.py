"""Canvas's gradebook, row by row: nothing of the file gets lost, and one cell can be changed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder.errors import ImportedFileError
from autograder.lms.canvas_file import Record, read, records, refilled

CELLS = st.text(alphabet=st.sampled_from("ab1 ,;\"'\n\r.é=-"), max_size=8)


def parsed(content: str, delimiter: str = ",") -> tuple[Record, ...]:
    return records(Path("a.csv"), content, delimiter)


@given(st.text(alphabet=st.sampled_from('a1,;"\n\r é'), max_size=40), st.sampled_from(",;"))
def test_the_rows_joined_are_the_file_again(content: str, delimiter: str) -> None:
    try:
        rows = parsed(content, delimiter)
    except ImportedFileError as error:
        assert str(error).startswith("a.csv, line ")  # noqa: PT017  # either way will do
        return
    assert "".join(row.text for row in rows) == content
    assert [list(row.cells) for row in rows] == list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=4),
    st.sampled_from(",;"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    CELLS,
    st.data(),
)
def test_one_cell_changes_and_no_other(
    rows: list[list[str]], delimiter: str, quoting: int, end: str, value: str, data: st.DataObject
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    before = parsed(out.getvalue(), delimiter)
    which = data.draw(st.integers(0, len(before) - 1))
    cells = [list(row.cells) for row in before]
    assume(cells[which])
    at = data.draw(st.integers(0, len(cells[which]) - 1))
    changed = [refilled(row, delimiter, at, value) if row is before[which] else row.text for row in before]
    cells[which][at] = value
    assert [list(row.cells) for row in parsed("".join(changed), delimiter)] == cells


@pytest.mark.parametrize(
    ("text", "at", "value", "expected"),
    [
        ("a,b,c\r\n", 1, "7", "a,7,c\r\n"),
        ('"a","b","c"\n', 1, "7", '"a","7","c"\n'),
        ('"x, ""y""",,c', 1, "7", '"x, ""y""",7,c'),
        ("a,b,\r", 2, "7", "a,b,7\r"),
        ("a,b", 0, "1,5", '"1,5",b'),
        ("a\n", 0, "", '""\n'),
        (' "a",b', 1, "7", ' "a",7'),
        ('a"b,c', 1, "7", 'a"b,7'),
        ('"two\nlines",b', 1, "7", '"two\nlines",7'),
    ],
)
def test_all_but_the_cell_stays_as_it_was(text: str, at: int, value: str, expected: str) -> None:
    (row,) = parsed(text)
    assert refilled(row, ",", at, value) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty; expected the columns Student (or LastName, FirstName) and ID"),
        ("Name,SID,Email\n", "its first line is 'Name,SID,Email'; expected the columns Student"),
        ("PK\x03\x04", "and use that file unchanged."),
        ("Student,ID,Section,T (1)\n    Points Possible,,,\n", "no student in it; expected a row for each."),
        ("Student,ID,Section,T (1)\nLee, Ann,1,A,\n", "line 2: 5 cells; expected 4, as in the header."),
        ("Student,ID,Section,T (1)\nAnn,1,A,\n\nBen,1,A,\n", "line 4: a second row with the ID 1, the first is line 2"),
        ('Student,ID,Section,T (1)\n"Ann,1,A,\n', "line 2: unexpected end of data"),
        ('Student;ID;Section;T (1)\n"Ann;1;A;\n', "line 2: unexpected end of data"),
    ],
    ids=["nothing", "another file", "a zip", "nobody", "a comma", "an ID twice", "a quote", "a quote, semicolons"],
)
def test_what_is_not_a_gradebook_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "canvas.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImportedFileError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
