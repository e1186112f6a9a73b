"""The class under review and one reviewer's request: the context of every page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from autograder.errors import ReviewError
from autograder.gradebook.mark import Answer, Conflict, Draft, Mark, QueuePosition
from autograder.gradebook.rubric import Rubric
from autograder.review.class_review import ClassReview
from autograder.review.forms import LARGEST_ID, PostedForm
from autograder.review.markdown import Rendered, render
from autograder.review.recent import Presence, RecentCache
from autograder.review.templating import Pages, json_response, mark_data, mark_words, wants_json

__all__ = ["CurrentVisit", "Id", "Site", "Visit"]

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
"""An id or a number in an address, in its path or its query."""

CACHED_S = 1.0  # seconds to cache what others may change, perhaps on another server with the same database

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
        current = self.stores.rubrics.current
        with _or_not_found():
            return self.cached(current, question) if cached else current(question)

    def cached(self, compute: Callable[..., T], *arguments: Hashable) -> T:
        """Return what this method of a store returns for these arguments, from the cache if it is recent."""
        return self.site.cache.get(self.reviewer, (compute, *arguments), lambda: compute(*arguments))

    def changed(self) -> None:
        """Expire what is cached for this reviewer."""
        self.site.cache.expire(self.reviewer)

    def hidden(self, question: str) -> frozenset[int]:
        """Return the sample's answers with one mark of two: until the second, nobody may see the first."""
        pairs = self.cached(self.stores.marks.pairs, question)
        return frozenset(pair.answer.id for pair in pairs if not pair.both)

    def page(self, template: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
        return self.site.pages.respond(self.request, template, status, **context)

    def mark_page(
        self, template: str, answer: Answer, draft: Draft | Mark, seen: Mark | None, *, conflict: bool, **context: Any
    ) -> Response:
        """Return a page with an answer and a form for its mark, which replaces the mark `seen`."""
        return self.page(
            template,
            status=HTTPStatus.CONFLICT if conflict else HTTPStatus.OK,
            question=answer.question,
            rendered=self.site.render(answer),
            rubric=self.rubric(answer.question),
            draft=draft,
            seen=seen.id if seen else 0,
            **context,
        )

    def save(
        self,
        save: Callable[[int, str, Draft, int, str], Mark],
        answer: Answer,
        message: str,
        onward: Callable[[], str],
        again: Callable[[Draft, Mark], Response],
    ) -> Response:
        """Save the mark in the form with this method of a store, and go `onward` with the message.

        If somebody else has saved a mark in the meantime, a script gets that mark; otherwise `again` makes a page of it
        and of what was typed.
        """
        rubric, draft = self.rubric(answer.question), self.form.draft()
        try:
            mark = save(answer.id, self.reviewer, draft, self.form.integer("seen"), self.form.nonce())
        except Conflict as conflict:
            if not self.wants_json:
                return again(draft, conflict.current)
            data = {"why": str(conflict), "mark": mark_data(conflict.current, rubric)}
            return json_response(data, HTTPStatus.CONFLICT)
        self.changed()
        return self.done(onward(), f"{message}: {mark_words(mark, rubric)}.", mark=mark_data(mark, rubric))

    def done(self, url: str, message: str, **data: Any) -> Response:
        """End a POST: redirect a form; tell a script the next address and the message to show there."""
        if self.wants_json:
            return json_response({"url": url, "words": message, **data})
        return RedirectResponse(url, HTTPStatus.SEE_OTHER)


async def _visit(request: Request) -> Visit:  # async: a plain function would wait for a thread of its own
    return Visit(request)


CurrentVisit = Annotated[Visit, Depends(_visit)]


@contextlib.contextmanager
def _or_not_found() -> Iterator[None]:
    try:
        yield
    except ReviewError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
