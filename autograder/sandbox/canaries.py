"""Canaries: attempts that a confined process makes itself, each of which must fail."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["escapes"]


def escapes(work: Path, secrets: Iterable[Path], parent: int, *, files_closed: bool) -> Iterator[str]:
    """Yield the name of each attempt that succeeds.

    `parent` is the pid of the process that forked this one. Without Landlock (`files_closed` is False) folders that
    everybody may write to, such as /tmp, stay open.
    """
    attempts: list[tuple[str, Callable[[], bool]]] = [
        (f"read {secret.name}", partial(_works, partial(os.open, secret, os.O_RDONLY))) for secret in secrets
    ]
    outside = work.parent / f"canary-{os.getpid()}"
    for path in (outside, *([Path("/tmp") / outside.name] if files_closed else [])):
        attempts.append(("write outside the work folder", partial(_works, partial(_write, path))))
    for family, kind, name in (
        (socket.AF_INET, socket.SOCK_STREAM, "TCP"),
        (socket.AF_INET, socket.SOCK_DGRAM, "UDP"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "unix"),
        (socket.AF_NETLINK, socket.SOCK_RAW, "netlink"),
    ):
        attempts.append((f"open a {name} socket", partial(_works, partial(socket.socket, family, kind))))
    attempts += [
        ("start a process", _forks),
        ("signal the parent", partial(_works, partial(os.kill, parent, 0))),
        ("run a program", partial(_works, partial(os.execv, "/nonexistent", ["x"]), unless=errno.EPERM)),
        ("change permissions", partial(_changes_mode, work)),
    ]
    return (name for name, succeeds in attempts if succeeds())


def _works(attempt: Callable[[], Any], unless: int | None = None) -> bool:
    """Whether an attempt succeeds; with `unless`, whether it fails for another reason than that one."""
    try:
        attempt()
    except OSError as error:
        return unless is not None and error.errno != unless
    return True


def _write(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    path.unlink()


def _forks() -> bool:
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def _changes_mode(folder: Path) -> bool:
    """Whether chmod has an effect: the filter answers it with success."""
    before = folder.stat().st_mode
    _works(partial(os.chmod, folder, 0o777))
    return folder.stat().st_mode != before
