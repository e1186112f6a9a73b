"""Grading on more machines: a Dask scheduler distributes submissions to workers, each with an engine of its own.

Dask's executor works like the standard library's and gives the submissions of a lost worker to another. It does not
authenticate anybody: use a network that only staff can reach, or TLS.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, WorkerPlugin, get_worker

from autograder.engine import isolation
from autograder.engine.batch import Pool
from autograder.engine.engine import Engine
from autograder.errors import GraderFault, KitError
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.version import kit_version

__all__ = ["Recipe", "workers"]

ADDRESS = re.compile(r"(tcp|tls)://(?P<host>[^/:]+|\[[0-9a-f:]+\]):(?P<port>\d{1,5})")
CONNECT_S = 10
RETRIES = 2  # times that a submission is tried on another worker after one failed


@dataclass(frozen=True)
class Recipe:
    """Everything a worker needs to make an engine; `data` is the content of the images' file."""

    policy: Policy
    tests: Mapping[str, str]
    data: bytes
    unsafe: bool


@contextlib.contextmanager
def workers(address: str, recipe: Recipe) -> Iterator[Pool]:
    """Connect to the workers of the scheduler at `address`, and check that each can grade.

    Raises GraderFault if there is no scheduler, no worker, one with another version of the kit, or one that cannot
    confine student code.
    """
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise GraderFault(f"{address} is not the address of a Dask scheduler, which looks like tcp://HOST:8786")
    try:
        # First a plain connection: Dask's client takes a minute to give up and prints tracebacks.
        socket.create_connection((found["host"].strip("[]"), int(found["port"])), timeout=CONNECT_S).close()
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise GraderFault(f"no Dask scheduler answers at {address} ({error}). Start one: dask scheduler") from error
    name = f"mnist-kit-{uuid.uuid4().hex[:8]}"
    # Our own exceptions report every failure; Dask would print its tracebacks as well.
    for logger in ("distributed", "distributed.client", "distributed.utils", "tornado.application"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    with client:
        problems = client.run(_problem, kit_version(), recipe.unsafe)
        if not problems:
            raise GraderFault(f"the scheduler at {address} has no workers. Start some: dask worker {address}")
        if lines := [f"{worker}: {problem}" for worker, problem in problems.items() if problem]:
            raise GraderFault("these workers cannot grade:\n" + "\n".join(lines))
        client.register_plugin(_EnginePlugin(recipe), name=name)
        executor = client.get_executor(pure=False, retries=RETRIES)
        try:
            yield Pool(executor, partial(_grade, name), partial(_demand_scheduler, client, address))
        finally:
            with contextlib.suppress(Exception):  # a lost scheduler can raise anything
                executor.shutdown(wait=False)
                client.unregister_worker_plugin(name)


def _problem(kit: str, unsafe: bool) -> str:
    """Return why the worker that runs this cannot grade; empty if it can."""
    if kit_version() != kit:
        return f"its kit is version {kit_version()}, yours is {kit}; install the same version"
    try:
        if not unsafe:
            isolation.demand(isolation.examine())
    except KitError as error:
        return str(error)
    return ""


def _demand_scheduler(client: Client, address: str) -> None:
    if client.status != "running":
        raise GraderFault(
            f"the Dask scheduler at {address} is gone. Results so far are stored; run the same command again to "
            "continue."
        )


def _grade(name: str, submission: Submission) -> GradeReport:
    """Grade on a worker, with the engine that its plugin `name` keeps."""
    plugin: _EnginePlugin = get_worker().plugins[name]
    return plugin.engine().grade(submission)


class _EnginePlugin(WorkerPlugin):  # type: ignore[misc]  # Dask ships no types
    """A worker's engine, started with its first submission and closed with the run."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def setup(self, worker: Any) -> None:  # noqa: ARG002  # Dask's signature
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._engine: Engine | None = None

    def teardown(self, worker: Any) -> None:  # noqa: ARG002  # Dask's signature
        with self._lock:
            self._stack.close()

    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mnist-kit-data-")))
                recipe = self.recipe
                data = folder / f"{recipe.policy.assignment.dataset}.npz"
                data.write_bytes(recipe.data)
                engine = Engine(recipe.policy, recipe.tests, data, secrets=HOME.secrets, unsafe=recipe.unsafe)
                self._engine = self._stack.enter_context(engine)
            return self._engine
