"""The review as an ASGI app: its routes behind the gate, and a clear page for every failure."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from autograder.errors import GradebookError, ReviewError
from autograder.review import answer_pages, class_pages, group_pages, rubric_editor, sample_pages
from autograder.review.class_review import ClassReview
from autograder.review.gate import LINK_HELP, SIGN_IN, STATIC, Access, Denied, Gate, cookie_name, port_of
from autograder.review.site import Site
from autograder.review.templating import Pages

__all__ = ["access", "create"]

COOKIE_S = 60 * 60 * 24 * 30  # seconds that a browser keeps the cookie: as long as it takes to mark a class

IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable"}
"""Headers of files with a hash of their content in the address."""

NO_PAGE = "The review has no such page."

routes = APIRouter()


def access(review: ClassReview) -> Access:
    return Access(review.stores.secret(), review.reviewers)


def create(review: ClassReview) -> ASGIApp:
    """Return the app for a class opened for review."""
    pages = Pages(tuple(review.policy.written), review.stores.identity())
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.site = Site(review, pages)
    app.state.site.warm()
    app.state.access = access(review)
    app.include_router(routes)
    for module in (class_pages, sample_pages, rubric_editor, group_pages, answer_pages):
        app.include_router(module.routes)
    for error in (Denied, HTTPException, RequestValidationError, ReviewError, GradebookError, Exception):
        app.add_exception_handler(error, _explain)
    return Gate(app, app.state.access, pages.deny)


@routes.get(SIGN_IN)
def _sign_in(request: Request, token: str = "") -> Response:
    pages = request.app.state.site.pages
    if request.app.state.access.reviewer(token) is None:
        why = f"Its token belongs to no reviewer of this gradebook. {LINK_HELP}"
        raise Denied(HTTPStatus.FORBIDDEN, "This link is not valid", why)
    if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        response: Response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    else:  # browsers send no strict cookie on a redirect that another site began
        response = pages.respond(request, "signed_in.html")
    name = cookie_name(port_of(request))
    response.set_cookie(name, token, max_age=COOKIE_S, path="/", httponly=True, samesite="strict")
    return response


@routes.get(f"{STATIC}{{version}}/{{name}}")
async def _static(request: Request, version: str, name: str) -> Response:
    pages = request.app.state.site.pages
    if version != pages.version or name not in pages.static:
        raise HTTPException(HTTPStatus.NOT_FOUND, NO_PAGE)
    content_type, content = pages.static[name]
    return Response(content, media_type=content_type, headers=IMMUTABLE)


async def _explain(request: Request, error: Exception) -> Response:
    """Say what went wrong and what to do."""
    match error:
        case Denied():
            status, title, why = error.status, error.title, error.why
        case HTTPException():
            status = HTTPStatus(error.status_code)
            title, why = status.phrase.capitalize(), error.detail if error.detail != status.phrase else NO_PAGE
        case RequestValidationError():
            status, title, why = HTTPStatus.NOT_FOUND, "Not found", NO_PAGE
        case ReviewError():
            status, title, why = HTTPStatus.UNPROCESSABLE_ENTITY, "That is not possible", str(error)
        case GradebookError():
            status, title = HTTPStatus.SERVICE_UNAVAILABLE, "The gradebook is not available"
            why = f"{error} Nothing was changed, and what you typed is still in your browser. Save again once it works."
        case _:
            status, title = HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong"
            why = (
                "This is an error in the review itself; see the terminal in which it runs. What was saved is safe, and "
                "what you typed is still in your browser."
            )
    response: Response = request.app.state.site.pages.deny(request, Denied(status, title, why))
    return response
