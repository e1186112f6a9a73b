"""The review under load: twenty reviewers at once on a class of 1,000, on SQLite and on PostgreSQL.

    python -m autograder.tools.benchmark_review [SECONDS]

Runs `mnist-kit review` in a process of its own, and twenty clients that do what its pages and their script do, over
HTTP on connections that stay open. Writes `review.md` beside this file. PostgreSQL is Debian's package, started here.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
from rich.console import Console

from autograder.gradebook import marking_order
from autograder.gradebook.database import place
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.mark_store import MarkStore
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission

__all__ = ["LoadRun", "Reviewer", "Visit", "fill", "main", "report"]

STUDENTS = 1000
REVIEWERS = tuple(f"reviewer{number:02d}" for number in range(20))
PAUSES = (1.0, 0.25, 0.0)
"""Seconds between two requests of one reviewer: hardly reading, more than anybody does, a script."""

SECONDS = 60.0
LIMIT_MS = 100.0
"""What 95 of 100 requests for each page are to stay below."""

LARGE = 2**20
"""Characters of the longest answers; there are three of them."""

DOCUMENTS = Path(__file__).parent.parent / "docs"

COMMON = (
    "the",
    "of",
    "and",
    "a",
    "is",
    "to",
    "it",
    "on",
    "training",
    "test",
    "set",
    "data",
    "model",
    "accuracy",
    "loss",
)
OTHERS = tuple(
    first + middle + last
    for first in ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "te")
    for middle in ("", "ll", "nd", "r", "st", "x")
    for last in ("a", "ed", "ing", "ion", "ly", "s", "um", "ward")
)
"""Half of an answer's words are those that all use, half its own."""

LIKE = (
    "The test set is for checking, the training set for learning.",
    "We split the data so that training is faster.",
    "Because otherwise it overfits.",
)
"""Answers that many give, nearly in these words."""


@dataclass(frozen=True)
class Visit:
    """One request: for which kind of page, when (seconds of the run), how long it took, and its status."""

    kind: str
    at_s: float
    took_ms: float
    status: int


@dataclass(frozen=True)
class LoadRun:
    """One run. `cpu` is what the server took of one core; `saved` marks were acknowledged, `stored` are there."""

    way: str
    think_s: float
    seconds: float
    visits: tuple[Visit, ...]
    cpu: float
    memory_mb: float
    saved: int
    stored: int


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables."""
    from autograder.tools.postgresql import new_database, postgresql

    console = Console()
    seconds = float(arguments[0]) if arguments else SECONDS
    runs = []
    with tempfile.TemporaryDirectory(prefix="kit-review-") as name, postgresql(durable=True) as server:
        for way, url in (("SQLite", None), ("PostgreSQL", new_database(server, "review"))):
            folder = Path(name) / way
            folder.mkdir()
            fill(folder, url)
            for think_s in PAUSES:
                runs.append(_run(way, folder, url, think_s, seconds if think_s else seconds / 3))
                console.print(_title(runs[-1]), *_table(runs[-1]), sep="\n", markup=False)
    (DOCUMENTS / "benchmark-review.md").write_text(report(runs), encoding="utf-8")


def fill(folder: Path, url: str | None) -> None:
    """A graded class of 1,000."""
    policy = grading_file.load(HOME.policy)
    chance = random.Random(7)
    with Gradebook(place(folder, url)) as book:
        for number in range(STUDENTS):
            questions = tuple(
                QuestionGrade(id, rules.title, True, rules.points, None, answer=_answer(number, chance))
                if id in policy.written
                else QuestionGrade(id, rules.title, False, rules.points, rules.points * (number % 4) / 4)
                for id, rules in policy.questions.items()
            )
            made = GradeReport(_name(number), f"class/{number}.ipynb", Status.GRADED, questions)
            book.record(Submission(made.name, made.source, str(number).encode()), str(number), made)


def _name(number: int) -> str:
    return f"student-{number:04d}"


def _answer(number: int, chance: random.Random) -> str | None:
    """Some give none, some what many give; three paste far too much."""
    if number in LARGE_ONES:
        return " ".join(_word(chance) for _ in range(LARGE // 5))[:LARGE]
    lot = chance.random()
    if lot < 0.05:
        return None
    if lot < 0.2:
        return chance.choice(LIKE)
    words = [_word(chance) for _ in range(chance.randint(30, 160))]
    return " ".join(words).capitalize() + ". The loss is $L = -\\sum_i \\log p_i$.\n\n- *first*\n- `second`"


LARGE_ONES = (100, 500, 900)


def _word(chance: random.Random) -> str:
    return chance.choice(COMMON if chance.random() < 0.5 else OTHERS)


@contextlib.contextmanager
def _served(folder: Path, url: str | None) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """The command itself, and each reviewer's link."""
    named = [word for name in REVIEWERS for word in ("--reviewer", name)]
    address = ["--database", url] if url else []
    command = [sys.executable, "-m", "autograder", "review", str(folder), "--port", "0", *named, *address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "500"}) as process:
        try:
            assert process.stdout is not None
            links: dict[str, str] = {}
            while len(links) < len(REVIEWERS):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"the review has ended: {process.wait()}")
                if found := re.match(r"(\w+): (http://\S+)$", line.strip()):
                    links[found[1]] = found[2]
            yield psutil.Process(process.pid), links
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _run(way: str, folder: Path, url: str | None, think_s: float, seconds: float) -> LoadRun:
    before = _stored(folder, url)
    with _served(folder, url) as (server, links):
        reviewers = [Reviewer(name, link, think_s) for name, link in links.items()]
        used, began = _cpu_s(server), time.monotonic()
        with ThreadPoolExecutor(len(reviewers)) as pool:
            for done in [pool.submit(each.work, began, began + seconds) for each in reviewers]:
                done.result()
        took = time.monotonic() - began
        cpu, memory = (_cpu_s(server) - used) / took, server.memory_full_info().pss / 2**20
    visits = tuple(visit for each in reviewers for visit in each.visits)
    saved = sum(each.saved for each in reviewers)
    return LoadRun(way, think_s, took, visits, cpu, memory, saved, _stored(folder, url) - before)


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _stored(folder: Path, url: str | None) -> int:
    """Marks that were ever given, by what the log says."""
    with MarkStore(place(folder, url), shared=False) as marks:
        return sum(entry.what.startswith(("marked", "changed the mark")) for entry in marks.log(10**6))


class Reviewer:
    """A browser, and whoever sits before it."""

    def __init__(self, name: str, link: str, think_s: float) -> None:
        parts = urlsplit(link)
        self.visits: list[Visit] = []
        self.saved = 0
        self._think_s = think_s
        self._chance = random.Random(name)
        self._origin = f"http://{parts.netloc}"
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        reply = self._connection.getresponse()
        reply.read()
        self._cookie = (reply.getheader("set-cookie") or "").partition(";")[0]
        self._began = 0.0
        self._over = 0.0
        self._large = _large(grading_file.load(HOME.policy))

    def work(self, began: float, over: float) -> None:
        """Mark until it is over; look at other pages now and then."""
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
                    ("answer of 1 MB", 1 / 13, self._chance.choice(self._large)),
                ):
                    if self._chance.random() < share:
                        self._get(kind, other)

    def _mark(self, url: str) -> str:
        """Open an answer, look twice who else is there, save; where to go next."""
        page = self._get("marking", url)
        answer, seen, csrf = (
            re.search(pattern, page)
            for pattern in (
                r'action="/answer/(\d+)/mark"',
                r'name="seen" value="(\d+)"',
                r'name="csrf" value="([^"]+)"',
            )
        )
        if answer is None or seen is None or csrf is None:  # the overview: all is marked
            return f"/question/{self._chance.choice(('q1', 'q2', 'q3'))}/{self._chance.randint(1, STUDENTS)}"
        for _ in range(2):
            self._get("poll", f"/answer/{answer[1]}/now?seen={seen[1]}", scripted=True)
        items = re.findall(r'name="item" value="([^"]+)"', page)
        chosen = [("item", item) for item in items if self._chance.random() < 0.5]
        rest = [
            ("seen", seen[1]),
            ("nonce", secrets.token_hex(16)),
            ("adjustment", "0"),
            ("comment", "Say why it is so."),
        ]
        body = urlencode([("csrf", csrf[1]), *chosen, *rest])
        said = json.loads(self._ask("save", "POST", f"/answer/{answer[1]}/mark", body, scripted=True))
        self.saved += "url" in said
        next_page: str = said.get("url", url)
        return next_page

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
        self.visits.append(Visit(kind, began - self._began, 1000 * took, reply.status))
        time.sleep(self._think_s)
        return text


class _Over(Exception):
    """The time is up."""


def _large(policy: Policy) -> list[str]:
    """The pages of the longest answers."""
    names = [_name(number) for number in range(STUDENTS)]
    orders = {question: marking_order.in_order(question, names) for question in policy.written}
    return [
        f"/question/{question}/{order.index(_name(number)) + 1}"
        for question, order in orders.items()
        for number in LARGE_ONES
    ]


def report(runs: Sequence[LoadRun]) -> str:
    """The tables as Markdown."""
    versions = ("fastapi", "uvicorn", "sqlalchemy", "psycopg")
    lines = [
        "# The review under load",
        "",
        f"Made by `python -m autograder.tools.benchmark_review`: a class of {STUDENTS:,} with 3 questions, "
        f"{len(REVIEWERS)} reviewers at once,",
        "each on a connection that stays open, and one process of `mnist-kit review` on the same machine as they.",
        f"Answers have 30 to 160 words; 5 % are empty, 15 % alike, three of each question {LARGE // 2**20} MB long.",
        "",
    ]
    for run in runs:
        lines += [_title(run), "", *_table(run), ""]
    lines += [
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in versions)
        + f"; {datetime.now(UTC):%Y-%m-%d}.",
        "",
    ]
    return "\n".join(lines)


def _title(run: LoadRun) -> str:
    think = f"{run.think_s:g} s between two requests of one reviewer" if run.think_s else "no pause between requests"
    return f"## {run.way}, {think}"


def _table(run: LoadRun) -> list[str]:
    kinds: Mapping[str, list[float]] = {visit.kind: [] for visit in run.visits}
    for visit in run.visits:
        kinds[visit.kind].append(visit.took_ms)
    met = sum(visit.status == 409 for visit in run.visits)
    return [
        "| page | count | median ms | p95 ms | max ms |",
        "|---|--:|--:|--:|--:|",
        *(_line(kind, took) for kind, took in sorted(kinds.items())),
        _line("all", [visit.took_ms for visit in run.visits]),
        "",
        f"{len(run.visits) / run.seconds:.0f} requests a second for {run.seconds:.0f} s; the server took "
        f"{100 * run.cpu:.0f} % of a core and {run.memory_mb:.0f} MB. {run.saved} marks were acknowledged, "
        f"{run.stored} are in the gradebook; {met} met another's mark.",
    ]


def _line(kind: str, took: Sequence[float]) -> str:
    ranked = sorted(took)
    figures = (ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))], ranked[-1])
    return f"| {kind} | {len(ranked)} | {' | '.join(f'{each:.0f}' for each in figures)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
