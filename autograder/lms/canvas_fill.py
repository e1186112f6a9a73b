"""Fill one column of Canvas's gradebook with total points.

Canvas would import a column of an unknown title as a new assignment, so none is ever added. In its cells, `EX` is
excused and `N/A` is not assigned (lib/gradebook_exporter.rb).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.errors import ImportedFileError
from autograder.judge.grade_report import GradeReport, Outcome
from autograder.lms import row_matching
from autograder.lms.canvas_file import CanvasExport, CanvasRow, refilled
from autograder.lms.csv_file import parse_number
from autograder.lms.roster import FILE_COLUMN, MatchedRoster

__all__ = ["FilledCell", "FilledExport", "SkippedRow", "fill", "find_column"]

TITLED = re.compile(r"(?P<title>.*?) ?\((?P<id>\d+)\)", re.DOTALL)

FEWEST_DIGITS = 4
"""A shorter Canvas ID in a file's name may be something else, such as the number of an exercise."""

COLUMNS_SHOWN = 10

PersonKeys = tuple[frozenset[object], ...]
"""The ids, the local parts of emails, and the name that identify a person."""


@dataclass(frozen=True)
class FilledCell:
    """A student's cell, before and after."""

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

    `skipped` are students whose submission has no total yet or whose cell must not be filled, `unmatched` those in
    Canvas to whom no submission could be matched, `without_student` submissions that belong to nobody there. `remark`
    says what differs about the assignment; it is empty if nothing does.
    """

    content: str
    column: str
    cells: tuple[FilledCell, ...]
    skipped: tuple[SkippedRow, ...]
    unmatched: tuple[SkippedRow, ...]
    without_student: tuple[str, ...]
    remark: str = ""


def find_column(export: CanvasExport, title: str, chosen: str | None = None) -> int:
    """Return the index of the assignment's column: the one called `chosen`, else the one with this title.

    `chosen` may be a whole header, its title, or the assignment's id. Raises ImportedFileError unless exactly one fits.
    """
    names = {index: export.header[index] for index in export.assignments}
    wanted = (title if chosen is None else chosen).strip()
    parts = {name: TITLED.fullmatch(name) for name in names.values()}
    fits: tuple[Callable[[str], bool], ...] = (
        lambda name: name == wanted,
        lambda name: chosen is not None and (found := parts[name]) is not None and found["id"] == wanted.strip("()"),
        lambda name: _plain(wanted) in (_plain(name), _plain(found["title"] if (found := parts[name]) else name)),
    )
    for fit in fits:
        found = [index for index, name in names.items() if fit(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ImportedFileError(
                f"{export.path}: {len(found)} columns match {wanted!r}: {_listed(names[index] for index in found)}; "
                "expected one. Choose it with --column, by its whole header or the number in parentheses."
            )
    if chosen in export.header:
        raise ImportedFileError(
            f"{export.path}: Canvas does not import the column {chosen!r}; expected the column of an assignment: "
            f"{_listed(names.values())}."
        )
    raise ImportedFileError(
        f"{export.path}: no column is called {wanted!r}; expected one of {_listed(names.values())}. Choose it with "
        "--column, or create the assignment in Canvas and export again."
        if names
        else f"{export.path}: no column is an assignment; expected one called {wanted!r}. Create the assignment in "
        "Canvas and export again."
    )


def fill(
    export: CanvasExport, column: int, reports: Sequence[GradeReport], *, roster: MatchedRoster | None = None
) -> FilledExport:
    """Return the export with total points in a column, for every student who has all of them.

    Students are matched by the roster; without one, by their ID, SIS user ID or SIS login ID in the submission's name,
    else by their own name.
    """
    graded = {report.name: report for report in reports}
    matches = _match(export, graded) if roster is None else _match_by_roster(export, roster)
    cells, skipped, unmatched = [], [], []
    texts: dict[int, str] = {}
    comma = export.decimal_comma
    for row, found in zip(export.rows, matches, strict=True):
        before = row.record.cells[column].strip()
        report = None if found.name is None else graded.get(found.name)
        if report is None:
            unmatched.append(SkippedRow(row.name, found.why or "no submission"))
        elif why := _why_skipped(report, before):
            skipped.append(SkippedRow(row.name, why))
        else:
            after = _written(before, report.earned, comma=comma)
            cells.append(FilledCell(row.name, report.name, before, after))
            if after != before:
                texts[row.record.line] = refilled(row.record, export.delimiter, column, after)
    taken = {found.name for found in matches}
    return FilledExport(
        content=export.bom + "".join(texts.get(record.line, record.text) for record in export.records),
        column=export.header[column],
        cells=tuple(cells),
        skipped=tuple(skipped),
        unmatched=tuple(unmatched),
        without_student=tuple(name for name in graded if name not in taken),
        remark=_points_differ(export, column, reports),
    )


def _match(export: CanvasExport, graded: Mapping[str, GradeReport]) -> tuple[row_matching.Match, ...]:
    targets = {name: row_matching.normalized(name) for name in graded}
    return row_matching.match([_clues(row) for row in export.rows], targets, remedy=FILE_COLUMN)


def _clues(row: CanvasRow) -> tuple[row_matching.Clue[str], ...]:
    # The form of the files in Canvas's "Download Submissions": smithann_late_ID_number_name.ipynb.
    downloaded = re.compile(rf"(^|/)[^/_]+_(late_)?{re.escape(row.id)}_\d+_[^/]*$")
    words = [id for id in row.ids if id != row.id or len(id) >= FEWEST_DIGITS]
    return (
        lambda name: bool(row.id) and row.id in name and downloaded.search(name) is not None,
        row_matching.is_any_of(*row.ids),
        row_matching.contains_word(*words),
        row_matching.contains_word(row_matching.local_part(row.login)),
        row_matching.is_named_after(row.name),
    )


def _match_by_roster(export: CanvasExport, roster: MatchedRoster) -> tuple[row_matching.Match, ...]:
    """Match each student to the submission of their row on the roster."""
    enrolments = {f"{number}: {entry.student.label}": entry for number, entry in enumerate(roster.enrolments, start=1)}
    targets = {
        label: _person_keys((*entry.student.ids, *entry.student.emails), entry.student.emails, entry.student.name)
        for label, entry in enrolments.items()
    }
    rows = [_person_keys(row.ids, [row.login], row.name) for row in export.rows]
    clues = [[_shares(keys, kind) for kind in range(len(keys))] for keys in rows]
    return tuple(
        row_matching.Match(enrolments[found.name].submission, enrolments[found.name].why)
        if found.name
        else row_matching.Match(None, found.why or "not on the roster")
        for found in row_matching.match(clues, targets, "roster row")
    )


def _person_keys(ids: Iterable[str], emails: Iterable[str], name: str) -> PersonKeys:
    accounts = map(row_matching.local_part, emails)
    return (
        frozenset(row_matching.normalized(id) for id in ids if id),
        frozenset(row_matching.normalized(account) for account in accounts if account),
        frozenset({row_matching.name_key(name)} - {()}),
    )


def _shares(keys: PersonKeys, kind: int) -> row_matching.Clue[PersonKeys]:
    return lambda target: not keys[kind].isdisjoint(target[kind])


def _why_skipped(report: GradeReport, before: str) -> str:
    """Return why a cell must not be filled; empty if it may be."""
    if not report.complete:
        return "could not be graded"
    if waiting := [question.id for question in report.questions if question.outcome is Outcome.AWAITING]:
        return f"not marked yet: {', '.join(waiting)}"
    return {"N/A": "not assigned in Canvas", "EX": "excused in Canvas"}.get(before.upper(), "")


def _written(before: str, points: float, *, comma: bool) -> str:
    """Write points as Canvas does; a cell that has the same number already stays as it is."""
    if parse_number(before.replace(",", ".")) == round(points, 2):
        return before
    value = f"{points:.2f}"
    return value.replace(".", ",") if comma else value


def _points_differ(export: CanvasExport, column: int, reports: Sequence[GradeReport]) -> str:
    """Return a sentence if Canvas expects other points than the questions can give; else an empty text."""
    there = parse_number(export.points_possible(column).replace(",", "."))
    here = {report.points for report in reports}
    if there is None or here <= {there}:
        return ""
    title = export.header[column]
    return f"{title} is worth {there:g} points in Canvas, and {max(here):g} here; the points are not scaled"


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


def _listed(names: Iterable[str]) -> str:
    every = [repr(name) for name in names]
    return ", ".join(every[:COLUMNS_SHOWN]) + (
        f" and {len(every) - COLUMNS_SHOWN} more" if every[COLUMNS_SHOWN:] else ""
    )
