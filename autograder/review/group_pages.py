"""Groups of similar answers, marked together; an answer can be excluded from its group."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.mark import Conflict, Draft, QueuePosition
from autograder.review.site import CurrentVisit, Id, Visit

__all__ = ["routes"]

routes = APIRouter()

SHOWN = 50  # the most answers of one group on a page: a group of empty ones can be of any size
EXCERPT = 90  # characters of its first answer that stand for a group in the list


@routes.get("/question/{question}/groups")
def _groups(visit: CurrentVisit, question: str, group: Id = 0, apart: Id = 0) -> Response:
    return _page(visit, question, group, apart)


@routes.post("/question/{question}/groups")
def _mark_group(visit: CurrentVisit, question: str) -> Response:
    group, answers, draft = visit.form.integer("group"), visit.form.integers("answer"), Draft()
    try:
        draft = visit.form.draft()
        if not answers:
            raise ReviewError("No answer is selected. Select the answers to mark.")
        marks = visit.stores.marks.save_group(answers, visit.reviewer, draft, visit.form.nonce())
    except Conflict as conflict:
        raise ReviewError(f"{conflict} Nothing was marked. Reload this page and mark the others.") from conflict
    except ReviewError as error:
        if visit.wants_json:
            raise
        return _page(visit, question, group, problem=str(error), draft=draft)
    visit.changed()
    words = f"{len(marks)} answer{'s' if len(marks) > 1 else ''} marked: {marks[0].points:g} each."
    return visit.done(f"/question/{question}/groups", words)


@routes.post("/answer/{answer}/apart")
@routes.post("/answer/{answer}/together")
def _set_apart(visit: CurrentVisit, answer: Id) -> Response:
    """Exclude an answer from its group, or include it again."""
    apart = visit.request.url.path.endswith("/apart")
    position = visit.answer(answer)
    visit.stores.answers.set_apart(answer, visit.reviewer, apart=apart)
    visit.changed()
    url = f"/question/{position.answer.question}/groups?group={position.answer.group or 0}"
    if apart:
        return visit.done(f"{url}&apart={position.number}", "")  # the page says so, and offers the way back
    return visit.done(url, f"Answer {position.number} is back in its group.")


def _page(
    visit: Visit, question: str, group: int, apart: int = 0, *, problem: str = "", draft: Draft | None = None
) -> Response:
    rubric = visit.rubric(question)
    groups = visit.cached(visit.stores.answers.groups, question, visit.reviewer)
    by_key = {positions[0].answer.group or 0: positions for positions in groups}
    listed = sorted((_listed(key, positions) for key, positions in by_key.items()), key=lambda one: not one["waiting"])
    chosen = group if group in by_key or not listed else listed[0]["key"]
    members = sorted(by_key.get(chosen, ()), key=lambda position: (position.mark is not None, position.number))
    shown = members[:SHOWN]
    excluded = visit.position(question, apart).answer if apart else None
    return visit.page(
        "groups.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        question=question,
        groups=listed,
        chosen=chosen,
        members=[(position, visit.site.render(position.answer)) for position in shown],
        size=len(members),
        waiting=sum(position.mark is None for position in shown),
        excluded=excluded if excluded and excluded.apart else None,
        rubric=rubric,
        draft=draft or Draft(),
        problem=problem,
    )


def _listed(key: int, positions: tuple[QueuePosition, ...]) -> dict[str, Any]:
    text = " ".join((positions[0].answer.text or "").split())
    return {
        "key": key,
        "size": len(positions),
        "waiting": sum(position.mark is None for position in positions),
        "excerpt": text[:EXCERPT] or "No answer was given.",
    }
