"""The log of the review: which reviewer did what, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.gradebook.database import Database
from autograder.gradebook.tables import LogRow

__all__ = ["LogEntry", "ReviewLog", "log_action"]


@dataclass(frozen=True)
class LogEntry:
    """A line of the log; `answer` is an id, or None for an action on no single answer."""

    at: datetime
    who: str
    what: str
    answer: int | None


class ReviewLog:
    """The log in an opened database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, reviewer: str, what: str) -> None:
        """Write a line."""
        with self._database.write() as session:
            log_action(session, reviewer, what)

    def newest(self, limit: int = 200) -> tuple[LogEntry, ...]:
        """Return the newest lines, newest first."""
        with self._database.read_once() as session:
            rows = session.scalars(select(LogRow).order_by(LogRow.id.desc()).limit(limit))
            return tuple(LogEntry(row.at, row.who, row.what, row.answer) for row in rows)


def log_action(session: Session, reviewer: str, what: str, answer: int | None = None) -> None:
    """Write a line in the transaction of the action itself."""
    session.add(LogRow(at=datetime.now(UTC), who=reviewer, what=what, answer=answer))
