"""A warm process that forks one child for every request, watches it, and reaps it.

Border contract
---------------
In:   `control`, a SEQPACKET socket. Each datagram is JSON `{"args": {...}, "limits": {...}, "work": folder or null}`
      and carries file descriptors: first the request's own status socket, then those the handler needs.
Out:  on the status socket one datagram when the child and everything it started are dead and reaped: `{"exit": code
      or null, "signal": number or null, "over": "time", "memory", "disk", "files", "threads" or null, "seconds": float,
      "cpu_seconds": float, "peak_memory_mb": float}`.
Meaningless: a child's output; it may be student code.
Ends: when `control` closes (the launcher is done, or dead). Every child still alive is killed first. A status
      socket that closes without a datagram means that this process died.
It is not a judge: it knows no test and no result. It must have one thread only, because it forks.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import libc
from autograder.sandbox.limits import Limits, excess, use_of

__all__ = ["HANDLER_FAILED", "MESSAGE_LIMIT", "Handler", "serve", "single_threaded"]

HANDLER_FAILED = 70
"""Exit code of a child whose handler raised (EX_SOFTWARE of sysexits.h)."""

LOOK_EVERY_S = 0.2  # seconds between two measurements of a child
ORPHAN_ROUNDS = 1000  # rounds of killing orphans; each ends at least one generation
MESSAGE_LIMIT = 64 * 1024
FDS_LIMIT = 8

Handler = Callable[[dict[str, Any], list[int]], None]


@dataclass
class _Child:
    status: socket.socket
    limits: Limits
    work: Path | None
    started: float
    deadline: float
    over: str | None = None


def serve(control: socket.socket, handler: Handler) -> None:
    """Answer requests until `control` closes. In the child, `handler(args, fds)` runs and the child exits."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    previous_wakeup = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    previous_handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, _Child] = {}
    siblings = _offspring()
    with contextlib.suppress(OSError):  # become the parent of the processes that a child leaves behind: prctl(2)
        libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    try:
        while True:
            deadline = min((child.deadline for child in children.values()), default=0.0)
            wait_s = min(max(0.0, deadline - time.monotonic()), LOOK_EVERY_S) if children else None
            ready, _, _ = select.select([control.fileno(), wake_read], [], [], wait_s)
            if wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
            _reap(children, siblings)
            _enforce(children)
            if control.fileno() in ready:
                message, fds, _, _ = socket.recv_fds(control, MESSAGE_LIMIT, FDS_LIMIT)
                if not message:
                    return
                request, (status_fd, *handed) = json.loads(message), fds
                status = socket.socket(fileno=status_fd)
                now = time.monotonic()
                pid = os.fork()
                if pid == 0:
                    ours = (control, status, *(child.status for child in children.values()))
                    _become_child(ours, (wake_read, wake_write), handler, request["args"], handed)
                for fd in handed:
                    os.close(fd)
                limits = Limits(**request["limits"])
                work = Path(request["work"]) if request["work"] else None
                children[pid] = _Child(status, limits, work, now, now + limits.wall_s)
    finally:
        for pid in children:
            _kill(pid)
        signal.set_wakeup_fd(previous_wakeup)
        signal.signal(signal.SIGCHLD, previous_handler)


def single_threaded() -> bool:
    """Whether this process has one OS thread, as forking needs (assumed on systems other than Linux)."""
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except FileNotFoundError:
        return True


def _become_child(
    sockets: Iterable[socket.socket], wake: tuple[int, int], handler: Handler, args: dict[str, Any], fds: list[int]
) -> NoReturn:
    """Run the handler in a freshly forked child, without the server's `sockets` and its pipe `wake`, and exit."""
    code = HANDLER_FAILED
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in sockets:
            other.close()
        for end in wake:
            os.close(end)
        handler(args, fds)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _reap(children: dict[int, _Child], siblings: frozenset[int]) -> None:
    while True:
        try:
            pid, wait_status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        child = children.pop(pid, None)
        if child is None:
            continue
        _kill(pid)
        _end_orphans(siblings | children.keys())
        code = os.waitstatus_to_exitcode(wait_status)
        report = {
            "exit": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "over": child.over,
            "seconds": time.monotonic() - child.started,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_memory_mb": usage.ru_maxrss / 1024,
        }
        with contextlib.suppress(OSError), child.status:
            child.status.send(json.dumps(report).encode())


def _enforce(children: dict[int, _Child]) -> None:
    now = time.monotonic()
    for pid, child in children.items():
        over = "time" if child.deadline <= now else None
        if over is None:
            over = excess(use_of(pid, child.work, child.limits.files), child.limits)
        if over is not None:
            child.over = child.over or over
            child.deadline = now + 1.0
            _kill(pid)


def _end_orphans(known: Collection[int]) -> None:
    """Kill and reap every descendant that is not `known`, until none is left."""
    for _ in range(ORPHAN_ROUNDS):
        orphans = _offspring() - set(known)
        if not orphans:
            return
        for pid in orphans:
            _kill(pid)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _offspring() -> frozenset[int]:
    """Return the children of this process (proc(5)); none if the system does not tell."""
    try:
        return frozenset(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))
    except (OSError, ValueError):
        return frozenset()


def _kill(pid: int) -> None:
    """Kill a child and everything in its process group, even if the child itself is gone."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
