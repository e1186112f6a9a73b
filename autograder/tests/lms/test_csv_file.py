"""CSV files row by row: nothing of a file gets lost, one cell can be changed, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder.errors import RosterError
from autograder.lms.csv_file import CsvFormat, Record, number, records, refilled

FORM = CsvFormat(RosterError, "a file", "of ours", "expected something else.")
CELLS = st.text(alphabet=st.sampled_from("ab1 ,;\"'\n\r.é=-"), max_size=8)


def read(content: str, delimiter: str = ",") -> list[Record]:
    return list(records(Path("a.csv"), content, delimiter, FORM))


@given(st.text(alphabet=st.sampled_from('a1,;"\n\r é'), max_size=40), st.sampled_from(",;"))
def test_the_rows_put_together_are_the_file_again(content: str, delimiter: str) -> None:
    said, rows = "", []
    try:
        rows = read(content, delimiter)
    except RosterError as error:
        said = str(error)
    if said:
        assert said.startswith("a.csv, line ")
        return
    assert "".join(row.raw for row in rows) == content
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
    before = read(out.getvalue(), delimiter)
    which = data.draw(st.integers(0, len(before) - 1))
    cells = [list(row.cells) for row in before]
    assume(cells[which])
    at = data.draw(st.integers(0, len(cells[which]) - 1))
    changed = [refilled(row, delimiter, at, value) if row is before[which] else row.raw for row in before]
    cells[which][at] = value
    assert [list(row.cells) for row in read("".join(changed), delimiter)] == cells


@pytest.mark.parametrize(
    ("raw", "at", "value", "expected"),
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
def test_all_but_the_cell_stays_as_it_stood(raw: str, at: int, value: str, expected: str) -> None:
    (row,) = read(raw)
    assert refilled(row, ",", at, value) == expected


@pytest.mark.parametrize(
    ("cell", "value"),
    [("2.5", 2.5), ("-1", -1.0), ("1e2", 100.0), ("", None), ("x", None), ("1e999", None), ("٣", None)],
)
def test_a_number_is_one_in_figures_and_finite(cell: str, value: float | None) -> None:
    assert number(cell) == value
