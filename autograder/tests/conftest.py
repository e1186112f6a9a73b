"""Fixtures that several tests share: a built copy of the assignment, and one running engine."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring import build
from autograder.authoring.autograder_zip import read_tests
from autograder.engine.engine import Engine
from autograder.layout import HOME, Layout
from autograder.policy import grading_file, policy
from autograder.tools.postgresql import PROGRAMS, TemporaryServer, temporary_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TIMEOUT_S = 60.0


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Do not wait for the disk: the tests store tens of thousands of marks, and a killed process loses nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.gradebook.database.SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session")
def rules() -> policy.Policy:
    """The shipped grading.yml, with a time limit that a test can wait for."""
    shipped = grading_file.load(HOME.policy)
    limits = shipped.execution.model_copy(update={"timeout_s": TIMEOUT_S})
    return shipped.model_copy(update={"execution": limits})


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A copy of the authored files, built: tests never write into the repository."""
    copy = Layout(tmp_path_factory.mktemp("kit"))
    shutil.copy(HOME.policy, copy.policy)
    shutil.copytree(HOME.root / "assignment", copy.root / "assignment")
    copy.solution.parent.mkdir()
    build.write(build.build(copy), copy)
    return copy


@pytest.fixture
def copy(layout: Layout, tmp_path: Path) -> Layout:
    """A built copy of the assignment that a test may change."""
    shutil.copytree(layout.root, tmp_path / "kit")
    return Layout(tmp_path / "kit")


@pytest.fixture(scope="session")
def template(layout: Layout) -> NotebookNode:
    return nbformat.read(layout.template, as_version=4)


@pytest.fixture(scope="session")
def engine(rules: policy.Policy, layout: Layout) -> Iterator[Engine]:
    """One warm engine for the whole run: starting it takes as long as importing TensorFlow."""
    with Engine(rules, read_tests(layout.zip), layout.data("mnist")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[TemporaryServer]:
    if not PROGRAMS:
        pytest.skip("NO POSTGRESQL on this machine: `apt-get install postgresql`, then run this test again")
    with temporary_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: TemporaryServer) -> str:
    """The URL of an empty database."""
    return postgresql_server.new_database(f"kit-{uuid.uuid4()}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from autograder.tools.pictures import CHROMIUM

    if not CHROMIUM.exists():
        pytest.skip(f"NOT TESTED: no {CHROMIUM} (apt install chromium)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()
