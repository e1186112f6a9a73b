"""Templates, and the style and script that go with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from importlib import resources
from typing import Any

from markupsafe import Markup

from autograder.gradebook.mark import Draft, Mark
from autograder.gradebook.rubric import Rubric
from autograder.gradebook.tables import UNDONE
from autograder.report import page
from autograder.review.access import STATIC, Denied
from autograder.text import printable_lines

__all__ = ["Pages", "mark_data", "mark_words", "moment"]

KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Pages:
    """Renders pages. All that the templates show is escaped, and cleaned of what no page can hold."""

    def __init__(self, questions: tuple[str, ...], gradebook: str) -> None:
        folder = resources.files("autograder.review") / "static"
        self.static: Mapping[str, tuple[str, bytes]] = {
            file.name: (KINDS[file.name.rpartition(".")[2]], file.read_bytes()) for file in folder.iterdir()
        }
        self._environment = page.made("autograder.review")
        self._environment.globals.update(
            questions=questions, gradebook=gradebook, static=self._address, visitor=None, here=""
        )
        self._environment.filters.update(
            time=_time,
            mark_data=_mark_json,
            words=mark_words,
            draft_data=_draft_json,
        )
        self._versions = {name: hashlib.sha256(content).hexdigest()[:12] for name, (_, content) in self.static.items()}

    def warm(self) -> None:
        """Compile every template, so that nobody waits for it."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def render(self, template: str, **context: Any) -> bytes:
        return self._environment.get_template(template).render(**context).encode("utf-8", "replace")

    def part(self, template: str, **context: Any) -> Markup:
        """A piece of a page."""
        return Markup(self._environment.get_template(template).render(**context))  # escaped by the template

    def refusal(self, refusal: Denied, scripted: bool, visitor: str | None = None, csrf: str = "") -> tuple[str, bytes]:
        """The content type and body that say why a request is not answered."""
        if scripted:
            return "application/json", json.dumps({"title": refusal.title, "why": refusal.why}).encode()
        body = self.render(
            "refusal.html",
            title=refusal.title,
            why=refusal.why,
            status=f"{refusal.status.value} {refusal.status.phrase}",
            unknown=refusal.status is HTTPStatus.UNAUTHORIZED,
            visitor=visitor,
            csrf=csrf,
        )
        return "text/html; charset=utf-8", body

    def _address(self, name: str) -> str:
        """Its content is in the address, so that a browser may keep it."""
        return f"{STATIC}{name}?v={self._versions[name]}"


def moment(at: datetime) -> str:
    """A time as people on this machine write it."""
    return at.astimezone().strftime("%-d %b %Y, %H:%M")


def mark_words(mark: Mark, rubric: Rubric) -> str:
    """What a mark says, but for who and when: 3 of 4 (fit, unseen), adjusted −0.5, flagged."""
    words = f"{mark.points:g} of {rubric.points:g}"
    if mark.items:
        words += f" ({', '.join(mark.items)})"
    if mark.adjustment:
        words += f", adjusted {mark.adjustment:+g}".replace("-", "−")
    return words + (", flagged" if mark.flagged else "")


def mark_data(mark: Mark | None, rubric: Rubric) -> dict[str, Any] | None:
    """A mark for the script."""
    if mark is None:
        return None
    return {
        "id": mark.id,
        "reviewer": mark.reviewer,
        "when": moment(mark.at),
        "items": list(mark.items),
        "adjustment": mark.adjustment,
        "comment": printable_lines(mark.comment),
        "flagged": mark.flagged,
        "points": mark.points,
        "words": mark_words(mark, rubric),
        "undone": mark.standing == UNDONE,
    }


def _mark_json(mark: Mark | None, rubric: Rubric) -> str:
    return json.dumps(mark_data(mark, rubric))


def _draft_json(draft: Draft | Mark) -> str:
    given = {"items": list(draft.items), "adjustment": draft.adjustment, "comment": draft.comment}
    return json.dumps({**given, "flagged": draft.flagged})


def _time(at: datetime) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), moment(at))
