"""One answer: its page, its mark, and what belongs to it."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from autograder.gradebook.mark import Conflict, Draft, Mark, QueuePosition
from autograder.review.forms import LARGEST_ID
from autograder.review.site import Id, Visit
from autograder.review.templating import mark_data, mark_words

__all__ = ["routes", "undo_url"]

routes = APIRouter()

PLAIN = {"content-security-policy": "default-src 'none'; sandbox", "content-disposition": "inline"}
"""A student's words, as they are: nothing in them may do anything."""

Number = Annotated[int, Query(ge=1, le=LARGEST_ID)]
Seen = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@routes.get("/question/{question}")
def _onward(request: Request, question: str, after: Seen = 0, number: Number | None = None) -> Response:
    """To the answer that is asked for, or to the next that waits."""
    visit = Visit(request)
    if number is not None:
        place = visit.place(question, number)
        return RedirectResponse(f"/question/{question}/{place.number}", HTTPStatus.SEE_OTHER)
    return RedirectResponse(_next(visit, question, after), HTTPStatus.SEE_OTHER)


@routes.get("/question/{question}/{number}")
def _marking(request: Request, question: str, number: Id) -> Response:
    visit = Visit(request)
    return _page(visit, visit.place(question, number))


@routes.post("/answer/{answer}/mark")
def _mark(request: Request, answer: Id) -> Response:
    visit = Visit(request)
    place = visit.answer(answer)
    draft = visit.form.draft()
    try:
        said = visit.marks.mark(answer, visit.reviewer, draft, visit.form.whole("seen"), visit.form.nonce())
    except Conflict as conflict:
        if not visit.scripted:
            return _page(visit, place, draft, conflict.current)
        rubric = visit.rubric(place.answer.question)
        return visit.said({"why": str(conflict), "mark": mark_data(conflict.current, rubric)}, HTTPStatus.CONFLICT)
    visit.acted()
    question = place.answer.question
    rubric = visit.rubric(question)
    words = f"Answer {place.number} saved: {mark_words(said, rubric)}."
    return visit.done(_next(visit, question, place.number), words, mark=mark_data(said, rubric))


@routes.get("/answer/{answer}")
def _whereabouts(request: Request, answer: Id) -> Response:
    found = Visit(request).answer(answer).answer
    return RedirectResponse(f"/question/{found.question}/{found.number}", HTTPStatus.SEE_OTHER)


@routes.get("/answer/{answer}/now")
def _now(request: Request, answer: Id, seen: Seen = 0) -> Response:
    """Who else is here, and what counts by now, if that is not what this page has seen."""
    visit = Visit(request)
    place = visit.answer(answer)
    rubric = visit.rubric(place.answer.question)
    current = 0 if place.mark is None else place.mark.id
    return visit.said(
        {
            "others": visit.site.presence.here(answer, visit.reviewer),
            "changed": current != seen,
            "mark": mark_data(place.mark, rubric) if current != seen else None,
            "revision": rubric.revision,
        }
    )


@routes.get("/answer/{answer}/history")
def _history(request: Request, answer: Id) -> Response:
    """Every mark of an answer, who gave it and when."""
    visit = Visit(request)
    place = visit.answer(answer)
    marks = visit.marks.history(answer, visit.reviewer)
    rubric = visit.rubric(place.answer.question)
    if visit.scripted:
        return visit.said({"history": [mark_data(mark, rubric) for mark in marks]})
    return visit.page(
        "history.html", here=rubric.question, question=rubric.question, place=place, marks=marks, rubric=rubric
    )


@routes.get("/answer/{answer}/plain")
def _plain(request: Request, answer: Id) -> Response:
    """All of an answer, as it was written."""
    text = Visit(request).answer(answer).answer.text or ""
    return Response(text.encode("utf-8", "replace"), media_type="text/plain; charset=utf-8", headers=PLAIN)


@routes.post("/answer/{answer}/reveal")
def _reveal(request: Request, answer: Id) -> Response:
    visit = Visit(request)
    place = visit.answer(answer)
    name = visit.marks.reveal(answer, visit.reviewer)
    return visit.said({"name": name}) if visit.scripted else _page(visit, place, name=name)


@routes.post("/question/{question}/snippets")
def _keep_snippet(request: Request, question: str) -> Response:
    visit = Visit(request)
    place = visit.place(question, visit.form.whole("number"))
    kept = visit.marks.add_snippet(question, visit.form.text("comment"), visit.reviewer)
    visit.acted()
    return visit.done(
        f"/question/{question}/{place.number}", "Kept as a snippet.", snippet={"id": kept.id, "text": kept.text}
    )


@routes.post("/snippet/{snippet}/drop")
def _drop_snippet(request: Request, snippet: Id) -> Response:
    visit = Visit(request)
    place = visit.place(visit.form.text("question"), visit.form.whole("number"))
    visit.marks.drop_snippet(snippet)
    visit.acted()
    return visit.done(f"/question/{place.answer.question}/{place.number}", "The snippet is deleted.")


@routes.post("/undo")
def _undo(request: Request) -> Response:
    visit = Visit(request)
    answers = visit.marks.undo(visit.reviewer)
    visit.acted()
    if not answers:
        return visit.done("/", "There is no mark of yours to take back.")
    return visit.done(undo_url(visit, answers), f"Taken back: {len(answers)} mark{'s' if len(answers) > 1 else ''}.")


def undo_url(visit: Visit, answers: tuple[int, ...]) -> str:
    """Where marks that were taken back can be given anew."""
    answer = visit.answer(answers[0]).answer
    group = f"/groups?group={answer.group}" if len(answers) > 1 else f"/{answer.number}"
    return f"/question/{answer.question}{group}"


def _next(visit: Visit, question: str, after: int) -> str:
    number = visit.marks.next(question, visit.reviewer, after)
    return f"/?done={question}" if number is None else f"/question/{question}/{number}"


def _page(
    visit: Visit, place: QueuePosition, draft: Draft | None = None, theirs: Mark | None = None, name: str = ""
) -> Response:
    """`draft` is what could not be saved because of `theirs`."""
    question = place.answer.question
    site, rubric = visit.site, visit.rubric(question)
    rules = site.policy.written.get(question)
    total = visit.total(question)
    seen = theirs or place.mark
    return visit.page(
        "marking.html",
        status=HTTPStatus.OK if theirs is None else HTTPStatus.CONFLICT,
        here=question,
        question=question,
        title=site.title(question),
        place=place,
        shown=site.shown(place.answer),
        rubric=rubric,
        draft=draft or place.mark or Draft(),
        theirs=theirs,
        seen=0 if seen is None else seen.id,
        nonce=secrets.token_hex(16),
        name=name,
        snippets=visit.fresh(("snippets", question), lambda: visit.marks.snippets(question)),
        model_answer=rules.model_answer if rules else None,
        misconceptions=rules.misconceptions if rules else (),
        done=total.done,
        total=total.total,
        sampled=total.total > place.of,
    )
