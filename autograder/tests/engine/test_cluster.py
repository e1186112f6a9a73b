"""A real Dask scheduler and real workers on this machine; submissions of a lost worker are graded by the other."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode

from autograder.authoring.autograder_zip import read_tests
from autograder.authoring.bundled_class import COMPILE, LOAD, MODEL, Member
from autograder.engine import cluster
from autograder.engine.cluster import Recipe
from autograder.errors import GraderFault
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import Layout
from autograder.policy.policy import Policy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BIN = Path(sys.executable).parent
START_S = 180
BUSY_S = 400  # seconds that grading a few notebooks may take on a machine that is busy with other things


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Site:
    """A scheduler on the loopback, and the processes that belong to it."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, ready: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a process of Dask, and wait until it logs that it is `ready`."""
        environment = {**os.environ, "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(message)s"}
        path = self._folder / f"{len(self.processes)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [BIN / "dask", *words],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=environment,
                start_new_session=True,
            )
        self.processes.append(process)
        deadline = time.monotonic() + START_S
        while ready not in (logged := path.read_text(encoding="utf-8")):
            assert time.monotonic() < deadline, logged
            assert process.poll() is None, logged
            time.sleep(0.2)
        return process

    def scheduler(self) -> subprocess.Popen[bytes]:
        host, port = self.address.removeprefix("tcp://").split(":")
        return self.start("Scheduler at:", "scheduler", "--host", host, "--port", port, "--no-dashboard")

    def worker(self) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        folder = str(self._folder)
        return self.start("Registered to", "worker", self.address, *options, "--local-directory", folder)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    with contextlib.closing(Site(folder)) as site:
        yield site


def hand_in(folder: Path, template: NotebookNode, count: int, seconds: float) -> None:
    folder.mkdir()
    for number in range(count):
        answers = {"q4": f"{LOAD}\nimport time; time.sleep({seconds})  # {number}", "q5": MODEL, "q6": COMPILE}
        (folder / f"s{number}.ipynb").write_bytes(Member(f"s{number}", "made for a test", {}, answers).make(template))


def grade(site: Site, folder: Path, output: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / "mnist-kit", "grade", folder, "-o", output, "--dask", site.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )


def stored(output: Path) -> list[tuple[str, float]]:
    """Return the name and points of every current grading."""
    with Gradebook(output / DATABASE) as book:
        return [(report.name, report.earned) for report in book.all()]


def wait_for(output: Path, count: int, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + BUSY_S
    while len(list(output.glob("submissions/*/results.json"))) < count:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)


def below(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_a_killed_worker_costs_nothing_and_its_submissions_are_graded_by_the_other(
    site: Site, template: NotebookNode, tmp_path: Path
) -> None:
    site.scheduler()
    victim, other = site.worker(), site.worker()
    hand_in(tmp_path / "class", template, 10, 2)
    running = grade(site, tmp_path / "class", tmp_path / "out")
    wait_for(tmp_path / "out", 2, running)
    children = below(victim)
    assert len(children) >= 2, "it has an engine of its own"
    assert len(below(other)) >= 2
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    table, messages = running.communicate(timeout=BUSY_S)
    assert running.returncode == 0, messages
    assert stored(tmp_path / "out") == [(f"s{number}", 18.0) for number in range(10)]
    assert re.search(r"s9 .* 18 ", table)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, "nothing of the lost worker is left"


def test_the_next_run_goes_on_after_a_lost_scheduler(site: Site, template: NotebookNode, tmp_path: Path) -> None:
    scheduler = site.scheduler()
    site.worker()
    hand_in(tmp_path / "class", template, 5, 2)
    running = grade(site, tmp_path / "class", tmp_path / "out")
    wait_for(tmp_path / "out", 1, running)
    scheduler.send_signal(signal.SIGKILL)
    _, messages = running.communicate(timeout=BUSY_S)
    assert running.returncode == 2
    assert "run the same command again to continue" in " ".join(messages.split())
    assert "Traceback" not in messages
    before = len(stored(tmp_path / "out"))
    assert 1 <= before < 5
    again = subprocess.run(
        [BIN / "mnist-kit", "grade", tmp_path / "class", "-o", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{before} of 5 were graded before" in again.stderr
    assert stored(tmp_path / "out") == [(f"s{number}", 18.0) for number in range(5)]


@pytest.fixture
def recipe(rules: Policy, layout: Layout) -> Recipe:
    return Recipe(rules, read_tests(layout.zip), layout.data("mnist").read_bytes(), unsafe=False)


def refusal(address: str, recipe: Recipe) -> str:
    with pytest.raises(GraderFault) as caught, cluster.workers(address, recipe):
        pass  # pragma: no cover
    return str(caught.value)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_workers_that_cannot_grade_are_reported_before_the_run(
    site: Site, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 2)
    nobody = f"tcp://127.0.0.1:{free_port()}"
    assert refusal(nobody, recipe).startswith(f"no Dask scheduler answers at {nobody}")
    for nonsense in ("nonsense://", "host:8786", "tcp://host", "tcp://host:80800000"):
        assert "which looks like tcp://HOST:8786" in refusal(nonsense, recipe)
    site.scheduler()
    assert f"has no workers. Start some: dask worker {site.address}" in refusal(site.address, recipe)
    site.worker()
    monkeypatch.setattr(cluster, "kit_version", lambda: "0.0.1+another")
    assert re.search(r"its kit is version .*, yours is 0\.0\.1\+another", refusal(site.address, recipe))
