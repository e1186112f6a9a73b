"""A question's rubric, changed back in time: what was typed, whom it changes, and putting it in force."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.rubric import MOST_ITEMS, Effect, Rubric, RubricItem
from autograder.review.forms import PostedForm, amount
from autograder.review.site import Visit, missing

__all__ = ["Typed", "TypedItem", "routes"]

routes = APIRouter()

SLUG = 24


@dataclass(frozen=True)
class TypedItem:
    """An item as it was typed."""

    id: str
    points: str
    text: str


@dataclass(frozen=True)
class Typed:
    """A rubric as it was typed, right or wrong."""

    rows: tuple[TypedItem, ...]

    @classmethod
    def of(cls, rubric: Rubric) -> Self:
        return cls(tuple(TypedItem(item.id, f"{item.points:g}", item.text) for item in rubric.items))

    @classmethod
    def sent(cls, form: PostedForm) -> Self:
        columns = (form.all(name)[: MOST_ITEMS + 1] for name in ("id", "points", "text"))
        return cls(tuple(TypedItem(*cells) for cells in zip(*columns, strict=False)))

    def after(self, act: str, number: int) -> Typed:
        """What a button does: up, down, remove, add; any other shows it as it is. `number` counts from 1."""
        rows = list(self.rows)
        at = number - 1
        if act == "add":
            return Typed((*rows, TypedItem("", "", "")))
        if not 0 <= at < len(rows):
            return self
        row = rows.pop(at)
        if act in ("up", "down"):
            rows.insert(max(0, at + (1 if act == "down" else -1)), row)
        return Typed(tuple(rows))

    def rubric(self, now: Rubric) -> Rubric:
        """As a rubric, without the rows that are empty. Raises ReviewError for what is no number."""
        items: list[RubricItem] = []
        for number, row in enumerate(self.rows, 1):
            if row.points.strip() or row.text.strip():
                ids = {item.id for item in items} | {each.id for each in self.rows} | {item.id for item in now.items}
                points = amount(f"Points of item {number}", row.points)
                items.append(RubricItem(row.id or _new_id(row.text, ids), points, row.text.strip()))
        return replace(now, items=tuple(items))

    @property
    def given(self) -> str:
        """What the items that give points add up to, as far as they are numbers."""
        total = 0.0
        for row in self.rows:
            try:
                total += max(0.0, amount("", row.points or "0"))
            except ReviewError:
                return "?"
        return f"{total:g}"


@routes.get("/question/{question}/rubric")
def _rubric(request: Request, question: str) -> Response:
    visit = Visit(request)
    now = _in_force(visit, question)
    return _page(visit, now, offered=visit.marks.offered(question))


@routes.post("/question/{question}/rubric")
def _change(request: Request, question: str) -> Response:
    visit = Visit(request)
    now = _in_force(visit, question)
    typed = Typed.sent(visit.form)
    act, _, number = visit.form.text("do").partition(":")
    if act not in ("effects", "apply"):
        moved = typed.after(act, int(number) if number.isdecimal() else 0)
        return _page(visit, now, moved, seen=visit.form.whole("revision"), focus=_moved(act, number))
    try:
        new = typed.rubric(now)
        if problem := new.problem():
            raise ReviewError(problem)
        if visit.form.whole("revision") != now.revision:
            raise ReviewError(
                "Somebody changed this rubric in the meantime. Yours stands below as you typed it; compare it with the "
                "one in force, then look again whom it changes."
            )
        effects = visit.marks.adopt(new, visit.reviewer) if act == "apply" else visit.marks.propose(new)
    except ReviewError as error:
        return _page(visit, now, typed, problem=str(error))
    if act == "effects":
        return _page(visit, now, Typed.of(new), effects=effects)
    visit.acted()
    now = _in_force(visit, question)
    changed = f"{len(effects)} mark{'' if len(effects) == 1 else 's'} changed"
    return _page(visit, now, message=f"This rubric is in force now; {changed}.")


def _in_force(visit: Visit, question: str) -> Rubric:
    try:
        return visit.marks.rubric(question)
    except ReviewError as error:
        raise missing(str(error)) from error


def _page(
    visit: Visit,
    now: Rubric,
    typed: Typed | None = None,
    *,
    seen: int | None = None,
    problem: str = "",
    message: str = "",
    effects: Sequence[Effect] | None = None,
    offered: Rubric | None = None,
    focus: str = "",
) -> Response:
    """The editor with the rubric in force `now`, or with what was `typed` over the revision that was `seen`."""
    state = "typed" if typed is not None else "applied" if message else "in force"
    typed = typed or Typed.of(now)
    return visit.page(
        "rubric.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        here=now.question,
        question=now.question,
        title=visit.site.title(now.question),
        points=now.points,
        revision=now.revision if seen is None else seen,
        state=state,
        rows=typed.rows,
        given=typed.given,
        most=MOST_ITEMS,
        problem=problem,
        message=message,
        effects=effects,
        blind=visit.blind(now.question) if effects else (),
        up=sum(effect.after > effect.before for effect in effects or ()),
        down=sum(effect.after < effect.before for effect in effects or ()),
        offered=offered,
        focus=focus,
    )


def _moved(act: str, number: str) -> str:
    """Where the focus goes: to the same button, at the item's new place."""
    if act in ("up", "down") and number.isdecimal():
        return f"{act}:{int(number) + (1 if act == 'down' else -1)}"
    return "new" if act == "add" else ""


def _new_id(text: str, taken: set[str]) -> str:
    """An id of the first words of an item that no other has."""
    slug = "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:SLUG].strip("-") or "item"
    return next(id for id in (slug, *(f"{slug}-{number}" for number in range(2, 99))) if id not in taken)
