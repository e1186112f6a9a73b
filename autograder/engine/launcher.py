"""The warm process and the sockets to its two halves: start it, ask for a child, wait for how that ended.

The launcher talks to `warm_process.py` through here. Nothing of this imports TensorFlow or runs student code.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.engine.environment import REPAIR, command
from autograder.errors import GraderFault
from autograder.sandbox.zygote import MESSAGE_LIMIT

__all__ = ["GRACE_S", "ONE_THREAD", "Channel", "Ended", "WarmProcess", "watch"]

START_S = 180
"""Seconds that importing TensorFlow may take (about 10 s when the disk is warm)."""

GRACE_S = 4
"""Seconds between the time limit, which is an exception in the notebook, and the kill from outside."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)


@dataclass(frozen=True)
class Ended:
    """How a child ended, as the zygote tells it."""

    exit: int | None
    signal: int | None
    over: str | None
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float


class Channel:
    """A control socket to one half of the warm process, shared by threads; `why` tells why that process ended."""

    def __init__(self, control: socket.socket, why: Callable[[], str]) -> None:
        self.control = control
        self._why = why
        self._lock = threading.Lock()
        self._ready = False

    def await_ready(self) -> None:
        """Wait until this half takes requests. Raises GraderFault, with its last words, where it never does."""
        with self._lock:
            if self._ready:
                return
            self.control.settimeout(START_S)
            try:
                self._ready = self.control.recv(64) == b"ready"
            except OSError:  # too slow, or closed at the end of the run
                self._ready = False
            if not self._ready:
                raise GraderFault(f"the grading process did not start: {self._why()}")
            self.control.settimeout(None)

    def ask(self, request: Mapping[str, Any], fds: list[int]) -> socket.socket:
        """Send a request; the answer comes on the socket returned."""
        self.await_ready()
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            try:
                socket.send_fds(self.control, [json.dumps(request).encode()], [theirs.fileno(), *fds])
            except OSError as error:
                mine.close()
                raise GraderFault(f"a warm process is gone ({error})") from error
        return mine


class WarmProcess:
    """The warm process, which is only started here and imports for ten seconds, and the sockets to its two halves."""

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
        ends = [str(end.fileno()) for end in (students_end, judges_end)]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            command("autograder.engine.warm_process", *ends, str(folder / "public")),
            pass_fds=(students_end.fileno(), judges_end.fileno()),
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        students_end.close()
        judges_end.close()
        self.students, self.judges = Channel(students, self._why), Channel(judges, self._why)

    def brief(self, config: Mapping[str, Any]) -> None:
        """Tell the evaluator, and only it, what is secret. Raises GraderFault where it has ended by then."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(config).encode())
            file.seek(0)
            try:
                socket.send_fds(self.judges.control, [b"config"], [file.fileno()])
            except OSError as error:
                raise GraderFault(f"the grading process did not start: {self._why()}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not _hung_up(self.judges.control)

    def _why(self) -> str:
        """Its last words, how it ended, and what to do about that where it is known."""
        said = os.pread(self._log.fileno(), 2**16, 0).decode("utf-8", "replace").strip().splitlines()[-5:]
        try:
            code = self._process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            return f"no answer in {START_S} s. Is this machine very busy? Try again, or with fewer --workers."
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return "\n".join([f"it ended with {ended}", *_told(ended, said)])

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


def watch(status: socket.socket, output: int | None, keep: int, wait_s: float) -> tuple[Ended, bytes]:
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
                return Ended(**json.loads(message)), bytes(printed)


def _told(ended: str, said: Sequence[str]) -> Sequence[str]:
    """What is worth repeating of what a process said, and what to do where the cause is a known one."""
    last = said[-1] if said else ""
    if last.startswith(("ImportError", "ModuleNotFoundError")):
        return last, f"{REPAIR}."
    if ended == "SIGILL" or "AVX" in last:
        return (
            *said,
            "TensorFlow is made for processors with AVX, which this one seems to lack (Linux: grep avx /proc/cpuinfo). "
            "Grade on another machine; hand the processor through to a virtual one.",
        )
    if ended == "SIGKILL":
        return *said, "The system ends processes so where memory runs out: close other programs, or lower --workers."
    return said


def _hung_up(control: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        return control.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    return False
