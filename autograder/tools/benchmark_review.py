"""The review under load: twenty reviewers at once on a class of 1,000, on SQLite and on PostgreSQL.

    python -m autograder.tools.benchmark_review [SECONDS]

Runs `mnist-kit review` in a process of its own, and twenty clients that do what its pages and their script do, over
HTTP on connections that stay open. Writes `docs/benchmark-review.md`. PostgreSQL is Debian's package, started here.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from rich.console import Console

from autograder.gradebook.database import location
from autograder.gradebook.stores import ReviewStores
from autograder.tools.meter import machine
from autograder.tools.postgresql import temporary_server
from autograder.tools.review_load import LARGE, STUDENTS, Reviewer, fill

__all__ = ["main"]

REVIEWERS = tuple(f"reviewer{number:02d}" for number in range(20))
PAUSES = (1.0, 0.25, 0.0)
"""Seconds between two requests of one reviewer: a fast reader, faster than anybody, a script."""

SECONDS = 60.0
DOCUMENTS = Path(__file__).parent.parent / "docs"


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables."""
    console = Console()
    seconds = float(arguments[0]) if arguments else SECONDS
    sections = []
    with tempfile.TemporaryDirectory(prefix="kit-review-") as name, temporary_server(durable=True) as server:
        for way, url in (("SQLite", None), ("PostgreSQL", server.new_database("review"))):
            folder = Path(name) / way
            folder.mkdir()
            fill(folder, url)
            for think_s in PAUSES:
                think = (
                    f"{think_s:g} s between two requests of one reviewer" if think_s else "no pause between requests"
                )
                section = f"## {way}, {think}\n\n{_run(folder, url, think_s, seconds if think_s else seconds / 3)}"
                console.print(section, markup=False)
                sections.append(section)
    text = f"""\
# The review under load

Made by `python -m autograder.tools.benchmark_review`: a class of {STUDENTS:,} with 3 questions, {len(REVIEWERS)} \
reviewers at once,
each on a connection that stays open, and one process of `mnist-kit review` on the same machine as they.
Answers have 30 to 160 words; 5 % are empty, 15 % alike, three of each question {LARGE // 2**20} MB long.

{"".join(sections)}{machine("fastapi", "uvicorn", "sqlalchemy", "psycopg")}
"""
    (DOCUMENTS / "benchmark-review.md").write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _served(folder: Path, url: str | None) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Start `mnist-kit review`; yield its process and each reviewer's link."""
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


def _run(folder: Path, url: str | None, think_s: float, seconds: float) -> str:
    """Return a table of what the reviewers saw, what the server used, and whether each mark was stored."""
    before = _stored(folder, url)
    with _served(folder, url) as (server, links):
        reviewers = [Reviewer(name, link, think_s) for name, link in links.items()]
        used, began = _cpu_s(server), time.monotonic()
        with ThreadPoolExecutor(len(reviewers)) as pool:
            for done in [pool.submit(each.work, began + seconds) for each in reviewers]:
                done.result()
        took = time.monotonic() - began
        cpu, memory_mb = (_cpu_s(server) - used) / took, server.memory_full_info().pss / 2**20
    requests = [request for each in reviewers for request in each.requests]
    kinds: dict[str, list[float]] = {}
    for request in requests:
        kinds.setdefault(request.kind, []).append(request.took_ms)
    lines = [_line(kind, took_ms) for kind, took_ms in sorted(kinds.items())]
    table = "\n".join([*lines, _line("all", [request.took_ms for request in requests])])
    saved, stored = sum(each.saved for each in reviewers), _stored(folder, url) - before
    met = sum(request.status == 409 for request in requests)
    return f"""\
| page | count | median ms | p95 ms | max ms |
|---|--:|--:|--:|--:|
{table}

{len(requests) / took:.0f} requests a second for {took:.0f} s; the server used {100 * cpu:.0f} % of a core and \
{memory_mb:.0f} MB. {saved} marks were acknowledged, {stored} are in the gradebook; {met} met another's mark.

"""


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _stored(folder: Path, url: str | None) -> int:
    """Return the number of marks ever given, from the log."""
    with ReviewStores(location(folder, url), shared=False) as stores:
        return sum(entry.what.startswith(("marked", "changed the mark")) for entry in stores.log.newest(10**6))


def _line(kind: str, took: Sequence[float]) -> str:
    ranked = sorted(took)
    figures = (ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))], ranked[-1])
    return f"| {kind} | {len(ranked)} | {' | '.join(f'{each:.0f}' for each in figures)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
