"""Warm processes, and one submission graded end to end.

The launcher (this process) never imports TensorFlow and never runs student code. It starts one warm process
(`autograder.warm`), which becomes the evaluator and the zygote, and talks to both over sockets: a student
process for each submission from the zygote, then a judge from the evaluator.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from autograder import dataset, isolation, notebook
from autograder.errors import EvidenceError, GraderFault, SubmissionError
from autograder.evidence import BLOB_LIMIT, specs
from autograder.grade import GradeReport, Outcome, QuestionGrade, Status, Verdict
from autograder.policy import Policy
from autograder.sandbox.confine import Jail
from autograder.sandbox.limits import THREADS, Limits
from autograder.sandbox.recorder import JOURNAL_LIMIT
from autograder.sandbox.zygote import MESSAGE_LIMIT
from autograder.submission import Submission

__all__ = ["Engine"]

UNTRUSTED = "UNTRUSTED: this notebook was run without a sandbox, so its points prove nothing about a stranger's work."

CANARY = "secret"
"""A file in the run's folder that a student process must not be able to read."""

START_S = 180
"""Seconds that importing TensorFlow may take (about 10 s when the disk is warm)."""

GRACE_S = 4
"""Seconds between the time limit, which is an exception in the notebook, and the kill from outside."""

DECLARATION = 4096
"""Bytes of output within which a student process says what confines it."""

JUDGE_LIMITS = Limits(wall_s=120, memory_mb=4096, work_mb=0, files=0)
"""What a judge may take; a second or two is normal."""

OVER = {
    "time": "The time limit of {0.timeout_s:g} s",
    "memory": "The memory limit of {0.memory_mb:g} MB",
    "disk": "The limit of {0.work_mb:g} MB for files",
    "files": "The limit of {0.work_files} files",
    "threads": f"The limit of {THREADS} threads",
}
"""Words for each limit that the zygote enforces."""

TIME_LIMIT = "TimeLimit"
"""Name of the exception by which a notebook is told that its time is up (`sandbox.runner`)."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)


@dataclass(frozen=True)
class _Ended:
    """How a child ended, as the zygote tells it."""

    exit: int | None
    signal: int | None
    over: str | None
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class _Run:
    """One student process, over; `journal` and `blob` are its evidence, open files without a name."""

    ended: _Ended
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
        self._warm: _Warm | None = None
        self._over = False

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="mnist-kit-", ignore_cleanup_errors=True)
        try:
            self._lay_out()
            self._ready()
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
            return self._rejected(submission, submission.problem)
        try:
            book = notebook.read(submission.data, self._policy)
        except SubmissionError as error:
            return self._rejected(submission, str(error))
        try:
            return self._grade(submission, book)
        except EvidenceError as error:  # the notebook's own doing: another run would end in the same way
            return self._ungraded(submission, book, str(error))
        except Exception as first:
            try:  # A process of ours may have died under another submission: once more, from a fresh start.
                return self._grade(submission, book)
            except Exception as error:
                return self._ungraded(submission, book, f"{error} (and before that: {first})")

    def _grade(self, submission: Submission, book: notebook.Notebook) -> GradeReport:
        warm = self._ready()
        with tempfile.TemporaryFile() as journal, tempfile.TemporaryFile() as blob:
            run = _Run(*self._run(warm, book, journal, blob), journal, blob)
            layers = _confined_by(run)
            if layers is None:
                last = run.printed.decode("utf-8", "replace").strip().splitlines()[-1:]
                raise GraderFault(f"the notebook was not started: {''.join(last)[:300] or 'its process ended'}")
            started = time.monotonic()
            verdict = self._judge(warm, run)
        if verdict.fault:
            return self._ungraded(submission, book, verdict.fault)
        return GradeReport(
            name=submission.name,
            source=submission.source,
            status=Status.GRADED,
            questions=tuple(self._questions(book, verdict, self._stopped_by_time(verdict, run.ended))),
            notes=(
                *(() if self._plan else (UNTRUSTED,)),
                *book.notes,
                *dict.fromkeys(verdict.evidence["notes"]),
                *self._how_it_ended(book, verdict, run.ended),
            ),
            seconds=(("notebook", run.ended.seconds), ("judge", time.monotonic() - started)),
            peak_memory_mb=run.ended.peak_memory_mb,
            accuracy=verdict.accuracy,
            isolation=layers,
        )

    def _run(self, warm: _Warm, book: notebook.Notebook, journal: IO[bytes], blob: IO[bytes]) -> tuple[_Ended, bytes]:
        """Run the notebook in a process of its own; returns how that ended, and what it printed."""
        limits = self._policy.execution
        job = {
            "cells": [{"index": cell.index, "source": cell.source} for cell in book.cells],
            "questions": specs(self._policy),
            "timeout_s": limits.timeout_s,
        }
        with self._place() as (work, uid), tempfile.TemporaryFile() as job_file:
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
                    return _watch(status, read_end, DECLARATION + int(limits.output_mb * 2**20), wait)
            finally:
                os.close(read_end)
                if write_end >= 0:
                    os.close(write_end)

    def _judge(self, warm: _Warm, run: _Run) -> Verdict:
        for file, limit in ((run.journal, JOURNAL_LIMIT), (run.blob, BLOB_LIMIT)):
            if os.fstat(file.fileno()).st_size > limit:
                raise EvidenceError("the notebook's process left more evidence than the contract allows")
        with tempfile.TemporaryFile() as result:
            fds = [run.journal.fileno(), run.blob.fileno(), result.fileno()]
            request = {"args": {}, "limits": self._judge_limits.to_json(), "work": None}
            with warm.judges.ask(request, fds) as status:
                ended, _ = _watch(status, None, 0, self._judge_limits.wall_s + GRACE_S)
            if ended.exit != 0:
                raise GraderFault(f"the judge ended: exit {ended.exit}, signal {ended.signal}, over {ended.over}")
            return Verdict.from_json(os.pread(result.fileno(), 2**24, 0))

    def _stopped_by_time(self, verdict: Verdict, ended: _Ended) -> Mapping[str, Any] | None:
        """The error by which a notebook was told that its time was up; a student's exception may have the same name."""
        if ended.seconds < self._policy.execution.timeout_s:
            return None
        return next((error for error in verdict.evidence["errors"] if error["name"] == TIME_LIMIT), None)

    def _questions(
        self, book: notebook.Notebook, verdict: Verdict, stopped: Mapping[str, Any] | None
    ) -> Iterator[QuestionGrade]:
        for id, asked in self._policy.questions.items():
            if id in self._policy.written:
                yield QuestionGrade(id, asked.title, True, asked.points, None, answer=book.answers[id])
                continue
            checks = verdict.checks[id]
            sure = all(check.outcome is not Outcome.UNGRADED for check in checks if check.points)
            earned = round(sum(check.earned for check in checks), 6) if sure else None
            errors = () if earned == asked.points else tuple(_errors(book, verdict, id, stopped))
            yield QuestionGrade(id, asked.title, False, asked.points, earned, checks, "\n".join(errors[:3]))

    def _how_it_ended(self, book: notebook.Notebook, verdict: Verdict, ended: _Ended) -> tuple[str, ...]:
        facts = verdict.evidence
        stopped = self._stopped_by_time(verdict, ended)
        if facts["finished"] and stopped is None:
            return ()
        cell = book.cell(stopped["cell"] if stopped else facts["last_cell"])
        where = "before its first cell" if cell is None else f"in {cell.describe()}"
        if cell is not None and cell.question:
            where += f" (question {cell.question})"
        if ended.over or stopped:
            what = OVER[ended.over or "time"].format(self._policy.execution)
            return (f"{what} was reached {where}. What was answered before it counts.",)
        return (f"The notebook's process came to an end {where}. What was answered before it counts.",)

    def _rejected(self, submission: Submission, why: str) -> GradeReport:
        questions = tuple(
            QuestionGrade(id, asked.title, id in self._policy.written, asked.points, 0.0)
            for id, asked in self._policy.questions.items()
        )
        return GradeReport(submission.name, submission.source, Status.REJECTED, questions, notes=(why,))

    def _ungraded(self, submission: Submission, book: notebook.Notebook, fault: str) -> GradeReport:
        questions = tuple(
            QuestionGrade(id, asked.title, id in self._policy.written, asked.points, None, answer=book.answers.get(id))
            for id, asked in self._policy.questions.items()
        )
        return GradeReport(
            submission.name, submission.source, Status.UNGRADED, questions, notes=book.notes, fault=fault
        )

    def _ready(self) -> _Warm:
        """The warm process, started (again) if there is none alive."""
        with self._lock:
            if self._over:
                raise GraderFault("the run was ended before this submission was graded")
            if self._warm is None or not self._warm.alive:
                if self._warm is not None:
                    self._warm.close()
                self._warm = _Warm(self.folder)
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

    def _jail(self, plan: isolation.Plan, work: Path, uid: int | None, limits: Limits) -> Jail:
        secrets = (*self._secrets, self.folder / CANARY)
        return Jail(work, secrets, uid, plan.required, limits)

    def _lay_out(self) -> None:
        """The run's folders: public arrays, work folders that only their owners enter, and a secret as a canary."""
        self.folder.chmod(0o711)  # to be passed, not listed, by the students' users
        (self.folder / "work").mkdir(mode=0o711)
        (self.folder / CANARY).touch(mode=0o600)
        self._write_public(self.folder / "public")

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


def _confined_by(run: _Run) -> tuple[str, ...] | None:
    """The layers that confined the notebook, told before any of its code ran; None where no cell was started."""
    first, end, _ = run.printed[:DECLARATION].partition(b"\n")
    if not end or not first.startswith(b'{"isolation": ') or not os.fstat(run.journal.fileno()).st_size:
        return None
    return tuple(json.loads(first)["isolation"])


def _errors(
    book: notebook.Notebook, verdict: Verdict, question: str, stopped: Mapping[str, Any] | None
) -> Iterator[str]:
    """What stopped the cells of a question, the time limit aside."""
    for error in verdict.evidence["errors"]:
        cell = book.cell(error["cell"])
        if cell is not None and cell.question == question and error is not stopped:
            described = cell.describe()
            yield f"{described[0].upper()}{described[1:]} stopped with {error['name']}: {error['text']}"


class _Channel:
    """A control socket to a zygote, shared by threads."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any], fds: list[int]) -> socket.socket:
        """Send a request; the answer comes on the socket returned."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            try:
                socket.send_fds(self.control, [json.dumps(request).encode()], [theirs.fileno(), *fds])
            except OSError as error:
                mine.close()
                raise GraderFault(f"a warm process is gone ({error})") from error
        return mine


class _Warm:
    """The warm process and the sockets to its two halves."""

    def __init__(self, folder: Path) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
        (students, students_end), (judges, judges_end) = pairs
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "IPYTHONDIR": str(folder / "ipython"),
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **ONE_THREAD,
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        command = [sys.executable, "-I", "-m", "autograder.warm"]
        command += [str(students_end.fileno()), str(judges_end.fileno()), str(folder / "public")]
        self._process = subprocess.Popen(
            command,
            pass_fds=(students_end.fileno(), judges_end.fileno()),
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        students_end.close()
        judges_end.close()
        self.students, self.judges = _Channel(students), _Channel(judges)
        self._expect_ready(students)

    def brief(self, config: Mapping[str, Any]) -> None:
        """Tell the evaluator, and only it, what is secret."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(config).encode())
            file.seek(0)
            socket.send_fds(self.judges.control, [b"config"], [file.fileno()])
            self._expect_ready(self.judges.control)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not _hung_up(self.judges.control)

    def close(self) -> None:
        """Hang up; both halves end by themselves and take their children along."""
        for channel in (self.students, self.judges):
            channel.control.close()
        try:
            self._process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _expect_ready(self, control: socket.socket) -> None:
        control.settimeout(START_S)
        try:
            answer = control.recv(64)
        except TimeoutError:
            answer = b""
        finally:
            control.settimeout(None)
        if answer != b"ready":
            said = os.pread(self._log.fileno(), 2**16, 0).decode("utf-8", "replace").strip().splitlines()[-5:]
            self.close()
            raise GraderFault("the grading process did not start:\n" + "\n".join(said))


def _watch(status: socket.socket, output: int | None, keep: int, wait_s: float) -> tuple[_Ended, bytes]:
    """Wait for the end of a child while its output is drained; `keep` bytes of it are kept.

    Raises GraderFault where the zygote is gone or does not answer in time.
    """
    printed = bytearray()
    deadline = time.monotonic() + wait_s
    with selectors.DefaultSelector() as selector:
        selector.register(status, selectors.EVENT_READ)
        if output is not None:
            selector.register(output, selectors.EVENT_READ)
        while True:
            events = selector.select(max(0.0, deadline - time.monotonic()))
            if not events:
                raise GraderFault("the grading process does not answer")
            ready = {key.fileobj for key, _ in events}
            if output in ready and output is not None:
                chunk = os.read(output, 2**16)
                printed += chunk[: max(0, keep - len(printed))]
                if not chunk:
                    selector.unregister(output)
            if status in ready:
                message = status.recv(MESSAGE_LIMIT)
                if not message:
                    raise GraderFault("the grading process died")
                return _Ended(**json.loads(message)), bytes(printed)


def _hung_up(control: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        return control.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    return False
