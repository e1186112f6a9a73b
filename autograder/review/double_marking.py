"""What two reviewers marked blind to each other: how far they agree, and what counts where they do not."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from autograder.gradebook.agreement import Agreement, agreement
from autograder.gradebook.mark import Conflict, Draft, Mark, Pair
from autograder.review.site import Id, Visit, missing
from autograder.review.templating import mark_data, mark_words

__all__ = ["open_pairs", "routes"]

routes = APIRouter()


@routes.get("/question/{question}/sample")
def _sample(request: Request, question: str) -> Response:
    visit = Visit(request)
    pairs = visit.marks.pairs(question)
    if not pairs:
        raise missing(
            f"No answer to {question} is marked by two reviewers. grading.yml says how many are: review, sample."
        )
    points = [pair.points for pair in pairs if pair.points is not None]
    found = agreement(points)
    return visit.page(
        "sample.html",
        here=question,
        question=question,
        title=visit.site.title(question),
        pairs=len(pairs),
        both=len(points),
        figures=_figures(found),
        disagreements=[pair for pair in pairs if pair.both and (not pair.agree or pair.settled)],
    )


@routes.get("/question/{question}/sample/{number}")
def _pair_page(request: Request, question: str, number: Id) -> Response:
    visit = Visit(request)
    found = _pair(visit, question, number)
    return _page(visit, found)


@routes.post("/question/{question}/sample/{number}")
def _settle(request: Request, question: str, number: Id) -> Response:
    visit = Visit(request)
    found = _pair(visit, question, number)
    draft = visit.form.draft()
    rubric = visit.rubric(question)
    try:
        said = visit.marks.settle(found.answer.id, visit.reviewer, draft, visit.form.whole("seen"), visit.form.nonce())
    except Conflict as conflict:
        if not visit.scripted:
            return _page(visit, _pair(visit, question, number), draft)
        return visit.said({"why": str(conflict), "mark": mark_data(conflict.current, rubric)}, HTTPStatus.CONFLICT)
    visit.decided()
    return visit.done(
        f"/question/{question}/sample",
        f"Answer {number} is settled: {mark_words(said, rubric)}.",
        mark=mark_data(said, rubric),
    )


def open_pairs(pairs: tuple[Pair, ...]) -> int:
    """How many wait to be settled."""
    return sum(pair.both and not pair.agree and pair.settled is None for pair in pairs)


def _pair(visit: Visit, question: str, number: int) -> Pair:
    """The pair at a place of the question's order, once both have marked it."""
    found = next((pair for pair in visit.marks.pairs(question) if pair.number == number), None)
    if found is None:
        raise missing(f"Answer {number} to {question} is not in the sample that two reviewers mark.")
    if not found.both:
        raise missing(f"Answer {number} to {question} can be settled once both its reviewers have marked it.")
    return found


def _page(visit: Visit, pair: Pair, draft: Draft | None = None) -> Response:
    question = pair.answer.question
    first, second = _both(pair)
    shared = Draft(tuple(item for item in first.items if item in second.items))
    return visit.page(
        "settle.html",
        status=HTTPStatus.OK if draft is None else HTTPStatus.CONFLICT,
        here=question,
        question=question,
        pair=pair,
        shown=visit.site.shown(pair.answer),
        rubric=visit.rubric(question),
        draft=draft or pair.settled or shared,
        seen=pair.settled.id if pair.settled else 0,
        nonce=secrets.token_hex(16),
        problem="" if draft is None else "Somebody settled this answer meanwhile. Saving again puts yours over it.",
    )


def _both(pair: Pair) -> tuple[Mark, Mark]:
    first, second = pair.marks
    assert first is not None  # both have marked it
    assert second is not None
    return first, second


def _figures(found: Agreement) -> dict[str, str]:
    """Agreement as it is read; empty where nobody has agreed or disagreed yet."""
    if found.percent is None:
        return {}
    figures = {
        "percent": f"{found.percent:.0f} %",
        "kappa": "not defined",
        "interval": "both gave every answer the same",
    }
    if found.kappa is not None and found.low is not None and found.high is not None:
        figures["kappa"] = _fraction(found.kappa)
        figures["interval"] = f"95 % interval {_fraction(found.low)} to {_fraction(found.high)}"
    return figures


def _fraction(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
