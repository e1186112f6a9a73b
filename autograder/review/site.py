"""The class under review and one reviewer's request: the context of every page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from fastapi import HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from autograder.errors import ReviewError
from autograder.gradebook.mark import Answer, Conflict, QueuePosition
from autograder.gradebook.rubric import Rubric
from autograder.review.cache import RecentCache
from autograder.review.class_review import ClassReview
from autograder.review.forms import LARGEST_ID, PostedForm
from autograder.review.markdown import Rendered, render
from autograder.review.presence import Presence
from autograder.review.templating import Pages, json_response, mark_data, wants_json

__all__ = ["Id", "Site", "Visit"]

Id = Annotated[int, Path(ge=0, le=LARGEST_ID)]
"""An id or a number in an address."""

CACHED_S = 1.0
"""Seconds to cache what others may change, perhaps on another server with the same database."""

CACHED_LONG_S = 10.0
"""Seconds to cache what nobody needs for marking: the numbers of disagreements and of requests."""

T = TypeVar("T")


class Site:
    """The class under review, its pages, and what is cached of it."""

    def __init__(self, review: ClassReview, pages: Pages) -> None:
        self.stores = review.stores
        self.policy = review.policy
        self.reports = review.reports
        self.pages = pages
        self.presence = Presence()
        self.cache = RecentCache(CACHED_S)
        self.long_cache = RecentCache(CACHED_LONG_S)
        self.rows: dict[str, tuple[object, Markup]] = {}
        """Gradebook rows by submission, each with the marks it shows."""
        self._rendered = lru_cache(maxsize=4096)(self._render)

    def render(self, answer: Answer) -> Rendered | None:
        """Render an answer, None if it is blank."""
        text = answer.text or ""
        return self._rendered(answer.question, text) if text.strip() else None

    def warm(self) -> None:
        """Do the work that is slow the first time before the first request."""
        self.pages.warm()
        render("**Warm** $x^2$ `up`")
        for question in self.policy.written:
            with contextlib.suppress(ReviewError):  # a question without answers
                self.render(self.stores.answers.at(question, 1, "").answer)
                self.stores.answers.next(question, "")
        self.stores.answers.progress()
        self.stores.marks.final()

    def _render(self, question: str, text: str) -> Rendered:
        rules = self.policy.written.get(question)
        return render(text, highlight=() if rules is None else rules.misconceptions)


class Visit:
    """One request of one reviewer."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site = cast(Site, request.app.state.site)
        self.stores = self.site.stores
        self.reviewer = cast(str, request.state.reviewer)
        self.wants_json = wants_json(request)
        self.form = PostedForm(request.state.form)

    def position(self, question: str, number: int) -> QueuePosition:
        """Return the answer with this number. Raises HTTPException if there is none."""
        with _or_not_found():
            return self.stores.answers.at(question, number, self.reviewer)

    def answer(self, id: int) -> QueuePosition:
        """Return the answer with this id. Raises HTTPException if there is none."""
        with _or_not_found():
            return self.stores.answers.by_id(id, self.reviewer)

    def rubric(self, question: str, *, cached: bool = True) -> Rubric:
        """Return the current rubric. Raises HTTPException if there is no such question."""
        with _or_not_found():
            if not cached:
                return self.stores.rubrics.current(question)
            return self.cached(self.stores.rubrics.current, question)

    def cached(self, compute: Callable[..., T], *arguments: Hashable, long: bool = False) -> T:
        """Return what this method of a store returns for these arguments, from the cache if it is recent."""
        cache = self.site.long_cache if long else self.site.cache
        return cache.get(self.reviewer, (compute, *arguments), lambda: compute(*arguments))

    def changed(self, *, long: bool = False) -> None:
        """Expire what is cached for this reviewer, also in the long cache if `long`."""
        self.site.cache.expire(self.reviewer)
        if long:
            self.site.long_cache.expire(self.reviewer)

    def hidden(self, question: str) -> frozenset[int]:
        """Return the sample's answers with one mark of two: until the second, nobody may see the first."""
        pairs = self.cached(self.stores.marks.pairs, question)
        return frozenset(pair.answer.id for pair in pairs if not pair.both)

    def page(self, template: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
        return self.site.pages.respond(self.request, template, status, **context)

    def conflict(self, conflict: Conflict, rubric: Rubric) -> Response:
        """Send a script the mark that somebody else has saved."""
        data = {"why": str(conflict), "mark": mark_data(conflict.current, rubric)}
        return json_response(data, HTTPStatus.CONFLICT)

    def done(self, url: str, message: str, **data: Any) -> Response:
        """End a POST: redirect a form; tell a script the next address and the message to show there."""
        if self.wants_json:
            return json_response({"url": url, "words": message, **data})
        return RedirectResponse(url, HTTPStatus.SEE_OTHER)


@contextlib.contextmanager
def _or_not_found() -> Iterator[None]:
    try:
        yield
    except ReviewError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
