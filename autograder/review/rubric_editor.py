"""The rubric editor: edit a question's rubric, preview which marks it changes, and apply it to all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

from fastapi import APIRouter
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.rubric import MOST_ITEMS, Rubric, RubricEffect, RubricItem
from autograder.review.forms import PostedForm, parse_points
from autograder.review.site import CurrentVisit, Visit

__all__ = ["TypedItem", "TypedRubric", "routes"]

routes = APIRouter()

LONGEST_ID = 24
"""The most characters of an id that is made from an item's text."""


@dataclass(frozen=True)
class TypedItem:
    """A rubric item as typed."""

    id: str
    points: str
    text: str


@dataclass(frozen=True)
class TypedRubric:
    """A rubric as typed, valid or not."""

    rows: tuple[TypedItem, ...]

    @classmethod
    def of(cls, rubric: Rubric) -> Self:
        return cls(tuple(TypedItem(item.id, f"{item.points:g}", item.text) for item in rubric.items))

    @classmethod
    def posted(cls, form: PostedForm) -> Self:
        columns = (form.texts(name)[: MOST_ITEMS + 1] for name in ("id", "points", "text"))
        return cls(tuple(TypedItem(*cells) for cells in zip(*columns, strict=False)))

    def after(self, action: str, number: int) -> TypedRubric:
        """Return the rubric after up, down, remove or add; any other action changes nothing. `number` is from 1."""
        rows = list(self.rows)
        if action == "add":
            rows.append(TypedItem("", "", ""))
        elif action in ("up", "down", "remove") and 1 <= number <= len(rows):
            row = rows.pop(number - 1)
            if action != "remove":
                rows.insert(max(0, number - 1 + (1 if action == "down" else -1)), row)
        return TypedRubric(tuple(rows))

    def rubric(self, current: Rubric) -> Rubric:
        """Return the rubric without empty rows. Raises ReviewError for points that are not a number."""
        ids = {row.id for row in self.rows} | {item.id for item in current.items}
        items: list[RubricItem] = []
        for number, row in enumerate(self.rows, 1):
            if row.points.strip() or row.text.strip():
                points = parse_points(f"Points of item {number}", row.points)
                item = RubricItem(row.id or _new_id(row.text, ids), points, row.text.strip())
                ids.add(item.id)
                items.append(item)
        return replace(current, items=tuple(items))

    @property
    def positive_points(self) -> str:
        """Return the sum of the positive points, ? if one of them is not a number."""
        try:
            return f"{sum(max(0.0, parse_points('', row.points or '0')) for row in self.rows):g}"
        except ReviewError:
            return "?"


@routes.get("/question/{question}/rubric")
def _rubric(visit: CurrentVisit, question: str) -> Response:
    current = visit.rubric(question, cached=False)
    return _page(visit, current, offered=visit.stores.rubrics.pending(question))


@routes.post("/question/{question}/rubric")
def _change(visit: CurrentVisit, question: str) -> Response:
    current = visit.rubric(question, cached=False)
    typed = TypedRubric.posted(visit.form)
    seen = visit.form.integer("revision")
    action, _, number = visit.form.text("do").partition(":")
    if action not in ("effects", "apply"):
        row = int(number) if number.isdecimal() else 0
        return _page(visit, current, typed.after(action, row), seen=seen, focus=_focus(action, row))
    try:
        new = typed.rubric(current)
        if problem := new.problem():
            raise ReviewError(problem)
        if seen != current.revision:
            raise ReviewError(
                "Somebody has changed this rubric in the meantime. Yours is below as you typed it: compare it with the "
                "current one, then preview it again."
            )
        if action == "effects":
            return _page(visit, current, TypedRubric.of(new), effects=visit.stores.rubrics.preview(new))
        effects = visit.stores.rubrics.apply(new, visit.reviewer)
    except ReviewError as error:
        return _page(visit, current, typed, problem=str(error))
    visit.changed()
    changed = f"{len(effects)} mark{'' if len(effects) == 1 else 's'} changed"
    return _page(visit, visit.rubric(question, cached=False), message=f"The new rubric is applied: {changed}.")


def _page(
    visit: Visit,
    current: Rubric,
    typed: TypedRubric | None = None,
    *,
    seen: int | None = None,
    problem: str = "",
    message: str = "",
    effects: Sequence[RubricEffect] | None = None,
    offered: Rubric | None = None,
    focus: str = "",
) -> Response:
    """Return the editor with the current rubric, or with the one `typed` over the revision `seen`."""
    state = "typed" if typed is not None else "applied" if message else "current"
    typed = typed or TypedRubric.of(current)
    return visit.page(
        "rubric.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        question=current.question,
        points=current.points,
        revision=current.revision if seen is None else seen,
        state=state,
        typed=typed,
        most=MOST_ITEMS,
        problem=problem,
        message=message,
        effects=effects,
        hidden_answers=visit.hidden(current.question) if effects else (),
        up=sum(effect.after > effect.before for effect in effects or ()),
        down=sum(effect.after < effect.before for effect in effects or ()),
        offered=offered,
        focus=focus,
    )


def _focus(action: str, number: int) -> str:
    """Return the control that gets the focus: the same button at the item's new position, or the new item."""
    if action in ("up", "down") and number:
        return f"{action}:{number + (1 if action == 'down' else -1)}"
    return "new" if action == "add" else ""


def _new_id(text: str, taken: set[str]) -> str:
    """Make an unused id from the first words of an item."""
    slug = "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:LONGEST_ID].strip("-") or "item"
    return next(id for id in (slug, *(f"{slug}-{number}" for number in range(2, 99))) if id not in taken)
