"""One run of `mnist-kit grade`, from paths to pages; the command line only shows what happens here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from autograder.authoring import build
from autograder.calibration import reference
from autograder.engine import batch
from autograder.engine.engine import Engine
from autograder.gradebook.database import place
from autograder.gradebook.gradebook import Change, Gradebook, Grader
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.marked_report import marked
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.report import result_files
from autograder.submissions import submission

__all__ = ["GradeOptions", "GradeRun"]


@dataclass(frozen=True)
class GradeOptions:
    """What to grade and how.

    `workers` is how many at once on this machine; with `scheduler` (a Dask address) its workers do the work.
    `database` is the address of a server that keeps the gradebook, in place of a file in `output`.
    `timeout_s` replaces grading.yml's. `regrade`: all of it again, as a proposal.
    """

    paths: tuple[Path, ...]
    output: Path
    workers: int
    timeout_s: float | None = None
    unsafe: bool = False
    regrade: bool = False
    scheduler: str | None = None
    database: str | None = None


class GradeRun:
    """A batch in work. Use as a context manager: `grade`, then `publish`.

    Raises KitError of every kind; what was graded before is in the gradebook.
    """

    def __init__(self, request: GradeOptions) -> None:
        if request.scheduler is not None:
            from autograder.engine import cluster  # noqa: F401  # where Dask is not installed, nothing else is begun
        limits = grading_file.load(HOME.policy).execution
        self.built = build.is_stale(HOME)
        """Whether the autograder zip was missing or older than what it is made from; it has been built then."""
        self.seconds: dict[str, float] = {}
        """Wall time by phase, added up over all submissions; `start` and `all` are counted once."""
        self._request = request
        self._submissions = submission.collect(request.paths, int(limits.notebook_mb * 2**20))
        submission.check_readable(self._submissions, request.paths)
        result_files.prepare(request.output)
        if self.built:
            build.write(build.build(HOME), HOME)
        policy = reference.rules(HOME)
        if request.timeout_s is not None:
            limits = limits.model_copy(update={"timeout_s": request.timeout_s})
        self.policy = policy.model_copy(update={"execution": limits})
        self._tests = build.read_tests(HOME.tests)
        self._data = HOME.data(policy.assignment.dataset)
        self._place = place(request.output, request.database)
        self._book = Gradebook(self._place)
        self._changes: list[Change] = []

    def __enter__(self) -> Self:
        self._book.__enter__()
        grader = Grader.of(self.policy, self._tests, self._data, unsafe=self._request.unsafe)
        self._work = batch.Work.of(self._submissions, self._book, grader, regrade=self._request.regrade)
        self._changes += (done.change for done in self._work.known if done.change)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.__exit__(kind, error, trace)

    @property
    def total(self) -> int:
        return len(self._submissions)

    @property
    def known(self) -> int:
        """How many need no grading, because the same content was graded by the same kit and policy before."""
        return len(self._work.known)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Points that are, or with a regrade would be, others than before."""
        return self._book.proposals() if self._request.regrade else tuple(self._changes)

    def grade(self) -> Iterator[GradeReport]:
        """Grade what is not known yet; each result is stored, and with its pages on the disk, when it is handed on."""
        if not self._work.todo:
            return
        began = time.monotonic()
        with self._pool() as pool:
            self.seconds["start"] = time.monotonic() - began
            for done in batch.grade_all(self._work, self._book, pool, self.policy, proposed=self._request.regrade):
                for phase, spent in done.report.seconds:
                    self.seconds[phase] = self.seconds.get(phase, 0.0) + spent
                if done.change:
                    self._changes.append(done.change)
                if not self._request.regrade:
                    result_files.write_one(done.report, self.policy, self._request.output)
                yield done.report
        self.seconds["all"] = time.monotonic() - began

    def accept(self) -> None:
        """Let the results of a regrade count."""
        self._book.accept()

    def reject(self) -> None:
        """Forget the results of a regrade."""
        self._book.reject()

    def publish(self) -> tuple[tuple[GradeReport, ...], Path]:
        """Write the pages of what counts now; returns it, in the order of the submissions, and the class page's path.

        A submission that has no result yet, because a regrade of it was turned down, is left out.
        """
        found = (self._book.current(each.name) for each in self._submissions)
        with MarkStore(self._place, shared=False) as marks:
            counting, rubrics = marks.counting(), marks.rubrics()
        reports = tuple(marked(report, counting, rubrics) for report in found if report is not None)
        for report in reports:
            result_files.write_one(report, self.policy, self._request.output)
        return reports, result_files.write_class(reports, self.policy, self._request.output)

    @contextlib.contextmanager
    def _pool(self) -> Iterator[batch.Pool]:
        request = self._request
        if request.scheduler is None:
            engine = Engine(self.policy, self._tests, self._data, secrets=HOME.secrets, unsafe=request.unsafe)
            with engine, batch.threads(engine.grade, request.workers) as pool:
                yield pool
            return
        from autograder.engine import cluster  # here, because most runs have no use for Dask

        recipe = cluster.Recipe(self.policy, self._tests, self._data.read_bytes(), request.unsafe)
        with cluster.workers(request.scheduler, recipe) as pool:
            yield pool
