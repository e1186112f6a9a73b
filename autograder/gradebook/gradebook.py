"""The results in a gradebook, stored as they come, so that a second run grades only what changed.

A row of `gradings` is one grading of one submission. Only rejected proposals are ever deleted there. A row of
`returned` is a grade that another system gave; it never counts and is only compared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.orm import Session

from autograder.errors import GradebookError
from autograder.gradebook.database import Database
from autograder.gradebook.grading_key import content_digest
from autograder.gradebook.tables import CURRENT, PAST, PROPOSED, GradingRow, ReturnedRow, SettingRow
from autograder.judge.grade_report import GradeReport, Status, stored_name
from autograder.lms.external_grades import MatchedGrade
from autograder.submissions.submission import Submission
from autograder.version import kit_version

__all__ = ["GradeChange", "Gradebook", "KitChange"]


@dataclass(frozen=True)
class GradeChange:
    """A submission's points before and after, None for no grade."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class KitChange:
    """A number of submissions that an earlier version of the kit graded; `before` is None if it recorded no version."""

    submissions: int
    before: str | None
    now: str


class Gradebook:
    """The results in one database. Use as a context manager; every call is one transaction.

    Raises GradebookError if the database cannot be opened, read or written.
    """

    def __init__(self, location: Path | str) -> None:
        """Prepare a file or a server's URL."""
        self._database = Database(location)

    def __enter__(self) -> Self:
        self._database.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def known(self, keys: Collection[str], *, proposed: bool = False) -> dict[str, GradeReport]:
        """Return the complete gradings with these keys, by key; with `proposed`, only those that wait for approval."""
        standing = GradingRow.standing == PROPOSED if proposed else GradingRow.standing != PROPOSED
        found = (
            select(GradingRow.report).where(GradingRow.key == bindparam("key"), standing).order_by(GradingRow.id.desc())
        )
        newest = found.order_by(GradingRow.id.desc())
        with self._database.read() as session:
            stored = {key: session.scalars(newest, {"key": key}).first() for key in keys}
        reports = {key: self._parse(report) for key, report in stored.items() if report is not None}
        return {key: report for key, report in reports.items() if report.complete}

    def kit_change(self, submissions: Collection[Submission]) -> KitChange | None:
        """Return how many of these submissions have a grade, for the same content, from an earlier kit; None if none.

        The first call by a version of the kit notes that version, and the last grading of the version before.
        """
        kit = kit_version()
        with self._database.write() as session:
            row = session.get(SettingRow, "kit")
            noted = {"version": None} if row is None else json.loads(row.value)
            if noted["version"] != kit:
                last = session.scalar(select(func.max(GradingRow.id))) or 0
                noted = {"version": kit, "before": noted["version"], "last grading": last}
                session.merge(SettingRow(key="kit", value=json.dumps(noted)))
            earlier = select(GradingRow.content).where(
                GradingRow.standing == CURRENT, GradingRow.id <= noted["last grading"]
            )
            contents = set(session.scalars(earlier))
        count = sum(content_digest(submission) in contents for submission in submissions)
        return KitChange(count, noted["before"], kit) if count else None

    def record(
        self, submission: Submission, key: str, report: GradeReport, *, proposed: bool = False
    ) -> GradeChange | None:
        """Store a grading, which counts from now on or, with `proposed`, once it is accepted.

        Returns the change of points if it counts and they differ. A grader's fault does not replace a grade for the
        same content.
        """
        row = GradingRow(
            submission=report.key,
            key=key,
            content=content_digest(submission),
            standing=PROPOSED,
            report=report.to_json(),
        )
        with self._database.write() as session:
            if proposed:
                session.execute(
                    delete(GradingRow).where(GradingRow.submission == row.submission, GradingRow.standing == PROPOSED)
                )
                session.add(row)
                return None
            current = session.scalars(_current(row.submission)).first()
            before = None if current is None else self._parse(current.report)
            if current is not None and current.key == key and before == report:
                return None  # stored already
            self._promote(session, row, report)
            session.add(row)
        change = GradeChange(report.name, _points(before), _points(report))
        return change if before is not None and row.standing == CURRENT and change.before != change.after else None

    def current(self, name: str) -> GradeReport | None:
        """Return the result that counts for the submission with this name, or None."""
        with self._database.read() as session:
            row = session.scalars(_current(stored_name(name))).first()
            return None if row is None else self._parse(row.report)

    def all(self) -> tuple[GradeReport, ...]:
        """Return the results that count, by name."""
        with self._database.read() as session:
            reports = select(GradingRow.report).where(GradingRow.standing == CURRENT).order_by(GradingRow.submission)
            return tuple(map(self._parse, session.scalars(reports)))

    def names(self) -> tuple[str, ...]:
        """Return the names of the submissions that have a result that counts."""
        with self._database.read() as session:
            names = select(GradingRow.submission).where(GradingRow.standing == CURRENT)
            return tuple(session.scalars(names.order_by(GradingRow.submission)))

    def record_external(self, grades: Sequence[MatchedGrade]) -> None:
        """Store grades of other systems; each replaces the earlier one with its origin and name."""
        rows = [
            vars(grade.row) | {"points": json.dumps(dict(grade.row.points)), "submission": grade.submission}
            for grade in grades
        ]
        same = (ReturnedRow.origin == bindparam("of"), ReturnedRow.name == bindparam("named"))
        with self._database.write() as session:
            for row in rows:
                session.execute(delete(ReturnedRow).where(*same), {"of": row["origin"], "named": row["name"]})
            session.add_all(ReturnedRow(**row) for row in rows)

    def proposals(self) -> tuple[GradeChange, ...]:
        """Return the changes that accepting the proposals would make, by name."""
        changes = []
        with self._database.read() as session:
            for row in session.scalars(_proposed().order_by(GradingRow.submission)):
                current = session.scalars(_current(row.submission)).first()
                report = self._parse(row.report)
                before = None if current is None else _points(self._parse(current.report))
                changes.append(GradeChange(report.name, before, _points(report)))
        return tuple(change for change in changes if change.before != change.after)

    def accept(self) -> None:
        """Let every proposal count, or after an error none."""
        with self._database.write() as session:
            for row in session.scalars(_proposed()).all():
                self._promote(session, row, self._parse(row.report))
                session.flush()

    def reject(self, keep: Collection[str] = ()) -> None:
        """Delete the proposals except those with a key in `keep`."""
        kept = frozenset(keep)
        with self._database.write() as session:
            for row in session.scalars(_proposed()).all():
                if row.key not in kept:
                    session.delete(row)

    def _promote(self, session: Session, row: GradingRow, report: GradeReport) -> None:
        """Make a new row the current one, unless it is a grader's fault and there is a grade for the same content."""
        current = session.scalars(_current(row.submission)).first()
        if current is not None:
            if not report.complete and current.content == row.content and self._parse(current.report).complete:
                row.standing = PAST
                return
            current.standing = PAST
            session.flush()
        row.standing = CURRENT

    def _parse(self, report: str) -> GradeReport:
        try:
            return GradeReport.from_json(report)
        except (ValueError, KeyError, TypeError) as error:
            raise GradebookError(f"{self._database.name}: a stored result cannot be read ({error})") from error


def _current(submission: str) -> Select[GradingRow]:
    return select(GradingRow).where(GradingRow.submission == submission, GradingRow.standing == CURRENT)


def _proposed() -> Select[GradingRow]:
    return select(GradingRow).where(GradingRow.standing == PROPOSED)


def _points(report: GradeReport | None) -> float | None:
    return None if report is None or report.status is Status.UNGRADED else report.earned
