"""What leaves the gradebook: the class as a table, Canvas's own file filled in, and a page for each student.

FOLDER/grades.csv          one row a student
FOLDER/canvas.csv          Canvas's export with one column filled
FOLDER/feedback/NAME.html  for the student
FOLDER/feedback.zip        all of these
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import BuildError
from autograder.judge.grade_report import GradeReport
from autograder.lms import canvas_file, canvas_fill
from autograder.lms import roster as rosters
from autograder.lms.canvas_fill import FilledExport
from autograder.lms.roster import MatchedRoster
from autograder.policy.policy import Policy
from autograder.report import result_files
from autograder.report.feedback_page import feedback_page
from autograder.report.grade_cells import unmarked
from autograder.report.grades_csv import totals_csv
from autograder.submissions.submission import slug
from autograder.text import printable

__all__ = ["Exported", "export"]

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same pages make the same zip."""

SHOWN = 20
"""Names in one list on the screen."""


@dataclass(frozen=True)
class Exported:
    """What was written, and what was not complete when it was.

    `unmarked` are submissions with the written questions that nobody has marked yet, `ungraded` those of which an
    automatic question could not be graded; neither has a total. `roll` and `canvas` are None without such a file;
    `old` then is an earlier export's file for Canvas, where there is one.
    """

    paths: tuple[Path, ...]
    unmarked: tuple[tuple[str, tuple[str, ...]], ...]
    ungraded: tuple[str, ...]
    roll: MatchedRoster | None = None
    canvas: FilledExport | None = None
    old: Path | None = None

    @property
    def remarks(self) -> str:
        """All that there is to say about it, for the terminal."""
        return "\n".join(printable(line) for line in (*self._open(), *self._roster(), *self._canvas()))

    def _open(self) -> Iterator[str]:
        names = [f"{name}: {', '.join(questions)}" for name, questions in self.unmarked]
        yield from _list("with answers that are not marked yet, and so without a total", names)
        yield from _list("that could not be graded, and so without a total", self.ungraded)

    def _roster(self) -> Iterator[str]:
        if self.roll is not None:
            yield from _list("on the roster without a submission", [each.label for each in self.roll.missing])
            unjoined = [f"{each.student.label}: {each.why}" for each in self.roll.unmatched]
            yield from _list("on the roster whose submission could not be told", unjoined)
            yield from _list("without a student on the roster", self.roll.without_student)

    def _canvas(self) -> Iterator[str]:
        if self.old is not None:
            yield f"{self.old} is of an earlier export, and as it was then; --canvas makes a new one."
        if self.canvas is not None:
            filled = len(self.canvas.cells)
            students = filled + len(self.canvas.skipped) + len(self.canvas.unmatched)
            yield f"Canvas, {self.canvas.column}: {filled} of {students} students have their points."
            if self.canvas.remark:
                yield f"  {self.canvas.remark}."
            for what, left in (("left as they were", self.canvas.skipped), ("not joined", self.canvas.unmatched)):
                yield from _list(f"in Canvas {what}", [f"{each.name}: {each.why}" for each in left])
            yield from _list("that belong to nobody in Canvas", self.canvas.without_student)


def export(
    reports: Sequence[GradeReport],
    policy: Policy,
    folder: Path,
    *,
    roster: Path | None = None,
    canvas: Path | None = None,
    column: str | None = None,
) -> Exported:
    """Write all of it into `folder`; `column` says which one of Canvas's file is filled, where the title does not.

    Nothing is written where a file that was handed in cannot be read. Raises ImportedFileError for that, and
    BuildError where the disk does not take something.
    """
    names = [report.name for report in reports]
    roll = None if roster is None else rosters.join(rosters.read(roster), names)
    filled = None if canvas is None else _filled(canvas, reports, policy, roll, column)
    pages = {f"{slug(report.name)}.html": feedback_page(report, policy).encode() for report in reports}
    content = {"grades.csv": totals_csv(reports, policy, roll).encode()}
    if filled is not None:
        content["canvas.csv"] = filled.content.encode()
    content |= {f"feedback/{name}": page for name, page in pages.items()} | {"feedback.zip": _zip(pages)}
    _prepare(folder / "feedback", pages)
    for name, data in content.items():
        result_files.write(folder / name, data)
    return Exported(
        paths=tuple(folder / name for name in content),
        unmarked=tuple((each.name, waiting) for each in reports if (waiting := unmarked(each))),
        ungraded=tuple(each.name for each in reports if not each.complete),
        roll=roll,
        canvas=filled,
        old=old if filled is None and (old := folder / "canvas.csv").exists() else None,
    )


def _filled(
    canvas: Path, reports: Sequence[GradeReport], policy: Policy, roll: MatchedRoster | None, column: str | None
) -> FilledExport:
    exported = canvas_file.read(canvas)
    at = canvas_fill.find_column(exported, policy.assignment.title, column)
    return canvas_fill.fill(exported, at, reports, roster=roll)


def _prepare(folder: Path, pages: Mapping[str, bytes]) -> None:
    """Make the folder of the pages; a page of somebody who is not in the class any more must not go out again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.html"):
            if path.name not in pages:
                path.unlink()
    except OSError as error:
        raise BuildError(
            f"{folder}: pages cannot be written there ({error.strerror}). Expected a folder that you may write into; "
            "see to that, and run the same command again"
        ) from error


def _zip(pages: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(pages):
            info = zipfile.ZipInfo(f"feedback/{name}", EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, pages[name])
    return out.getvalue()


def _list(what: str, names: Iterable[str]) -> Iterator[str]:
    """A count and a line for each, as far as a screen takes them; nothing where there is none."""
    every = list(names)
    if every:
        yield f"{len(every)} {what}:"
        yield from (f"  {name}" for name in every[:SHOWN])
        if len(every) > SHOWN:
            yield f"  and {len(every) - SHOWN} more"
