"""The log of the review: which reviewer did what, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.gradebook.database import Database
from autograder.gradebook.tables import LogRow

__all__ = ["ReviewLog", "log_action"]


class ReviewLog:
    """The log in an opened database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, reviewer: str, what: str) -> None:
        """Write a line."""
        with self._database.write() as session:
            log_action(session, reviewer, what)

    def newest(self, limit: int = 200) -> tuple[LogRow, ...]:
        """Return the newest lines, newest first."""
        with self._database.read_once() as session:
            return tuple(session.scalars(select(LogRow).order_by(LogRow.id.desc()).limit(limit)))


def log_action(session: Session, reviewer: str, what: str, answer: int | None = None) -> None:
    """Write a line in the transaction of the action itself."""
    session.add(LogRow(at=datetime.now(UTC), who=reviewer, what=what, answer=answer))
