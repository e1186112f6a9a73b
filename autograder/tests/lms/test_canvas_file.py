"""Canvas's gradebook: which rows are students, and which column is the assignment."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ImportedFileError
from autograder.lms.canvas_file import CanvasExport, find_column, read

TITLE = "A test of checks"


def export(folder: Path, text: str) -> CanvasExport:
    path = folder / "canvas.csv"
    path.write_bytes(text.encode())
    return read(path)


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
