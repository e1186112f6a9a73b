"""Canvas's gradebook: read its export, and fill one column of it with total points.

The form was read in Canvas's sources (lib/gradebook_exporter.rb, lib/gradebook_importer.rb): a column is
`Title (assignment id)`; before the students there may be a row that says which columns are muted or posted by hand,
and then the row of points possible, in which `(read only)` marks what is not imported again. In a cell, `EX` is
excused and `N/A` is not assigned. Canvas would import a column of an unknown title as a new assignment, so none is
ever added.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import ImportedFileError
from autograder.judge.grade_report import GradeReport, Outcome
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFile, CsvFormat, CsvRow, parse_number, read_file
from autograder.lms.roster import POINTS_POSSIBLE, TEST_STUDENT, Enrolment, MatchedRoster, Student, find_on, join

__all__ = ["CanvasExport", "FilledExport", "fill", "find_column", "read"]

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

DECIMAL_COMMA, DECIMAL_POINT = re.compile(r"-?\d+,\d{1,2}"), re.compile(r"-?\d+\.\d{1,2}")
TITLED = re.compile(r"(?P<title>.*?) ?\((?P<id>\d+)\)", re.DOTALL)
COLUMNS_SHOWN = 10

FEWEST_DIGITS = 4
"""A shorter Canvas ID in a file's name may be something else, such as the number of an exercise."""


@dataclass(frozen=True)
class CanvasExport:
    """Canvas's file, its row of points possible (empty if there is none), and the rows that are students.

    A student's `ids` are Canvas's own ID, the SIS user ID and the SIS login ID, each empty if Canvas has none.
    """

    file: CsvFile
    possible: tuple[str, ...]
    rows: tuple[tuple[CsvRow, Student], ...]

    @property
    def assignments(self) -> dict[int, str]:
        """The indexes and headers of the columns that may be filled."""
        return {
            index: name
            for index, name in enumerate(self.file.header)
            if name
            and name not in (*NAMES, *IDS, *OTHERS)
            and not COMPUTED.search(name)
            and not re.search(r"read.only", self.points_possible(index))
        }

    def points_possible(self, index: int) -> str:
        """Return a column's cell in the row of points possible."""
        return self.possible[index] if index < len(self.possible) else ""

    @property
    def decimal_comma(self) -> bool:
        """True if numbers are written with a comma: some are, and none with a point."""
        columns = self.assignments
        cells = [cell for row in self.file.all_rows for index, cell in enumerate(row.cells) if index in columns]
        return any(map(DECIMAL_COMMA.fullmatch, cells)) and not any(map(DECIMAL_POINT.fullmatch, cells))


@dataclass(frozen=True)
class FilledExport:
    """Canvas's file with one column filled.

    `filled` are students with points in it, `skipped` those whose submission has no total yet or whose cell must not be
    filled, `unmatched` those to whom no submission could be matched; the last two have the reason. `without_student`
    are submissions that belong to nobody in Canvas. `remark` says what differs about the assignment; it is empty if
    nothing does.
    """

    content: str
    column: str
    filled: tuple[Enrolment, ...]
    skipped: tuple[Enrolment, ...]
    unmatched: tuple[Enrolment, ...]
    without_student: tuple[str, ...]
    remark: str = ""


def read(path: Path) -> CanvasExport:
    """Read an export of Canvas's gradebook.

    Raises ImportedFileError if the file cannot be read, is something else, or has no student, one of them twice, or a
    student's row with more or fewer cells than the header.
    """
    file = read_file(path, FORM, _is_accepted)
    possible: tuple[str, ...] = ()
    rows = []
    for row in file.rows:
        cells = file.cells(row)
        name = cells.get("Student") or ", ".join(filter(None, (cells.get(part, "") for part in NAMES[1:])))
        ids = tuple(cells.get(column, "") for column in IDS)
        label = next(filter(None, (name, *ids)), "")
        if POINTS_POSSIBLE in row.cells[0].casefold():
            possible = row.cells
        elif label and row_matching.name_key(name) != TEST_STUDENT:
            rows.append((row, Student(label, ids, ids[-1:])))
    _check(file, rows)
    return CanvasExport(file, possible, tuple(rows))


def find_column(export: CanvasExport, title: str, chosen: str | None = None) -> int:
    """Return the index of the assignment's column: the one called `chosen`, else the one with this title.

    `chosen` may be a whole header, its title, or the assignment's id. Raises ImportedFileError unless exactly one fits.
    """
    path, names = export.file.path, export.assignments
    wanted = (title if chosen is None else chosen).strip()
    strengths = {index: _strength(name, wanted, may_be_id=chosen is not None) for index, name in names.items()}
    strongest = max(strengths.values(), default=0)
    found = [index for index, strength in strengths.items() if strength == strongest > 0]
    if len(found) == 1:
        return found[0]
    if found:
        raise ImportedFileError(
            f"{path}: {len(found)} columns match {wanted!r}: {_listed(names[index] for index in found)}; expected one. "
            "Choose it with --column, by its whole header or the number in parentheses."
        )
    if chosen in export.file.header:
        raise ImportedFileError(
            f"{path}: Canvas does not import the column {chosen!r}; expected the column of an assignment: "
            f"{_listed(names.values())}."
        )
    raise ImportedFileError(
        f"{path}: no column is called {wanted!r}; expected one of {_listed(names.values())}. Choose it with "
        "--column, or create the assignment in Canvas and export again."
        if names
        else f"{path}: no column is an assignment; expected one called {wanted!r}. Create the assignment in Canvas and "
        "export again."
    )


def fill(
    export: CanvasExport, column: int, reports: Sequence[GradeReport], *, roster: MatchedRoster | None = None
) -> FilledExport:
    """Return the export with total points in a column, for every student who has all of them.

    Students are matched by the roster; without one, by their ID, SIS user ID or SIS login ID in the submission's name,
    else by their own name.
    """
    graded = {report.name: report for report in reports}
    students = [student for _, student in export.rows]
    enrolments = find_on(roster, students) if roster else join(students, graded, _clues).enrolments
    filled, skipped, unmatched = [], [], []
    texts = {row.line: row.text for row in export.file.all_rows}
    comma = export.decimal_comma
    for (row, _), enrolment in zip(export.rows, enrolments, strict=True):
        before = row.cells[column]
        report = graded.get(enrolment.submission or "")
        if report is None:
            unmatched.append(replace(enrolment, why=enrolment.why or "no submission"))
        elif why := _why_skipped(report, before):
            skipped.append(replace(enrolment, why=why))
        else:
            filled.append(enrolment)
            if parse_number(before.replace(",", ".")) != round(report.earned, 2):
                points = f"{report.earned:.2f}".replace(".", "," if comma else ".")
                texts[row.line] = row.refilled(export.file.delimiter, column, points)
    taken = {enrolment.submission for enrolment in enrolments}
    return FilledExport(
        content=export.file.bom + "".join(texts.values()),
        column=export.file.header[column],
        filled=tuple(filled),
        skipped=tuple(skipped),
        unmatched=tuple(unmatched),
        without_student=tuple(name for name in graded if name not in taken),
        remark=_points_differ(export, column, reports),
    )


def _is_accepted(header: Collection[str]) -> bool:
    return "ID" in header and ("Student" in header or {"LastName", "FirstName"} <= set(header))


def _check(file: CsvFile, rows: Sequence[tuple[CsvRow, Student]]) -> None:
    again = "Export the gradebook again."
    if not rows:
        raise ImportedFileError(f"{file.path}: no student in it; expected a row for each. {again}")
    lines: dict[str, int] = {}
    for row, student in rows:
        file.check_width(row)
        if student.id and (first := lines.setdefault(student.id, row.line)) != row.line:
            raise ImportedFileError(
                f"{file.path}, line {row.line}: a second row with the ID {student.id}, the first is line {first}; "
                f"expected one row for each student. {again}"
            )


def _strength(name: str, wanted: str, *, may_be_id: bool) -> int:
    """Return how well a column fits what is wanted: 3 by its header, 2 by its id, 1 by its title, 0 not at all."""
    titled = TITLED.fullmatch(name)
    if name == wanted:
        return 3
    if may_be_id and titled and titled["id"] == wanted.strip("()"):
        return 2
    return int(_plain(wanted) in (_plain(name), _plain(titled["title"] if titled else name)))


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


def _listed(names: Iterable[str]) -> str:
    every = [repr(name) for name in names]
    more = f" and {len(every) - COLUMNS_SHOWN} more" if len(every) > COLUMNS_SHOWN else ""
    return ", ".join(every[:COLUMNS_SHOWN]) + more


def _clues(student: Student) -> tuple[row_matching.Clue[str], ...]:
    # The form of the files in Canvas's "Download Submissions": smithann_late_ID_number_name.ipynb.
    downloaded = re.compile(rf"(^|/)[^/_]+_(late_)?{re.escape(student.id)}_\d+_[^/]*$")
    words = [id for id in student.ids if id != student.id or len(id) >= FEWEST_DIGITS]
    return (
        lambda name: bool(student.id) and student.id in name and downloaded.search(name) is not None,
        row_matching.is_any_of(*student.ids),
        *row_matching.contains_account(words, student.emails),
        row_matching.is_named_after(student.name),
    )


def _why_skipped(report: GradeReport, before: str) -> str:
    """Return why a cell must not be filled; empty if it may be."""
    if not report.complete:
        return "could not be graded"
    if waiting := [question.id for question in report.questions if question.outcome is Outcome.AWAITING]:
        return f"not marked yet: {', '.join(waiting)}"
    return {"N/A": "not assigned in Canvas", "EX": "excused in Canvas"}.get(before.upper(), "")


def _points_differ(export: CanvasExport, column: int, reports: Sequence[GradeReport]) -> str:
    """Return a sentence if Canvas expects other points than the questions can give; else an empty text."""
    there = parse_number(export.points_possible(column).replace(",", "."))
    here = {report.points for report in reports}
    if there is None or here <= {there}:
        return ""
    title = export.file.header[column]
    return f"{title} is worth {there:g} points in Canvas, and {max(here):g} here; the points are not scaled"
