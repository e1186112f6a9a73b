"""The rubric editor: edit a question's rubric, preview which marks it changes, and apply it to all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.rubric import LONGEST_TEXT, MOST_ITEMS, Rubric, RubricEffect, RubricItem
from autograder.review.forms import PostedForm, parse_points
from autograder.review.site import CurrentVisit, Visit

__all__ = ["TypedItem", "routes"]

routes = APIRouter()

LONGEST_ID = 24  # the most characters of an id that is made from an item's text


class TypedItem(NamedTuple):
    """A rubric item as typed, valid or not."""

    id: str = ""
    points: str = ""
    text: str = ""


def _typed(form: PostedForm) -> list[TypedItem]:
    """Return the items in a posted form."""
    columns = (form.texts(name)[: MOST_ITEMS + 1] for name in TypedItem._fields)
    return [TypedItem(*cells) for cells in zip(*columns, strict=False)]


def _edit(items: list[TypedItem], action: str, number: int) -> str:
    """Do up, down, remove or add; any other action changes nothing. `number` is from 1.

    Return the control that gets the focus: the same button at the item's new position, or the new item.
    """
    if action == "add":
        items.append(TypedItem())
        return "new"
    if action not in ("up", "down", "remove") or not 1 <= number <= len(items):
        return ""
    item = items.pop(number - 1)
    if action == "remove":
        return ""
    position = number + (1 if action == "down" else -1)
    items.insert(max(0, position - 1), item)
    return f"{action}:{position}"


def _parse(typed: Sequence[TypedItem], current: Rubric) -> Rubric:
    """Return the typed rubric without empty items. Raises ReviewError for points that are not a number."""
    ids = {item.id for item in typed} | {item.id for item in current.items}
    items: list[RubricItem] = []
    for number, item in enumerate(typed, 1):
        if item.points.strip() or item.text.strip():
            points = parse_points(f"Points of item {number}", item.points)
            items.append(RubricItem(item.id or _new_id(item.text, ids), points, item.text.strip()))
            ids.add(items[-1].id)
    return replace(current, items=tuple(items))


@routes.get("/question/{question}/rubric")
def _rubric(visit: CurrentVisit, question: str) -> Response:
    current = visit.rubric(question, cached=False)
    return _page(visit, current, offered=visit.stores.rubrics.pending(question))


@routes.post("/question/{question}/rubric")
def _change(visit: CurrentVisit, question: str) -> Response:
    current = visit.rubric(question, cached=False)
    typed, seen = _typed(visit.form), visit.form.integer("revision")
    action, _, number = visit.form.text("do").partition(":")
    if action not in ("effects", "apply"):
        focus = _edit(typed, action, int(number) if number.isdecimal() else 0)
        return _page(visit, current, typed, revision=seen, focus=focus)
    try:
        new = _parse(typed, current)
        if problem := new.problem():
            raise ReviewError(problem)
        if seen != current.revision:
            raise ReviewError(
                "Somebody has changed this rubric in the meantime. Yours is below as you typed it: compare it with the "
                "current one, then preview it again."
            )
        if action == "effects":
            return _page(visit, current, _as_typed(new), effects=visit.stores.rubrics.preview(new))
        effects = visit.stores.rubrics.apply(new, visit.reviewer)
    except ReviewError as error:
        return _page(visit, current, typed, problem=str(error))
    visit.changed()
    changed = f"{len(effects)} mark{'' if len(effects) == 1 else 's'} changed"
    return _page(visit, visit.rubric(question, cached=False), message=f"The new rubric is applied: {changed}.")


def _page(
    visit: Visit,
    current: Rubric,
    typed: Sequence[TypedItem] | None = None,
    *,
    problem: str = "",
    message: str = "",
    effects: Sequence[RubricEffect] | None = None,
    revision: int | None = None,
    offered: Rubric | None = None,
    focus: str = "",
) -> Response:
    """Return the editor with the current rubric, or with the one `typed` over a `revision` of it."""
    rows = _as_typed(current) if typed is None else typed
    return visit.page(
        "rubric.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        question=current.question,
        points=current.points,
        revision=current.revision if revision is None else revision,
        state="typed" if typed is not None else "applied" if message else "current",
        typed=rows,
        positive_points=_positive_points(rows),
        most=MOST_ITEMS,
        longest_text=LONGEST_TEXT,
        problem=problem,
        message=message,
        effects=effects,
        hidden_answers=visit.hidden(current.question) if effects else (),
        up=sum(effect.after > effect.before for effect in effects or ()),
        down=sum(effect.after < effect.before for effect in effects or ()),
        offered=offered,
        focus=focus,
    )


def _as_typed(rubric: Rubric) -> list[TypedItem]:
    return [TypedItem(item.id, f"{item.points:g}", item.text) for item in rubric.items]


def _positive_points(typed: Sequence[TypedItem]) -> str:
    """Return the sum of the positive points, ? if one of them is not a number."""
    try:
        return f"{sum(max(0.0, parse_points('', item.points or '0')) for item in typed):g}"
    except ReviewError:
        return "?"


def _new_id(text: str, taken: set[str]) -> str:
    """Make an unused id from the first words of an item."""
    slug = "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:LONGEST_ID].strip("-") or "item"
    return next(id for id in (slug, *(f"{slug}-{number}" for number in range(2, 99))) if id not in taken)
