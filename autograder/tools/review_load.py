"""A graded class of 1,000 with written answers, and the reviewers who mark it at once, for the benchmark."""

from __future__ import annotations

import contextlib
import json
import random
import re
import secrets
import time
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from autograder.gradebook import marking_order
from autograder.gradebook.database import location
from autograder.gradebook.gradebook import Gradebook
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.submissions.submission import Submission

__all__ = ["LARGE", "STUDENTS", "Reviewer", "TimedRequest", "fill"]

STUDENTS = 1000

LARGE = 2**20
"""Characters of the longest answers."""

LARGE_ONES = (100, 500, 900)  # the students who give the longest answers
COMMON = ("the", "of", "and", "a", "is", "to", "it", "training", "test", "set", "data", "model", "accuracy", "loss")
FIRST = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "te")
MIDDLE = ("", "ll", "nd", "r", "st", "x")
LAST = ("a", "ed", "ing", "ion", "ly", "s", "um", "ward")
OTHERS = tuple(map("".join, product(FIRST, MIDDLE, LAST)))
"""Half of an answer's words come from COMMON, half from OTHERS."""

ALIKE = (
    "The test set is for checking, the training set for learning.",
    "We split the data so that training is faster.",
    "Because otherwise it overfits.",
)
"""Answers that many students give in the same words."""


def fill(folder: Path, url: str | None) -> None:
    """Store the graded class in the gradebook of a folder, or at a database URL."""
    policy = grading_file.load(HOME.policy)
    chance = random.Random(7)
    with Gradebook(location(folder, url)) as book:
        for number in range(STUDENTS):
            questions = tuple(
                QuestionGrade(id, rules.title, True, rules.points, None, answer=_answer(number, chance))
                if id in policy.written
                else QuestionGrade(id, rules.title, False, rules.points, rules.points * (number % 4) / 4)
                for id, rules in policy.questions.items()
            )
            report = GradeReport(_name(number), f"class/{number}.ipynb", Status.GRADED, questions)
            book.record(Submission(report.name, report.source, str(number).encode()), str(number), report)


def _name(number: int) -> str:
    return f"student-{number:04d}"


def _answer(number: int, chance: random.Random) -> str | None:
    """Make up an answer: none for some students, a common one for others, a huge one for three."""
    if number in LARGE_ONES:
        return _words(chance, LARGE // 5)[:LARGE]
    lot = chance.random()
    if lot < 0.05:
        return None
    if lot < 0.2:
        return chance.choice(ALIKE)
    words = _words(chance, chance.randint(30, 160)).capitalize()
    return f"{words}. The loss is $L = -\\sum_i \\log p_i$.\n\n- *first*\n- `second`"


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(COMMON if chance.random() < 0.5 else OTHERS) for _ in range(count))


class TimedRequest(NamedTuple):
    """One request: the kind of page, its duration and its status."""

    kind: str
    took_ms: float
    status: int


class Reviewer:
    """A reviewer and their browser: HTTP requests on one connection."""

    def __init__(self, name: str, link: str, think_s: float) -> None:
        parts = urlsplit(link)
        self.requests: list[TimedRequest] = []
        self.saved = 0
        self._think_s = think_s
        self._chance = random.Random(name)
        self._origin = f"http://{parts.netloc}"
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        reply = self._connection.getresponse()
        reply.read()
        self._cookie = (reply.getheader("set-cookie") or "").partition(";")[0]
        self._over = 0.0
        names = [_name(number) for number in range(STUDENTS)]
        orders = {id: marking_order.in_order(id, names) for id in grading_file.load(HOME.policy).written}
        self._largest = [
            f"/question/{id}/{order.index(_name(one)) + 1}" for id, order in orders.items() for one in LARGE_ONES
        ]

    def work(self, over: float) -> None:
        """Mark until this time of the monotonic clock, and look at other pages now and then."""
        self._over = over
        time.sleep(self._chance.uniform(0, self._think_s))
        question, url = self._anywhere()
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
                        self._ask(kind, other)

    def _anywhere(self) -> tuple[str, str]:
        """Return a question, and the URL of one of its answers."""
        question = self._chance.choice(("q1", "q2", "q3"))
        return question, f"/question/{question}/{self._chance.randint(1, STUDENTS)}"

    def _mark(self, url: str) -> str:
        """Open an answer, ask twice who else is there, save. Return the next URL."""
        page = self._ask("marking", url)
        patterns = r'action="/answer/(\d+)/mark"', r'name="seen" value="(\d+)"', r'name="csrf" value="([^"]+)"'
        answer, seen, csrf = (re.search(pattern, page) for pattern in patterns)
        if answer is None or seen is None or csrf is None:  # the overview: everything is marked
            return self._anywhere()[1]
        for _ in range(2):
            self._ask("poll", f"/answer/{answer[1]}/now?seen={seen[1]}", scripted=True)
        items = re.findall(r'name="item" value="([^"]+)"', page)
        form = {
            "csrf": csrf[1],
            "item": [item for item in items if self._chance.random() < 0.5],
            "seen": seen[1],
            "nonce": secrets.token_hex(16),
            "adjustment": "0",
            "comment": "Say why it is so.",
        }
        reply = json.loads(self._ask("save", f"/answer/{answer[1]}/mark", urlencode(form, doseq=True), scripted=True))
        self.saved += "url" in reply
        return str(reply.get("url", url))

    def _ask(self, kind: str, url: str, form: str | None = None, *, scripted: bool = False) -> str:
        """Get a page, or post a form. Raises _Over if the time is up."""
        headers = {"Cookie": self._cookie, "Sec-Fetch-Site": "same-origin"}
        if scripted:
            headers["Accept"] = "application/json"
        if form is not None:
            headers |= {"Origin": self._origin, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.monotonic()
        if began > self._over:
            raise _Over
        self._connection.request("GET" if form is None else "POST", url, form, headers)
        reply = self._connection.getresponse()
        text = reply.read().decode()
        took = time.monotonic() - began
        if reply.status not in (200, 409):
            raise RuntimeError(f"{url}: {reply.status} {text[:2000]}")
        self.requests.append(TimedRequest(kind, 1000 * took, reply.status))
        time.sleep(self._think_s)
        return text


class _Over(Exception):
    """The time is up."""
