"""Pages made of templates, and the styles and scripts that go with them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from importlib import resources
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from autograder.gradebook.mark import Draft, Mark
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.tables import UNDONE
from autograder.report.page import environment_of
from autograder.review.gate import STATIC, Denied
from autograder.text import printable_lines

__all__ = ["Pages", "draft_data", "json_response", "mark_data", "mark_line", "mark_words", "wants_json"]

CONTENT_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Pages:
    """The templates, with all text escaped and unprintable characters replaced, and the static files by name."""

    def __init__(self, questions: tuple[str, ...], gradebook: str) -> None:
        folder = resources.files("autograder.review") / "static"
        self.static: Mapping[str, tuple[str, bytes]] = {
            file.name: (CONTENT_TYPES[file.name.rpartition(".")[2]], file.read_bytes()) for file in folder.iterdir()
        }
        contents = (self.static[name][1] for name in sorted(self.static))
        self.version = hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]
        """A hash of the static files: script modules import each other, so an upgrade must change all addresses."""
        self._environment = environment_of("autograder.review")
        self._environment.globals.update(
            questions=questions,
            gradebook=gradebook,
            static=lambda name: f"{STATIC}{self.version}/{name}",  # new with each version: browsers cache it for ever
            scripts=sorted(name for name in self.static if name.endswith(".js")),
            nonce=lambda: secrets.token_hex(16),
        )
        self._environment.filters.update(time=_moment, mark_data=mark_data, mark_line=mark_line, draft_data=draft_data)

    def warm(self) -> None:
        """Compile every template before the first request."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def respond(self, request: Request, template: str, status: int = HTTPStatus.OK, **context: Any) -> Response:
        """Return a page for the reviewer who is signed in, if any.

        `here` is the entry of the menu where the page belongs: a question unless given.
        """
        shared = {"reviewer": request.state.reviewer, "csrf": request.state.csrf, "here": context.get("question", "")}
        body = self._environment.get_template(template).render({**shared, **context})
        return HTMLResponse(body.encode("utf-8", "replace"), status)

    def deny(self, request: Request, denied: Denied) -> Response:
        """Return a page, or JSON for a script, that says why a request was rejected."""
        if wants_json(request):
            return json_response({"title": denied.title, "why": denied.why}, denied.status)
        return self.respond(request, "denied.html", denied.status, denied=denied)


def wants_json(request: Request) -> bool:
    return request.headers.get("accept", "").startswith("application/json")


def json_response(data: Any, status: int = HTTPStatus.OK) -> Response:
    return Response(json.dumps(data), status, media_type="application/json")


def mark_words(mark: Mark, rubric: Rubric) -> str:
    """Return a mark in words, without reviewer and time: 3 of 4 (fit, unseen), adjusted −0.5, flagged."""
    words = f"{mark.points:g} of {rubric.points:g}"
    if mark.items:
        words += f" ({', '.join(mark.items)})"
    if mark.adjustment:
        words += f", adjusted {mark.adjustment:+g}".replace("-", "−")
    return words + (", flagged" if mark.flagged else "")


def mark_line(mark: Mark, rubric: Rubric) -> str:
    """Return a mark with its reviewer and time: 3 of 4 (fit, unseen), by ann, 5 Nov 2026, 10:15."""
    line = f"{mark_words(mark, rubric)}, by {mark.reviewer}, {_moment(mark.at)}"
    return line + (", undone" if mark.standing == UNDONE else "")


def mark_data(mark: Mark | None, rubric: Rubric) -> dict[str, Any] | None:
    """Return a mark for the script."""
    if mark is None:
        return None
    return {
        **draft_data(mark),
        "id": mark.id,
        "reviewer": mark.reviewer,
        "words": mark_words(mark, rubric),
        "line": mark_line(mark, rubric),
    }


def draft_data(draft: Draft | Mark) -> dict[str, Any]:
    """Return what a rubric form holds, for the script."""
    comment = printable_lines(draft.comment)
    return {"items": draft.items, "adjustment": draft.adjustment, "comment": comment, "flagged": draft.flagged}


def _moment(at: datetime) -> str:
    """Return a time in the time zone of this machine."""
    return at.astimezone().strftime("%-d %b %Y, %H:%M")
