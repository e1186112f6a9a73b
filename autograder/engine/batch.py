"""Many submissions at once: those the gradebook does not know are graded and stored as they finish."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from autograder.engine import report_builder
from autograder.errors import GraderFault
from autograder.gradebook.gradebook import Gradebook, GradeChange, KitChange
from autograder.gradebook.grading_key import grading_key
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission

__all__ = ["Done", "Grade", "Pool", "Work", "grade_all", "threads"]

Grade = Callable[[Submission], GradeReport]

LOOK_EVERY_S = 5  # seconds between two checks that the pool is still there


@dataclass(frozen=True)
class Pool:
    """An executor, the function it runs, and a check that raises GraderFault if the pool is lost."""

    executor: Executor
    grade: Grade
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Done:
    """The result of a submission, and its index in the batch.

    `change` has the points of the result that this one replaced, if they differ.
    """

    index: int
    report: GradeReport
    change: GradeChange | None = None


@dataclass(frozen=True)
class Work:
    """The known results of a batch, and the submissions to grade, each with its index and key.

    `kit_change` says how many of those to grade were graded before, but by an earlier version of the kit.
    """

    known: tuple[Done, ...]
    todo: tuple[tuple[int, str, Submission], ...]
    kit_change: KitChange | None = None

    @classmethod
    def of(cls, submissions: Sequence[Submission], book: Gradebook, fingerprint: str, *, regrade: bool = False) -> Work:
        """Split a batch for the grader with this fingerprint.

        With `regrade`, only the results of an interrupted regrade count as known.
        """
        keys = tuple(grading_key(fingerprint, submission) for submission in submissions)
        book.reject(keep=keys if regrade else ())
        known: list[Done] = []
        todo: list[tuple[int, str, Submission]] = []
        reports = book.known(keys, proposed=regrade)
        for index, (key, submission) in enumerate(zip(keys, submissions, strict=True)):
            if report := reports.get(key):
                report = replace(report, name=submission.name, source=submission.source)
                known.append(Done(index, report, None if regrade else book.record(submission, key, report)))
            else:
                todo.append((index, key, submission))
        kit_change = None if regrade else book.kit_change([submission for _, _, submission in todo])
        return cls(tuple(known), tuple(todo), kit_change)


def grade_all(work: Work, book: Gradebook, pool: Pool, policy: Policy, *, proposed: bool = False) -> Iterator[Done]:
    """Grade the submissions of `work`; store each result in the gradebook, then yield it, in the order they finish.

    A submission whose worker keeps breaking down could not be graded; the others go on. Raises GradebookError if a
    result cannot be stored, GraderFault if the pool is lost. If the caller or an error stops this early, submissions
    that have not begun are dropped, and those that have are not waited for.
    """
    waiting = {pool.executor.submit(pool.grade, todo[2]): todo for todo in work.todo}
    try:
        while waiting:
            with contextlib.suppress(TimeoutError):
                for done in as_completed(list(waiting), timeout=LOOK_EVERY_S):
                    index, key, submission = waiting.pop(done)
                    try:
                        report = done.result()
                    except CancelledError:
                        raise GraderFault(
                            "the workers are gone. Results so far are stored; run the same command again to continue."
                        ) from None
                    except Exception as error:
                        report = report_builder.ungraded(submission, policy, f"it was lost with its worker ({error})")
                    yield Done(index, report, book.record(submission, key, report, proposed=proposed))
            pool.check()
    finally:
        for future in waiting:
            future.cancel()


@contextlib.contextmanager
def threads(grade: Grade, workers: int) -> Iterator[Pool]:
    """Make a pool on this machine. Threads are enough: each waits for a process that does the work."""
    executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="grade")
    try:
        yield Pool(executor, grade)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
