"""The review as an application: its routes behind its gate, and what is said where something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from autograder.errors import GradebookError, ReviewError
from autograder.review import class_pages, double_marking, groups, marking, rubric_editor
from autograder.review.access import ENTRANCE, STATIC, WHERE, Access, Denied, Gate, cookie_name
from autograder.review.class_review import ClassReview
from autograder.review.site import Site
from autograder.review.templating import Pages

__all__ = ["access", "create"]

KEPT_S = 60 * 60 * 24 * 30
"""Seconds that a browser keeps the cookie: as long as a class is marked."""

LASTING = {"cache-control": "private, max-age=31536000, immutable"}
"""For files whose content is in their address."""

TITLES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not a way to ask",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That cannot be done",
}


def access(review: ClassReview) -> Access:
    """The reviewers' links to a class."""
    return Access(review.marks.secret(), review.reviewers)


def create(review: ClassReview) -> ASGIApp:
    """The app for an opened class."""
    granted = access(review)
    pages = Pages(tuple(review.policy.written), review.marks.identity())
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.site = site = Site(review, granted, pages)
    site.warm()
    _let_in(app, granted, pages)
    for routes in (class_pages.routes, double_marking.routes, rubric_editor.routes, groups.routes, marking.routes):
        app.include_router(routes)
    _explain(app, granted, pages)
    return Gate(app, granted, pages.refusal)


def _let_in(app: FastAPI, granted: Access, pages: Pages) -> None:
    """The routes that need no cookie."""

    @app.get(ENTRANCE)
    def enter(request: Request, token: str = "") -> Response:
        reviewer = granted.reviewer(token)
        if reviewer is None:
            refusal = Denied(
                HTTPStatus.FORBIDDEN, "This link is not valid", f"Its token belongs to nobody here. {WHERE}"
            )
            return _refused(request, refusal, granted, pages)
        if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            reply: Response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        else:  # a strict cookie does not go along on a way that began at another site
            reply = Response(pages.render("welcome.html"), media_type="text/html; charset=utf-8")
        port = request.scope["server"][1]
        reply.set_cookie(cookie_name(port), token, max_age=KEPT_S, path="/", httponly=True, samesite="strict")
        return reply

    @app.get(f"{STATIC}{{name}}")
    async def static(name: str) -> Response:
        if name not in pages.static:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
        kind, content = pages.static[name]
        return Response(content, media_type=kind, headers=LASTING)


def _explain(app: FastAPI, granted: Access, pages: Pages) -> None:
    """Every failure is a page, or a message for the script, that says what to do."""

    def reply(request: Request, status: HTTPStatus, title: str, why: str) -> Response:
        return _refused(request, Denied(status, title, why), granted, pages)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        why = error.detail if error.detail != status.phrase else "There is no such page in the review."
        return reply(request, status, TITLES.get(status, status.phrase), why)

    @app.exception_handler(RequestValidationError)
    async def odd(request: Request, _: RequestValidationError) -> Response:
        return reply(request, HTTPStatus.NOT_FOUND, "Not found", "There is no such page in the review.")

    @app.exception_handler(ReviewError)
    async def refused(request: Request, error: ReviewError) -> Response:
        return reply(request, HTTPStatus.UNPROCESSABLE_ENTITY, "That cannot be done", str(error))

    @app.exception_handler(GradebookError)
    async def unreadable(request: Request, error: GradebookError) -> Response:
        why = f"{error} Nothing was changed; what you typed is still in your browser. Save again once it is mended."
        return reply(request, HTTPStatus.SERVICE_UNAVAILABLE, "The gradebook cannot be reached", why)

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> Response:
        why = (
            "This is a fault of the review itself; the terminal in which it runs says more. What was saved is safe, "
            "and what you typed is still in your browser."
        )
        return reply(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke", why)


def _refused(request: Request, refusal: Denied, granted: Access, pages: Pages) -> Response:
    scripted = request.headers.get("accept", "").startswith("application/json")
    visitor = getattr(request.state, "reviewer", None)
    kind, body = pages.refusal(refusal, scripted, visitor, granted.csrf(visitor) if visitor else "")
    return Response(body, refusal.status, media_type=kind)
