"""Groups of like answers, marked together and taken apart."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.mark import Conflict, Draft, QueuePosition
from autograder.review.forms import LARGEST_ID
from autograder.review.site import Id, Visit

__all__ = ["routes"]

routes = APIRouter()

SHOWN = 50
"""Answers of one group on a page; unanswered ones, which say nothing, can be any number."""

EXCERPT = 90

Key = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@routes.get("/question/{question}/groups")
def _groups(request: Request, question: str, group: Key = 0, apart: Key = 0) -> Response:
    return _page(Visit(request), question, group, apart)


@routes.post("/question/{question}/groups")
def _mark_group(request: Request, question: str) -> Response:
    visit = Visit(request)
    group, answers, draft = visit.form.whole("group"), visit.form.wholes("answer"), Draft()
    try:
        draft = visit.form.draft()
        if not answers:
            raise ReviewError("No answer is ticked. Tick those that this mark is for.")
        said = visit.marks.mark_group(answers, visit.reviewer, draft, visit.form.nonce())
    except Conflict as conflict:
        raise ReviewError(f"{conflict} Nothing was marked. Load this page again, and mark what is left.") from conflict
    except ReviewError as error:
        if visit.scripted:
            raise
        return _page(visit, question, group, problem=str(error), draft=draft)
    visit.acted()
    points = said[0].points
    return visit.done(
        f"/question/{question}/groups", f"{len(said)} answer{'s' if len(said) > 1 else ''} marked: {points:g} each."
    )


@routes.post("/answer/{answer}/apart")
def _take_apart(request: Request, answer: Id) -> Response:
    visit = Visit(request)
    place = visit.answer(answer)
    visit.marks.set_apart(answer, visit.reviewer, apart=True)
    visit.acted()
    where = f"/question/{place.answer.question}/groups?group={place.answer.group or 0}&apart={place.number}"
    return visit.done(where, "")  # the page says it, and offers the way back


@routes.post("/answer/{answer}/together")
def _put_together(request: Request, answer: Id) -> Response:
    visit = Visit(request)
    place = visit.answer(answer)
    visit.marks.set_apart(answer, visit.reviewer, apart=False)
    visit.acted()
    where = f"/question/{place.answer.question}/groups?group={place.answer.group or 0}"
    return visit.done(where, f"Answer {place.number} is in its group again.")


def _page(
    visit: Visit, question: str, group: int, apart: int = 0, *, problem: str = "", draft: Draft | None = None
) -> Response:
    site = visit.site
    rubric = visit.rubric(question)
    found = visit.fresh(("groups", question, visit.reviewer), lambda: visit.marks.groups(question, visit.reviewer))
    listed = sorted((_listed(places) for places in found), key=lambda each: not each["waiting"])
    by_key = {_key(places): places for places in found}
    chosen = group if group in by_key else next((each["key"] for each in listed), 0)
    places = sorted(by_key.get(chosen, ()), key=lambda place: (place.mark is not None, place.number))
    taken = visit.place(question, apart) if apart else None
    return visit.page(
        "groups.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        here=question,
        question=question,
        groups=listed,
        chosen=chosen,
        members=[(place, site.shown(place.answer)) for place in places[:SHOWN]],
        size=len(places),
        waiting=sum(place.mark is None for place in places[:SHOWN]),
        more=max(0, len(places) - SHOWN),
        apart=taken.answer if taken is not None and taken.answer.apart else None,
        rubric=rubric,
        draft=draft or Draft(),
        nonce=secrets.token_hex(16),
        problem=problem,
    )


def _key(places: tuple[QueuePosition, ...]) -> int:
    return places[0].answer.group or 0


def _listed(places: tuple[QueuePosition, ...]) -> dict[str, Any]:
    words = " ".join((places[0].answer.text or "").split())
    return {
        "key": _key(places),
        "size": len(places),
        "waiting": sum(place.mark is None for place in places),
        "excerpt": words[:EXCERPT] or "No answer was given.",
    }
