"""`mnist-kit review` killed while people save: every acknowledged mark is stored, once."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.stores import ReviewStores
from autograder.gradebook.tables import CURRENT, MarkRow
from autograder.review.gate import Access
from autograder.submissions.submission import Submission
from autograder.tests import reviews

COMMAND = Path(sys.executable).with_name("mnist-kit")
STUDENTS = 200
ROUNDS = 4
JSON = {"accept": "application/json"}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """The location of a graded class's gradebook."""
    store = tmp_path / DATABASE if request.param == "SQLite" else request.getfixturevalue("postgresql_url")
    with Gradebook(store) as book:
        for report in reviews.class_of(STUDENTS, reviews.rules()):
            book.record(Submission(report.name, report.source, report.name.encode()), report.name, report)
    return store


@contextlib.contextmanager
def serving(store: Path | str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and ann's link; killed at the end."""
    where = [str(store.parent)] if isinstance(store, Path) else [".", "--database", store]
    command = [str(COMMAND), "review", *where, "--reviewer", "ann", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip().removeprefix("ann: ")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def signed_in(link: str, csrf: str) -> Iterator[httpx.Client]:
    home = link.partition("/enter")[0]
    with httpx.Client(base_url=home, headers={"origin": home, "x-csrf-token": csrf}, timeout=30) as client:
        client.get(link)
        yield client


def save(client: httpx.Client, answer: int) -> bool:
    """Save a mark, always with the same nonce; tell whether it was acknowledged."""
    fields = {"item": "fit", "seen": "0", "nonce": f"{10**15 + answer}", "adjustment": "0", "comment": f"to {answer}"}
    try:
        return client.post(f"/answer/{answer}/mark", data=fields, headers=JSON).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_an_acknowledged_mark_is_stored_once_whenever_the_review_is_killed(store: Path | str) -> None:
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    with serving(store):
        pass  # stores the answers
    with ReviewStores(store) as stores:
        secret = stores.secret()
        answers = [stores.answers.at("q1", number, "ann").answer.id for number in range(1, STUDENTS + 1)]
    csrf = Access(secret, ("ann",)).csrf("ann")
    waiting, saved, caught = list(answers), set[int](), 0
    for _ in range(ROUNDS):
        with serving(store) as (process, link), signed_in(link, csrf) as client:
            killer = threading.Timer(moments.uniform(0.05, 0.4), process.kill)
            killer.start()
            while waiting and save(client, waiting[0]):
                saved.add(waiting.pop(0))
            caught += bool(waiting)
            killer.join()
        if isinstance(store, Path):
            with contextlib.closing(sqlite3.connect(store)) as file:
                assert file.execute("pragma integrity_check").fetchall() == [("ok",)], f"seed {seed}"
        with ReviewStores(store) as stores, stores.database.read() as session:
            rows = session.scalars(select(MarkRow.answer).where(MarkRow.standing == CURRENT)).all()
        assert saved <= set(rows), f"seed {seed}: no acknowledged mark is lost"
        assert len(rows) == len(set(rows)) <= len(saved) + 1, f"seed {seed}: no mark is stored twice"
    assert caught > ROUNDS / 2, "most of the kills came while something was being saved"
    with serving(store) as (_, link), signed_in(link, csrf) as client:
        assert all(save(client, answer) for answer in answers), "a saved mark may be sent again"
    with ReviewStores(store) as stores:
        assert all(len(stores.marks.history(answer, "ann")) == 1 for answer in answers)
