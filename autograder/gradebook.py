"""Results, stored as they come, so that a second run grades only what changed and a killed one goes on.

Two tables. In `gradings` a row is one grading of one submission: `current` is the one that counts (at most one a
submission, which the database itself sees to), `past` is what counted before, `proposed` waits for a person's yes.
Nothing is ever deleted there but a proposal that was turned down. In `returned` a row is a grade that was made
elsewhere; it never counts, it is there to be compared.

SQLAlchemy (MIT, the standard in its field) speaks to SQLite here and to a server elsewhere in the same words.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import (
    Engine,
    Index,
    MetaData,
    Select,
    Text,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from autograder.errors import GradebookError
from autograder.grade import GradeReport, Status
from autograder.policy import Policy
from autograder.returned import Joined, Returned
from autograder.submission import Submission
from autograder.version import kit_version

__all__ = ["DATABASE", "Change", "Gradebook", "Grader"]

DATABASE = "gradebook.db"
"""The gradebook's file in the folder of a class's results."""

SCHEMA = 2
"""Goes up with every change of the tables; kept in SQLite's user_version. Form 1 had no table `returned`."""

CURRENT, PAST, PROPOSED = "current", "past", "proposed"

KEYS_AT_ONCE = 500
"""Values in one query; databases have a limit."""

BUSY_S = 30
"""Seconds to wait for another process that writes to the same gradebook."""


class _Base(DeclarativeBase):
    metadata = MetaData()


class _Grading(_Base):
    __tablename__ = "gradings"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text, index=True)
    key: Mapped[str] = mapped_column(index=True)
    content: Mapped[str]
    standing: Mapped[str]
    report: Mapped[str] = mapped_column(Text)
    graded_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "one_current_grading",
            "submission",
            unique=True,
            sqlite_where=text("standing = 'current'"),
            postgresql_where=text("standing = 'current'"),
        ),
    )


class _Returned(_Base):
    __tablename__ = "returned"

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str]
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    sid: Mapped[str] = mapped_column(Text)
    person: Mapped[str] = mapped_column(Text)
    total: Mapped[float | None]
    points: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    submission: Mapped[str | None] = mapped_column(Text)
    joined_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("origin", "name"),)


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


class Gradebook:
    """The results in one database. Use as a context manager; every call is one transaction.

    Raises GradebookError where the database cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        with self._told():
            self._engine = create_engine(f"sqlite:///{self._path}", connect_args={"timeout": BUSY_S})
            event.listen(self._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=FULL"))
            with self._engine.begin() as connection:
                found = connection.execute(text("PRAGMA user_version")).scalar_one()
                if not 0 <= found <= SCHEMA:
                    raise GradebookError(
                        f"{self._path} was written by another version of the kit (form {found}, this one writes "
                        f"{SCHEMA}). Grade into another folder with -o, or move that file away."
                    )
                _Base.metadata.create_all(connection)
                connection.execute(text(f"PRAGMA user_version = {SCHEMA}"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def known(self, keys: Collection[str], *, proposed: bool = False) -> dict[str, GradeReport]:
        """The finished gradings with these keys, by key; with `proposed`, only those that wait for a yes."""
        standing = _Grading.standing == PROPOSED if proposed else _Grading.standing != PROPOSED
        stored: dict[str, str] = {}
        with self._session() as session:
            for some in _batched(keys, KEYS_AT_ONCE):
                found = select(_Grading.key, _Grading.report).where(_Grading.key.in_(some), standing)
                for key, report in session.execute(found.order_by(_Grading.id)):
                    stored[key] = report
        reports = {key: self._report(report) for key, report in stored.items()}
        return {key: report for key, report in reports.items() if report.complete}

    def record(self, submission: Submission, key: str, report: GradeReport, *, proposed: bool = False) -> Change | None:
        """Store a grading; it counts from now on, or, with `proposed`, once it is accepted.

        Returns the change of points, where it counts and they are others than before. A fault of the grader does
        not take the place of a grade for the same content.
        """
        row = _Grading(
            submission=_plain(report.name),
            key=key,
            content=_content(submission),
            standing=PROPOSED if proposed else CURRENT,
            report=report.to_json(),
            graded_at=datetime.now(UTC),
        )
        with self._session() as session:
            if proposed:
                session.execute(
                    delete(_Grading).where(_Grading.submission == row.submission, _Grading.standing == PROPOSED)
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
        with self._session() as session:
            row = session.scalars(_counts(_plain(name))).first()
            return None if row is None else self._report(row.report)

    def names(self) -> tuple[str, ...]:
        """The submissions that have a result that counts, by name."""
        with self._session() as session:
            counting = select(_Grading.submission).where(_Grading.standing == CURRENT)
            return tuple(session.scalars(counting.order_by(_Grading.submission)))

    def join(self, joined: Sequence[Joined]) -> None:
        """Store grades that were made elsewhere; each takes the place of what its origin said of that name before."""
        now = datetime.now(UTC)
        with self._session() as session:
            for origin in {each.row.origin for each in joined}:
                names = [each.row.name for each in joined if each.row.origin == origin]
                for some in _batched(names, KEYS_AT_ONCE):
                    session.execute(delete(_Returned).where(_Returned.origin == origin, _Returned.name.in_(some)))
            session.add_all(_stored(each, now) for each in joined)

    def returned(self) -> tuple[Joined, ...]:
        """Every grade that was made elsewhere, by origin and name. Why one was not joined is not stored."""
        with self._session() as session:
            rows = session.scalars(select(_Returned).order_by(_Returned.origin, _Returned.name)).all()
        return tuple(self._joined(row) for row in rows)

    def __len__(self) -> int:
        """How many submissions have a result that counts."""
        with self._session() as session:
            return session.scalar(select(func.count()).where(_Grading.standing == CURRENT)) or 0

    def proposals(self) -> tuple[Change, ...]:
        """What accepting the proposals would change, by name; those that change nothing are left out."""
        changes = []
        with self._session() as session:
            for row in session.scalars(_proposed().order_by(_Grading.submission)):
                now = session.scalars(_counts(row.submission)).first()
                new = self._report(row.report)
                before = None if now is None else _points(self._report(now.report))
                changes.append(Change(new.name, before, _points(new)))
        return tuple(change for change in changes if change.before != change.after)

    def accept(self) -> None:
        """Let every proposal count, in one step: all or, where that fails, none."""
        with self._session() as session:
            for row in session.scalars(_proposed()).all():
                row.standing = self._standing(session, row, self._report(row.report))
                session.flush()

    def reject(self, keep: Collection[str] = ()) -> None:
        """Forget the proposals, but those with a key in `keep`."""
        kept = frozenset(keep)
        with self._session() as session:
            for row in session.scalars(_proposed()).all():
                if row.key not in kept:
                    session.delete(row)

    def _standing(self, session: Session, row: _Grading, report: GradeReport) -> str:
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
            raise GradebookError(f"{self._path}: a stored result cannot be read ({error})") from error

    def _joined(self, row: _Returned) -> Joined:
        try:
            points = tuple(json.loads(row.points).items())
        except (ValueError, AttributeError) as error:
            raise GradebookError(
                f"{self._path}: the points of {row.name} from {row.origin} cannot be read ({error}). Join that file "
                "of grades again."
            ) from error
        grade = Returned(row.origin, row.name, row.email, row.sid, row.person, row.total, points, row.status)
        return Joined(grade, row.submission)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Session]:
        assert self._engine is not None  # entered
        with self._told(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            why = str(error.orig) if isinstance(error, DatabaseError) else str(error)
            raise GradebookError(
                f"{self._path}: {why}. What was graded before is kept; mend that, or name another folder with -o, "
                "and run the same command again."
            ) from error


def _batched(values: Collection[str], size: int) -> Iterator[tuple[str, ...]]:
    """The values in tuples of `size`, the last one shorter."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some


def _counts(submission: str) -> Select[_Grading]:
    return select(_Grading).where(_Grading.submission == submission, _Grading.standing == CURRENT)


def _proposed() -> Select[_Grading]:
    return select(_Grading).where(_Grading.standing == PROPOSED)


def _stored(joined: Joined, now: datetime) -> _Returned:
    row = joined.row
    return _Returned(
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


def _plain(name: str) -> str:
    """A name as a database takes it: halves of characters, which file systems allow, stand for themselves."""
    return name.encode("utf-8", "backslashreplace").decode()
