"""Killed at any moment, on SQLite and PostgreSQL: what was acknowledged is there, once, and the database is sound."""

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
from sqlalchemy import create_engine, text

from autograder.errors import GradebookError
from autograder.gradebook.mark import Conflict, Draft
from autograder.gradebook.stores import ReviewStores
from autograder.policy.policy import Policy
from autograder.tests.gradebook.test_mark_store import fill
from autograder.tools.postgresql import Server, new_database, running

KILLS = 30
ANSWERS = 40
"""Few enough that reviewers often meet on one."""

PATIENCE_S = 60
THREADS = 4
PEOPLE = tuple(f"r{number}" for number in range(THREADS))


@dataclass(frozen=True)
class Store:
    """Where the marks are; `server` is None for a file."""

    place: Path | str
    server: Server | None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        address = f"sqlite:///{self.place}" if self.server is None else str(self.place)
        engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield Store(tmp_path / "gradebook.db", None)
        return
    with running() as server:
        yield Store(new_database(server.address, "killed"), server)


@dataclass(frozen=True)
class Act:
    """One save: what is asked for, written down before it is sent; `id` once it was acknowledged."""

    nonce: str
    answer: int
    reviewer: str
    seen: int
    id: int = 0


class Diary:
    """What the marking process did, in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)

    def write(self, act: Act) -> None:
        os.write(self._file, (json.dumps(vars(act)) + "\n").encode())

    @staticmethod
    def read(path: Path) -> tuple[dict[str, Act], dict[str, Act]]:
        """All acts by nonce, and those that were acknowledged. A line that the kill cut short was never written."""
        asked: dict[str, Act] = {}
        done: dict[str, Act] = {}
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if line.endswith("\n"):
                act = Act(**json.loads(line))
                (done if act.id else asked)[act.nonce] = act
        return asked, done


def reviewer_at_work(stores: ReviewStores, reviewer: str, name: str, diary: Diary) -> None:
    """Mark answers without end. Whatever is not acknowledged is sent again, as a browser does."""
    chance = random.Random(name)
    number = 0
    while True:
        number += 1
        with contextlib.suppress(GradebookError, Conflict):
            place = stores.answers.at("q1", chance.randint(1, ANSWERS), reviewer)
            seen = place.mark.id if place.mark else 0
            act = Act(f"{name}-{number}", place.answer.id, reviewer, seen)
            diary.write(act)
            diary.write(sent_until_told(stores, act))


def sent_until_told(stores: ReviewStores, act: Act) -> Act:
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_S:
        with contextlib.suppress(GradebookError):
            said = stores.marks.save(act.answer, act.reviewer, Draft(("fit",), comment=act.nonce), act.seen, act.nonce)
            return Act(act.nonce, act.answer, act.reviewer, act.seen, said.id)
        time.sleep(0.05)
    raise AssertionError(f"{act} was not stored")


def people_at_work(store: Store, path: Path, name: str) -> None:
    """Four people mark without end; where the server is away when they open the gradebook, they open it again."""
    while True:
        with contextlib.suppress(GradebookError), ReviewStores(store.place) as stores:
            diary = Diary(path)
            people = [
                threading.Thread(target=reviewer_at_work, args=(stores, reviewer, f"{name}-{reviewer}", diary))
                for reviewer in PEOPLE
            ]
            for each in people:
                each.start()
            for each in people:
                each.join()
            raise AssertionError("people have stopped")
        time.sleep(0.05)


def begin_to_mark(store: Store, path: Path, name: str) -> int:
    """A process of its own in which four people mark; its id."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            people_at_work(store, path, name)
        os._exit(1)
    return pid


def check(store: Store, asked: dict[str, Act], done: dict[str, Act]) -> None:
    """Everything acknowledged is there once, nothing is there that nobody sent, and every answer's chain is whole."""
    stored = store.rows("select nonce, id, answer, comment from marks")
    assert max(Counter(nonce for nonce, *_ in stored).values(), default=1) == 1, "none is doubled"
    by_nonce = {str(nonce): (id, answer, comment) for nonce, id, answer, comment in stored}
    assert [act for act in done.values() if by_nonce.get(act.nonce) != (act.id, act.answer, act.nonce)] == []
    assert set(by_nonce) <= set(asked)
    wrong = store.rows(
        "select answer from marks group by answer having count(distinct coalesce(replaced, 0)) < count(*) "
        "or max(id) <> max(case when standing = 'current' then id else 0 end) "
        "union select m.answer from marks m left join marks before on before.id = m.replaced "
        "and before.answer = m.answer and before.standing = 'past' where m.replaced is not null and before.id is null"
    )
    assert wrong == [], "each mark replaced the one before it, no two the same one, and the last counts"
    said = store.rows("select count(*) from log where what like 'marked%' or what like 'changed the mark%'")
    assert said == [(len(stored),)], "a mark and its line in the log are one"
    if store.server is None:
        assert store.rows("pragma integrity_check") == [("ok",)]


def send_again(stores: ReviewStores, asked: dict[str, Act], done: dict[str, Act]) -> None:
    """What browsers do once the server is back: what was not acknowledged is sent again, and some of what was."""
    acknowledged = list(done.values())[-20:]
    for act in acknowledged:
        assert sent_until_told(stores, act) == act
    for act in asked.values():
        if act.nonce not in done:
            with contextlib.suppress(Conflict):
                told = sent_until_told(stores, act)
                assert sent_until_told(stores, act) == told
                done[act.nonce] = told


@pytest.mark.slow
def test_killed_at_thirty_moments_no_acknowledged_mark_is_lost_and_none_doubled(
    store: Store, rules: Policy, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    moments = random.Random(seed)
    with ReviewStores(store.place) as stores:
        fill(stores, rules, ANSWERS, PEOPLE)
    asked: dict[str, Act] = {}
    done: dict[str, Act] = {}
    in_flight = 0
    for kill in range(KILLS):
        diary = tmp_path / f"diary{kill}"
        pid = begin_to_mark(store, diary, f"{kill}")
        try:
            time.sleep(moments.uniform(0.05, 0.6))
            if store.server is not None and kill % 5 == 2:
                store.server.crash()
                time.sleep(moments.uniform(0, 0.2))
                store.server.start()
                time.sleep(moments.uniform(0, 0.6))
        finally:
            os.kill(pid, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code == -signal.SIGKILL, "it was killed in the middle"
        new, told = Diary.read(diary)
        asked |= new
        done |= told
        in_flight += len(new) - len(told)
        check(store, asked, done)
        with ReviewStores(store.place) as stores:
            send_again(stores, new, done)
        check(store, asked, done)
    assert len(done) > 10 * KILLS, "the kills came while marks were being given"
    assert in_flight > KILLS, "and most of them while some were being stored"
    with ReviewStores(store.place) as stores:
        histories = [
            stores.marks.history(stores.answers.at("q1", number, "r0").answer.id, "r0")
            for number in range(1, ANSWERS + 1)
        ]
    assert {mark.comment for history in histories for mark in history} == set(done)
