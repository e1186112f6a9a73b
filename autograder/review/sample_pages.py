"""The sample that two reviewers mark independently: how far they agree, and what counts if they do not."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from autograder.gradebook.agreement import agreement
from autograder.gradebook.mark import Draft, Pair
from autograder.review.site import CurrentVisit, Id, Visit

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/question/{question}/sample")
def _sample(visit: CurrentVisit, question: str) -> Response:
    pairs = visit.stores.marks.pairs(question)
    if not pairs:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"No answer to {question} is marked twice. Set their number in grading.yml: review, sample.",
        )
    points = [pair.points for pair in pairs if pair.points is not None]
    return visit.page(
        "sample.html",
        question=question,
        pairs=len(pairs),
        both=len(points),
        agreement=agreement(points),
        disagreements=[pair for pair in pairs if pair.both and (not pair.agree or pair.settled)],
    )


@routes.get("/question/{question}/sample/{number}")
def _pair_page(visit: CurrentVisit, question: str, number: Id) -> Response:
    return _page(visit, _pair(visit, question, number))


@routes.post("/question/{question}/sample/{number}")
def _settle(visit: CurrentVisit, question: str, number: Id) -> Response:
    return visit.save(
        visit.stores.marks.settle,
        _pair(visit, question, number).answer,
        f"Answer {number} settled",
        onward=lambda: f"/question/{question}/sample",
        again=lambda draft, _: _page(visit, _pair(visit, question, number), draft),
    )


def _pair(visit: Visit, question: str, number: int) -> Pair:
    """Return a pair that both reviewers have marked. Raises HTTPException if there is none."""
    pair = next((pair for pair in visit.stores.marks.pairs(question) if pair.number == number), None)
    if pair is None or not pair.both:
        why = "can be settled once both its reviewers have marked it" if pair else "is not in the sample"
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Answer {number} to {question} {why}.")
    return pair


def _page(visit: Visit, pair: Pair, draft: Draft | None = None) -> Response:
    """Return a pair's page; with a `draft` that could not be saved because somebody else settled the answer."""
    first, second = (mark.items if mark else () for mark in pair.marks)
    shared = Draft(tuple(item for item in first if item in second))
    return visit.mark_page(
        "settle.html",
        pair.answer,
        draft or pair.settled or shared,
        pair.settled,
        conflict=draft is not None,
        pair=pair,
        problem="Somebody else has just settled this answer. Save again to replace their mark." if draft else "",
    )
