"""The tables of the gradebook.

Rows that replace each other carry a `standing`: `current` is what counts, and the database itself sees to it that
there is at most one; `past` is what counted before; `proposed` waits for a person's yes; `undone` was taken back.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "CURRENT",
    "PAST",
    "PROPOSED",
    "UNDONE",
    "AnswerRow",
    "Base",
    "GradingRow",
    "LogRow",
    "MarkRow",
    "RequestRow",
    "ReturnedRow",
    "RubricRow",
    "SettingRow",
    "SnippetRow",
]

CURRENT, PAST, PROPOSED, UNDONE = "current", "past", "proposed", "undone"


class Base(DeclarativeBase):
    """What all tables of the gradebook belong to."""

    metadata = MetaData()


def _one_current(name: str, *columns: str) -> Index:
    """At most one row with these values that counts."""
    counts = text(f"standing = '{CURRENT}'")
    return Index(name, *columns, unique=True, sqlite_where=counts, postgresql_where=counts)


class GradingRow(Base):
    """One grading of one submission."""

    __tablename__ = "gradings"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text, index=True)
    key: Mapped[str] = mapped_column(index=True)
    content: Mapped[str]
    standing: Mapped[str]
    report: Mapped[str] = mapped_column(Text)
    graded_at: Mapped[datetime]

    __table_args__ = (_one_current("one_current_grading", "submission"),)


class ReturnedRow(Base):
    """A grade that was made elsewhere."""

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


class AnswerRow(Base):
    """A written answer. `number` is its place in the question's order of marking, from 1.

    `first` is the reviewer whose share it is; `second`, where it is in the sample, the other one. `kin` is the least
    id in its group of like answers; `apart` tells that a person took it out of its group.
    """

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text)
    question: Mapped[str]
    digest: Mapped[str]
    standing: Mapped[str]
    number: Mapped[int]
    first: Mapped[str]
    second: Mapped[str | None]
    kin: Mapped[int | None]
    apart: Mapped[bool]
    text: Mapped[str | None] = mapped_column(Text)  # last: SQLite reads through all that stands before a value

    __table_args__ = (
        _one_current("one_current_answer", "submission", "question"),
        Index("answers_in_order", "question", "standing", "number"),
        Index("answers_of_one", "submission", "question"),
        Index("answers_by_share", "standing", "question", "first", "second", "number"),
    )


class MarkRow(Base):
    """What a reviewer said of an answer. `items` is a JSON list of ids; `replaced` the mark that counted before.

    `slot` is empty where one mark is shared by all reviewers, the reviewer's name in the sample, SETTLED where two
    opinions were settled. `nonce` is the reviewer's name for the act: sent again, it is done once.
    """

    __tablename__ = "marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    slot: Mapped[str]
    reviewer: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    items: Mapped[str] = mapped_column(Text)
    adjustment: Mapped[float]
    comment: Mapped[str] = mapped_column(Text)
    flagged: Mapped[bool]
    standing: Mapped[str]
    nonce: Mapped[str]
    replaced: Mapped[int | None]

    __table_args__ = (
        _one_current("one_current_mark", "answer", "slot"),
        UniqueConstraint("nonce", "answer"),
    )


class RubricRow(Base):
    """A form of a question's rubric. `items` is a JSON list; `source` tells which grading.yml it was adopted under."""

    __tablename__ = "rubrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    items: Mapped[str] = mapped_column(Text)
    points: Mapped[float]
    source: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    standing: Mapped[str]

    __table_args__ = (_one_current("one_current_rubric", "question"),)


class SnippetRow(Base):
    """A comment that is used again."""

    __tablename__ = "snippets"

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    standing: Mapped[str]


class LogRow(Base):
    """Who did what, when."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    what: Mapped[str] = mapped_column(Text)
    answer: Mapped[int | None]


class RequestRow(Base):
    """A student's request to look at an answer again."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text)
    question: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    reply: Mapped[str] = mapped_column(Text)
    before: Mapped[float | None]
    by: Mapped[str]
    at: Mapped[datetime]


class SettingRow(Base):
    """A value of the gradebook itself."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
