"""All that reviewers read and write in one gradebook, by subject. The small stores are here: snippets and the log."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import bindparam, select, update

from autograder.errors import ReviewError
from autograder.gradebook.answer_store import AnswerStore
from autograder.gradebook.database import Database
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RequestStore
from autograder.gradebook.rubric_store import RubricStore
from autograder.gradebook.sync import Grouping, sync
from autograder.gradebook.tables import CURRENT, PAST, LogRow, SettingRow, SnippetRow
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy

__all__ = ["ReviewLog", "ReviewStores", "SnippetStore"]

LONGEST_SNIPPET = 20_000
"""Characters, as many as a comment may have."""

SNIPPETS = (
    select(SnippetRow)
    .where(SnippetRow.question == bindparam("question"), SnippetRow.standing == CURRENT)
    .order_by(SnippetRow.id)
)


class ReviewStores:
    """The stores of one gradebook. Use as a context manager.

    Every call of a store is one transaction, and threads may share them. Raises ReviewError for an action that is not
    possible, and GradebookError if the database fails.
    """

    def __init__(self, location: Path | str, *, shared: bool = True) -> None:
        """Prepare a file or a server's URL. `shared`: many people will read and write at once."""
        self.database = Database(location, shared=shared)
        self.answers = AnswerStore(self.database)
        self.marks = MarkStore(self.database)
        self.rubrics = RubricStore(self.database)
        self.snippets = SnippetStore(self.database)
        self.requests = RequestStore(self.database)
        self.log = ReviewLog(self.database)

    def __enter__(self) -> Self:
        self.database.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def sync(
        self, policy: Policy, reports: Iterable[GradeReport], reviewers: Sequence[str], grouping: Grouping
    ) -> None:
        """Bring the answers to mark up to date, as `sync.sync` says."""
        with self.database.write() as session:
            sync(session, policy, reports, reviewers, grouping)

    def secret(self) -> bytes:
        """Return a secret of this gradebook, the same every time."""
        return bytes.fromhex(self._setting("secret", lambda: secrets.token_hex(32)))

    def identity(self) -> str:
        """Return a name of this gradebook that no other has."""
        return self._setting("identity", lambda: secrets.token_hex(8))

    def _setting(self, key: str, make: Callable[[], str]) -> str:
        with self.database.write() as session:
            row = session.get(SettingRow, key)
            if row is None:
                row = SettingRow(key=key, value=make())
                session.add(row)
            return row.value


class SnippetStore:
    """Comments that reviewers keep for reuse, by question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, question: str) -> tuple[SnippetRow, ...]:
        """Return the snippets of a question, oldest first."""
        with self._database.read_once() as session:
            return tuple(session.scalars(SNIPPETS, {"question": question}))

    def add(self, question: str, text: str, reviewer: str) -> SnippetRow:
        """Keep a comment, or return the snippet with the same text. Raises ReviewError if it is blank or too long."""
        text = text.strip()
        if not text or len(text) > LONGEST_SNIPPET:
            raise ReviewError(f"A snippet has 1 to {LONGEST_SNIPPET} characters; this one has {len(text)}.")
        with self._database.write() as session:
            row = session.scalars(SNIPPETS.where(SnippetRow.text == text), {"question": question}).first()
            if row is None:
                row = SnippetRow(question=question, text=text, by=reviewer)
                session.add(row)
                session.flush()
            return row

    def remove(self, snippet: int) -> None:
        """Stop offering a snippet."""
        with self._database.write() as session:
            session.execute(update(SnippetRow).where(SnippetRow.id == snippet).values(standing=PAST))


class ReviewLog:
    """What each reviewer did, and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, reviewer: str, what: str) -> None:
        """Write a line."""
        with self._database.write() as session:
            session.add(LogRow(who=reviewer, what=what))

    def newest(self, limit: int = 200) -> tuple[LogRow, ...]:
        """Return the newest lines, newest first."""
        with self._database.read_once() as session:
            return tuple(session.scalars(select(LogRow).order_by(LogRow.id.desc()).limit(limit)))
