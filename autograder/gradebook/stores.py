"""All that reviewers read and write in one gradebook, by subject.

The small stores are here, snippets and the log, and what brings the answers to mark up to date.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from autograder.errors import ReviewError
from autograder.gradebook import marking_order
from autograder.gradebook.answer_store import AnswerStore
from autograder.gradebook.database import Database
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RequestStore
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.rubric_store import RubricStore, update_from_policy
from autograder.gradebook.tables import (
    CURRENT,
    CURRENT_ANSWER,
    CURRENT_MARK,
    PAST,
    AnswerRow,
    LogRow,
    MarkRow,
    SettingRow,
    SnippetRow,
)
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy

__all__ = ["Grouping", "ReviewLog", "ReviewStores", "SnippetStore"]

Grouping = Callable[[Mapping[int, str | None]], tuple[tuple[int, ...], ...]]
"""A function from answers' texts by id to groups of the ids of two or more similar ones."""

LONGEST_SNIPPET = 20_000  # characters, as many as a comment may have
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
        """Store new and changed answers and grading.yml's rubrics, and share the unmarked answers out to the reviewers.

        Marked answers stay as they are. A changed answer keeps its number and waits to be marked again; the marks of
        the earlier version stay in its history.
        """
        with self.database.write() as session:
            answers = marking_order.written_answers(reports, policy)
            for question, rules in policy.written.items():
                update_from_policy(session, Rubric.from_policy(question, rules))
                changed = _store(session, question, answers[question])
                rows = session.scalars(
                    select(AnswerRow).where(AnswerRow.question == question, CURRENT_ANSWER).order_by(AnswerRow.number)
                ).all()
                if changed:
                    _group(rows, grouping)
                _share_out(session, question, rows, reviewers, policy.review.sample)

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
    """The reviewers' actions, each with its time."""

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


def _store(session: Session, question: str, texts: Mapping[str, str | None]) -> bool:
    """Store the new and changed texts of a question by submission, and return whether there are any."""
    rows = session.scalars(select(AnswerRow).where(AnswerRow.question == question, CURRENT_ANSWER))
    current = {row.submission: row for row in rows}
    digests = {submission: hashlib.sha256((text or "").encode()).hexdigest() for submission, text in texts.items()}
    changed = [name for name in texts if name not in current or current[name].digest != digests[name]]
    last = session.scalar(select(func.max(AnswerRow.number)).where(AnswerRow.question == question)) or 0
    for submission in marking_order.in_order(question, changed):
        old = current.get(submission)
        if old is None:
            last += 1
        else:
            old.standing = PAST
            session.flush()
        session.add(
            AnswerRow(
                submission=submission,
                question=question,
                digest=digests[submission],
                text=texts[submission],
                number=last if old is None else old.number,
            )
        )
    session.flush()
    return bool(changed)


def _group(rows: Sequence[AnswerRow], grouping: Grouping) -> None:
    groups = grouping({row.id: row.text for row in rows})
    group_of = {id: min(group) for group in groups for id in group}
    for row in rows:
        row.group = group_of.get(row.id)


def _share_out(
    session: Session, question: str, rows: Sequence[AnswerRow], reviewers: Sequence[str], sample: int
) -> None:
    marked = set(session.scalars(select(MarkRow.answer).where(CURRENT_MARK)))
    shares = [marking_order.Share(row.submission, row.first, row.second, row.id in marked) for row in rows]
    for row, share in zip(rows, marking_order.share_out(question, shares, reviewers, sample), strict=True):
        row.first, row.second = share.first, share.second
