"""The class under review and one reviewer's request with its form: the context of every page, cached for seconds."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
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
from autograder.review.markdown import Rendered, render
from autograder.review.templating import Pages, json_response, mark_data, mark_words, wants_json
from autograder.text import printable_lines

__all__ = [
    "FORGOTTEN_S", "CurrentVisit", "Id", "PostedForm", "Presence", "RecentCache", "Site", "Visit", "parse_points",
]  # fmt: skip

LARGEST_ID = 2**31 - 1  # the largest whole number that every database takes

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
"""An id or a number in an address, in its path or its query."""

CACHED_S = 1.0  # seconds to cache what others may change, perhaps on another server with the same database

FORGOTTEN_S = 5.0
"""Seconds after the last message of a page until its reviewer counts as gone; pages send one every 1.5 seconds."""

T = TypeVar("T")


class RecentCache:
    """Values computed less than `seconds` ago, and after the asking reviewer's latest change. Thread-safe.

    Reviewers see their own changes at once, and those of others up to `seconds` later.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._computing: dict[Hashable, threading.Lock] = {}
        self._values: dict[Hashable, tuple[float, Any]] = {}
        self._changed: dict[str, float] = {}

    def expire(self, reviewer: str) -> None:
        """Note that this reviewer has changed something."""
        with self._lock:
            self._changed[reviewer] = self._clock()

    def get(self, reviewer: str, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value of this key; of several who ask at once, one computes it and the others wait."""
        with self._lock:
            oldest = max(self._changed.get(reviewer, -math.inf), self._clock() - self._seconds)
            computing = self._computing.setdefault(key, threading.Lock())
        with computing:
            when, _ = self._values.get(key, (-math.inf, None))
            if when <= oldest:
                self._values[key] = (self._clock(), compute())
            return cast(T, self._values[key][1])


class Presence:
    """The answer that each reviewer looks at. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, float]] = {}

    def visit(self, answer: int, reviewer: str) -> tuple[str, ...]:
        """Note that this reviewer looks at this answer, and return the others who do."""
        now = self._clock()
        with self._lock:
            self._seen[reviewer] = (answer, now)
            recent = {name for name, seen in self._seen.items() if seen[0] == answer and now - seen[1] < FORGOTTEN_S}
        return tuple(sorted(recent - {reviewer}))


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


class PostedForm:
    """Fields in order; a name may repeat. Raises ReviewError for a field of the wrong kind."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(printable_lines(value.replace("\r\n", "\n")) for field, value in self._fields if field == name)

    def text(self, name: str) -> str:
        """Return the first field of this name, or ""."""
        return next(iter(self.texts(name)), "")

    def integer(self, name: str) -> int:
        return _integer(name, self.text(name))

    def integers(self, name: str) -> tuple[int, ...]:
        return tuple(_integer(name, value) for value in self.texts(name))

    def draft(self) -> Draft:
        """Return the mark in a rubric form."""
        return Draft(
            items=tuple(dict.fromkeys(self.texts("item"))),
            adjustment=parse_points("Adjust", self.text("adjustment").strip() or "0"),
            comment=self.text("comment").strip(),
            flagged=bool(self.texts("flagged")),
        )

    def nonce(self) -> str:
        """Return the id of this action: sent again with the same nonce, it is done once."""
        nonce = self.text("nonce")
        if not 16 <= len(nonce) <= 64 or not nonce.isalnum():
            raise ReviewError("The form is incomplete. Reload the page; what you typed is still in your browser.")
        return nonce


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


def parse_points(name: str, text: str) -> float:
    """Parse a number of points as people type it: 1.5, 1,5, +2, −1."""
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-").replace("_", "x"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReviewError(f"{name}: {text!r} is not a number of points; expected one like 1, 0.5 or -2.")
    return value + 0.0  # no −0.0


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID):
        raise ReviewError(f"{name}: {text[:40]!r} is not a whole number. Reload the page.")
    return int(text)
