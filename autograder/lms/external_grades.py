"""Grades that were made elsewhere and come back as a CSV file: by `otter grade`, or from Gradescope.

Columns are found by their names, wherever they stand. What a row says is kept as it is; to whose submission it
belongs is decided by `match`, which leaves a row alone rather than guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.errors import ReturnedError
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFormat, CsvTable
from autograder.policy.policy import Policy

__all__ = ["GRADESCOPE", "OTTER", "Comparison", "ExternalGrade", "MatchedGrade", "match", "read", "read_all"]

OTTER, GRADESCOPE = "otter grade", "Gradescope"

COMPLETED, GRADED = "Completed", "Graded"
"""The status of a row that is a grade: Otter's word and Gradescope's."""

MAXIMA = "points-per-question"
"""The file name in Otter's row of what each question is worth."""

OTTER_COLUMNS = ("file", "total_points_earned", "grading_status")
OTTER_OTHERS = frozenset((*OTTER_COLUMNS, "percent_correct"))
GRADESCOPE_COLUMNS = ("Total Score", "Status")
GRADESCOPE_WHO = ("Email", "SID", "Name", "First Name", "Last Name")
FORM = CsvFormat(
    ReturnedError,
    "a CSV file of grades",
    "as `otter grade` or Gradescope makes it",
    f"expected the columns {', '.join(OTTER_COLUMNS)} (final_grades.csv of `otter grade`), or "
    f"{', '.join(GRADESCOPE_COLUMNS)} and one or more of {', '.join(GRADESCOPE_WHO)} (Gradescope's grades of one "
    "assignment). Download or make the file again.",
)

NUMBERED = re.compile(r"\d+(\.\d+)*\s*(:\s*|(?=\())", re.ASCII)
WORTH = re.compile(r"\s*\(\d+([.,]\d+)? pts?\)$", re.ASCII)
"""Gradescope's heads of question columns: `4: Title (6.0 pts)`, or `4.1 (6.0 pts)` where there is no title."""


@dataclass(frozen=True)
class ExternalGrade:
    """One row of a file that came back.

    `name` is the submitted file's without its suffix (Otter), or the email, else the SID, else the person's name
    (Gradescope). `total` is None where there is no grade; `points` are by question: by its id in grading.yml where
    the column could be told, else by the column's own head.
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
        """The total without the points of written questions, which people gave; None where there is no grade."""
        if self.total is None:
            return None
        return self.total - sum(points or 0.0 for id, points in self.points if id in policy.written)


@dataclass(frozen=True)
class MatchedGrade:
    """A row and the name of the submission it belongs to; or None, and why."""

    row: ExternalGrade
    submission: str | None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """A row beside the gradebook: automatic points there and here, None where there is no grade."""

    joined: MatchedGrade
    there: float | None
    here: float | None

    @property
    def difference(self) -> float | None:
        """How much more there is there than here."""
        if self.there is None or self.here is None:
            return None
        return round(self.there - self.here, 6) + 0.0


def read_all(paths: Iterable[Path], policy: Policy) -> tuple[ExternalGrade, ...]:
    """The rows of several files. Raises ReturnedError as `read` does, and where two files grade one submission."""
    rows: list[ExternalGrade] = []
    where: dict[tuple[str, str], Path] = {}
    for path in paths:
        for row in read(path, policy):
            first = where.setdefault((row.origin, row.name), path)
            if first != path:
                raise ReturnedError(
                    f"{path}: there is a row for {row.name}, and one in {first} too; expected one row for each "
                    "submission. Join the files one at a time: of a submission that was joined before, the later "
                    "row stays."
                )
            rows.append(row)
    return tuple(rows)


def read(path: Path, policy: Policy) -> tuple[ExternalGrade, ...]:
    """The rows of one file, in their order; which of the two kinds it is, its head says.

    Commas or semicolons may part the cells; where it is semicolons, a number may have a decimal comma. Raises
    ReturnedError where the file cannot be read, is of neither kind, holds no submission or one of them twice, or
    where something else stands in the place of a number.
    """
    sheet = CsvTable.of(path, FORM, lambda columns: bool(_origin(columns)))
    origin = _origin(frozenset(sheet.head))
    lines: dict[str, int] = {}
    rows = []
    for line, row in _otter(sheet) if origin == OTTER else _gradescope(sheet, policy):
        if not row.name:
            raise ReturnedError(
                f"{path}, line {line}: the row names nobody; expected "
                f"{'a file name in `file`' if origin == OTTER else 'an email, an SID or a name'}. Fill it in, or "
                "delete the row."
            )
        if row.name in lines:
            raise ReturnedError(
                f"{path}, line {line}: a second row for {row.name}, the first is line {lines[row.name]}; expected one "
                "row for each submission. Delete the row that does not count."
            )
        lines[row.name] = line
        rows.append(row)
    if not rows:
        raise ReturnedError(f"{path}: no submission in it, only a head; expected a row for each. Make the file again.")
    return tuple(rows)


def match(rows: Sequence[ExternalGrade], submissions: Collection[str]) -> tuple[MatchedGrade, ...]:
    """Each row with the submission it belongs to, where exactly one fits and no other row of its origin claims that.

    A row belongs to the submission of its own name, in whatever case; failing that, to the one in whose name its
    email or SID stands as a word, failing that, the part of the email before the @. What a stronger reason speaks
    for, a weaker one does not take.
    """
    found: dict[int, MatchedGrade] = {}
    names = {name: row_matching.folded(name) for name in submissions}
    for origin in {row.origin for row in rows}:
        own = {index: row for index, row in enumerate(rows) if row.origin == origin}
        met = row_matching.match([_clues(row) for row in own.values()], names)
        for (index, row), each in zip(own.items(), met, strict=True):
            why = each.why if each.why or each.name else f"no submission has {_marks(row)} in its name"
            found[index] = MatchedGrade(row, each.name, why)
    return tuple(found[index] for index in range(len(rows)))


def _clues(row: ExternalGrade) -> tuple[row_matching.Clue[str], ...]:
    return (
        row_matching.whole(row.name),
        row_matching.words(row.email, row.sid),
        row_matching.words(row_matching.account(row.email)),
    )


def _marks(row: ExternalGrade) -> str:
    marks = [mark for mark in (row.email, row.sid and f"SID {row.sid}") if mark]
    return " or ".join(marks or [row.name])


def _origin(columns: frozenset[str]) -> str:
    """Where a file with these columns comes from; empty where it is of neither kind."""
    if columns.issuperset(OTTER_COLUMNS):
        return OTTER
    return GRADESCOPE if columns.issuperset(GRADESCOPE_COLUMNS) and columns & set(GRADESCOPE_WHO) else ""


def _otter(sheet: CsvTable) -> Iterator[tuple[int, ExternalGrade]]:
    questions = [column for column in sheet.head if column and column not in OTTER_OTHERS]
    for line, cells in sheet.rows:
        if cells["file"] == MAXIMA:
            continue
        graded = cells["grading_status"] == COMPLETED
        yield (
            line,
            ExternalGrade(
                origin=OTTER,
                name=PurePath(cells["file"]).stem,
                email="",
                sid="",
                person="",
                total=sheet.number(line, cells, "total_points_earned") if graded else None,
                points=tuple((each, sheet.number(line, cells, each) if graded else None) for each in questions),
                status=cells["grading_status"],
            ),
        )


def _gradescope(sheet: CsvTable, policy: Policy) -> Iterator[tuple[int, ExternalGrade]]:
    questions = _questions(sheet.head, policy)
    for line, cells in sheet.rows:
        email, sid = cells.get("Email", ""), cells.get("SID", "")
        both = " ".join(filter(None, (cells.get("First Name", ""), cells.get("Last Name", ""))))
        person = both or cells.get("Name", "")
        total = sheet.number(line, cells, "Total Score")
        yield (
            line,
            ExternalGrade(
                origin=GRADESCOPE,
                name=email or sid or person,
                email=email,
                sid=sid,
                person=person,
                total=total if cells["Status"] == GRADED else None,
                points=tuple((id, sheet.number(line, cells, column)) for column, id in questions.items()),
                status=cells["Status"],
            ),
        )


def _questions(head: Iterable[str], policy: Policy) -> dict[str, str]:
    """Gradescope's question columns: the question's id where the head tells it beyond doubt, else the head itself.

    It does so by `id:` after the number, or by the title of grading.yml. Of several columns that begin with one
    id (a public check has a column of its own) it is the one with the title.
    """
    words = {column: text for column in head if (text := _title(column)) is not None}
    titles = Counter(question.title for question in policy.questions.values())
    named = {column: column for column in words}
    for id, question in policy.questions.items():
        fitting = [column for column, text in words.items() if text.startswith(f"{id}:")]
        if not fitting and titles[question.title] == 1:
            fitting = [column for column, text in words.items() if text == question.title]
        elif len(fitting) > 1:
            fitting = [column for column in fitting if words[column] == f"{id}: {question.title}"]
        if len(fitting) == 1:
            named[fitting[0]] = id
    return named


def _title(column: str) -> str | None:
    """What stands between a question's number and its points; None where the column is no question."""
    number = NUMBERED.match(column)
    if number is None and WORTH.search(column) is None:
        return None
    return WORTH.sub("", column[number.end() if number else 0 :])
