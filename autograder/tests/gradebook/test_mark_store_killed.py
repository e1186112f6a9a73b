"""Many reviewers in two processes, killed at any moment: what was acknowledged is stored once, and nothing else is."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.errors import GradebookError
from autograder.gradebook.mark import Conflict, Draft
from autograder.gradebook.stores import ReviewStores
from autograder.policy.policy import Policy
from autograder.tests.gradebook.marking import rows, sync
from autograder.tools.postgresql import PROGRAMS, TemporaryServer, temporary_server

KILLS = 30
ANSWERS = 40  # few enough that reviewers often meet on one
PATIENCE_S = 60
PROCESSES = 2
THREADS = 4
PEOPLE = tuple(f"r{number}" for number in range(THREADS))


@dataclass(frozen=True)
class Store:
    """The location of the marks; `server` is None for a file."""

    location: Path | str
    server: TemporaryServer | None


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield Store(tmp_path / "gradebook.db", None)
        return
    if not PROGRAMS:
        pytest.skip("NO POSTGRESQL on this machine")
    with temporary_server() as server:
        yield Store(server.new_database("killed"), server)


@dataclass(frozen=True)
class Act:
    """One save, written down before it is sent; `id` is the mark's once it was acknowledged."""

    nonce: str
    answer: int
    reviewer: str
    seen: int
    id: int = 0


class Diary:
    """The acts of the marking process, in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)

    def write(self, act: Act) -> None:
        os.write(self._file, (json.dumps(vars(act)) + "\n").encode())

    @staticmethod
    def read(path: Path) -> tuple[dict[str, Act], dict[str, Act]]:
        """Return all acts by nonce, and the acknowledged ones. A line cut short by the kill was never written."""
        sent: dict[str, Act] = {}
        done: dict[str, Act] = {}
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if line.endswith("\n"):
                act = Act(**json.loads(line))
                (done if act.id else sent)[act.nonce] = act
        return sent, done


def reviewer_at_work(stores: ReviewStores, reviewer: str, name: str, diary: Diary) -> None:
    """Mark answers without end; what is not acknowledged is sent again, as a browser does."""
    chance = random.Random(name)
    number = 0
    while True:
        number += 1
        with contextlib.suppress(GradebookError, Conflict):
            place = stores.answers.at("q1", chance.randint(1, ANSWERS), reviewer)
            seen = place.mark.id if place.mark else 0
            act = Act(f"{name}-{number}", place.answer.id, reviewer, seen)
            diary.write(act)
            diary.write(send_until_acknowledged(stores, act))


def send_until_acknowledged(stores: ReviewStores, act: Act) -> Act:
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_S:
        with contextlib.suppress(GradebookError):
            saved = stores.marks.save(act.answer, act.reviewer, Draft(("fit",), comment=act.nonce), act.seen, act.nonce)
            return Act(act.nonce, act.answer, act.reviewer, act.seen, saved.id)
        time.sleep(0.05)
    raise AssertionError(f"{act} was not stored")


def people_at_work(store: Store, path: Path, name: str) -> None:
    """Let four people mark without end; if the server is down when they open the gradebook, they try again."""
    while True:
        with contextlib.suppress(GradebookError), ReviewStores(store.location) as stores:
            diary = Diary(path)
            people = [
                threading.Thread(target=reviewer_at_work, args=(stores, reviewer, f"{name}-{reviewer}", diary))
                for reviewer in PEOPLE
            ]
            for person in people:
                person.start()
            for person in people:
                person.join()
            raise AssertionError("people have stopped")
        time.sleep(0.05)


def begin_to_mark(store: Store, path: Path, name: str) -> int:
    """Start a process in which four people mark; return its id."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            people_at_work(store, path, name)
        os._exit(1)
    return pid


def wait_for_lines(diary: Path, count: int) -> None:
    """Wait until so much was marked, however busy the machine is."""
    began = time.monotonic()
    while not diary.exists() or diary.read_bytes().count(b"\n") < count:
        assert time.monotonic() < began + PATIENCE_S
        time.sleep(0.005)


def check(store: Store, sent: dict[str, Act], done: dict[str, Act]) -> None:
    """Check that all acknowledged marks are stored once, no other ones, and each answer's chain is complete."""
    stored = rows(store.location, "select nonce, id, answer, comment from marks")
    assert max(Counter(nonce for nonce, *_ in stored).values(), default=1) == 1, "none is doubled"
    by_nonce = {str(nonce): (id, answer, comment) for nonce, id, answer, comment in stored}
    assert [act for act in done.values() if by_nonce.get(act.nonce) != (act.id, act.answer, act.nonce)] == []
    assert set(by_nonce) <= set(sent)
    wrong = rows(
        store.location,
        "select answer from marks group by answer having count(distinct coalesce(replaced, 0)) < count(*) "
        "or max(id) <> max(case when standing = 'current' then id else 0 end) "
        "union select m.answer from marks m left join marks before on before.id = m.replaced "
        "and before.answer = m.answer and before.standing = 'past' where m.replaced is not null and before.id is null",
    )
    assert wrong == [], "each mark replaced the one before it, no two the same one, and the last counts"
    saved = rows(store.location, "select count(*) from log where what like 'marked%' or what like 'changed the mark%'")
    assert saved == [(len(stored),)], "a mark and its line in the log are one"
    if store.server is None:
        assert rows(store.location, "pragma integrity_check") == [("ok",)]


def send_again(stores: ReviewStores, sent: dict[str, Act], done: dict[str, Act]) -> None:
    """Send what was not acknowledged again, as browsers do, and some of what was."""
    for act in list(done.values())[-20:]:
        assert send_until_acknowledged(stores, act) == act
    for act in sent.values():
        if act.nonce not in done:
            with contextlib.suppress(Conflict):
                done[act.nonce] = send_until_acknowledged(stores, act)
                assert send_until_acknowledged(stores, act) == done[act.nonce]


@pytest.mark.slow
def test_killed_at_thirty_moments_no_acknowledged_mark_is_lost_and_none_doubled(
    store: Store, rules: Policy, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    moments = random.Random(seed)
    with ReviewStores(store.location) as stores:
        sync(stores, rules, ANSWERS, PEOPLE)
    sent: dict[str, Act] = {}
    done: dict[str, Act] = {}
    in_flight = 0
    for kill in range(KILLS):
        diary = tmp_path / f"diary{kill}"
        pids = [begin_to_mark(store, diary, f"{kill}-{process}") for process in range(PROCESSES)]
        try:
            wait_for_lines(diary, moments.randint(10, 80))
            time.sleep(moments.uniform(0, 0.02))
            if store.server is not None and kill % 5 == 2:
                store.server.crash()
                time.sleep(moments.uniform(0, 0.2))
                store.server.start()
                time.sleep(moments.uniform(0, 0.1))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert codes == [-signal.SIGKILL] * PROCESSES, "they were killed in the middle"
        new, acknowledged = Diary.read(diary)
        sent |= new
        done |= acknowledged
        in_flight += len(new) - len(acknowledged)
        check(store, sent, done)
        with ReviewStores(store.location) as stores:
            send_again(stores, new, done)
        check(store, sent, done)
    assert len(done) > 10 * KILLS, "the kills came while marks were being given"
    assert in_flight > KILLS, "and most of them while some were being stored"
    with ReviewStores(store.location) as stores:
        histories = [
            stores.marks.history(stores.answers.at("q1", number, "r0").answer.id, "r0")
            for number in range(1, ANSWERS + 1)
        ]
    assert {mark.comment for history in histories for mark in history} == set(done)
