"""`mnist-kit review` killed while people save: what a browser was told is saved is there, once."""

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

from autograder.database import DATABASE
from autograder.gradebook import Gradebook
from autograder.marks import Marks
from autograder.review.access import Access
from autograder.submission import Submission
from autograder.tests import reviews

COMMAND = Path(sys.executable).with_name("mnist-kit")
STUDENTS = 400
ROUNDS = 4
JSON = {"accept": "application/json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Gradebook(tmp_path / DATABASE) as book:
        for report in reviews.class_of(STUDENTS, reviews.rules()):
            book.record(Submission(report.name, report.source, report.name.encode()), report.name, report)
    return tmp_path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the link of ann; killed in the end."""
    command = [str(COMMAND), "review", str(folder), "--reviewer", "ann", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip().removeprefix("ann: ")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def entered(link: str, csrf: str) -> Iterator[httpx.Client]:
    home = link.partition("/enter")[0]
    with httpx.Client(base_url=home, headers={"origin": home, "x-csrf-token": csrf}, timeout=30) as client:
        client.get(link)
        yield client


def save(client: httpx.Client, answer: int) -> bool:
    """Whether the review said that it is saved; always the same act."""
    fields = {"item": "fit", "seen": "0", "nonce": f"{10**15 + answer}", "adjustment": "0", "comment": f"to {answer}"}
    try:
        return client.post(f"/answer/{answer}/mark", data=fields, headers=JSON).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_what_was_told_to_be_saved_is_there_once_whenever_the_review_is_killed(folder: Path) -> None:
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    with serving(folder):
        pass  # the answers are taken over
    with Marks(folder / DATABASE) as marks:
        secret = marks.secret()
        answers = [marks.place("q1", number, "ann").answer.id for number in range(1, STUDENTS + 1)]
    csrf = Access(secret, ("ann",)).csrf("ann")
    waiting, saved, caught = list(answers), set[int](), 0
    for _ in range(ROUNDS):
        with serving(folder) as (process, link), entered(link, csrf) as client:
            killer = threading.Timer(moments.uniform(0.05, 0.4), process.kill)
            killer.start()
            while waiting and save(client, waiting[0]):
                saved.add(waiting.pop(0))
            caught += bool(waiting)
            killer.join()
        with contextlib.closing(sqlite3.connect(folder / DATABASE)) as file:
            assert file.execute("pragma integrity_check").fetchall() == [("ok",)], f"seed {seed}"
            rows = [answer for (answer,) in file.execute("select answer from marks where standing = 'current'")]
        assert saved <= set(rows), f"seed {seed}: nothing that was told to be saved is lost"
        assert len(rows) == len(set(rows)) <= len(saved) + 1, f"seed {seed}: nothing is there twice"
    assert caught > ROUNDS / 2, "most of the kills came while something was being saved"
    with serving(folder) as (_, link), entered(link, csrf) as client:
        assert all(save(client, answer) for answer in answers), "what was saved, sent again, is fine"
    with Marks(folder / DATABASE) as marks:
        assert all(len(marks.history(answer, "ann")) == 1 for answer in answers)
