"""One submission graded end to end, by processes that are forked from a warm one.

The launcher (this process) never imports TensorFlow and never runs student code. It starts one warm process
(`warm_process.py`), which becomes the evaluator and the zygote, and talks to both over sockets: a student process for
each submission from the zygote, then a judge from the evaluator.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from autograder.data import dataset
from autograder.engine import feedback, isolation
from autograder.engine.launcher import GRACE_S, Ended, WarmProcess, watch
from autograder.errors import EvidenceError, GraderFault, SubmissionError
from autograder.judge.evidence import BLOB_LIMIT, specs
from autograder.judge.flags import literals
from autograder.judge.grade_report import GradeReport, Verdict
from autograder.policy.policy import Policy
from autograder.sandbox import interpreter
from autograder.sandbox.confine import Jail
from autograder.sandbox.limits import Limits
from autograder.sandbox.recorder import JOURNAL_LIMIT
from autograder.submissions import notebook
from autograder.submissions.submission import Submission

__all__ = ["Engine"]

CANARY = "secret"
"""A file in the run's folder that a student process must not be able to read."""

DECLARATION = 4096
"""Bytes of output within which a student process says what confines it."""

JUDGE_LIMITS = Limits(wall_s=120, memory_mb=4096, work_mb=0, files=0)
"""What a judge may take; a second or two is normal."""

ARRAYS_MB = 64
"""Megabytes that the public images take as plain arrays, rounded up."""

SPARE_MB = 16
"""Megabytes that must be free on the disk after a notebook; with less, what it failed to write is not its fault."""


@dataclass(frozen=True)
class _StudentRun:
    """One student process, over; `journal` and `blob` are its evidence, open files without a name."""

    ended: Ended
    printed: bytes
    journal: IO[bytes]
    blob: IO[bytes]


class Engine:
    """Grades submissions; `grade` may be called from several threads at once.

    `tests` are Otter test files by question, as text. `secrets` are more files that no student process may be
    able to read, besides `data`. With `unsafe`, student code runs unconfined and every report says so.
    `judge_limits` are what one judge may take.
    Use as a context manager. Raises GraderFault where the warm process cannot be started, IsolationError where
    this machine cannot confine student code.
    """

    def __init__(
        self,
        policy: Policy,
        tests: Mapping[str, str],
        data: Path,
        *,
        secrets: tuple[Path, ...] = (),
        unsafe: bool = False,
        judge_limits: Limits = JUDGE_LIMITS,
    ) -> None:
        self._policy = policy
        self._tests = dict(tests)
        self._data = data
        self._secrets = tuple(path.resolve() for path in (data, *secrets) if path.exists())
        self._plan = None if unsafe else isolation.demand(isolation.examine())
        self._judge_limits = judge_limits
        self._users: set[int] = set()
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._warm: WarmProcess | None = None
        self._over = False

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="mnist-kit-", ignore_cleanup_errors=True)
        try:
            self._lay_out()
            warm = self._ready()
            warm.students.await_ready()
            warm.judges.await_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._over = True  # whatever still grades in a thread comes to its end, and starts nothing anew
            if self._warm is not None:
                self._warm.close()
        if self._folder is not None:
            _remove(self.folder / "work")
            self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Where this run keeps its files; gone when the engine is closed."""
        assert self._folder is not None  # entered
        return Path(self._folder.name)

    def processes(self) -> tuple[int, ...]:
        """The pid of the warm process, whose descendants all others are."""
        return () if self._warm is None else (self._warm.pid,)

    def grade(self, submission: Submission) -> GradeReport:
        """Grade one submission. Never raises: whatever goes wrong is in the report."""
        if submission.problem:
            return feedback.rejected(submission, self._policy, submission.problem)
        try:
            book = notebook.read(submission.data, self._policy)
        except SubmissionError as error:
            return feedback.rejected(submission, self._policy, str(error))
        try:
            return self._grade(submission, book)
        except EvidenceError as error:  # the notebook's own doing: another run would end in the same way
            return feedback.ungraded(submission, self._policy, str(error), book)
        except Exception as first:
            try:  # A process of ours may have died under another submission: once more, from a fresh start.
                return self._grade(submission, book)
            except Exception as error:
                return feedback.ungraded(submission, self._policy, f"{error} (and before that: {first})", book)

    def _grade(self, submission: Submission, book: notebook.Notebook) -> GradeReport:
        warm = self._ready()
        with _nameless("journal") as journal, _nameless("blob") as blob:
            run = _StudentRun(*self._run(warm, book, journal, blob), journal, blob)
            layers = _confined_by(run)
            if layers is None:
                last = run.printed.decode("utf-8", "replace").strip().splitlines()[-1:]
                raise GraderFault(f"the notebook was not started: {''.join(last)[:300] or 'its process ended'}")
            started = time.monotonic()
            verdict = self._judge(warm, run)
            flags = self._audit(warm, run, book, verdict)
        if verdict.fault:
            return feedback.ungraded(submission, self._policy, verdict.fault, book)
        return feedback.graded(
            submission,
            book,
            self._policy,
            verdict,
            run.ended,
            isolation=layers,
            confined=self._plan is not None,
            flags=flags,
            judge_s=time.monotonic() - started,
        )

    def _run(
        self, warm: WarmProcess, book: notebook.Notebook, journal: IO[bytes], blob: IO[bytes]
    ) -> tuple[Ended, bytes]:
        """Run the notebook in a process of its own; returns how that ended, and what it printed."""
        limits = self._policy.execution
        job = {
            "cells": [{"index": cell.index, "source": cell.source} for cell in book.cells],
            "questions": specs(self._policy),
            "timeout_s": limits.timeout_s,
        }
        with self._place() as (work, uid), _nameless("job") as job_file:
            job_file.write(json.dumps(job).encode())
            job_file.seek(0)
            read_end, write_end = os.pipe()
            try:
                use = Limits(limits.timeout_s + GRACE_S, limits.memory_mb, limits.work_mb, limits.work_files)
                jail = None if self._plan is None else self._jail(self._plan, work, uid, use).to_json()
                args = {"work": str(work), "jail": jail}
                request = {"args": args, "limits": use.to_json(), "work": str(work)}
                fds = [job_file.fileno(), journal.fileno(), blob.fileno(), write_end]
                with warm.students.ask(request, fds) as status:
                    os.close(write_end)
                    write_end = -1
                    wait = limits.timeout_s + 2 * GRACE_S + 10
                    ended = watch(status, read_end, DECLARATION + int(limits.output_mb * 2**20), wait)
                self._demand_space(SPARE_MB)
                return ended
            finally:
                os.close(read_end)
                if write_end >= 0:
                    os.close(write_end)

    def _audit(self, warm: WarmProcess, run: _StudentRun, book: notebook.Notebook, verdict: Verdict) -> tuple[str, ...]:
        """What people should look at; for a model of which something is odd, with what the same layers reach here."""
        flags = (*literals(book.cells), *verdict.flags)
        if not flags or verdict.accuracy is None:
            return flags
        try:
            return (*flags, *self._judge(warm, run, retrain=True).flags)
        except GraderFault as fault:  # a model may be too large to be trained here; its grade stands
            return (*flags, f"The grader did not train it anew: {fault}")

    def _judge(self, warm: WarmProcess, run: _StudentRun, *, retrain: bool = False) -> Verdict:
        for file, limit in ((run.journal, JOURNAL_LIMIT), (run.blob, BLOB_LIMIT)):
            if os.fstat(file.fileno()).st_size > limit:
                raise EvidenceError("the notebook's process left more evidence than the contract allows")
        with _nameless("result") as result:
            fds = [run.journal.fileno(), run.blob.fileno(), result.fileno()]
            request = {"args": {"retrain": retrain}, "limits": self._judge_limits.to_json(), "work": None}
            with warm.judges.ask(request, fds) as status:
                ended, _ = watch(status, None, 0, self._judge_limits.wall_s + GRACE_S)
            if ended.exit != 0:
                raise GraderFault(f"the judge ended: exit {ended.exit}, signal {ended.signal}, over {ended.over}")
            return Verdict.from_json(os.pread(result.fileno(), 2**24, 0))

    def _ready(self) -> WarmProcess:
        """The warm process, started (again) if there is none alive."""
        with self._lock:
            if self._over:
                raise GraderFault("the run was ended before this submission was graded")
            if self._warm is None or not self._warm.alive:
                if self._warm is not None:
                    self._warm.close()
                self._warm = WarmProcess(self.folder)
                if not (self.folder / "public").exists():
                    self._write_public(self.folder / "public")  # while that process imports; it waits for its brief
                self._warm.brief(
                    {"policy": self._policy.model_dump(mode="json"), "tests": self._tests, "data": str(self._data)}
                )
            return self._warm

    @contextlib.contextmanager
    def _place(self) -> Iterator[tuple[Path, int | None]]:
        """A work folder, and where the plan asks for it a user of its own, for one student process."""
        uid = None
        work = Path(tempfile.mkdtemp(dir=self.folder / "work"))
        try:
            if self._plan is not None and self._plan.own_users:
                with self._lock:
                    uid = isolation.free_uid(self._users)
                    self._users.add(uid)
                os.chown(work, uid, uid)
            yield work, uid
        finally:
            _remove(work)
            with self._lock:
                self._users.discard(uid or 0)

    def _demand_space(self, least_mb: float) -> None:
        free_mb = shutil.disk_usage(self.folder).free / 2**20
        if free_mb < least_mb:
            raise GraderFault(
                f"the disk that holds {self.folder.parent} is full ({free_mb:.0f} MB free, a notebook may need "
                f"{least_mb:.0f} MB). Free some space, or name another folder: TMPDIR=/some/folder mnist-kit grade ..."
            )

    def _jail(self, plan: isolation.ConfinementPlan, work: Path, uid: int | None, limits: Limits) -> Jail:
        secrets = (*self._secrets, self.folder / CANARY)
        return Jail(work, secrets, uid, plan.required, limits)

    def _lay_out(self) -> None:
        """The run's folders: public arrays, work folders that only their owners enter, and a secret as a canary."""
        self._demand_space(self._policy.execution.work_mb + ARRAYS_MB)
        if self._plan is not None and self._plan.own_users and not interpreter.others_can_enter(self.folder.parent):
            raise GraderFault(
                f"the temporary folder {self.folder.parent} is closed to other users, and each notebook runs as one. "
                "Name another folder: TMPDIR=/var/tmp mnist-kit grade ..."
            )
        self.folder.chmod(0o711)  # to be passed, not listed, by the students' users
        (self.folder / "work").mkdir(mode=0o711)
        (self.folder / CANARY).touch(mode=0o600)

    def _write_public(self, folder: Path) -> None:
        """The images a student process may see, as plain arrays that all of them share by mapping."""
        view = dataset.public_view(dataset.load(self._data), self._policy.assignment.split_seed)
        folder.mkdir()
        arrays = (view.train.images, view.train.labels, view.test.images, view.test.labels)
        for name, array in zip(dataset.ARRAYS, arrays, strict=True):
            np.save(folder / f"{name}.npy", array)


def _remove(folder: Path) -> None:
    """`rm` copes with any depth of folders, which Python's own recursion does not."""
    subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)


def _nameless(purpose: str) -> IO[bytes]:
    """An open file without a name; in memory where the system has that, so that a full disk loses no evidence."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create(purpose), "w+b", buffering=0)
    return tempfile.TemporaryFile()


def _confined_by(run: _StudentRun) -> tuple[str, ...] | None:
    """The layers that confined the notebook, told before any of its code ran; None where no cell was started."""
    first, end, _ = run.printed[:DECLARATION].partition(b"\n")
    if not end or not first.startswith(b'{"isolation": ') or not os.fstat(run.journal.fileno()).st_size:
        return None
    return tuple(json.loads(first)["isolation"])
