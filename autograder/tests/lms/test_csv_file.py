"""CSV files from other systems: however a spreadsheet saved them, no byte is lost, and every mistake is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sized
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder.errors import ImportedFileError
from autograder.lms import canvas, external_grades, roster
from autograder.lms.csv_file import CsvFile, CsvFormat, CsvRow, parse_rows, read_table
from autograder.tests.journals import RULES

FORM = CsvFormat("a CSV file of points", "expected the columns name and points.")
PLAIN = 'name,points,note\nAnn,1.5,"two\nlines"\nBen,,\n'
ROWS = [(2, {"name": "Ann", "points": "1.5", "note": "two\nlines"}), (4, {"name": "Ben", "points": "", "note": ""})]
CELLS = st.text(alphabet=st.sampled_from("ab1 ,;\"'\n\r.é=-"), max_size=8)


def read(folder: Path, content: str | bytes) -> CsvFile:
    path = folder / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, FORM, lambda header: {"name", "points"} <= header)


def parsed(content: str, delimiter: str = ",") -> list[CsvRow]:
    return list(parse_rows(Path("a.csv"), content, delimiter))


def stripped(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_file_that_a_spreadsheet_saved_is_the_same_table(tmp_path: Path, end: str, bom: str, delimiter: str) -> None:
    table = read(tmp_path, bom + PLAIN.replace("\n", end).replace(",", delimiter))
    rows = [
        (row.line, {name: cell.replace(end, "\n") for name, cell in table.cells(row).items()}) for row in table.rows
    ]
    assert (table.delimiter, table.header, rows) == (delimiter, ("name", "points", "note"), ROWS)
    assert (table.bom + "".join(row.text for row in table.all_rows)).encode() == table.path.read_bytes()


def test_blank_rows_and_blanks_around_cells_are_skipped(tmp_path: Path) -> None:
    table = read(tmp_path, "\n , \n name , points \n\n Ann , 1 \n,\n\n")
    assert [(row.line, row.cells) for row in table.rows] == [(5, ("Ann", "1"))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv: it is empty; expected the columns name and points."),
        (b"\xef\xbb\xbf \r\n\r\n", "a.csv: it is empty"),
        (b"\xff\xfe", "it is not UTF-8 text (byte 0); expected a CSV file of points. If a spreadsheet wrote it"),
        ("PK\x03\x04\n1,2", "its first line is 'PK\\x03\\x04'; expected the columns name and points."),
        ("name,points;note\n", "its first line is"),
        ("name,points,points\nAnn,1,2\n", "2 columns are called points; expected every name once."),
        (
            "name,points\nAnn,1,5\n",
            "line 2: 3 cells; expected 2, as in the header. Look for an extra or a missing comma",
        ),
        ('name,points\nBen,1\n"Ann,1\n', "line 3: unexpected end of data; expected CSV cells, with quotes in pairs."),
        ('name;points\n"Ann"l;1\n', "line 2: ';' expected after '\"'"),
    ],
)
def test_what_is_not_the_expected_table_is_named_with_its_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(ImportedFileError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "a.csv"))
    assert message in str(caught.value)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "it is a folder"), (tmp_path / "none.csv", "no such file")):
        with pytest.raises(ImportedFileError, match=f"{message}.*Expected a CSV file of points"):
            read_table(path, FORM, bool)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("", None), ("7", 7), ("7.0", 7), ("+7", 7), ("7.", 7), (".5", 0.5), ("70e-1", 7), (" -7 ", -7), ("7,5", 7.5)],
)
def test_a_number_may_be_written_in_any_usual_way(tmp_path: Path, cell: str, value: float | None) -> None:
    table = read(tmp_path, f"name;points\nAnn;{cell}\n")
    assert table.number(table.rows[0], "points") == value


@pytest.mark.parametrize("cell", ["A+", "nan", "inf", "1e999", "1_0", "٣", "1.2.3", "--", "6 pts", '"7,5"'])
def test_what_is_not_a_number_is_named_with_its_line_and_column(tmp_path: Path, cell: str) -> None:
    table = read(tmp_path, f'name,points\n"A\nB",{cell}\n')
    with pytest.raises(ImportedFileError) as caught:
        table.number(table.rows[0], "points")
    message = f"line 2, column points: {cell.strip(chr(34))!r} is not a number; expected one such as 2.5"
    assert message in str(caught.value)


@given(st.text(alphabet=st.sampled_from('a1,;"\n\r é'), max_size=40), st.sampled_from(",;"))
def test_the_rows_joined_are_the_file_again(content: str, delimiter: str) -> None:
    try:
        rows = parsed(content, delimiter)
    except ImportedFileError as error:
        assert str(error).startswith("a.csv, line ")  # noqa: PT017  # either way will do
        return
    assert "".join(row.text for row in rows) == content
    expected = stripped(list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)))
    assert [list(row.cells) for row in rows] == expected


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
    cells = [list(row.cells) for row in before]
    which = data.draw(st.integers(0, len(before) - 1))
    assume(cells[which])
    at = data.draw(st.integers(0, len(cells[which]) - 1))
    changed = [row.refilled(delimiter, at, value) if row is before[which] else row.text for row in before]
    cells[which][at] = value
    assert [list(row.cells) for row in parsed("".join(changed), delimiter)] == stripped(cells)


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
    assert row.refilled(",", at, value) == expected


@pytest.mark.parametrize(
    ("read_file", "header"),
    [
        (roster.read, "Student;ID;Section\n"),
        (lambda path: external_grades.read([path], RULES), "file,total_points_earned,grading_status\n"),
        (lambda path: external_grades.read([path], RULES), "SID;Email;Total Score;Status;1: q4: Look\n"),
        (lambda path: canvas.read(path).rows, "Student,ID,T (1)\n"),
    ],
    ids=["roster", "Otter", "Gradescope", "Canvas"],
)
@given(st.booleans(), st.text(alphabet='aq4@,;"\n\r\t.:-e1 \x00é', max_size=60) | st.binary(max_size=60))
def test_any_bytes_are_rows_or_one_error(
    tmp_path_factory: pytest.TempPathFactory,
    read_file: Callable[[Path], Sized],
    header: str,
    with_header: bool,
    rest: str | bytes,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(header.encode() * with_header + (rest if isinstance(rest, bytes) else rest.encode()))
    rows, message = 0, ""
    try:
        rows = len(read_file(path))
    except ImportedFileError as caught:
        message = str(caught)
    assert bool(rows) != (str(path) in message)
