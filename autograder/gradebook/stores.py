"""All that reviewers read and write in one gradebook."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from autograder.gradebook.answer_store import AnswerStore
from autograder.gradebook.database import Database
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RequestStore
from autograder.gradebook.review_log import ReviewLog
from autograder.gradebook.rubric_store import RubricStore
from autograder.gradebook.snippet_store import SnippetStore
from autograder.gradebook.sync import Grouping, sync
from autograder.gradebook.tables import SettingRow
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy

__all__ = ["ReviewStores"]


class ReviewStores:
    """The stores of one gradebook, by subject. Use as a context manager.

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
