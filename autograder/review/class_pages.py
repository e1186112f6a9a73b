"""The class as a whole: the overview, the gradebook, the log, regrade requests."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from autograder.errors import ReviewError
from autograder.gradebook.mark import Mark, Progress
from autograder.gradebook.marked_report import marked
from autograder.gradebook.request_store import ACCEPTED, DECLINED, LONGEST_REPLY, OPEN
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.report.page import style
from autograder.review.double_marking import open_pairs
from autograder.review.site import Id, Visit

__all__ = ["ROWS", "routes"]

routes = APIRouter()

ROWS = 100
"""Students on a page of the gradebook."""

LINES = 200
"""Lines of the log on its page."""

Page = Annotated[int, Query(ge=1, le=1_000_000)]


@routes.get("/")
def _overview(request: Request, done: str = "") -> Response:
    visit = Visit(request)
    site, marks = visit.site, visit.marks
    questions = []
    for id, rules in site.policy.written.items():
        shares = [each for each in visit.progress() if each.question == id and each.reviewer]
        whole = visit.total(id)
        sampled = visit.slow(("pairs", id), lambda id=id: marks.pairs(id))  # type: ignore[misc]
        questions.append(
            {
                "id": id,
                "title": rules.title,
                "done": whole.done,
                "total": whole.total,
                "shares": shares,
                "next": visit.fresh(("next", id, visit.reviewer), lambda id=id: marks.next(id, visit.reviewer)),  # type: ignore[misc]
                "sampled": bool(sampled),
                "open": open_pairs(sampled),
            }
        )
    start = next((each for each in questions if each["next"]), None)
    inbox = visit.slow("requests", site.inbox.requests)
    return visit.page(
        "overview.html",
        here="overview",
        assignment=site.policy.assignment.title,
        students=len(site.reports),
        overview=questions,
        start=start,
        begun=any(_given(each, visit.reviewer) for each in visit.progress()),
        done=done if done in site.policy.written else "",
        requests_open=sum(each.status == OPEN for each in inbox),
    )


@routes.get("/gradebook")
def _gradebook(request: Request, page: Page = 1) -> Response:
    """One row a student. Names are on it, and so it is logged."""
    visit = Visit(request)
    site = visit.site
    names = site.names
    pages = max(1, -(-len(names) // ROWS))
    page = min(page, pages)
    counting = visit.fresh("counting", visit.marks.counting)
    visit.marks.note(visit.reviewer, f"opened the gradebook, page {page}: names revealed")
    return visit.page(
        "gradebook.html",
        here="gradebook",
        columns=site.policy.questions,
        rows=[_row(visit, name, counting) for name in names[(page - 1) * ROWS : page * ROWS]],
        total=len(names),
        page=page,
        pages=pages,
    )


@routes.get("/log")
def _log(request: Request) -> Response:
    visit = Visit(request)
    entries = visit.marks.log(LINES)
    blind = frozenset().union(*(visit.blind(question) for question in visit.site.policy.written))
    return visit.page("log.html", here="log", entries=entries, blind=blind, cut=len(entries) == LINES)


@routes.get("/requests")
def _requests_page(request: Request) -> Response:
    return _requests(Visit(request))


@routes.post("/requests/{id}")
def _answer_request(request: Request, id: Id) -> Response:
    visit = Visit(request)
    status, reply = visit.form.text("status"), visit.form.text("reply")
    try:
        if status not in (ACCEPTED, DECLINED):
            raise ReviewError("A request is accepted or declined.")
        visit.site.inbox.answer_request(id, status, reply.strip(), visit.reviewer, anew=False)
        visit.decided()
    except ReviewError as error:
        return _requests(visit, problem=str(error), typed={id: reply})
    return _requests(visit, message=f"The request was {status}.")


def _requests(
    visit: Visit, *, message: str = "", problem: str = "", typed: Mapping[int, str] | None = None
) -> Response:
    kept = visit.site.inbox.requests()
    return visit.page(
        "requests.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        here="requests",
        requests=kept,
        answers={each.id: visit.marks.find(each.submission, each.question) for each in kept if each.status == OPEN},
        typed=typed or {},
        longest=LONGEST_REPLY,
        message=message,
        problem=problem,
    )


def _given(each: Progress, reviewer: str) -> bool:
    return each.reviewer == reviewer and each.done > 0


def _row(visit: Visit, name: str, counting: Mapping[tuple[str, str], Mark]) -> Markup:
    """A student's row, made anew where another mark counts by now, or counts for other points."""
    site = visit.site
    marks = (counting.get((name, question)) for question in site.policy.written)
    stamp = tuple(mark and (mark.id, mark.points) for mark in marks)
    known = site.rows.get(name)
    if known is None or known[0] != stamp:
        rubrics = {id: visit.rubric(id) for id in site.policy.written if (name, id) in counting}
        row = _standing(marked(site.reports[name], counting, rubrics), counting)
        known = site.rows[name] = (stamp, site.pages.part("row.html", row=row))
    return known[1]


def _standing(report: GradeReport, counting: Mapping[tuple[str, str], Mark]) -> dict[str, Any]:
    """A student as the template shows them; points that are not decided are not shown as 0."""
    code = [each for each in report.questions if not each.written]
    written = [each for each in report.questions if each.written]
    waiting = [each.id for each in written if each.earned is None]
    rejected = report.status is Status.REJECTED
    return {
        "name": report.name,
        "cells": [_cell(each, counting.get((report.key, each.id))) for each in report.questions],
        "automatic": _sum(code) if report.complete else "?",
        "written": "" if rejected else _sum(written),
        "total": f"{_sum(report.questions)}{' so far' if waiting or not report.complete else ''}",
        "waiting": waiting,
    }


def _cell(question: QuestionGrade, mark: Mark | None) -> dict[str, str]:
    if question.earned is not None:
        text = f"{question.earned:g}"
    elif question.written:
        text = "•" if (question.answer or "").strip() else "–"
    else:
        text = "?"
    return {"text": text, "style": style(question.outcome), "url": f"/answer/{mark.answer}" if mark else ""}


def _sum(questions: list[QuestionGrade] | tuple[QuestionGrade, ...]) -> str:
    return f"{round(sum(each.earned or 0.0 for each in questions), 6):g}"
