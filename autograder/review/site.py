"""What every page of the review needs: the class, who asks, and what has been worked out before."""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

from fastapi import HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from autograder.errors import ReviewError
from autograder.gradebook.mark import Answer, Progress, QueuePosition
from autograder.gradebook.rubric import Rubric
from autograder.review.access import Access
from autograder.review.class_review import ClassReview
from autograder.review.forms import LARGEST_ID, PostedForm
from autograder.review.markdown import Rendered, render
from autograder.review.presence import Presence
from autograder.review.templating import Pages

__all__ = ["Id", "Memory", "Shown", "Site", "Visit", "missing"]

Id = Annotated[int, Path(ge=0, le=LARGEST_ID)]
"""An id or a number in an address."""

KEPT_S = 1.0
"""Seconds that what others may change is kept; they may be at another server on the same database."""

KEPT_LONG_S = 10.0
"""Seconds for what nobody marks by: how many disagreements wait, how many requests."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """An answer as a page shows it. `claims` are the misconceptions of which a phrase is marked in it."""

    id: int
    blank: bool
    html: Markup = field(default_factory=Markup)
    cut: bool = False
    claims: tuple[str, ...] = ()


class Memory:
    """What was worked out less than `seconds` ago, and after whatever the asker did last. Safe for several threads.

    Who has just marked must see that at once; what others do meanwhile may come a moment later.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}
        self._known: dict[Hashable, tuple[float, Any]] = {}
        self._acted: dict[str, float] = {}

    def acted(self, who: str) -> None:
        """Note that this person has changed something."""
        with self._lock:
            self._acted[who] = self._clock()

    def get(self, who: str, key: Hashable, make: Callable[[], T]) -> T:
        """What is known by this key; several who ask at once wait for one to work it out."""
        with self._lock:
            oldest = max(self._acted.get(who, -math.inf), self._clock() - self._seconds)
            making = self._making.setdefault(key, threading.Lock())
        with making:
            when, value = self._known.get(key, (-math.inf, None))
            if when > oldest:
                return cast(T, value)
            begun = self._clock()
            made = make()
            self._known[key] = (begun, made)
            return made


class Site:
    """The class that is reviewed, and the pages about it."""

    def __init__(self, review: ClassReview, access: Access, pages: Pages) -> None:
        self.marks = review.marks
        self.policy = review.policy
        self.reports = review.reports
        self.access = access
        self.pages = pages
        self.inbox = review.inbox
        self.presence = Presence()
        self.fresh = Memory(KEPT_S)
        self.slow = Memory(KEPT_LONG_S)
        self.names = tuple(sorted(review.reports))
        self.rows: dict[str, tuple[object, Markup]] = {}
        """Rows of the gradebook by submission, each with the marks it shows; most stay as they are."""
        self._rendered = lru_cache(maxsize=4096)(self._render)

    def shown(self, answer: Answer) -> Shown:
        text = answer.text or ""
        if not text.strip():
            return Shown(answer.id, blank=True)
        rendered = self._rendered(answer.question, text)
        return Shown(answer.id, False, Markup(rendered.html), rendered.cut, rendered.claims)  # sanitised by `text`

    def warm(self) -> None:
        """Do once what takes long the first time."""
        self.pages.warm()
        render("**Warm** $x^2$ `up`")
        for question in self.policy.written:
            with contextlib.suppress(ReviewError):  # a question nobody could answer yet
                self.shown(self.marks.place(question, 1, "").answer)
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
        self.site = cast(Site, request.app.state.site)
        self.marks = self.site.marks
        self.reviewer = cast(str, request.state.reviewer)
        self.scripted = request.headers.get("accept", "").startswith("application/json")
        self.form = PostedForm(getattr(request.state, "form", ()))

    def place(self, question: str, number: int) -> QueuePosition:
        """The answer at a place. Raises HTTPException where there is none."""
        try:
            return self.marks.place(question, number, self.reviewer)
        except ReviewError as error:
            raise missing(str(error)) from error

    def answer(self, id: int) -> QueuePosition:
        """The same for an answer's id."""
        try:
            return self.marks.answer(id, self.reviewer)
        except ReviewError as error:
            raise missing(str(error)) from error

    def acted(self) -> None:
        """What was worked out before is not good enough for this reviewer any more."""
        self.site.fresh.acted(self.reviewer)

    def decided(self) -> None:
        """The same for what is kept longer."""
        self.acted()
        self.site.slow.acted(self.reviewer)

    def fresh(self, key: Hashable, make: Callable[[], T]) -> T:
        return self.site.fresh.get(self.reviewer, key, make)

    def slow(self, key: Hashable, make: Callable[[], T]) -> T:
        return self.site.slow.get(self.reviewer, key, make)

    def progress(self) -> tuple[Progress, ...]:
        return self.fresh("progress", self.marks.progress)

    def total(self, question: str) -> Progress:
        """Marks given of marks wanted, of all reviewers together."""
        return self.fresh(("total", question), lambda: self.marks.total(question))

    def blind(self, question: str) -> frozenset[int]:
        """Answers of the sample that wait for one of their two marks: nobody is to see the other's points."""
        pairs = self.fresh(("pairs", question), lambda: self.marks.pairs(question))
        return frozenset(pair.answer.id for pair in pairs if not pair.both)

    def rubric(self, question: str) -> Rubric:
        """The rubric in force. Raises HTTPException where there is no such question."""
        try:
            return self.fresh(("rubric", question), lambda: self.marks.rubric(question))
        except ReviewError as error:
            raise missing(str(error)) from error

    def page(self, template: str, *, status: int = 200, here: str = "", **context: Any) -> Response:
        csrf = self.site.access.csrf(self.reviewer)
        body = self.site.pages.render(template, visitor=self.reviewer, csrf=csrf, here=here, **context)
        return HTMLResponse(body, status)

    def done(self, url: str, words: str, **data: Any) -> Response:
        """The end of a POST: for the script where to go and what to say, else a redirect."""
        return _json({"url": url, "words": words, **data}) if self.scripted else RedirectResponse(url, 303)

    def said(self, data: Any, status: int = 200) -> Response:
        return _json(data, status)


def missing(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, why)


def _json(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, media_type="application/json")
