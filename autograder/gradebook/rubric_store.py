"""The rubrics of a gradebook: the one in force for each question, and what another one would change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook import queries
from autograder.gradebook.rubric import Effect, Rubric
from autograder.gradebook.tables import CURRENT, PAST, AnswerRow, MarkRow, RubricRow, SettingRow

__all__ = ["adopt", "effects", "every", "in_force", "offer", "offered", "stored"]

FILE = "grading.yml"
"""Whose rubric it is where no reviewer has changed it."""


def in_force(session: Session, question: str) -> Rubric:
    """The rubric that counts. Raises ReviewError where there is no such question."""
    row = session.execute(queries.RUBRIC, {"question": question}).first()
    if row is None:
        raise ReviewError(f"There is no written question {question!r} in this gradebook.")
    return stored(question, row.points, row.items, row.id)


def every(session: Session) -> dict[str, Rubric]:
    """The rubrics that count, by question."""
    rows = session.execute(queries.RUBRICS)
    return {row.question: stored(row.question, row.points, row.items, row.id) for row in rows}


def stored(question: str, points: float, items: str, revision: int) -> Rubric:
    """From what is stored. Raises GradebookError where that is no rubric."""
    try:
        return _read(question, points, items, revision)
    except (ValueError, TypeError, KeyError) as error:
        raise GradebookError(f"the rubric of {question} cannot be read ({error})") from error


def effects(session: Session, rubric: Rubric) -> tuple[Effect, ...]:
    """Whose points this rubric would change, in the order of marking."""
    now = in_force(session, rubric.question)
    current = (
        select(AnswerRow.number, AnswerRow.submission, MarkRow)
        .join(MarkRow, MarkRow.answer == AnswerRow.id)
        .where(AnswerRow.question == rubric.question, AnswerRow.standing == CURRENT, MarkRow.standing == CURRENT)
        .order_by(AnswerRow.number, MarkRow.id)
    )
    found = []
    for number, submission, row in session.execute(current):
        items = tuple(json.loads(row.items))
        before, after = (each.points_for(items, row.adjustment) for each in (now, rubric))
        if before != after:
            found.append(Effect(row.answer, number, submission, before, after))
    return tuple(found)


def offer(session: Session, rubric: Rubric) -> None:
    """Put grading.yml's rubric in force where there is none yet; else keep it in mind until somebody adopts it.

    It also takes the place of an older one of grading.yml where no mark changes; never of what a reviewer changed.
    """
    source = json.dumps(_content(rubric.points, rubric.to_json()), sort_keys=True)
    setting = session.get(SettingRow, f"rubric {rubric.question}")
    if setting is None:
        session.add(SettingRow(key=f"rubric {rubric.question}", value=source))
    else:
        setting.value = source
    session.flush()
    now = _row_in_force(session, rubric.question)
    if now is None:
        session.add(_row(rubric, FILE, source))
    elif now.source != source and _is_the_files(now) and not effects(session, rubric):
        now.standing = PAST
        session.flush()
        session.add(_row(rubric, FILE, source))


def offered(session: Session, question: str) -> Rubric | None:
    """grading.yml's rubric, where it was changed since the one in force was adopted."""
    row = session.get(SettingRow, f"rubric {question}")
    now = _row_in_force(session, question)
    if row is None or now is None or row.value == now.source:
        return None
    given = json.loads(row.value)
    return Rubric.from_json(question, given["points"], json.dumps(given["items"]), now.id)


def adopt(session: Session, rubric: Rubric, reviewer: str) -> tuple[Effect, ...]:
    """Put it in force; whose points that changed. Raises ReviewError where another one is in force by now."""
    now = session.scalars(_in_force(rubric.question).with_for_update()).first()
    if now is None or now.id != rubric.revision:
        raise ReviewError("Somebody changed this rubric in the meantime. Load it again, then change it.")
    changed = effects(session, rubric)
    offer = session.get(SettingRow, f"rubric {rubric.question}")
    now.standing = PAST
    session.flush()
    session.add(_row(rubric, reviewer, now.source if offer is None else offer.value))
    return changed


def _row(rubric: Rubric, by: str, source: str) -> RubricRow:
    return RubricRow(
        question=rubric.question,
        items=rubric.to_json(),
        points=rubric.points,
        source=source,
        by=by,
        at=datetime.now(UTC),
        standing=CURRENT,
    )


def _content(points: float, items: str) -> dict[str, Any]:
    """What grading.yml says of a rubric."""
    return {"points": points, "items": json.loads(items)}


def _is_the_files(row: RubricRow) -> bool:
    """Whether grading.yml said exactly this, and no reviewer changed it since."""
    return bool(json.loads(row.source) == _content(row.points, row.items))


def _in_force(question: str) -> Select[RubricRow]:
    return select(RubricRow).where(RubricRow.question == question, RubricRow.standing == CURRENT)


def _row_in_force(session: Session, question: str) -> RubricRow | None:
    return session.scalars(_in_force(question)).first()


@lru_cache(maxsize=1024)
def _read(question: str, points: float, items: str, revision: int) -> Rubric:
    """A stored rubric; those of one class are few, and are asked for with every page."""
    return Rubric.from_json(question, points, items, revision)
