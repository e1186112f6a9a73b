"""One submission graded end to end, by processes that are forked from a warm one.

The launcher (this process) never imports TensorFlow and never runs student code. It starts one warm process
(`warm_main.py`), which becomes the evaluator and the zygote, and talks to both over sockets: a student process for
each submission from the zygote, then a judge from the evaluator.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

from autograder.engine import isolation, report_builder
from autograder.engine.student_run import RunFolder, StudentRun, nameless, run_cells
from autograder.engine.warm_process import GRACE_S, WarmProcess, watch
from autograder.errors import EvidenceError, GraderFault, SubmissionError
from autograder.judge.flags import literals
from autograder.judge.grade_report import GradeReport, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox.limits import Limits
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT
from autograder.submissions import notebook
from autograder.submissions.submission import Submission

__all__ = ["Engine"]

JUDGE_LIMITS = Limits(wall_s=120, memory_mb=4096, work_mb=0, files=0)
"""The limits of one judge, which normally needs a second or two."""


class Engine:
    """Grades submissions; `grade` may be called from several threads at once. Use as a context manager.

    `tests` are Otter test files by question, as text. `secrets` are files besides `data` that no student process may be
    able to read. With `unsafe`, student code runs unconfined and every report says so. Raises GraderFault if the warm
    process cannot be started, SetupError if this machine cannot confine student code.
    """

    def __init__(
        self,
        policy: Policy,
        tests: Mapping[str, str],
        data: Path,
        *,
        secrets: tuple[Path, ...] = (),
        unsafe: bool = False,
    ) -> None:
        self.plan = None if unsafe else isolation.demand(isolation.examine())
        """The confinement of student processes; None without one."""
        self._policy = policy
        self._tests = dict(tests)
        self._data = data
        self._secrets = tuple(path.resolve() for path in (data, *secrets) if path.exists())
        self._lock = threading.Lock()
        self._folder: RunFolder | None = None
        self._warm: WarmProcess | None = None
        self._closed = False

    def __enter__(self) -> Self:
        own_users = self.plan is not None and self.plan.own_users
        self._folder = RunFolder(own_users=own_users, work_mb=self._policy.execution.work_mb)
        try:
            warm = self.warm()
            warm.students.await_ready()
            warm.judges.await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True  # threads that are still grading finish and start nothing new
            if self._warm is not None:
                self._warm.close()
        if self._folder is not None:
            self._folder.remove()

    def grade(self, submission: Submission) -> GradeReport:
        """Grade one submission. Never raises: every failure is in the report."""
        try:
            if submission.problem:
                raise SubmissionError(submission.problem)
            book = notebook.read(submission.data, self._policy)
        except SubmissionError as error:
            return report_builder.rejected(submission, self._policy, str(error))
        try:
            return self._grade(submission, book)
        except EvidenceError as error:  # the notebook's own fault: another run would end the same way
            return report_builder.ungraded(submission, self._policy, str(error), book)
        except Exception as first:
            try:  # one of our processes may have died during another submission: once more, from a fresh start
                return self._grade(submission, book)
            except Exception as error:
                return report_builder.ungraded(submission, self._policy, f"{error} (and before that: {first})", book)

    def warm(self) -> WarmProcess:
        """Return the warm process; start it if there is none alive. Raises GraderFault once the engine is closed."""
        with self._lock:
            if self._closed:
                raise GraderFault("the run was ended before this submission was graded")
            assert self._folder is not None  # entered
            if self._warm is None or not self._warm.alive:
                if self._warm is not None:
                    self._warm.close()
                self._warm = WarmProcess(self._folder.path)
                if not self._folder.public.exists():  # while that process imports; it waits for its brief
                    self._folder.write_public(self._data, self._policy.assignment.split_seed)
                self._warm.brief(
                    {"policy": self._policy.model_dump(mode="json"), "tests": self._tests, "data": str(self._data)}
                )
            return self._warm

    def _grade(self, submission: Submission, book: notebook.Notebook) -> GradeReport:
        warm = self.warm()
        assert self._folder is not None  # entered
        secrets = (*self._secrets, self._folder.canary)
        with run_cells(book.cells, self._policy, warm.students, self._folder, self.plan, secrets) as run:
            started = time.monotonic()
            verdict = self._judge(warm, run)
            flags = (*literals(book.cells), *verdict.flags)
            if flags and verdict.accuracy is not None:
                flags = (*flags, *self._retrain(warm, run))
        if verdict.fault:
            return report_builder.ungraded(submission, self._policy, verdict.fault, book)
        confined, judge_s = self.plan is not None, time.monotonic() - started
        return report_builder.graded(
            submission, book, self._policy, verdict, run, confined=confined, flags=flags, judge_s=judge_s
        )

    def _retrain(self, warm: WarmProcess, run: StudentRun) -> tuple[str, ...]:
        """Train the layers of a flagged model again; return a flag with the accuracy that they reach."""
        try:
            return self._judge(warm, run, retrain=True).flags
        except GraderFault as fault:  # a model may be too large to be trained here; its grade stands
            return (f"The grader did not train it again: {fault}",)

    def _judge(self, warm: WarmProcess, run: StudentRun, *, retrain: bool = False) -> Verdict:
        for file, limit in ((run.journal, JOURNAL_LIMIT), (run.blob, BLOB_LIMIT)):
            if os.fstat(file.fileno()).st_size > limit:
                raise EvidenceError("the notebook's process left more evidence than the contract allows")
        with nameless("result") as result:
            fds = [run.journal.fileno(), run.blob.fileno(), result.fileno()]
            request = {"args": {"retrain": retrain}, "limits": asdict(JUDGE_LIMITS), "work": None}
            ended, _ = watch(warm.judges.ask(request, fds), JUDGE_LIMITS.wall_s + GRACE_S)
            if ended.exit != 0:
                raise GraderFault(f"the judge ended: exit {ended.exit}, signal {ended.signal}, over {ended.over}")
            return Verdict.from_json(os.pread(result.fileno(), 2**24, 0))
