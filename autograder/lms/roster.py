"""The list of a course's students, from a CSV file, and which submission is whose.

Columns are found by their names, wherever they stand: a name (or first and last name), an id, an email, and if it is
there the file that was handed in and the section. Canvas's own gradebook and Gradescope's grades will do as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import RosterError
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFormat, CsvTable

__all__ = ["Enrolment", "MatchedRoster", "Student", "clues", "join", "read"]

COLUMNS = {
    "name": ("name", "student", "student name", "full name"),
    "first": ("first name", "firstname", "given name", "first"),
    "last": ("last name", "lastname", "surname", "family name", "last"),
    "id": ("sis user id", "sid", "student id", "student number", "id", "submission id"),
    "email": ("email", "e mail", "email address", "mail", "sis login id", "login id"),
    "file": ("file", "submission", "file name", "filename", "notebook"),
    "section": ("section", "sections"),
}
"""The names of columns for each thing, in the order in which they count; signs between words make no difference."""

WHO = ("name", "last", "id", "email")
FORM = CsvFormat(
    RosterError,
    "a CSV file of students",
    "of students",
    "expected a head with one or more of the columns name (or first name and last name), id and email, and if you "
    "like file and section. Give the columns these names.",
)

POSSIBLE = "points possible"
"""With this begins a row of Canvas's that is no student, and so are all before it."""

TEST_STUDENT = "Student, Test"
"""Whom Canvas adds to a course; nobody hands in for them."""


@dataclass(frozen=True)
class Student:
    """One row. `ids` and `emails` may be several: Canvas has an id and a login of its own beside the school's."""

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
        """What to call this student in a message."""
        return self.name or self.email or self.id


@dataclass(frozen=True)
class Enrolment:
    """A student and the submission that is theirs; or None, and why, which is empty where there simply is none."""

    student: Student
    submission: str | None
    why: str = ""


@dataclass(frozen=True)
class MatchedRoster:
    """A roster beside a class of submissions; `strangers` are submissions without a student."""

    enrolments: tuple[Enrolment, ...]
    strangers: tuple[str, ...]

    @property
    def missing(self) -> tuple[Student, ...]:
        """Students without a submission."""
        return tuple(each.student for each in self.enrolments if each.submission is None and not each.why)

    @property
    def unjoined(self) -> tuple[Enrolment, ...]:
        """Rows that could mean more than one submission, or share one with another row."""
        return tuple(each for each in self.enrolments if each.why)

    def students(self) -> Mapping[str, Student]:
        """Whose each submission is, by its name."""
        return {each.submission: each.student for each in self.enrolments if each.submission is not None}


def read(path: Path) -> tuple[Student, ...]:
    """The students of one file, in its order.

    Commas or semicolons may part the cells. Raises RosterError where the file cannot be read, has no column that
    says who somebody is, or holds nobody, a row for nobody or two for one student.
    """
    sheet = CsvTable.of(path, FORM, lambda columns: any(_columns(columns)[kind] for kind in WHO))
    columns = _columns(sheet.head)
    lines: dict[tuple[str, str], int] = {}
    students = []
    for line, cells, student in _students(sheet, columns):
        if not student.label:
            raise RosterError(
                f"{path}, line {line}: the row names nobody; expected a name, an id or an email. Fill it in, or delete "
                "the row."
            )
        for column, mark in _telling(columns, cells, student):
            first = lines.setdefault((column, row_matching.folded(mark)), line)
            if first != line:
                raise RosterError(
                    f"{path}, line {line}: a second row with the {column} {mark}, the first is line {first}; expected "
                    "one row for each student. Delete the row that is wrong."
                )
        students.append(student)
    if not students:
        raise RosterError(f"{path}: no student in it, only a head; expected a row for each. Make the file again.")
    return tuple(students)


def join(students: Sequence[Student], submissions: Collection[str]) -> MatchedRoster:
    """Each student with the submission that is theirs, where exactly one fits and nobody else's row claims it.

    That is the one of the `file` in the row; failing that, the one that bears the student's id or email as its name
    or as a word in it; failing that, the part of the email before the @; failing that, the name and nothing else.
    """
    met = row_matching.match(
        [clues(each) for each in students], {name: row_matching.folded(name) for name in submissions}
    )
    enrolments = tuple(Enrolment(who, each.name, each.why) for who, each in zip(students, met, strict=True))
    taken = {each.submission for each in enrolments}
    return MatchedRoster(enrolments, tuple(name for name in submissions if name not in taken))


def clues(student: Student) -> tuple[row_matching.Clue[str], ...]:
    """By what a student's submission is known, the strongest first."""
    marks = (*student.ids, *student.emails)
    return (
        row_matching.whole(student.file.replace("\\", "/")),
        row_matching.filed(student.file),
        row_matching.whole(*marks),
        row_matching.words(*marks),
        row_matching.words(*map(row_matching.account, student.emails)),
        row_matching.named(student.name),
    )


def _columns(head: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Of each kind the columns that are there, the one that counts most first."""
    plain: dict[str, list[str]] = {}
    for column in head:
        plain.setdefault(re.sub(r"[\W_]+", " ", column).strip().casefold(), []).append(column)
    return {
        kind: tuple(column for name in names for column in sorted(plain.get(name, ())))
        for kind, names in COLUMNS.items()
    }


def _students(
    sheet: CsvTable, columns: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, Mapping[str, str], Student]]:
    """The rows that are students: not those that Canvas puts before them, nor the one it adds for trying things."""
    own = _own(sheet.rows, (*columns["name"], *columns["last"]))
    for line, cells in sheet.rows[own:]:
        row = {kind: _cells(cells, names) for kind, names in columns.items()}
        first, last, section, file = ("".join(row[kind][:1]) for kind in ("first", "last", "section", "file"))
        name = row["name"][0] if row["name"] else " ".join(filter(None, (first, last)))
        if not (own and row_matching.same_person(name, TEST_STUDENT)):
            yield line, cells, Student(name, row["id"], row["email"], file, section)


def _own(rows: Sequence[tuple[int, Mapping[str, str]]], names: Sequence[str]) -> int:
    """How many rows Canvas puts before the students; 0 where the file is not Canvas's."""
    for number, (_, cells) in enumerate(rows, start=1):
        if any(cells[name].casefold().startswith(POSSIBLE) for name in names):
            return number
    return 0


def _cells(cells: Mapping[str, str], columns: Sequence[str]) -> tuple[str, ...]:
    """What stands in these columns of a row, each thing once."""
    return tuple(dict.fromkeys(cells[column] for column in columns if cells[column]))


def _telling(
    columns: Mapping[str, Sequence[str]], cells: Mapping[str, str], student: Student
) -> Sequence[tuple[str, str]]:
    """What no two students share, and in which column; the name only where there is nothing better."""
    sure = (*columns["id"], *columns["email"], *columns["file"])
    return [(column, cells[column]) for column in sure if cells[column]] or [("name", student.name)]
