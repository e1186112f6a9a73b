"""The class under review and one reviewer's request: the context of every page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from fastapi import HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from autograder.errors import ReviewError
from autograder.gradebook.mark import Answer, Progress, QueuePosition
from autograder.gradebook.rubric import Rubric
from autograder.review.cache import RecentCache
from autograder.review.class_review import ClassReview
from autograder.review.forms import LARGEST_ID, PostedForm
from autograder.review.markdown import Rendered, render
from autograder.review.presence import Presence
from autograder.review.templating import Pages, json_response, wants_json

__all__ = ["AnswerView", "Id", "Site", "Visit", "not_found"]

Id = Annotated[int, Path(ge=0, le=LARGEST_ID)]
"""An id or a number in an address."""

CACHED_S = 1.0
"""Seconds to cache what others may change, perhaps on another server with the same database."""

CACHED_LONG_S = 10.0
"""Seconds to cache what nobody needs for marking: the numbers of disagreements and of requests."""

T = TypeVar("T")


@dataclass(frozen=True)
class AnswerView:
    """An answer as a page shows it. `claims` are the misconceptions that it has highlighted phrases of."""

    id: int
    blank: bool
    html: Markup = field(default_factory=Markup)
    cut: bool = False
    claims: tuple[str, ...] = ()


class Site:
    """The class under review, its pages, and what is cached of it."""

    def __init__(self, review: ClassReview, pages: Pages) -> None:
        self.marks = review.marks
        self.inbox = review.inbox
        self.policy = review.policy
        self.reports = review.reports
        self.pages = pages
        self.presence = Presence()
        self.cache = RecentCache(CACHED_S)
        self.long_cache = RecentCache(CACHED_LONG_S)
        self.rows: dict[str, tuple[object, Markup]] = {}
        """Gradebook rows by submission, each with the marks it shows."""
        self._rendered = lru_cache(maxsize=4096)(self._render)

    def view(self, answer: Answer) -> AnswerView:
        text = answer.text or ""
        if not text.strip():
            return AnswerView(answer.id, blank=True)
        rendered = self._rendered(answer.question, text)
        return AnswerView(answer.id, False, Markup(rendered.html), rendered.cut, rendered.claims)  # safe by `render`

    def warm(self) -> None:
        """Do ahead of the first request what is slow the first time."""
        self.pages.warm()
        render("**Warm** $x^2$ `up`")
        for question in self.policy.written:
            with contextlib.suppress(ReviewError):  # a question without answers
                self.view(self.marks.place(question, 1, "").answer)
                self.marks.next(question, "")
        self.marks.progress()
        self.marks.counting()

    def title(self, question: str) -> str:
        rules = self.policy.written.get(question)
        return "" if rules is None else rules.title

    def _render(self, question: str, text: str) -> Rendered:
        rules = self.policy.written.get(question)
        return render(text, highlight=() if rules is None else rules.misconceptions)


class Visit:
    """One request of one reviewer."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site = cast(Site, request.app.state.site)
        self.marks = self.site.marks
        self.reviewer = cast(str, request.state.reviewer)
        self.wants_json = wants_json(request)
        self.form = PostedForm(request.state.form)

    def position(self, question: str, number: int) -> QueuePosition:
        """Return the answer with this number. Raises HTTPException if there is none."""
        with _or_not_found():
            return self.marks.place(question, number, self.reviewer)

    def answer(self, id: int) -> QueuePosition:
        """Return the answer with this id. Raises HTTPException if there is none."""
        with _or_not_found():
            return self.marks.answer(id, self.reviewer)

    def rubric(self, question: str, *, cached: bool = True) -> Rubric:
        """Return the rubric in use. Raises HTTPException if there is no such question."""
        with _or_not_found():
            if not cached:
                return self.marks.rubric(question)
            return self.cached(("rubric", question), lambda: self.marks.rubric(question))

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        return self.site.cache.get(self.reviewer, key, compute)

    def cached_long(self, key: Hashable, compute: Callable[[], T]) -> T:
        return self.site.long_cache.get(self.reviewer, key, compute)

    def changed(self, *, long: bool = False) -> None:
        """Expire what is cached for this reviewer, also in the long cache if `long`."""
        self.site.cache.expire(self.reviewer)
        if long:
            self.site.long_cache.expire(self.reviewer)

    def progress(self) -> tuple[Progress, ...]:
        return self.cached("progress", self.marks.progress)

    def total(self, question: str) -> Progress:
        """Return the progress of all reviewers together."""
        return self.cached(("total", question), lambda: self.marks.total(question))

    def hidden(self, question: str) -> frozenset[int]:
        """Return the sample's answers with one mark of two: until the second, nobody may see the first."""
        pairs = self.cached(("pairs", question), lambda: self.marks.pairs(question))
        return frozenset(pair.answer.id for pair in pairs if not pair.both)

    def page(self, template: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
        return self.site.pages.respond(self.request, template, status, **context)

    def json(self, data: Any, status: int = HTTPStatus.OK) -> Response:
        return json_response(data, status)

    def done(self, url: str, message: str, **data: Any) -> Response:
        """End a POST: redirect a form; tell a script the next address and the message to show there."""
        if self.wants_json:
            return json_response({"url": url, "words": message, **data})
        return RedirectResponse(url, HTTPStatus.SEE_OTHER)


def not_found(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, why)


@contextlib.contextmanager
def _or_not_found() -> Iterator[None]:
    try:
        yield
    except ReviewError as error:
        raise not_found(str(error)) from error
