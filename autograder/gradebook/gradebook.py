"""Results, stored as they come, so that a second run grades only what changed and a killed one goes on.

In the table `gradings` a row is one grading of one submission: `current` is the one that counts (at most one a
submission, which the database itself sees to), `past` is what counted before, `proposed` waits for a person's yes.
Nothing is ever deleted there but a proposal that was turned down. In `returned` a row is a grade that was made
elsewhere; it never counts, it is there to be compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from autograder.errors import GradebookError
from autograder.gradebook.database import Database
from autograder.gradebook.tables import CURRENT, PAST, PROPOSED, GradingRow, ReturnedRow, SettingRow
from autograder.judge.grade_report import GradeReport, Status, stored_name
from autograder.lms.external_grades import ExternalGrade, MatchedGrade
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.version import kit_version

__all__ = ["Change", "Gradebook", "Grader", "KitChange"]

KEYS_AT_ONCE = 500
"""Values in one query; databases have a limit."""


@dataclass(frozen=True)
class Grader:
    """What decides about a grade besides the submission itself, as one fingerprint."""

    fingerprint: str

    @classmethod
    def of(cls, policy: Policy, tests: Mapping[str, str], data: Path, *, unsafe: bool) -> Self:
        """The grader with this policy, these hidden tests and these images, run by this version of the kit."""
        digest = hashlib.sha256()
        parts = [kit_version(), policy.fingerprint, "unconfined" if unsafe else "confined"]
        for part in (*parts, *(f"{id}\0{tests[id]}" for id in sorted(tests))):
            digest.update(hashlib.sha256(part.encode()).digest())
        with data.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        return cls(digest.hexdigest())

    def key(self, submission: Submission) -> str:
        """Equal keys mean: the same content, graded by the same grader."""
        return hashlib.sha256(f"{self.fingerprint}\0{_content(submission)}".encode()).hexdigest()


@dataclass(frozen=True)
class Change:
    """A submission's points before and after; None where there is no grade."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class KitChange:
    """A number of submissions that an earlier version of the kit graded; `before` is None if it did not note itself."""

    submissions: int
    before: str | None
    now: str


class Gradebook:
    """The results in one database. Use as a context manager; every call is one transaction.

    Raises GradebookError where the database cannot be opened, read or written.
    """

    def __init__(self, place: Path | str) -> None:
        """`place` is the file, or the address of a server."""
        self._database = Database(place)

    def __enter__(self) -> Self:
        self._database.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def known(self, keys: Collection[str], *, proposed: bool = False) -> dict[str, GradeReport]:
        """The finished gradings with these keys, by key; with `proposed`, only those that wait for a yes."""
        standing = GradingRow.standing == PROPOSED if proposed else GradingRow.standing != PROPOSED
        stored: dict[str, str] = {}
        with self._database.read() as session:
            for some in _batched(keys, KEYS_AT_ONCE):
                found = select(GradingRow.key, GradingRow.report).where(GradingRow.key.in_(some), standing)
                for key, report in session.execute(found.order_by(GradingRow.id)):
                    stored[key] = report
        reports = {key: self._report(report) for key, report in stored.items()}
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
        count = sum(_content(submission) in contents for submission in submissions)
        return KitChange(count, noted["before"], kit) if count else None

    def record(self, submission: Submission, key: str, report: GradeReport, *, proposed: bool = False) -> Change | None:
        """Store a grading; it counts from now on, or, with `proposed`, once it is accepted.

        Returns the change of points, where it counts and they are others than before. A fault of the grader does
        not take the place of a grade for the same content.
        """
        row = GradingRow(
            submission=report.key,
            key=key,
            content=_content(submission),
            standing=PROPOSED if proposed else CURRENT,
            report=report.to_json(),
            graded_at=datetime.now(UTC),
        )
        with self._database.write() as session:
            if proposed:
                session.execute(
                    delete(GradingRow).where(GradingRow.submission == row.submission, GradingRow.standing == PROPOSED)
                )
                session.add(row)
                return None
            now = session.scalars(_counts(row.submission)).first()
            before = None if now is None else self._report(now.report)
            if now is not None and now.key == key and before == report:
                return None  # known, and known to be known
            row.standing = self._standing(session, row, report)
            session.add(row)
        change = Change(report.name, _points(before), _points(report))
        return change if before is not None and row.standing == CURRENT and change.before != change.after else None

    def current(self, name: str) -> GradeReport | None:
        """What counts for the submission of this name."""
        with self._database.read() as session:
            row = session.scalars(_counts(stored_name(name))).first()
            return None if row is None else self._report(row.report)

    def all(self) -> tuple[GradeReport, ...]:
        """Everything that counts, by name."""
        with self._database.read() as session:
            counting = select(GradingRow.report).where(GradingRow.standing == CURRENT)
            return tuple(map(self._report, session.scalars(counting.order_by(GradingRow.submission))))

    def names(self) -> tuple[str, ...]:
        """The submissions that have a result that counts, by name."""
        with self._database.read() as session:
            counting = select(GradingRow.submission).where(GradingRow.standing == CURRENT)
            return tuple(session.scalars(counting.order_by(GradingRow.submission)))

    def join(self, joined: Sequence[MatchedGrade]) -> None:
        """Store grades that were made elsewhere; each takes the place of what its origin said of that name before."""
        now = datetime.now(UTC)
        with self._database.write() as session:
            for origin in {each.row.origin for each in joined}:
                names = [each.row.name for each in joined if each.row.origin == origin]
                for some in _batched(names, KEYS_AT_ONCE):
                    session.execute(delete(ReturnedRow).where(ReturnedRow.origin == origin, ReturnedRow.name.in_(some)))
            session.add_all(_stored(each, now) for each in joined)

    def returned(self) -> tuple[MatchedGrade, ...]:
        """Every grade that was made elsewhere, by origin and name. Why one was not joined is not stored."""
        with self._database.read() as session:
            rows = session.scalars(select(ReturnedRow).order_by(ReturnedRow.origin, ReturnedRow.name)).all()
        return tuple(self._joined(row) for row in rows)

    def __len__(self) -> int:
        """How many submissions have a result that counts."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(GradingRow.standing == CURRENT)) or 0

    def proposals(self) -> tuple[Change, ...]:
        """What accepting the proposals would change, by name; those that change nothing are left out."""
        changes = []
        with self._database.read() as session:
            for row in session.scalars(_proposed().order_by(GradingRow.submission)):
                now = session.scalars(_counts(row.submission)).first()
                new = self._report(row.report)
                before = None if now is None else _points(self._report(now.report))
                changes.append(Change(new.name, before, _points(new)))
        return tuple(change for change in changes if change.before != change.after)

    def accept(self) -> None:
        """Let every proposal count, in one step: all or, where that fails, none."""
        with self._database.write() as session:
            for row in session.scalars(_proposed()).all():
                row.standing = self._standing(session, row, self._report(row.report))
                session.flush()

    def reject(self, keep: Collection[str] = ()) -> None:
        """Forget the proposals, but those with a key in `keep`."""
        kept = frozenset(keep)
        with self._database.write() as session:
            for row in session.scalars(_proposed()).all():
                if row.key not in kept:
                    session.delete(row)

    def _standing(self, session: Session, row: GradingRow, report: GradeReport) -> str:
        """CURRENT, after what counted so far has made room; PAST where that has to stay."""
        now = session.scalars(_counts(row.submission)).first()
        if now is None:
            return CURRENT
        if not report.complete and now.content == row.content and self._report(now.report).complete:
            return PAST
        now.standing = PAST
        session.flush()
        return CURRENT

    def _report(self, stored: str) -> GradeReport:
        try:
            return GradeReport.from_json(stored)
        except (ValueError, KeyError, TypeError) as error:
            raise GradebookError(f"{self._database.name}: a stored result cannot be read ({error})") from error

    def _joined(self, row: ReturnedRow) -> MatchedGrade:
        try:
            points = tuple(json.loads(row.points).items())
        except (ValueError, AttributeError) as error:
            raise GradebookError(
                f"{self._database.name}: the points of {row.name} from {row.origin} cannot be read ({error}). Join "
                "that file of grades again."
            ) from error
        grade = ExternalGrade(row.origin, row.name, row.email, row.sid, row.person, row.total, points, row.status)
        return MatchedGrade(grade, row.submission)


def _batched(values: Collection[str], size: int) -> Iterator[tuple[str, ...]]:
    """The values in tuples of `size`, the last one shorter."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some


def _counts(submission: str) -> Select[GradingRow]:
    return select(GradingRow).where(GradingRow.submission == submission, GradingRow.standing == CURRENT)


def _proposed() -> Select[GradingRow]:
    return select(GradingRow).where(GradingRow.standing == PROPOSED)


def _stored(joined: MatchedGrade, now: datetime) -> ReturnedRow:
    row = joined.row
    return ReturnedRow(
        origin=row.origin,
        name=row.name,
        email=row.email,
        sid=row.sid,
        person=row.person,
        total=row.total,
        points=json.dumps(dict(row.points)),
        status=row.status,
        submission=joined.submission,
        joined_at=now,
    )


def _content(submission: Submission) -> str:
    """A file that could not be read has its problem for its content."""
    return hashlib.sha256(submission.problem.encode("utf-8", "replace") + b"\0" + submission.data).hexdigest()


def _points(report: GradeReport | None) -> float | None:
    return None if report is None or report.status is Status.UNGRADED else report.earned
