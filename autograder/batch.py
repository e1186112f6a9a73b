"""Many submissions at once, results as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from autograder.grade import GradeReport
from autograder.submission import Submission

__all__ = ["grade_all"]


def grade_all(
    submissions: Sequence[Submission], grade: Callable[[Submission], GradeReport], workers: int
) -> Iterator[tuple[int, GradeReport]]:
    """Grade with `workers` at once; yields (position in `submissions`, report) in the order they are done.

    Threads are enough: each only waits for processes that do the work. Where the caller stops early (an error, a
    signal), what has not begun is dropped, and what has is not waited for: closing the engine ends it.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="grade")
    waiting = {pool.submit(grade, submission): index for index, submission in enumerate(submissions)}
    try:
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
