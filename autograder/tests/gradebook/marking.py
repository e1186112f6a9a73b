"""Builders of a class with written answers, and steps of marking it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import create_engine, text

from autograder.gradebook.mark import Draft, Mark
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.policy.policy import Policy, Review

FULL = Draft(("fit", "unseen", "overfit"))


def sync(
    stores: ReviewStores, rules: Policy, size: int = 5, reviewers: Sequence[str] = ("ann", "ben"), sample: int = 0,
    words: Mapping[str, str | None] | None = None,
) -> None:  # fmt: skip
    """Store a class s0, s1, … with an answer to q1 each, other answers where `words` says so."""
    texts = {f"s{number}": f"answer of {number}" for number in range(size)} | dict(words or {})
    reports = [
        GradeReport(name, name, Status.GRADED, (QuestionGrade("q1", "Why", True, 4, None, answer=text),))
        for name, text in texts.items()
    ]
    policy = rules.model_copy(update={"review": Review(reviewers=tuple(reviewers), sample=sample)})
    stores.sync(policy, reports, reviewers, same_words)


def same_words(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:
    by_text: dict[str | None, list[int]] = {}
    for id, words in texts.items():
        by_text.setdefault(words, []).append(id)
    return tuple(tuple(ids) for ids in by_text.values() if len(ids) > 1)


def mark(stores: ReviewStores, number: int, reviewer: str, draft: Draft = FULL, *, seen: int | None = None) -> Mark:
    """Mark the answer with this number, by default as a reviewer who has seen the current mark."""
    position = stores.answers.at("q1", number, reviewer)
    current = position.mark.id if position.mark else 0
    return stores.marks.save(
        position.answer.id, reviewer, draft, current if seen is None else seen, secrets.token_hex(8)
    )


def rows(location: Path | str, query: str) -> list[tuple[object, ...]]:
    """Return what a query finds in the database, past the stores."""
    url = str(location).replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(f"sqlite:///{url}" if isinstance(location, Path) else url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()
