"""One run of `mnist-kit export`: grades for Canvas and other systems, and a feedback page for each student.

FOLDER/grades.csv          one row per student
FOLDER/canvas.csv          Canvas's export with one column filled
FOLDER/feedback/NAME.html  for the student
FOLDER/feedback.zip        all of these pages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.autograder_zip import zip_of
from autograder.errors import BuildError
from autograder.judge.grade_report import GradeReport
from autograder.lms import canvas as canvas_gradebook
from autograder.lms import roster as rosters
from autograder.lms.canvas import FilledExport
from autograder.lms.roster import MatchedRoster
from autograder.policy.policy import Policy
from autograder.report import result_files
from autograder.report.grade_cells import unmarked
from autograder.report.grades_csv import totals_csv
from autograder.report.page import feedback_page
from autograder.submissions.submission import slug
from autograder.text import printable

__all__ = ["Exported", "export"]

SHOWN = 20  # names in one list on the screen


@dataclass(frozen=True)
class Exported:
    """The files that were written, and remarks on what is missing from them, a line each, for the terminal."""

    paths: tuple[Path, ...]
    remarks: tuple[str, ...]


def export(
    reports: Sequence[GradeReport],
    policy: Policy,
    folder: Path,
    *,
    roster: Path | None = None,
    canvas: Path | None = None,
    column: str | None = None,
) -> Exported:
    """Write everything into `folder`; `column` is the one to fill in Canvas's file, unless its title says which.

    Nothing is written if an imported file cannot be read. Raises ImportedFileError for that, and BuildError if the disk
    does not allow a file.
    """
    matched = None if roster is None else rosters.join(rosters.read(roster), [report.name for report in reports])
    pages = {f"{slug(report.name)}.html": feedback_page(report, policy).encode() for report in reports}
    content = {"grades.csv": totals_csv(reports, policy, matched).encode()}
    filled = None
    if canvas is not None:
        exported = canvas_gradebook.read(canvas)
        position = canvas_gradebook.find_column(exported, policy.assignment.title, column)
        filled = canvas_gradebook.fill(exported, position, reports, roster=matched)
        content["canvas.csv"] = filled.content.encode()
    in_folder = {f"feedback/{name}": page for name, page in sorted(pages.items())}
    content |= in_folder | {"feedback.zip": zip_of(in_folder)}
    _prepare(folder / "feedback", pages)
    for name, data in content.items():
        result_files.write(folder / name, data)
    remarks = [*_without_total(reports)]
    if matched is not None:
        remarks += _roster_remarks(matched)
    if filled is not None:
        remarks += _canvas_remarks(filled)
    elif (old := folder / "canvas.csv").exists():
        remarks.append(f"{old} is from an earlier export and was not changed; --canvas makes a new one.")
    return Exported(tuple(folder / name for name in content), tuple(map(printable, remarks)))


def _without_total(reports: Sequence[GradeReport]) -> Iterator[str]:
    waiting = [f"{report.name}: {', '.join(unmarked(report))}" for report in reports if unmarked(report)]
    yield from _list("without a total: answers not marked yet", waiting)
    yield from _list("without a total: could not be graded", [report.name for report in reports if not report.complete])


def _roster_remarks(roster: MatchedRoster) -> Iterator[str]:
    yield from _list("on the roster without a submission", [student.label for student in roster.missing])
    unmatched = [f"{enrolment.student.label}: {enrolment.why}" for enrolment in roster.unmatched]
    yield from _list("on the roster, submission unclear", unmatched)
    yield from _list("not on the roster", roster.without_student)


def _canvas_remarks(filled: FilledExport) -> Iterator[str]:
    students = len(filled.filled) + len(filled.skipped) + len(filled.unmatched)
    yield f"Canvas, {filled.column}: points filled in for {len(filled.filled)} of {students} students."
    if filled.remark:
        yield f"  {filled.remark}."
    for reason, enrolments in (("not changed", filled.skipped), ("not matched", filled.unmatched)):
        yield from _list(f"in Canvas, {reason}", [f"{entry.student.label}: {entry.why}" for entry in enrolments])
    yield from _list("not in Canvas", filled.without_student)


def _prepare(folder: Path, pages: Mapping[str, bytes]) -> None:
    """Make the folder of the pages, and delete the pages of students who have left the class."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.html"):
            if path.name not in pages:
                path.unlink()
    except OSError as error:
        raise BuildError(
            f"{folder}: pages cannot be written there ({error.strerror}). Expected a folder that you may write into; "
            "change that, and run the same command again"
        ) from error


def _list(title: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a count and the first names, a line each; nothing if there are none."""
    if names:
        yield f"{len(names)} {title}:"
        yield from (f"  {name}" for name in names[:SHOWN])
    if len(names) > SHOWN:
        yield f"  and {len(names) - SHOWN} more"
