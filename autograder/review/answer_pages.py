"""One answer: its page, its mark, and everything done from there."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from autograder.gradebook.mark import Draft, Mark, QueuePosition
from autograder.review.site import CurrentVisit, Id, Visit
from autograder.review.templating import json_response, mark_data

__all__ = ["routes"]

routes = APIRouter()

PLAIN_TEXT = {"content-security-policy": "default-src 'none'; sandbox", "content-disposition": "inline"}
"""Headers under which nothing in a student's text can run."""


@routes.get("/question/{question}")
def _go_to(visit: CurrentVisit, question: str, after: Id = 0, number: Id | None = None) -> Response:
    """Redirect to the answer with this number, or to the next one to mark."""
    url = _next(visit, question, after) if number is None else _url(visit.position(question, number))
    return RedirectResponse(url, HTTPStatus.SEE_OTHER)


@routes.get("/answer/{answer}")
def _go_to_answer(visit: CurrentVisit, answer: Id) -> Response:
    return RedirectResponse(_url(visit.answer(answer)), HTTPStatus.SEE_OTHER)


@routes.get("/question/{question}/{number}")
def _marking(visit: CurrentVisit, question: str, number: Id) -> Response:
    return _page(visit, visit.position(question, number))


@routes.post("/answer/{answer}/mark")
def _mark(visit: CurrentVisit, answer: Id) -> Response:
    position = visit.answer(answer)
    return visit.save(
        visit.stores.marks.save,
        position.answer,
        f"Answer {position.number} saved",
        onward=lambda: _next(visit, position.answer.question, position.number),
        again=lambda draft, current: _page(visit, position, draft, current),
    )


@routes.get("/answer/{answer}/now")
def _now(visit: CurrentVisit, answer: Id, seen: Id = 0) -> Response:
    """Tell the page who else is looking at the answer, and the current mark if it is not the one seen there."""
    position = visit.answer(answer)
    rubric = visit.rubric(position.answer.question)
    changed = (position.mark.id if position.mark else 0) != seen
    return json_response(
        {
            "others": visit.site.presence.visit(answer, visit.reviewer),
            "changed": changed,
            "mark": mark_data(position.mark, rubric) if changed else None,
            "revision": rubric.revision,
        }
    )


@routes.get("/answer/{answer}/history")
def _history(visit: CurrentVisit, answer: Id) -> Response:
    """Show every mark of an answer."""
    position = visit.answer(answer)
    marks = visit.stores.marks.history(answer, visit.reviewer)
    rubric = visit.rubric(position.answer.question)
    if visit.wants_json:
        return json_response({"history": [mark_data(mark, rubric) for mark in marks]})
    return visit.page("history.html", question=rubric.question, position=position, marks=marks, rubric=rubric)


@routes.get("/answer/{answer}/plain")
def _plain(visit: CurrentVisit, answer: Id) -> Response:
    """Show the whole answer as it was typed."""
    text = visit.answer(answer).answer.text or ""
    return Response(text.encode("utf-8", "replace"), media_type="text/plain; charset=utf-8", headers=PLAIN_TEXT)


@routes.post("/answer/{answer}/reveal")
def _reveal(visit: CurrentVisit, answer: Id) -> Response:
    position = visit.answer(answer)
    name = visit.stores.answers.reveal(answer, visit.reviewer)
    return json_response({"name": name}) if visit.wants_json else _page(visit, position, name=name)


@routes.post("/question/{question}/snippets")
def _add_snippet(visit: CurrentVisit, question: str) -> Response:
    position = visit.position(question, visit.form.integer("number"))
    snippet = visit.stores.snippets.add(question, visit.form.text("comment"), visit.reviewer)
    visit.changed()
    return visit.done(_url(position), "Saved as a snippet.", snippet={"id": snippet.id, "text": snippet.text})


@routes.post("/snippet/{snippet}/drop")
def _drop_snippet(visit: CurrentVisit, snippet: Id) -> Response:
    position = visit.position(visit.form.text("question"), visit.form.integer("number"))
    visit.stores.snippets.remove(snippet)
    visit.changed()
    return visit.done(_url(position), "Snippet deleted.")


@routes.post("/undo")
def _undo(visit: CurrentVisit) -> Response:
    answers = visit.stores.marks.undo(visit.reviewer)
    visit.changed()
    if not answers:
        return visit.done("/", "You have no mark to undo.")
    position = visit.answer(answers[0])
    url = _url(position)
    if len(answers) > 1:
        url = f"/question/{position.answer.question}/groups?group={position.answer.group}"
    return visit.done(url, f"Undone: {len(answers)} mark{'s' if len(answers) > 1 else ''}.")


def _url(position: QueuePosition) -> str:
    return f"/question/{position.answer.question}/{position.number}"


def _next(visit: Visit, question: str, after: int) -> str:
    number = visit.stores.answers.next(question, visit.reviewer, after)
    return f"/?done={question}" if number is None else f"/question/{question}/{number}"


def _page(
    visit: Visit, position: QueuePosition, draft: Draft | None = None, conflicting: Mark | None = None, name: str = ""
) -> Response:
    """Return an answer's page; with a `draft` that could not be saved because of a `conflicting` mark."""
    question = position.answer.question
    total = visit.cached(visit.stores.answers.question_progress, question)
    return visit.mark_page(
        "answer.html",
        position.answer,
        draft or position.mark or Draft(),
        conflicting or position.mark,
        conflict=conflicting is not None,
        position=position,
        conflicting=conflicting,
        name=name,
        snippets=visit.cached(visit.stores.snippets.all, question),
        rules=visit.site.policy.written.get(question),
        total=total,
        sampled=total.total > total.answers,
    )
