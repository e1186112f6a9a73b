"""Fill one column of Canvas's gradebook with total points.

Canvas would import a column of an unknown title as a new assignment, so none is ever added. In its cells, `EX` is
excused and `N/A` is not assigned (lib/gradebook_exporter.rb).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.judge.grade_report import GradeReport, Outcome
from autograder.lms import row_matching
from autograder.lms.canvas_file import CanvasExport
from autograder.lms.csv_file import parse_number
from autograder.lms.roster import Enrolment, MatchedRoster, Student, join

__all__ = ["FilledExport", "fill"]

FEWEST_DIGITS = 4
"""A shorter Canvas ID in a file's name may be something else, such as the number of an exercise."""

PersonKeys = tuple[frozenset[object], ...]
"""The ids, the local parts of emails, and the name that identify a person."""


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


def fill(
    export: CanvasExport, column: int, reports: Sequence[GradeReport], *, roster: MatchedRoster | None = None
) -> FilledExport:
    """Return the export with total points in a column, for every student who has all of them.

    Students are matched by the roster; without one, by their ID, SIS user ID or SIS login ID in the submission's name,
    else by their own name.
    """
    graded = {report.name: report for report in reports}
    students = [student for _, student in export.rows]
    enrolments = _by_roster(students, roster) if roster else join(students, graded, _clues).enrolments
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


def _by_roster(students: Sequence[Student], roster: MatchedRoster) -> list[Enrolment]:
    """Match each student to the submission of their row on the roster."""
    rows = {f"{number}: {entry.student.label}": entry for number, entry in enumerate(roster.enrolments, start=1)}
    targets = {label: _person_keys(entry.student) for label, entry in rows.items()}
    clues = [[_shares(keys, kind) for kind in range(len(keys))] for keys in map(_person_keys, students)]
    enrolments = []
    for student, found in zip(students, row_matching.match(clues, targets, "roster row"), strict=True):
        missing = Enrolment(student, None, found.why or "not on the roster")
        enrolments.append(replace(rows[found.name], student=student) if found.name else missing)
    return enrolments


def _person_keys(student: Student) -> PersonKeys:
    accounts = (student.ids + student.emails, map(row_matching.local_part, student.emails))
    return (
        *(frozenset(map(row_matching.normalized, names)) - {""} for names in accounts),
        frozenset({row_matching.name_key(student.name)} - {()}),
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


def _points_differ(export: CanvasExport, column: int, reports: Sequence[GradeReport]) -> str:
    """Return a sentence if Canvas expects other points than the questions can give; else an empty text."""
    there = parse_number(export.points_possible(column).replace(",", "."))
    here = {report.points for report in reports}
    if there is None or here <= {there}:
        return ""
    title = export.file.header[column]
    return f"{title} is worth {there:g} points in Canvas, and {max(here):g} here; the points are not scaled"
