"""A reviewer's browser, as the benchmark of the review needs it: HTTP requests on one connection."""

from __future__ import annotations

import contextlib
import json
import random
import re
import secrets
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from autograder.tools.large_class import STUDENTS, largest_pages

__all__ = ["Reviewer", "TimedRequest"]


@dataclass(frozen=True)
class TimedRequest:
    """One request: the kind of page, its time in the run (seconds), its duration and its status."""

    kind: str
    at_s: float
    took_ms: float
    status: int


class Reviewer:
    """A browser and the reviewer who uses it."""

    def __init__(self, name: str, link: str, think_s: float) -> None:
        parts = urlsplit(link)
        self.visits: list[TimedRequest] = []
        self.saved = 0
        self._think_s = think_s
        self._chance = random.Random(name)
        self._origin = f"http://{parts.netloc}"
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        reply = self._connection.getresponse()
        reply.read()
        self._cookie = (reply.getheader("set-cookie") or "").partition(";")[0]
        self._began = self._over = 0.0
        self._largest = largest_pages()

    def work(self, began: float, over: float) -> None:
        """Mark until the time is up, and look at other pages now and then."""
        self._began, self._over = began, over
        time.sleep(self._chance.uniform(0, self._think_s))
        question = self._chance.choice(("q1", "q2", "q3"))
        url = f"/question/{question}/{self._chance.randint(1, STUDENTS)}"
        with contextlib.suppress(_Over):
            while True:
                url = self._mark(url)
                for kind, share, other in (
                    ("overview", 1 / 4, "/"),
                    ("groups", 1 / 7, f"/question/{question}/groups"),
                    ("gradebook", 1 / 9, f"/gradebook?page={self._chance.randint(1, 10)}"),
                    ("rubric", 1 / 11, f"/question/{question}/rubric"),
                    ("answer of 1 MB", 1 / 13, self._chance.choice(self._largest)),
                ):
                    if self._chance.random() < share:
                        self._get(kind, other)

    def _mark(self, url: str) -> str:
        """Open an answer, ask twice who else is there, save. Return the next URL."""
        page = self._get("marking", url)
        patterns = r'action="/answer/(\d+)/mark"', r'name="seen" value="(\d+)"', r'name="csrf" value="([^"]+)"'
        answer, seen, csrf = (re.search(pattern, page) for pattern in patterns)
        if answer is None or seen is None or csrf is None:  # the overview: everything is marked
            return f"/question/{self._chance.choice(('q1', 'q2', 'q3'))}/{self._chance.randint(1, STUDENTS)}"
        for _ in range(2):
            self._get("poll", f"/answer/{answer[1]}/now?seen={seen[1]}", scripted=True)
        items = re.findall(r'name="item" value="([^"]+)"', page)
        form = {
            "csrf": csrf[1],
            "item": [item for item in items if self._chance.random() < 0.5],
            "seen": seen[1],
            "nonce": secrets.token_hex(16),
            "adjustment": "0",
            "comment": "Say why it is so.",
        }
        body = urlencode(form, doseq=True)
        reply = json.loads(self._ask("save", "POST", f"/answer/{answer[1]}/mark", body, scripted=True))
        self.saved += "url" in reply
        return str(reply.get("url", url))

    def _get(self, kind: str, url: str, *, scripted: bool = False) -> str:
        return self._ask(kind, "GET", url, None, scripted=scripted)

    def _ask(self, kind: str, method: str, url: str, body: str | None, *, scripted: bool) -> str:
        headers = {"Cookie": self._cookie, "Sec-Fetch-Site": "same-origin"}
        if scripted:
            headers["Accept"] = "application/json"
        if body is not None:
            headers |= {"Origin": self._origin, "Content-Type": "application/x-www-form-urlencoded"}
        if time.monotonic() > self._over:
            raise _Over
        began = time.monotonic()
        self._connection.request(method, url, body, headers)
        reply = self._connection.getresponse()
        text = reply.read().decode()
        took = time.monotonic() - began
        if reply.status not in (200, 409):
            raise RuntimeError(f"{method} {url}: {reply.status} {text[:2000]}")
        self.visits.append(TimedRequest(kind, began - self._began, 1000 * took, reply.status))
        time.sleep(self._think_s)
        return text


class _Over(Exception):
    """The time is up."""
