"""A course's class list, from a CSV file, and each student's submission.

Columns are found by their names, in any order: a name (or first and last name), an id, an email, and optionally the
file that was handed in and the section. Canvas's own gradebook and Gradescope's grades are accepted too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import ImportedFileError
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFile, CsvFormat, CsvRow, read_table

__all__ = [
    "FILE_COLUMN",
    "POINTS_POSSIBLE",
    "TEST_STUDENT",
    "Enrolment",
    "MatchedRoster",
    "Student",
    "find_on",
    "join",
    "read",
]

COLUMNS = {
    "name": ("name", "student", "student name", "full name"),
    "first": ("first name", "firstname", "given name", "first"),
    "last": ("last name", "lastname", "surname", "family name", "last"),
    "id": ("sis user id", "sid", "student id", "student number", "id", "submission id"),
    "email": ("email", "e mail", "email address", "mail", "sis login id", "login id"),
    "file": ("file", "submission", "file name", "filename", "notebook"),
    "section": ("section", "sections"),
}
"""The accepted column names of each kind, the preferred one first; punctuation between words makes no difference."""

IDENTIFYING = ("name", "last", "id", "email")
FORM = CsvFormat(
    "a CSV file of students",
    "expected a header with one or more of the columns name (or first name and last name), id and email, and "
    "optionally file and section. Give the columns these names.",
)

FILE_COLUMN = "in the roster's `file` column"
"""A person names the right submission there if a row matches several."""

POINTS_POSSIBLE = "points possible"
"""A row of Canvas's that begins with this is not a student, nor are the rows before it."""

PersonKeys = tuple[frozenset[object], ...]  # the ids, the local parts of emails, and the name that identify a person

TEST_STUDENT = row_matching.name_key("Student, Test")
"""The student whom Canvas adds to a course; nobody hands in for them."""


@dataclass(frozen=True)
class Student:
    """One row. There may be several `ids` and `emails`: Canvas has its own in addition to the school's."""

    name: str
    ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    file: str = ""
    section: str = ""

    @property
    def id(self) -> str:
        return self.ids[0] if self.ids else ""

    @property
    def email(self) -> str:
        return self.emails[0] if self.emails else ""

    @property
    def label(self) -> str:
        """The name, email or id that stands for this student in a message."""
        return self.name or self.email or self.id


@dataclass(frozen=True)
class Enrolment:
    """A student and their submission; or None, and why, which is empty if there simply is no submission."""

    student: Student
    submission: str | None
    why: str = ""


@dataclass(frozen=True)
class MatchedRoster:
    """A roster matched to a class of submissions; `without_student` are submissions that belong to nobody on it."""

    enrolments: tuple[Enrolment, ...]
    without_student: tuple[str, ...]

    @property
    def missing(self) -> tuple[Student, ...]:
        """Students without a submission."""
        return tuple(entry.student for entry in self.enrolments if entry.submission is None and not entry.why)

    @property
    def unmatched(self) -> tuple[Enrolment, ...]:
        """Rows that match several submissions, or share one with another row."""
        return tuple(entry for entry in self.enrolments if entry.why)


def read(path: Path) -> tuple[Student, ...]:
    """Read the students of one file, in its order; cells are separated by commas or semicolons.

    Raises ImportedFileError if the file cannot be read, has no column that identifies a student, or has no student, a
    row that names nobody, or two rows for one student.
    """
    table = read_table(path, FORM, lambda header: any(_columns(header)[kind] for kind in IDENTIFYING))
    columns = _columns(table.header)
    unique = (*columns["id"], *columns["email"], *columns["file"])
    lines: dict[tuple[str, str], int] = {}
    students = []
    for row, student in _students(table, columns):
        cells, here = table.cells(row), f"{path}, line {row.line}"
        if not student.label:
            raise ImportedFileError(
                f"{here}: the row names nobody; expected a name, an id or an email. Fill it in, or delete the row."
            )
        # A name may be shared, unless there is nothing better.
        keys = [(column, cells[column]) for column in unique if cells[column]] or [("name", student.name)]
        for column, value in keys:
            first = lines.setdefault((column, row_matching.normalized(value)), row.line)
            if first != row.line:
                raise ImportedFileError(
                    f"{here}: a second row with the {column} {value}, the first is line {first}; expected "
                    "one row for each student. Delete the row that is wrong."
                )
        students.append(student)
    if not students:
        raise ImportedFileError(f"{path}: no student, only a header; expected a row for each. Make the file again.")
    return tuple(students)


def _clues(student: Student) -> tuple[row_matching.Clue[str], ...]:
    ids = (*student.ids, *student.emails)
    return (
        row_matching.is_any_of(student.file.replace("\\", "/")),
        row_matching.path_matches(student.file),
        row_matching.is_any_of(*ids),
        *row_matching.contains_account(ids, student.emails),
        row_matching.is_named_after(student.name),
    )


def join(
    students: Sequence[Student],
    submissions: Collection[str],
    clues: Callable[[Student], Sequence[row_matching.Clue[str]]] = _clues,
) -> MatchedRoster:
    """Match each student to their submission, if exactly one fits and nobody else's row claims it.

    By these `clues`, or in this order: the `file` in the row; an id or email that is the submission's name, or a word
    in it; the part of the email before the @; the student's name and nothing else.
    """
    targets = {name: row_matching.normalized(name) for name in submissions}
    matches = row_matching.match(list(map(clues, students)), targets, remedy=FILE_COLUMN)
    enrolments = [Enrolment(student, found.name, found.why) for student, found in zip(students, matches, strict=True)]
    taken = {enrolment.submission for enrolment in enrolments}
    return MatchedRoster(tuple(enrolments), tuple(name for name in submissions if name not in taken))


def find_on(roster: MatchedRoster, students: Sequence[Student]) -> tuple[Enrolment, ...]:
    """Match the students of another file to the submissions of their rows on the roster, by id, email or name."""
    rows = {f"{number}: {entry.student.label}": entry for number, entry in enumerate(roster.enrolments, start=1)}
    targets = {label: _person_keys(entry.student) for label, entry in rows.items()}
    clues = [[_shares(keys, kind) for kind in range(len(keys))] for keys in map(_person_keys, students)]
    enrolments = []
    for student, found in zip(students, row_matching.match(clues, targets, "roster row"), strict=True):
        missing = Enrolment(student, None, found.why or "not on the roster")
        enrolments.append(replace(rows[found.name], student=student) if found.name else missing)
    return tuple(enrolments)


def _person_keys(student: Student) -> PersonKeys:
    accounts = (student.ids + student.emails, map(row_matching.local_part, student.emails))
    return (
        *(frozenset(map(row_matching.normalized, names)) - {""} for names in accounts),
        frozenset({row_matching.name_key(student.name)} - {()}),
    )


def _shares(keys: PersonKeys, kind: int) -> row_matching.Clue[PersonKeys]:
    return lambda target: not keys[kind].isdisjoint(target[kind])


def _columns(header: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns of each kind that the file has, the preferred one first."""
    plain: dict[str, list[str]] = {}
    for column in sorted(header):
        plain.setdefault(re.sub(r"[\W_]+", " ", column).strip().casefold(), []).append(column)
    return {kind: tuple(column for name in names for column in plain.get(name, ())) for kind, names in COLUMNS.items()}


def _students(table: CsvFile, columns: Mapping[str, Sequence[str]]) -> list[tuple[CsvRow, Student]]:
    """Return the rows that are students: without Canvas's rows before them, and without its test student."""
    rows, names = [(row, table.cells(row)) for row in table.rows], (*columns["name"], *columns["last"])
    possible = [any(cells[name].casefold().startswith(POINTS_POSSIBLE) for name in names) for _, cells in rows]
    from_canvas = any(possible)
    students = []
    for row, cells in rows[possible.index(True) + 1 :] if from_canvas else rows:
        found = {kind: tuple(dict.fromkeys(filter(None, map(cells.get, names)))) for kind, names in columns.items()}
        first, last, section, file = ("".join(found[kind][:1]) for kind in ("first", "last", "section", "file"))
        name = found["name"][0] if found["name"] else " ".join(filter(None, (first, last)))
        if not (from_canvas and row_matching.name_key(name) == TEST_STUDENT):
            students.append((row, Student(name, found["id"], found["email"], file, section)))
    return students
