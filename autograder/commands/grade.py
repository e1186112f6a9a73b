"""One run of `mnist-kit grade`, from paths to pages."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring import build
from autograder.authoring.autograder_zip import read_tests
from autograder.calibration import reference
from autograder.engine import batch
from autograder.engine.engine import Engine
from autograder.gradebook.database import location
from autograder.gradebook.gradebook import Gradebook, GradeChange, KitChange
from autograder.gradebook.grading_key import grader_fingerprint
from autograder.gradebook.marked_report import with_marks
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.report import result_files
from autograder.review.class_review import with_marks_so_far
from autograder.submissions import collection

__all__ = ["GradeObserver", "GradeOptions", "GradeResult", "grade"]


@dataclass(frozen=True)
class GradeOptions:
    """The submissions to grade, and how.

    `workers` is the number of notebooks at once on this machine; with `scheduler` (a Dask address), its workers grade.
    `database` is the address of a server that keeps the gradebook instead of a file in `output`. `timeout_s` overrides
    grading.yml. With `regrade`, everything is graded again, and the results count only if the observer accepts them.
    """

    paths: tuple[Path, ...]
    output: Path
    workers: int
    timeout_s: float | None = None
    unsafe: bool = False
    regrade: bool = False
    scheduler: str | None = None
    database: str | None = None


class GradeObserver:
    """The caller's view of a run in progress; this one shows nothing and accepts a regrade."""

    def started(self, total: int, known: int, *, built: bool, kit_change: KitChange | None) -> None:
        """Called before grading: `known` of `total` need none; `built` if the zip was stale and has been built.

        `kit_change` has the submissions that are graded again because the kit has changed.
        """

    def graded(self, report: GradeReport) -> None:
        """Called after each submission, once its result is stored."""

    def accepts(self, changes: Sequence[GradeChange]) -> bool:  # noqa: ARG002  # for overrides that use them
        """Called after grading, with the points that changed; with `regrade`, whether the new ones should count."""
        return True


@dataclass(frozen=True)
class GradeResult:
    """The grades that count after a run, in the order of the submissions, with marks.

    A submission without a result, because its first regrade was rejected, is left out. `page` is the class page.
    `seconds` is wall time by phase, added up over submissions; `start` and `all` are counted once.
    """

    reports: tuple[GradeReport, ...]
    policy: Policy
    page: Path
    seconds: Mapping[str, float]


def grade(options: GradeOptions, observer: GradeObserver) -> GradeResult:
    """Grade what the gradebook does not know yet, and write the pages.

    Each result is stored as it comes, so the same call goes on after an interruption. Raises any KitError.
    """
    if options.scheduler is not None:
        from autograder.engine import cluster  # noqa: F401  # fail before anything begins if Dask is not installed
    policy = grading_file.load(HOME.policy)
    submissions = collection.collect(options.paths, int(policy.execution.notebook_mb * 2**20))
    collection.check_readable(submissions, options.paths)
    result_files.prepare(options.output)
    built = build.ensure_built(HOME, policy)
    policy = reference.rules(HOME, policy)
    if options.timeout_s is not None:
        limits = policy.execution.model_copy(update={"timeout_s": options.timeout_s})
        policy = policy.model_copy(update={"execution": limits})
    tests, data = read_tests(HOME.tests), HOME.data(policy.assignment.dataset)
    fingerprint = grader_fingerprint(policy, tests, data, unsafe=options.unsafe)
    address = location(options.output, options.database)
    graded: list[batch.Done] = []
    seconds: dict[str, float] = {}
    written: dict[str, GradeReport] = {}  # pages of the run; their marks may change until it ends

    with Gradebook(address) as book:
        work = batch.Work.of(submissions, book, fingerprint, regrade=options.regrade)
        observer.started(len(submissions), len(work.known), built=built, kit_change=work.kit_change)
        if work.todo:
            with ReviewStores(address, shared=False) as stores:
                marks, rubrics = stores.marks.final(), stores.rubrics.all()
            began = time.monotonic()
            with _pool(options, policy, tests, data) as pool:
                seconds["start"] = time.monotonic() - began
                for done in batch.grade_all(work, book, pool, policy, proposed=options.regrade):
                    graded.append(done)
                    if not options.regrade:
                        written[done.report.name] = with_marks(done.report, marks, rubrics)
                        result_files.write_submission(written[done.report.name], policy, options.output)
                    observer.graded(done.report)
            seconds |= _by_phase(graded) | {"all": time.monotonic() - began}

        if not options.regrade:
            observer.accepts([done.change for done in (*work.known, *graded) if done.change])
        elif observer.accepts(book.proposals()):
            book.accept()
        else:
            book.reject()

        counting = (book.current(submission.name) for submission in submissions)
        marked = with_marks_so_far(address, policy, filter(None, counting))
    for report in marked.reports:
        if written.get(report.name) != report:
            result_files.write_submission(report, policy, options.output)
    return GradeResult(marked.reports, policy, result_files.write_class(marked, options.output), seconds)


def _by_phase(graded: Sequence[batch.Done]) -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for done in graded:
        for phase, spent in done.report.seconds:
            seconds[phase] += spent
    return seconds


@contextlib.contextmanager
def _pool(options: GradeOptions, policy: Policy, tests: Mapping[str, str], data: Path) -> Iterator[batch.Pool]:
    if options.scheduler is None:
        engine = Engine(policy, tests, data, secrets=HOME.secrets, unsafe=options.unsafe)
        with engine, batch.threads(engine.grade, options.workers) as pool:
            yield pool
    else:
        from autograder.engine import cluster  # here, because most runs do not need Dask

        recipe = cluster.Recipe(policy, tests, data.read_bytes(), options.unsafe)
        with cluster.workers(options.scheduler, recipe) as pool:
            yield pool
