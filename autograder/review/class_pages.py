"""Pages about the class: overview, gradebook, log and regrade requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from autograder.errors import ReviewError
from autograder.gradebook.mark import Mark, Progress
from autograder.gradebook.marked_report import with_marks
from autograder.gradebook.request_store import LONGEST_REPLY, OPEN
from autograder.judge.grade_report import Status
from autograder.report.grade_cells import automatic, grades, symbol, unmarked
from autograder.report.page import css_class
from autograder.review.site import CurrentVisit, Id, Visit

__all__ = ["ROWS", "routes"]

routes = APIRouter()

ROWS = 100
"""Students on a page of the gradebook."""

LOG_ENTRIES = 200  # the most entries on the page of the log
Page = Annotated[int, Query(ge=1, le=1_000_000)]


@routes.get("/")
def _overview(visit: CurrentVisit, done: str = "") -> Response:
    policy = visit.site.policy
    progress = visit.cached(visit.stores.answers.progress)
    questions = [_question(visit, id, progress) for id in policy.written]
    requests = visit.cached(visit.stores.requests.all)
    return visit.page(
        "overview.html",
        here="overview",
        assignment=policy.assignment.title,
        students=len(visit.site.reports),
        overview=questions,
        start=next((question for question in questions if question["next"]), None),
        started=any(share.reviewer == visit.reviewer and share.done for share in progress),
        done=done if done in policy.written else "",
        requests_open=sum(request.status == OPEN for request in requests),
    )


def _question(visit: Visit, id: str, progress: Iterable[Progress]) -> dict[str, Any]:
    pairs = visit.cached(visit.stores.marks.pairs, id)
    return {
        "id": id,
        "title": visit.site.policy.written[id].title,
        "total": visit.cached(visit.stores.answers.question_progress, id),
        "shares": [share for share in progress if share.question == id and share.reviewer],
        "next": visit.cached(visit.stores.answers.next, id, visit.reviewer),
        "sampled": bool(pairs),
        "unsettled": sum(pair.both and not pair.agree and pair.settled is None for pair in pairs),
    }


@routes.get("/gradebook")
def _gradebook(visit: CurrentVisit, page: Page = 1) -> Response:
    """Show one row per student. It has their names, so opening it is logged."""
    names = sorted(visit.site.reports)
    pages = max(1, -(-len(names) // ROWS))
    page = min(page, pages)
    marks = visit.cached(visit.stores.marks.final)
    visit.stores.log.add(visit.reviewer, f"opened the gradebook, page {page}: names revealed")
    return visit.page(
        "gradebook.html",
        here="gradebook",
        columns=visit.site.policy.questions,
        rows=[_row(visit, name, marks) for name in names[(page - 1) * ROWS : page * ROWS]],
        total=len(names),
        page=page,
        pages=pages,
    )


def _row(visit: Visit, name: str, marks: Mapping[tuple[str, str], Mark]) -> dict[str, Any]:
    """Return a student's row for the template; points that are not decided do not show as 0."""
    policy = visit.site.policy
    mine = {id: marks[name, id] for id in policy.written if (name, id) in marks}
    report = with_marks(visit.site.reports[name], marks, {id: visit.rubric(id) for id in mine})
    cells = zip(policy.questions, grades(report, policy), strict=True)
    waiting = unmarked(report)
    written = sum(question.earned or 0.0 for question in report.questions if question.written)
    return {
        "name": report.name,
        "cells": [(symbol(grade), css_class(grade.outcome) if grade else "", mine.get(id)) for id, grade in cells],
        "automatic": _points(automatic(report)) if report.complete else "?",
        "written": "" if report.status is Status.REJECTED else _points(written),
        "total": f"{_points(report.earned)}{' so far' if waiting or not report.complete else ''}",
        "waiting": waiting,
    }


def _points(value: float) -> str:
    return f"{round(value, 6):g}"


@routes.get("/log")
def _log(visit: CurrentVisit) -> Response:
    entries = visit.stores.log.newest(LOG_ENTRIES)
    hidden = frozenset().union(*(visit.hidden(question) for question in visit.site.policy.written))
    return visit.page("log.html", here="log", entries=entries, hidden=hidden, cut=len(entries) == LOG_ENTRIES)


@routes.get("/requests")
def _requests(visit: CurrentVisit) -> Response:
    return _requests_page(visit)


@routes.post("/requests/{id}")
def _reply(visit: CurrentVisit, id: Id) -> Response:
    status, reply = visit.form.text("status"), visit.form.text("reply")
    try:
        visit.stores.requests.reply(id, status, reply, visit.reviewer)
    except ReviewError as error:
        return _requests_page(visit, problem=str(error), typed={id: reply})
    visit.changed()
    return _requests_page(visit, message=f"The request was {status}.")


def _requests_page(
    visit: Visit, *, message: str = "", problem: str = "", typed: Mapping[int, str] | None = None
) -> Response:
    """Return the page of requests, with the replies `typed` that could not be saved because of a `problem`."""
    requests, find = visit.stores.requests.all(), visit.stores.answers.find
    return visit.page(
        "requests.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        here="requests",
        requests=requests,
        answers={one.id: find(one.submission, one.question) for one in requests if one.status == OPEN},
        typed=typed or {},
        longest=LONGEST_REPLY,
        message=message,
        problem=problem,
    )
