"""Canvas's gradebook export, read without losing a byte: one cell can be changed and everything else stays as it was.

The form was read in Canvas's sources (lib/gradebook_exporter.rb, lib/gradebook_importer.rb): a column is
`Title (assignment id)`; before the students there may be a row that says which columns are muted or posted by hand,
and then the row of points possible, in which `(read only)` marks what is not imported again.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import ImportedFileError
from autograder.lms.csv_file import DELIMITERS, CsvFormat, parse_rows, read_text, wrong_form
from autograder.lms.roster import POINTS_POSSIBLE, TEST_STUDENT
from autograder.lms.row_matching import name_key

__all__ = ["CanvasExport", "CanvasRow", "Record", "read", "records", "refilled"]

NAMES = ("Student", "LastName", "FirstName")
IDS = ("ID", "SIS User ID", "SIS Login ID")
OTHERS = ("Integration ID", "Root Account", "Section")
FORM = CsvFormat(
    "a gradebook exported from Canvas",
    "expected the columns Student (or LastName, FirstName) and ID, and one for each assignment. In Canvas, choose "
    "Grades, Export, Export Entire Gradebook, and use that file unchanged.",
)

COMPUTED = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
"""Columns that Canvas computes itself, for the course or for a group of assignments."""

READ_ONLY = re.compile(r"read.only")
DECIMAL_COMMA, DECIMAL_POINT = re.compile(r"-?\d+,\d{1,2}"), re.compile(r"-?\d+\.\d{1,2}")


@dataclass(frozen=True)
class Record:
    """One row of the file: the number of its first line, its cells, and its text, line end included."""

    line: int
    cells: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class CanvasRow:
    """The row of one student. `ids` are the ID, the SIS user ID and the SIS login ID, those that are not empty."""

    record: Record
    name: str
    id: str
    login: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class CanvasExport:
    """Canvas's file. `bom` and the texts of all `records`, joined, are the file again."""

    path: Path
    bom: str
    delimiter: str
    header: tuple[str, ...]
    possible: tuple[str, ...]
    records: tuple[Record, ...]
    rows: tuple[CanvasRow, ...]

    @property
    def assignments(self) -> tuple[int, ...]:
        """The indexes of the columns that may be filled."""
        return tuple(
            index
            for index, name in enumerate(self.header)
            if name
            and name not in (*NAMES, *IDS, *OTHERS)
            and not COMPUTED.search(name)
            and not READ_ONLY.search(self.points_possible(index))
        )

    def points_possible(self, index: int) -> str:
        """Return a column's cell in the row of points possible."""
        return self.possible[index].strip() if index < len(self.possible) else ""

    @property
    def decimal_comma(self) -> bool:
        """True if numbers are written with a comma: some are, and none with a point."""
        columns = self.assignments
        cells = [record.cells[index] for record in self.records for index in columns if index < len(record.cells)]
        return any(map(DECIMAL_COMMA.fullmatch, cells)) and not any(map(DECIMAL_POINT.fullmatch, cells))


def read(path: Path) -> CanvasExport:
    """Read an export of Canvas's gradebook.

    Raises ImportedFileError if the file cannot be read, is something else, or has no student, one of them twice, or a
    student's row with more or fewer cells than the header.
    """
    content = read_text(path, FORM)
    bom = "\ufeff" if content.startswith("\ufeff") else ""
    problem = wrong_form(path, content, FORM)
    for delimiter in DELIMITERS:
        try:
            rows = records(path, content.removeprefix(bom), delimiter)
        except ImportedFileError as error:
            problem = error if delimiter in content.splitlines()[0] else problem
            continue
        filled = [record for record in rows if any(map(str.strip, record.cells))]
        header = tuple(cell.strip() for cell in filled[0].cells) if filled else ()
        if "ID" in header and ("Student" in header or {"LastName", "FirstName"} <= set(header)):
            possible, students = _students(header, filled[1:])
            _check(path, header, students)
            return CanvasExport(path, bom, delimiter, header, possible, rows, students)
    raise problem


def records(path: Path, content: str, delimiter: str) -> tuple[Record, ...]:
    """Return all rows, blank ones too; their texts, joined, are the content again. Raises ImportedFileError."""
    lines = io.StringIO(content, newline="").readlines()
    rows = list(parse_rows(path, content, delimiter))
    ends = [line - 1 for line, _ in rows[1:]] + [len(lines)]
    return tuple(
        Record(line, cells, "".join(lines[line - 1 : end])) for (line, cells), end in zip(rows, ends, strict=False)
    )


def refilled(record: Record, delimiter: str, index: int, value: str) -> str:
    """Return the record's text with this value in cell number `index`; everything else stays as it was."""
    cell = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^{re.escape(delimiter)}\r\n]*')  # matches the empty text, too
    start = 0
    for _ in range(index):
        start = cell.match(record.text, start).end() + len(delimiter)  # type: ignore[union-attr]
    end = cell.match(record.text, start).end()  # type: ignore[union-attr]
    quoted = record.text.startswith('"', start) or not {delimiter, '"', "\r", "\n"}.isdisjoint(value)
    quoted |= value == "" and len(record.cells) == 1  # an empty line would not be a row
    new = '"{}"'.format(value.replace('"', '""')) if quoted else value
    return record.text[:start] + new + record.text[end:]


def _students(header: Sequence[str], rows: Sequence[Record]) -> tuple[tuple[str, ...], tuple[CanvasRow, ...]]:
    """Return the cells of the row of points possible, and the students' rows."""
    possible: tuple[str, ...] = ()
    students = []
    for record in rows:
        cells = dict(zip(header, map(str.strip, record.cells), strict=False))
        name = cells.get("Student") or ", ".join(filter(None, (cells.get(part, "") for part in NAMES[1:])))
        id, user, login = (cells.get(column, "") for column in IDS)
        if POINTS_POSSIBLE in record.cells[0].casefold():
            possible = record.cells
        elif (label := name or id or user or login) and name_key(name) != TEST_STUDENT:
            students.append(CanvasRow(record, label, id, login, tuple(filter(None, (id, user, login)))))
    return possible, tuple(students)


def _check(path: Path, header: Sequence[str], students: Sequence[CanvasRow]) -> None:
    if not students:
        raise ImportedFileError(f"{path}: no student in it; expected a row for each. Export the gradebook again.")
    lines: dict[str, int] = {}
    for row in students:
        line, count = row.record.line, len(row.record.cells)
        if count != len(header):
            raise ImportedFileError(
                f"{path}, line {line}: {count} cells; expected {len(header)}, as in the header. Look for an extra or "
                "a missing comma in that line, or export the gradebook again."
            )
        first = lines.setdefault(row.id, line) if row.id else line
        if first != line:
            raise ImportedFileError(
                f"{path}, line {line}: a second row with the ID {row.id}, the first is line {first}; expected one "
                "row for each student. Export the gradebook again."
            )
