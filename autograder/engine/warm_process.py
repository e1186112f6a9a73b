"""The warm process as the launcher sees it: start it (`warm_main.py`), ask for a child, wait until the child has ended.

Nothing here imports TensorFlow or runs student code.
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
from typing import IO, Any

from autograder.engine.environment import REPAIR, command
from autograder.errors import GraderFault
from autograder.sandbox.zygote import MESSAGE_LIMIT

__all__ = ["GRACE_S", "Channel", "Ended", "WarmProcess", "watch"]

START_S = 180  # seconds that importing TensorFlow may take (about 10 s when the disk is warm)

GRACE_S = 4
"""Seconds between the time limit, which is an exception in the notebook, and the kill from outside."""

PEEK = socket.MSG_DONTWAIT | socket.MSG_PEEK

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)

NO_AVX = (
    "TensorFlow needs a processor with AVX, which this one seems to lack (Linux: grep avx /proc/cpuinfo). "
    "Grade on another machine, or pass the host's processor through to this virtual one."
)
NO_MEMORY = "The system kills processes when memory runs out: close other programs, or lower --workers."


@dataclass(frozen=True)
class Ended:
    """The zygote's report on a child that has ended."""

    exit: int | None
    signal: int | None
    over: str | None
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float


class Channel:
    """A control socket to one half of the warm process, shared by threads; `why` explains why that process ended."""

    def __init__(self, control: socket.socket, why: Callable[[], str]) -> None:
        self.control = control
        self._why = why
        self._lock = threading.Lock()
        self._ready = False

    def await_ready(self) -> None:
        """Wait until this half takes requests. Raises GraderFault, with its last output, if it ends or is too slow."""
        with self._lock:
            if self._ready:
                return
            self.control.settimeout(START_S)
            with contextlib.suppress(OSError):  # too slow, or closed at the end of the run
                self._ready = self.control.recv(64) == b"ready"
            if not self._ready:
                raise GraderFault(f"the grading process did not start: {self._why()}")
            self.control.settimeout(None)

    def ask(self, request: Mapping[str, Any], fds: list[int]) -> socket.socket:
        """Ask for a child. Return the socket on which the report on its end will come, for `watch`."""
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
    """The warm process, which imports for about ten seconds once started, and the sockets to its two halves."""

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
            command("autograder.engine.warm_main", *ends, str(folder / "public")),
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
        """Send the secrets to the evaluator, and only to it. Raises GraderFault if it has ended."""
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
        with contextlib.suppress(BlockingIOError):  # the evaluator has sent nothing, nor hung up
            return self._process.poll() is None and self.judges.control.recv(1, PEEK) != b""
        return True

    def _why(self) -> str:
        """Return how the process ended, its last output, and the remedy if it is known."""
        output = os.pread(self._log.fileno(), 2**16, 0).decode("utf-8", "replace").strip().splitlines()[-5:]
        try:
            code = self._process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            return f"no answer in {START_S} s. Is this machine very busy? Try again, or with fewer --workers."
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return "\n".join([f"it ended with {ended}", *_explained(ended, output)])

    def close(self) -> None:
        """Close the sockets; both halves then kill their children and end."""
        for channel in (self.students, self.judges):
            channel.control.close()
        try:
            self._process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def watch(status: socket.socket, wait_s: float, output: IO[bytes] | None = None, keep: int = 0) -> tuple[Ended, bytes]:
    """Wait for a child to end while draining its output, of which `keep` bytes are kept; close `status`.

    Raises GraderFault if the zygote is gone or does not answer in time.
    """
    printed = bytearray()
    deadline = time.monotonic() + wait_s
    with status, selectors.DefaultSelector() as selector:
        selector.register(status, selectors.EVENT_READ)
        if output is not None:
            selector.register(output, selectors.EVENT_READ)
        while events := selector.select(max(0.0, deadline - time.monotonic())):
            ready = {key.fileobj for key, _ in events}
            if output is not None and output in ready:
                chunk = output.read(2**16)
                printed += chunk[: max(0, keep - len(printed))]
                if not chunk:
                    selector.unregister(output)
            if status in ready:
                message = status.recv(MESSAGE_LIMIT)
                if not message:
                    raise GraderFault("the grading process died")
                return Ended(**json.loads(message)), bytes(printed)
    raise GraderFault("the grading process does not answer")


def _explained(ended: str, output: Sequence[str]) -> Sequence[str]:
    """Return the useful lines of a process's last output, and the remedy if the cause is known."""
    last = output[-1] if output else ""
    if last.startswith(("ImportError", "ModuleNotFoundError")):
        return last, f"{REPAIR}."
    if ended == "SIGILL" or "AVX" in last:
        return *output, NO_AVX
    return (*output, NO_MEMORY) if ended == "SIGKILL" else output
