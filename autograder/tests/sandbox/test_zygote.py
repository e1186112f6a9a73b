"""The fork server with real processes; its handlers here are a few lines long and need no TensorFlow."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import zygote

SERVER = """
import os, signal, socket, sys, time
from autograder.sandbox import zygote

def handler(args, fds):
    match args["do"]:
        case "write": os.write(fds[0], args["text"].encode())
        case "raise": raise RuntimeError("handler gave up")
        case "exit": os._exit(args["code"])
        case "kill": os.kill(os.getpid(), args["signal"])
        case "sleep": time.sleep(args["s"])
        case "stubborn":
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
            os.kill(os.getpid(), signal.SIGSTOP)
        case "leave":
            if os.fork() == 0: time.sleep(60)
            os.write(fds[0], b"parent done")
        case "escape":  # a grandchild in a session of its own, which a kill of the group does not reach
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: time.sleep(60)
                os._exit(0)
            time.sleep(0.3)
        case "eat":
            held = bytearray(args["mb"] * 2**20)
            held[::4096] = b"x" * len(held[::4096])
            time.sleep(30)
        case "share":
            import mmap; held = mmap.mmap(-1, args["mb"] * 2**20)
            for at in range(0, len(held), 4096): held[at] = 1
            time.sleep(30)
        case "files":
            for number in range(args["n"]):
                open(os.path.join(args["folder"], str(number)), "w").write("x" * args["size"])
            time.sleep(30)
        case "look": os.write(fds[0], str(len(os.listdir("/proc/self/fd"))).encode())

zygote.serve(socket.socket(fileno=int(sys.argv[1])), handler)
"""


@pytest.fixture
def control() -> Iterator[socket.socket]:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", "-c", SERVER, str(theirs.fileno())]
    server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
    theirs.close()
    with mine:
        yield mine
    assert server.wait(timeout=10) == 0, "the server ends by itself when the launcher hangs up"


def start(
    control: socket.socket, wall_s: float = 20, memory_mb: float = 1000, work: Path | None = None, **args: Any
) -> tuple[socket.socket, int]:
    """Send a request; returns the status socket and the reading end of a pipe for the handler."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read_end, write_end = os.pipe()
    with theirs:
        limits = {"wall_s": wall_s, "memory_mb": memory_mb, "work_mb": 1, "files": 20}
        message = json.dumps({"args": args, "limits": limits, "work": str(work) if work else None}).encode()
        socket.send_fds(control, [message], [theirs.fileno(), write_end])
    os.close(write_end)
    return mine, read_end


def finish(started: tuple[socket.socket, int]) -> tuple[dict[str, Any], bytes]:
    status, read_end = started
    status.settimeout(20)
    with status:
        report = json.loads(status.recv(zygote.MESSAGE_LIMIT))
    with os.fdopen(read_end, "rb") as pipe:
        os.set_blocking(read_end, False)
        return report, pipe.read() or b""


def test_many_children_at_once_keep_their_own_output(control: socket.socket) -> None:
    started = [start(control, do="write", text=f"child {number}") for number in range(20)]
    assert [finish(each)[1] for each in started] == [f"child {number}".encode() for number in range(20)]


@pytest.mark.parametrize(
    ("request_", "exit", "signal_"),
    [
        ({"do": "write", "text": ""}, 0, None),
        ({"do": "raise"}, zygote.HANDLER_FAILED, None),
        ({"do": "exit", "code": 3}, 3, None),
        ({"do": "kill", "signal": int(signal.SIGSEGV)}, None, signal.SIGSEGV),
        ({"do": "kill", "signal": int(signal.SIGKILL)}, None, signal.SIGKILL),
    ],
    ids=["it is done", "the handler raises", "it exits", "it crashes", "it is killed"],
)
def test_the_end_of_a_child_is_reported(
    control: socket.socket, request_: dict[str, Any], exit: int | None, signal_: int | None
) -> None:
    report, _ = finish(start(control, **request_))
    assert (report["exit"], report["signal"], report["over"]) == (exit, signal_, None)
    assert 0 < report["peak_memory_mb"] < 500


def test_a_slow_child_does_not_hold_up_a_quick_one(control: socket.socket) -> None:
    status, read_end = start(control, do="sleep", s=600)
    assert finish(start(control, do="write", text="quick"))[1] == b"quick"
    with pytest.raises(BlockingIOError):
        status.recv(10, socket.MSG_DONTWAIT)
    status.close()
    os.close(read_end)


@pytest.mark.parametrize(("do", "written"), [("leave", b"parent done"), ("escape", b"")])
def test_no_descendant_survives_a_child(control: socket.socket, do: str, written: bytes) -> None:
    """In another session too: the pipe ends only when the last descendant is dead."""
    status, read_end = start(control, do=do)
    status.settimeout(20)
    with status:
        assert json.loads(status.recv(zygote.MESSAGE_LIMIT))["exit"] == 0
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read() == written


OVER: dict[str, tuple[str, dict[str, Any]]] = {
    "asleep": ("time", {"do": "sleep", "s": 300, "wall_s": 0.5}),
    "ignoring signals": ("time", {"do": "stubborn", "wall_s": 0.5}),
    "large": ("memory", {"do": "eat", "mb": 400, "memory_mb": 200}),
    "large without a work folder": ("memory", {"do": "eat", "mb": 400, "memory_mb": 200, "work": None}),
    "large in shared memory": ("memory", {"do": "share", "mb": 400, "memory_mb": 200}),
    "many files": ("files", {"do": "files", "n": 100, "size": 0}),
    "large files": ("disk", {"do": "files", "n": 10, "size": 400_000}),
}


@pytest.mark.parametrize(("over", "request_"), OVER.values(), ids=OVER)
def test_a_child_over_a_limit_is_ended(
    control: socket.socket, tmp_path: Path, over: str, request_: dict[str, Any]
) -> None:
    report, _ = finish(start(control, **{"work": tmp_path, "folder": str(tmp_path), **request_}))
    assert (report["over"], report["signal"]) == (over, signal.SIGKILL)


def test_a_child_has_no_descriptors_of_other_children(control: socket.socket) -> None:
    alone = finish(start(control, do="look"))[1]
    sleeping = [start(control, do="sleep", s=1) for _ in range(5)]
    assert finish(start(control, do="look"))[1] == alone
    for each in sleeping:
        finish(each)


def test_hanging_up_ends_running_children(control: socket.socket) -> None:
    status, read_end = start(control, do="sleep", s=60)
    time.sleep(0.3)
    control.close()
    status.settimeout(10)
    with status, contextlib.suppress(ConnectionResetError):
        assert status.recv(10) == b""
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read() == b""
