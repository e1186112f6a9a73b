"""The review under load: twenty reviewers at once on a class of 1,000, on SQLite and on PostgreSQL.

    python -m autograder.tools.benchmark_review [SECONDS]

Runs `mnist-kit review` in a process of its own, and twenty clients that do what its pages and their script do, over
HTTP on connections that stay open. Writes `docs/benchmark-review.md`. PostgreSQL is Debian's package, started here.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console

from autograder.gradebook.database import location
from autograder.gradebook.stores import ReviewStores
from autograder.tools.large_class import LARGE, STUDENTS, fill
from autograder.tools.review_client import Reviewer, TimedRequest

__all__ = ["LoadRun", "main", "report"]

REVIEWERS = tuple(f"reviewer{number:02d}" for number in range(20))
PAUSES = (1.0, 0.25, 0.0)
"""Seconds between two requests of one reviewer: a fast reader, faster than anybody, a script."""

SECONDS = 60.0
DOCUMENTS = Path(__file__).parent.parent / "docs"


@dataclass(frozen=True)
class LoadRun:
    """One run. `cpu` is the server's share of a core; `saved` marks were acknowledged, `stored` were stored."""

    way: str
    think_s: float
    seconds: float
    visits: tuple[TimedRequest, ...]
    cpu: float
    memory_mb: float
    saved: int
    stored: int


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write the tables."""
    from autograder.tools.postgresql import temporary_server

    console = Console()
    seconds = float(arguments[0]) if arguments else SECONDS
    runs = []
    with tempfile.TemporaryDirectory(prefix="kit-review-") as name, temporary_server(durable=True) as server:
        for way, url in (("SQLite", None), ("PostgreSQL", server.new_database("review"))):
            folder = Path(name) / way
            folder.mkdir()
            fill(folder, url)
            for think_s in PAUSES:
                runs.append(_run(way, folder, url, think_s, seconds if think_s else seconds / 3))
                console.print(_title(runs[-1]), *_table(runs[-1]), sep="\n", markup=False)
    (DOCUMENTS / "benchmark-review.md").write_text(report(runs), encoding="utf-8")


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
    """Return the number of marks ever given, from the log."""
    with ReviewStores(location(folder, url), shared=False) as stores:
        return sum(entry.what.startswith(("marked", "changed the mark")) for entry in stores.log.newest(10**6))


def report(runs: Sequence[LoadRun]) -> str:
    """Return the tables as Markdown."""
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
        f"{len(run.visits) / run.seconds:.0f} requests a second for {run.seconds:.0f} s; the server used "
        f"{100 * run.cpu:.0f} % of a core and {run.memory_mb:.0f} MB. {run.saved} marks were acknowledged, "
        f"{run.stored} are in the gradebook; {met} met another's mark.",
    ]


def _line(kind: str, took: Sequence[float]) -> str:
    ranked = sorted(took)
    figures = (ranked[len(ranked) // 2], ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))], ranked[-1])
    return f"| {kind} | {len(ranked)} | {' | '.join(f'{each:.0f}' for each in figures)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
