"""Comments that reviewers keep for reuse, by question."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from autograder.errors import ReviewError
from autograder.gradebook.database import Database
from autograder.gradebook.tables import CURRENT, PAST, SnippetRow

__all__ = ["SnippetStore"]

LONGEST_SNIPPET = 20_000
"""Characters, as many as a comment may have."""

KEPT = (
    select(SnippetRow)
    .where(SnippetRow.question == bindparam("question"), SnippetRow.standing == CURRENT)
    .order_by(SnippetRow.id)
)


class SnippetStore:
    """The snippets in an opened database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, question: str) -> tuple[SnippetRow, ...]:
        """Return the snippets of a question, oldest first."""
        with self._database.read_once() as session:
            return tuple(session.scalars(KEPT, {"question": question}))

    def add(self, question: str, text: str, reviewer: str) -> SnippetRow:
        """Keep a comment, or return the snippet with the same text. Raises ReviewError if it is blank or too long."""
        text = text.strip()
        if not text or len(text) > LONGEST_SNIPPET:
            raise ReviewError(f"A snippet has 1 to {LONGEST_SNIPPET} characters; this one has {len(text)}.")
        with self._database.write() as session:
            row = session.scalars(KEPT.where(SnippetRow.text == text), {"question": question}).first()
            if row is None:
                row = SnippetRow(question=question, text=text, by=reviewer, standing=CURRENT)
                session.add(row)
                session.flush()
            return row

    def remove(self, snippet: int) -> None:
        """Stop offering a snippet."""
        with self._database.write() as session:
            session.execute(update(SnippetRow).where(SnippetRow.id == snippet).values(standing=PAST))
