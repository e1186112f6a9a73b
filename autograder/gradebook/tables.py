"""The tables of the gradebook.

Rows that replace each other have a `standing`: a `current` row counts, and the database allows only one; a `past` row
counted before; a `proposed` one waits for approval; an `undone` one was taken back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from sqlalchemy import (
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    bindparam,
    literal_column,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "CURRENT",
    "CURRENT_ANSWER",
    "CURRENT_MARK",
    "CURRENT_RUBRIC",
    "IS_CURRENT",
    "OF_QUESTION",
    "PAST",
    "PROPOSED",
    "SETTLED",
    "SHARED",
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

IS_CURRENT = literal_column(f"'{CURRENT}'", String)
"""CURRENT in a statement: not a parameter, so that the database can use its indexes of current rows."""

SHARED, SETTLED = "", "*"
"""Slots of marks that belong to no single reviewer: the one that all share, and the one that settles two."""


class _UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, stored without its time zone."""

    impl = DateTime
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.replace(tzinfo=UTC)


_Standing = Annotated[str, mapped_column(default=CURRENT)]
_Now = Annotated[datetime, mapped_column(default=lambda: datetime.now(UTC))]


class Base(DeclarativeBase):
    """The base class of all tables."""

    type_annotation_map: ClassVar = {datetime: _UtcDateTime}


def _one_current(name: str, *columns: str) -> Index:
    """Return an index that allows one current row for each combination of these columns."""
    current = text(f"standing = '{CURRENT}'")
    return Index(name, *columns, unique=True, sqlite_where=current, postgresql_where=current)


class GradingRow(Base):
    """One grading of one submission."""

    __tablename__ = "gradings"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text, index=True)
    key: Mapped[str] = mapped_column(index=True)
    content: Mapped[str]
    standing: Mapped[str]
    report: Mapped[str] = mapped_column(Text)
    graded_at: Mapped[_Now]

    __table_args__ = (_one_current("one_current_grading", "submission"),)


class ReturnedRow(Base):
    """A grade that another system gave."""

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
    joined_at: Mapped[_Now]

    __table_args__ = (UniqueConstraint("origin", "name"),)


class AnswerRow(Base):
    """A written answer.

    `number` is its position in the question's marking order, from 1. `first` is the reviewer who marks it, `second`
    the other one if it is in the sample. `group` is the smallest id in its group of similar answers; `apart` is set
    once a reviewer took it out of that group.
    """

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text)
    question: Mapped[str]
    digest: Mapped[str]
    standing: Mapped[_Standing]
    number: Mapped[int]
    first: Mapped[str] = mapped_column(default="")
    second: Mapped[str | None]
    group: Mapped[int | None] = mapped_column("kin")
    apart: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str | None] = mapped_column(Text)  # last: SQLite reads through all columns before the one it needs

    __table_args__ = (
        _one_current("one_current_answer", "submission", "question"),
        Index("answers_in_order", "question", "standing", "number"),
        Index("answers_of_one", "submission", "question"),
        Index("answers_by_share", "standing", "question", "first", "second", "number"),
    )


class MarkRow(Base):
    """A reviewer's mark of an answer. `items` is a JSON list of ids; `replaced` is the id of the previous mark.

    `slot` is SHARED if all reviewers share one mark, the reviewer's name in the sample, SETTLED for the mark that
    settles two. `nonce` identifies the act of saving, so that a repeated request is stored once.
    """

    __tablename__ = "marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    slot: Mapped[str]
    reviewer: Mapped[str] = mapped_column(index=True)
    at: Mapped[_Now]
    items: Mapped[str] = mapped_column(Text)
    adjustment: Mapped[float]
    comment: Mapped[str] = mapped_column(Text)
    flagged: Mapped[bool]
    standing: Mapped[_Standing]
    nonce: Mapped[str]
    replaced: Mapped[int | None]

    __table_args__ = (
        _one_current("one_current_mark", "answer", "slot"),
        UniqueConstraint("nonce", "answer"),
    )


class RubricRow(Base):
    """A revision of a question's rubric. `items` is a JSON list; `source` is grading.yml's rubric at that time."""

    __tablename__ = "rubrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    items: Mapped[str] = mapped_column(Text)
    points: Mapped[float]
    source: Mapped[str]
    by: Mapped[str]
    at: Mapped[_Now]
    standing: Mapped[_Standing]

    __table_args__ = (_one_current("one_current_rubric", "question"),)


class SnippetRow(Base):
    """A comment kept for reuse."""

    __tablename__ = "snippets"

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    standing: Mapped[_Standing]


class LogRow(Base):
    """One action of one reviewer; `answer` is None if it is about no single answer."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[_Now]
    who: Mapped[str]
    what: Mapped[str] = mapped_column(Text)
    answer: Mapped[int | None]


class RequestRow(Base):
    """A student's request to have an answer marked again."""

    __tablename__ = "requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(Text)
    question: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(default="open")
    reply: Mapped[str] = mapped_column(Text, default="")
    before: Mapped[float | None]
    by: Mapped[str] = mapped_column(default="")
    at: Mapped[_Now]


class SettingRow(Base):
    """A named value of the gradebook itself."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)


CURRENT_ANSWER = AnswerRow.standing == IS_CURRENT
CURRENT_MARK = MarkRow.standing == IS_CURRENT
CURRENT_RUBRIC = RubricRow.standing == IS_CURRENT
OF_QUESTION = AnswerRow.question == bindparam("question", type_=String)
