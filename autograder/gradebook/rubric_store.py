"""The rubrics of a gradebook: the current one of each question, and the effects of another one.

grading.yml's rubric is the current one until a reviewer changes it. The latest of grading.yml is kept as the setting
`rubric QUESTION`; while it differs from the source of the current rubric, it is pending.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, select, update
from sqlalchemy.orm import Session

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook.database import Database
from autograder.gradebook.mark import MARK, Mark
from autograder.gradebook.rubric import Rubric, RubricEffect
from autograder.gradebook.tables import (
    CURRENT_ANSWER,
    CURRENT_MARK,
    CURRENT_RUBRIC,
    OF_QUESTION,
    PAST,
    AnswerRow,
    LogRow,
    MarkRow,
    RubricRow,
    SettingRow,
)

__all__ = ["RUBRIC", "RubricStore", "current_rubric", "current_rubrics", "rubric_from", "update_from_policy"]

GRADING_FILE = "grading.yml"  # the value of `by` for a rubric that no reviewer has changed
RUBRIC = (RubricRow.question, RubricRow.points, RubricRow.items, RubricRow.id, RubricRow.source)
CURRENT_RUBRICS = select(*RUBRIC).where(CURRENT_RUBRIC)
CURRENT_OF_QUESTION = CURRENT_RUBRICS.where(RubricRow.question == bindparam("question", type_=String))
MARKS = (
    select(*MARK, AnswerRow.number, AnswerRow.submission)
    .select_from(AnswerRow)
    .join(MarkRow, MarkRow.answer == AnswerRow.id)
    .where(OF_QUESTION, CURRENT_ANSWER, CURRENT_MARK)
    .order_by(AnswerRow.number, MarkRow.id)
)


class RubricStore:
    """The rubrics in an opened database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, question: str) -> Rubric:
        """Return the current rubric. Raises ReviewError for an unknown question."""
        with self._database.read_once() as session:
            return current_rubric(session, question)

    def all(self) -> dict[str, Rubric]:
        """Return the current rubrics by question; none before the first sync."""
        with self._database.read_once() as session:
            return current_rubrics(session)

    def pending(self, question: str) -> Rubric | None:
        """Return grading.yml's rubric if it was changed and waits for approval."""
        with self._database.read() as session:
            setting = session.get(SettingRow, _setting_key(question))
            current = session.execute(CURRENT_OF_QUESTION, {"question": question}).first()
            if setting is None or current is None or setting.value == current.source:
                return None
            source = json.loads(setting.value)
            return Rubric.from_json(question, source["points"], json.dumps(source["items"]), current.id)

    def preview(self, rubric: Rubric) -> tuple[RubricEffect, ...]:
        """Return the answers whose points this rubric would change, in marking order. Stores nothing."""
        with self._database.read() as session:
            return _effects(session, rubric)

    def apply(self, rubric: Rubric, reviewer: str) -> tuple[RubricEffect, ...]:
        """Apply a rubric, to existing marks too, and return the answers whose points changed.

        Raises ReviewError if its points do not add up, or its `revision` is no longer the current one.
        """
        if problem := rubric.problem():
            raise ReviewError(problem)
        with self._database.write() as session:
            question = {"question": rubric.question}
            current = session.execute(CURRENT_OF_QUESTION.with_for_update(), question).first()
            if current is None or current.id != rubric.revision:
                raise ReviewError("Somebody changed this rubric in the meantime. Reload it, then change it.")
            effects = _effects(session, rubric)
            setting = session.get(SettingRow, _setting_key(rubric.question))
            _replace(session, current, rubric, reviewer, current.source if setting is None else setting.value)
            marks = f"{len(effects)} mark{'' if len(effects) == 1 else 's'}"
            session.add(LogRow(who=reviewer, what=f"changed the rubric of {rubric.question}: {marks} changed"))
            return effects


def update_from_policy(session: Session, rubric: Rubric) -> None:
    """Apply grading.yml's rubric if the question has none yet; otherwise leave it pending.

    It also replaces an older one of grading.yml if that changes no mark. It never replaces a reviewer's.
    """
    source = json.dumps(_content(rubric.points, rubric.to_json()), sort_keys=True)
    session.merge(SettingRow(key=_setting_key(rubric.question), value=source))
    current = session.execute(CURRENT_OF_QUESTION, {"question": rubric.question}).first()
    if current is None:
        _replace(session, None, rubric, GRADING_FILE, source)
    elif current.source != source:
        unchanged = json.loads(current.source) == _content(current.points, current.items)
        if unchanged and not _effects(session, rubric):
            _replace(session, current, rubric, GRADING_FILE, source)


def current_rubric(session: Session, question: str) -> Rubric:
    """Return the current rubric. Raises ReviewError for an unknown question."""
    row = session.execute(CURRENT_OF_QUESTION, {"question": question}).first()
    if row is None:
        raise ReviewError(f"There is no written question {question!r} in this gradebook.")
    return rubric_from(row)


def current_rubrics(session: Session) -> dict[str, Rubric]:
    """Return the current rubrics by question."""
    return {row.question: rubric_from(row) for row in session.execute(CURRENT_RUBRICS)}


def rubric_from(row: Any) -> Rubric:
    """Return the rubric in a row with the columns RUBRIC. Raises GradebookError if it cannot be read."""
    return _parsed(row.question, row.points, row.items, row.id)


@lru_cache(maxsize=256)  # the same few rubrics are needed for every page and every mark
def _parsed(question: str, points: float, items: str, id: int) -> Rubric:
    try:
        return Rubric.from_json(question, points, items, id)
    except (ValueError, TypeError, KeyError) as error:
        raise GradebookError(f"the rubric of {question} cannot be read ({error})") from error


def _effects(session: Session, rubric: Rubric) -> tuple[RubricEffect, ...]:
    current = current_rubric(session, rubric.question)
    effects = []
    for row in session.execute(MARKS, {"question": rubric.question}):
        before, after = (Mark.of(row, by).points for by in (current, rubric))
        if before != after:
            effects.append(RubricEffect(row.answer, row.number, row.submission, before, after))
    return tuple(effects)


def _replace(session: Session, current: Any, rubric: Rubric, by: str, source: str) -> None:
    """Store a rubric in place of the one in the row `current`, None for the first."""
    if current is not None:
        session.execute(update(RubricRow).where(RubricRow.id == current.id).values(standing=PAST))
    row = RubricRow(question=rubric.question, items=rubric.to_json(), points=rubric.points, source=source, by=by)
    session.add(row)


def _content(points: float, items: str) -> dict[str, Any]:
    """Return the part of a rubric that grading.yml decides."""
    return {"points": points, "items": json.loads(items)}


def _setting_key(question: str) -> str:
    return f"rubric {question}"
