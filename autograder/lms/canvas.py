"""Canvas's gradebook: its export is read, one column filled, and all else written as it stood, byte for byte.

What Canvas itself does was read in its sources (lib/gradebook_exporter.rb, lib/gradebook_importer.rb): a column is
`Title (assignment id)`; before the students there may be a row that says which columns are muted or posted by hand,
and then the row of points possible, where `(read only)` marks what is not taken back; `EX` is excused, `N/A` is not
assigned. On the way back a column of an unknown title would become a new assignment, so none is ever added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autograder.errors import CanvasError
from autograder.judge.grade_report import GradeReport, Outcome
from autograder.lms import row_matching
from autograder.lms.csv_file import DELIMITERS, CsvFormat, Record, number, records, refilled, text
from autograder.lms.roster import POSSIBLE, TEST_STUDENT, Enrolment, MatchedRoster, Student

__all__ = ["CanvasExport", "CanvasRow", "FilledCell", "FilledExport", "SkippedRow", "column", "fill", "read"]

NAMES = ("Student", "LastName", "FirstName")
MARKS = ("ID", "SIS User ID", "SIS Login ID")
OTHERS = ("Integration ID", "Root Account", "Section")
FORM = CsvFormat(
    CanvasError,
    "a gradebook exported from Canvas",
    "as Canvas exports its gradebook",
    "expected the columns Student (or LastName, FirstName) and ID, and one for each assignment. In Canvas: "
    "Grades, Export, Export Entire Gradebook; take that file as it is.",
)

TITLED = re.compile(r"(?P<title>.*?) ?\((?P<id>\d+)\)", re.DOTALL)
COMPUTED = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
"""What Canvas works out itself, for the course or for a group of assignments."""

READ_ONLY = re.compile(r"read.only")
EXCUSED, UNASSIGNED = "EX", "N/A"
DECIMAL_COMMA, DECIMAL_POINT = re.compile(r"-?\d+,\d{1,2}"), re.compile(r"-?\d+\.\d{1,2}")

FEWEST_DIGITS = 4
"""A Canvas ID shorter than this may stand in a file's name for something else, such as the number of an exercise."""

SHOWN = 10


@dataclass(frozen=True)
class CanvasRow:
    """The row of one student. `marks` are the ID, the SIS user ID and the SIS login ID, as far as they are there."""

    record: Record
    name: str
    id: str
    marks: tuple[str, ...]
    login: str


@dataclass(frozen=True)
class CanvasExport:
    """Canvas's file. `records` are all of its rows; put together with `start`, they are the file again."""

    path: Path
    start: str
    delimiter: str
    head: tuple[str, ...]
    possible: tuple[str, ...]
    records: tuple[Record, ...]
    entries: tuple[CanvasRow, ...]

    @property
    def assignments(self) -> tuple[int, ...]:
        """Where the columns stand that may be filled."""
        return tuple(
            index
            for index, name in enumerate(self.head)
            if name
            and name not in (*NAMES, *MARKS, *OTHERS)
            and not COMPUTED.search(name)
            and not READ_ONLY.search(self.possible_at(index))
        )

    def possible_at(self, index: int) -> str:
        """What the row of points possible says of a column."""
        return self.possible[index].strip() if index < len(self.possible) else ""

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written with a comma: some are, and none with a point."""
        columns = self.assignments
        cells = [record.cells[index] for record in self.records for index in columns if index < len(record.cells)]
        return any(map(DECIMAL_COMMA.fullmatch, cells)) and not any(map(DECIMAL_POINT.fullmatch, cells))


@dataclass(frozen=True)
class FilledCell:
    """What a student was given: what the cell said before, and what it says now."""

    name: str
    submission: str
    before: str
    after: str


@dataclass(frozen=True)
class SkippedRow:
    """A student whose cell stays as it was, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class FilledExport:
    """Canvas's file with one column filled.

    `left` have a submission that gives no points yet, or a cell that is not to be filled; `unjoined` are students in
    Canvas to whom no submission could be told, `strangers` submissions that belong to nobody there. `remark` is what
    does not agree about the assignment; empty where all does.
    """

    content: str
    column: str
    values: tuple[FilledCell, ...]
    left: tuple[SkippedRow, ...]
    unjoined: tuple[SkippedRow, ...]
    strangers: tuple[str, ...]
    remark: str = ""


def read(path: Path) -> CanvasExport:
    """An export of Canvas's gradebook.

    Raises CanvasError where the file cannot be read, is something else, or holds no student, one of them twice, or a
    row of one that has more or fewer cells than the head.
    """
    content = text(path, FORM)
    start = "\ufeff" if content.startswith("\ufeff") else ""
    said = f"{path}: its first line is {content.strip().splitlines()[0][:200]!r}; {FORM.expected}"
    for delimiter in DELIMITERS:
        try:
            rows = tuple(records(path, content.removeprefix(start), delimiter, FORM))
        except CanvasError as error:
            said = str(error) if delimiter in content.splitlines()[0] else said
            continue
        head = next((tuple(cell.strip() for cell in row.cells) for row in rows if not row.blank), ())
        if "ID" in head and ("Student" in head or {"LastName", "FirstName"} <= set(head)):
            return _export(path, start, delimiter, head, rows)
    raise CanvasError(said)


def column(export: CanvasExport, title: str, told: str | None = None) -> int:
    """Where the column of the assignment stands: the one called `told`, else the one with this title.

    `told` may be a whole head, its title, or the assignment's id. Raises CanvasError where none fits, or several.
    """
    names = {index: export.head[index] for index in export.assignments}
    wanted = title if told is None else told
    for fits in (_is_whole, _is_id, _is_title) if told is not None else (_is_whole, _is_title):
        found = [index for index, name in names.items() if fits(name, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise CanvasError(
                f"{export.path}: {len(found)} columns could be {wanted!r}: {_listed(names[index] for index in found)}; "
                "expected one. Say which with --column, by its whole head or the number in it."
            )
    if told is not None and told in export.head:
        raise CanvasError(
            f"{export.path}: Canvas takes nothing back in the column {told!r}; expected the column of an assignment: "
            f"{_listed(names.values())}."
        )
    raise CanvasError(
        f"{export.path}: no column is called {wanted!r}; expected one of {_listed(names.values())}. Say which with "
        "--column, or make the assignment in Canvas and export again."
        if names
        else f"{export.path}: it has no column of an assignment; expected one called {wanted!r}. Make the assignment "
        "in Canvas and export again."
    )


def fill(
    export: CanvasExport,
    at: int,
    reports: Sequence[GradeReport],
    *,
    roll: MatchedRoster | None = None,
    excused: bool = False,
) -> FilledExport:
    """The export with the total points in the column at `at`, for whoever has all of them.

    Students are known by the roster that was joined to the submissions; without one, by their ID, SIS user ID and SIS
    login ID in the submission's name, failing that by their own name. Somebody excused stays so, unless `excused` says
    that points take its place.
    """
    graded = {report.name: report for report in reports}
    met = _direct(export, graded) if roll is None else _enrolled(export, roll)
    left, unjoined, values = [], [], []
    lines: dict[int, str] = {}
    comma = export.decimal_comma
    for entry, each in zip(export.entries, met, strict=True):
        report = graded.get(each.name) if each.name is not None else None
        before = entry.record.cells[at].strip()
        if report is None:
            unjoined.append(SkippedRow(entry.name, each.why or "no submission"))
        elif why := _open(report) or _kept(before, excused):
            left.append(SkippedRow(entry.name, why))
        else:
            after = _written(before, report.earned, comma=comma)
            values.append(FilledCell(entry.name, report.name, before, after))
            if after != before:
                lines[entry.record.line] = refilled(entry.record, export.delimiter, at, after)
    taken = {each.name for each in met}
    return FilledExport(
        content=export.start + "".join(lines.get(record.line, record.raw) for record in export.records),
        column=export.head[at],
        values=tuple(values),
        left=tuple(left),
        unjoined=tuple(unjoined),
        strangers=tuple(name for name in graded if name not in taken),
        remark=_remark(export, at, reports),
    )


def _export(path: Path, start: str, delimiter: str, head: tuple[str, ...], rows: tuple[Record, ...]) -> CanvasExport:
    possible: tuple[str, ...] = ()
    entries: list[CanvasRow] = []
    for record in [row for row in rows if not row.blank][1:]:
        cells = dict(zip(head, (cell.strip() for cell in record.cells), strict=False))
        name = cells.get("Student") or ", ".join(filter(None, (cells.get(part, "") for part in NAMES[1:])))
        marks = tuple(cells.get(mark, "") for mark in MARKS)
        if POSSIBLE in record.cells[0].casefold():
            possible = record.cells
        elif (name or any(marks)) and not row_matching.same_person(name, TEST_STUDENT):
            label = name or next(filter(None, marks))
            entries.append(CanvasRow(record, label, marks[0], tuple(filter(None, marks)), marks[2]))
    _check(path, head, entries)
    return CanvasExport(path, start, delimiter, head, possible, rows, tuple(entries))


def _check(path: Path, head: Sequence[str], entries: Sequence[CanvasRow]) -> None:
    if not entries:
        raise CanvasError(f"{path}: no student in it; expected a row for each. Export the gradebook again.")
    lines: dict[str, int] = {}
    for entry in entries:
        line, count = entry.record.line, len(entry.record.cells)
        if count != len(head):
            raise CanvasError(
                f"{path}, line {line}: {count} cells; expected {len(head)}, as many as the head has. Look for a comma "
                "too many or too few in that line, or export the gradebook again."
            )
        first = lines.setdefault(entry.id, line) if entry.id else line
        if first != line:
            raise CanvasError(
                f"{path}, line {line}: a second row with the ID {entry.id}, the first is line {first}; expected one "
                "row for each student. Export the gradebook again."
            )


def _direct(export: CanvasExport, graded: Mapping[str, GradeReport]) -> tuple[row_matching.Match, ...]:
    names = {name: row_matching.folded(name) for name in graded}
    return row_matching.match([_clues(entry) for entry in export.entries], names)


def _clues(entry: CanvasRow) -> tuple[row_matching.Clue[str], ...]:
    words = [mark for mark in entry.marks if mark != entry.id or len(mark) >= FEWEST_DIGITS]
    return (
        _downloaded(entry.id),
        row_matching.whole(*entry.marks),
        row_matching.words(*words),
        row_matching.words(row_matching.account(entry.login)),
        row_matching.named(entry.name),
    )


def _downloaded(id: str) -> row_matching.Clue[str]:
    """The form of the files in Canvas's "Download Submissions": smithann_late_ID_number_name.ipynb."""
    form = rf"(^|/)[^/_]+_(late_)?{re.escape(id)}_\d+_[^/]*$"
    return lambda name: bool(id) and id in name and re.search(form, name) is not None


def _enrolled(export: CanvasExport, roll: MatchedRoster) -> tuple[row_matching.Match, ...]:
    """Each student's submission, by the row of the roster that is theirs."""
    enrolments = {f"{number}: {each.student.label}": each for number, each in enumerate(roll.enrolments, start=1)}
    known = {label: _Known.of(each.student) for label, each in enrolments.items()}
    met = row_matching.match([_same(entry) for entry in export.entries], known, "row")
    return tuple(_of_enrolment(each, enrolments) for each in met)


def _of_enrolment(met: row_matching.Match, enrolments: Mapping[str, Enrolment]) -> row_matching.Match:
    if met.name is None:
        return row_matching.Match(None, met.why or "not on the roster")
    return row_matching.Match(enrolments[met.name].submission, enrolments[met.name].why)


@dataclass(frozen=True)
class _Known:
    """By what a row of the roster can be told: ids and emails, accounts, names."""

    marks: frozenset[str]
    accounts: frozenset[str]
    name: str

    @classmethod
    def of(cls, student: Student) -> Self:
        accounts = map(row_matching.account, student.emails)
        return cls(_folded(student.ids + student.emails), _folded(accounts), student.name)


def _same(entry: CanvasRow) -> tuple[row_matching.Clue[_Known], ...]:
    marks, accounts = _folded(entry.marks), _folded([row_matching.account(entry.login)])
    return (
        lambda known: not known.marks.isdisjoint(marks),
        lambda known: not known.accounts.isdisjoint(accounts),
        lambda known: row_matching.same_person(known.name, entry.name),
    )


def _folded(marks: Iterable[str]) -> frozenset[str]:
    return frozenset(row_matching.folded(mark) for mark in marks if mark)


def _open(report: GradeReport) -> str:
    """Why a submission has no points to fill in; empty where it has."""
    if not report.complete:
        return "could not be graded"
    waiting = [question.id for question in report.questions if question.outcome is Outcome.AWAITING]
    return f"not marked yet: {', '.join(waiting)}" if waiting else ""


def _kept(before: str, excused: bool) -> str:
    """Why this cell is not to be filled; empty where it is."""
    if before.upper() == UNASSIGNED:
        return "not assigned to them in Canvas"
    return "excused in Canvas" if before.upper() == EXCUSED and not excused else ""


def _written(before: str, points: float, *, comma: bool) -> str:
    """Points as Canvas writes them; what says as much already stays as it is."""
    if number(before.replace(",", ".")) == round(points, 2):
        return before
    value = f"{points:.2f}"
    return value.replace(".", ",") if comma else value


def _remark(export: CanvasExport, at: int, reports: Sequence[GradeReport]) -> str:
    """Where Canvas expects another number of points than the questions can give."""
    there = number(export.possible_at(at).replace(",", "."))
    here = {report.points for report in reports}
    if there is None or here <= {there}:
        return ""
    return f"{export.head[at]} is worth {there:g} points in Canvas, and {max(here):g} here; the points are not scaled"


def _is_whole(name: str, wanted: str) -> bool:
    return name == wanted.strip()


def _is_id(name: str, wanted: str) -> bool:
    found = TITLED.fullmatch(name)
    return found is not None and found["id"] == wanted.strip().strip("()")


def _is_title(name: str, wanted: str) -> bool:
    found = TITLED.fullmatch(name)
    return _plain(wanted) in {_plain(name), _plain(found["title"] if found else name)}


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


def _listed(names: Iterable[str]) -> str:
    every = [repr(name) for name in names]
    return ", ".join(every[:SHOWN]) + (f" and {len(every) - SHOWN} more" if len(every) > SHOWN else "")
