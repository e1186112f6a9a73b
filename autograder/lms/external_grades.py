"""Grades that were made elsewhere, from a CSV file of `otter grade` or of Gradescope.

Columns are found by their names, in any order. A row is kept as it is; `match` decides whose it is, and never guesses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.errors import ImportedFileError
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFile, CsvFormat, CsvRow, read_table
from autograder.policy.policy import Policy

__all__ = ["GRADESCOPE", "OTTER", "Comparison", "ExternalGrade", "MatchedGrade", "match", "read"]

OTTER, GRADESCOPE = "otter grade", "Gradescope"

COMPLETED, GRADED = "Completed", "Graded"  # the status of a row that is a grade, in Otter's word and in Gradescope's
MAXIMA = "points-per-question"  # the file name in Otter's row of the points that each question is worth
TOTAL = "total_points_earned"
OTTER_COLUMNS = ("file", TOTAL, "grading_status")
GRADESCOPE_COLUMNS = ("Total Score", "Status")
GRADESCOPE_NAMES = ("Email", "SID", "Name", "First Name", "Last Name")
FORM = CsvFormat(
    "a CSV file of grades, made by `otter grade` or Gradescope",
    f"expected the columns {', '.join(OTTER_COLUMNS)} (final_grades.csv of `otter grade`), or "
    f"{', '.join(GRADESCOPE_COLUMNS)} and one or more of {', '.join(GRADESCOPE_NAMES)} (Gradescope's grades of one "
    "assignment). Download or make the file again.",
)

NUMBERED = re.compile(r"\d+(\.\d+)*\s*(:\s*|(?=\())", re.ASCII)
WORTH = re.compile(r"\s*\(\d+([.,]\d+)? pts?\)$", re.ASCII)
"""Gradescope's headers of question columns: `4: Title (6.0 pts)`, or `4.1 (6.0 pts)` without a title."""


@dataclass(frozen=True)
class ExternalGrade:
    """One row of grades made elsewhere.

    `name` is the submitted file's without its suffix (Otter), or the email, else the SID, else the person's name
    (Gradescope). `total` is None without a grade; `points` are by question: by its id in grading.yml if the column
    has one, else by the column's own header.
    """

    origin: str
    name: str
    email: str
    sid: str
    person: str
    total: float | None
    points: tuple[tuple[str, float | None], ...]
    status: str

    def automatic(self, policy: Policy) -> float | None:
        """Return the total without the points of written questions, which people gave; None without a grade."""
        if self.total is None:
            return None
        return self.total - sum(points or 0.0 for id, points in self.points if id in policy.written)


@dataclass(frozen=True)
class MatchedGrade:
    """A row and the name of its submission; or None, and why."""

    row: ExternalGrade
    submission: str | None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """A row compared with the gradebook: the automatic points there and here, None without a grade."""

    joined: MatchedGrade
    there: float | None
    here: float | None

    @property
    def difference(self) -> float | None:
        """The automatic points there minus those here."""
        if self.there is None or self.here is None:
            return None
        return round(self.there - self.here, 6) + 0.0


def read(paths: Iterable[Path], policy: Policy) -> tuple[ExternalGrade, ...]:
    """Read the rows of several files, in their order; the header decides which of the two kinds a file is.

    Cells are separated by commas or by semicolons; with semicolons, a number may have a decimal comma. Raises
    ImportedFileError if a file cannot be read, is of neither kind, has no submission, or has something else in place of
    a number, and if two rows grade one submission.
    """
    grades: list[ExternalGrade] = []
    first: dict[tuple[str, str], str] = {}
    for path in paths:
        before = len(grades)
        for row, grade in _grades(path, policy):
            here = f"{path}, line {row.line}"
            if not grade.name:
                expected = "a file name in `file`" if grade.origin == OTTER else "an email, an SID or a name"
                raise ImportedFileError(
                    f"{here}: the row names nobody; expected {expected}. Fill it in, or delete the row."
                )
            other = first.setdefault((grade.origin, grade.name), here)
            if other != here:
                raise ImportedFileError(
                    f"{here}: a second row for {grade.name}, the first is {other}; expected one row for each "
                    "submission. Delete the row that does not count, or join the files one at a time: then the later "
                    "row replaces the earlier."
                )
            grades.append(grade)
        if len(grades) == before:
            raise ImportedFileError(
                f"{path}: no submission, only a header; expected a row for each. Make the file again."
            )
    return tuple(grades)


def match(rows: Sequence[ExternalGrade], submissions: Collection[str]) -> tuple[MatchedGrade, ...]:
    """Match each row to its submission, if exactly one fits and no other row of its origin claims that.

    In this order: the submission of the row's own name, in any case; the one that has its email or SID as a word in
    its name; the part of the email before the @. What a stronger clue has matched, a weaker one does not take.
    """
    found: dict[ExternalGrade, MatchedGrade] = {}
    targets = {name: row_matching.normalized(name) for name in submissions}
    for origin in (OTTER, GRADESCOPE):
        own = [row for row in rows if row.origin == origin]
        clues = [
            (row_matching.is_any_of(row.name), *row_matching.contains_account([row.sid], [row.email])) for row in own
        ]
        for row, result in zip(own, row_matching.match(clues, targets), strict=True):
            names = " or ".join(filter(None, (row.email, row.sid and f"SID {row.sid}"))) or row.name
            why = result.why if result.why or result.name else f"no submission has {names} in its name"
            found[row] = MatchedGrade(row, result.name, why)
    return tuple(found[row] for row in rows)


def _grades(path: Path, policy: Policy) -> list[tuple[CsvRow, ExternalGrade]]:
    table = read_table(path, FORM, lambda header: _is_otter(header) or _is_gradescope(header))
    if not _is_otter(table.header):
        questions = _questions(table.header, policy)
        return [(row, _gradescope(table, row, questions)) for row in table.rows]
    return [(row, _otter(table, row)) for row in table.rows if table.cells(row)["file"] != MAXIMA]


def _is_otter(header: Collection[str]) -> bool:
    return set(OTTER_COLUMNS) <= set(header)


def _is_gradescope(header: Collection[str]) -> bool:
    return set(GRADESCOPE_COLUMNS) <= set(header) and not set(GRADESCOPE_NAMES).isdisjoint(header)


def _otter(table: CsvFile, row: CsvRow) -> ExternalGrade:
    cells = table.cells(row)
    status = cells["grading_status"]
    name = PurePath(cells["file"]).stem
    questions = [column for column in cells if column and column not in (*OTTER_COLUMNS, "percent_correct")]
    points = {column: table.number(row, column) if status == COMPLETED else None for column in (TOTAL, *questions)}
    return ExternalGrade(OTTER, name, "", "", "", points.pop(TOTAL), tuple(points.items()), status)


def _gradescope(table: CsvFile, row: CsvRow, questions: Mapping[str, str]) -> ExternalGrade:
    cells = table.cells(row)
    email, sid, status = cells.get("Email", ""), cells.get("SID", ""), cells["Status"]
    person = " ".join(filter(None, (cells.get("First Name"), cells.get("Last Name")))) or cells.get("Name", "")
    total = table.number(row, "Total Score")
    points = tuple((id, table.number(row, column)) for column, id in questions.items())
    total = total if status == GRADED else None
    return ExternalGrade(GRADESCOPE, email or sid or person, email, sid, person, total, points, status)


def _questions(header: Iterable[str], policy: Policy) -> dict[str, str]:
    """Map Gradescope's question columns to ids of questions, or to themselves if the header leaves a doubt.

    A header names a question by `id:` after the number, or by the title in grading.yml. Of several columns that begin
    with one id (a public check has a column of its own), it is the one with the title.
    """
    titles = {}
    for column in header:
        number = NUMBERED.match(column)
        if number or WORTH.search(column):
            titles[column] = WORTH.sub("", column[number.end() if number else 0 :])
    uses = Counter(question.title for question in policy.questions.values())
    named = {column: column for column in titles}
    for id, question in policy.questions.items():
        fitting = [column for column, title in titles.items() if title.startswith(f"{id}:")]
        if not fitting and uses[question.title] == 1:
            fitting = [column for column, title in titles.items() if title == question.title]
        elif len(fitting) > 1:
            fitting = [column for column in fitting if titles[column] == f"{id}: {question.title}"]
        if len(fitting) == 1:
            named[fitting[0]] = id
    return named
