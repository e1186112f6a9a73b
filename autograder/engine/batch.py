"""Many submissions at once: what the gradebook does not know yet is graded, and stored as it comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from autograder.engine import feedback
from autograder.errors import GraderFault
from autograder.gradebook.gradebook import Change, Gradebook, Grader
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission

__all__ = ["Done", "Grade", "Pool", "Work", "grade_all", "threads"]

Grade = Callable[[Submission], GradeReport]

LOOK_EVERY_S = 5
"""Seconds between two looks at whether the pool is still there."""


@dataclass(frozen=True)
class Pool:
    """Who does the work: an executor, what it is to do, and a check that raises GraderFault where the pool is lost."""

    executor: Executor
    grade: Grade
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Done:
    """One submission's result: `index` is its place in the batch.

    `change` tells the points of a result that this one replaced, where they differ.
    """

    index: int
    report: GradeReport
    change: Change | None = None


@dataclass(frozen=True)
class Work:
    """What a batch has to do: results that are known, and submissions (with place and key) that are to be graded."""

    known: tuple[Done, ...]
    todo: tuple[tuple[int, str, Submission], ...]

    @classmethod
    def of(cls, submissions: Sequence[Submission], book: Gradebook, grader: Grader, *, regrade: bool = False) -> Work:
        """Split a batch; with `regrade`, only what a regrade that was cut short has done counts as known."""
        keys = tuple(map(grader.key, submissions))
        book.reject(keep=keys if regrade else ())
        known: list[Done] = []
        todo: list[tuple[int, str, Submission]] = []
        reports = book.known(keys, proposed=regrade)
        for index, (key, submission) in enumerate(zip(keys, submissions, strict=True)):
            report = reports.get(key)
            if report is None:
                todo.append((index, key, submission))
                continue
            report = replace(report, name=submission.name, source=submission.source)
            change = None if regrade else book.record(submission, key, report)
            known.append(Done(index, report, change))
        return cls(tuple(known), tuple(todo))


def grade_all(work: Work, book: Gradebook, pool: Pool, policy: Policy, *, proposed: bool = False) -> Iterator[Done]:
    """Grade what is to be graded; each result is in the gradebook before it is handed on, in the order they are done.

    A submission whose place of work breaks down, again and again, could not be graded; the others go on. Raises
    GradebookError where a result cannot be stored, GraderFault where the pool is lost. Where the caller stops
    early, or an error stops this, what has not begun is dropped, and what has is not waited for.
    """
    waiting = {pool.executor.submit(pool.grade, each[2]): each for each in work.todo}
    try:
        while waiting:
            with contextlib.suppress(TimeoutError):
                for done in as_completed(list(waiting), timeout=LOOK_EVERY_S):
                    index, key, submission = waiting.pop(done)
                    try:
                        report = done.result()
                    except CancelledError:
                        raise GraderFault(
                            "the workers are gone. What was graded is kept; run the same command again to go on."
                        ) from None
                    except Exception as error:
                        report = feedback.ungraded(submission, policy, f"it was lost with its worker ({error})")
                    yield Done(index, report, book.record(submission, key, report, proposed=proposed))
            pool.check()
    finally:
        for each in waiting:
            each.cancel()


@contextlib.contextmanager
def threads(grade: Grade, workers: int) -> Iterator[Pool]:
    """A pool on this machine. Threads are enough: each only waits for processes that do the work."""
    executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="grade")
    try:
        yield Pool(executor, grade)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
