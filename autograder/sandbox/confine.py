"""Confinement of a student process: the layers between its code and the machine, and the canaries that test them.

Border contract
---------------
In:   a Jail, in a freshly forked process that has run no student code and has one thread.
Out:  the names of the layers in force. From then on the process can read the Python it runs on and the public
      data, write to one folder, use no network, start no process, and signal none but itself.
Fails closed: a required layer that is not available, or a canary that succeeds, raises ConfineError, and no student
      cell runs.
It is not: a defence against bugs in the kernel, against a process that burns the CPU it was given, or
      against stat(2) of paths, which Landlock does not cover.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from autograder.sandbox import landlock, libc, seccomp
from autograder.sandbox import limits as limits_
from autograder.sandbox.limits import Limits

__all__ = ["ConfineError", "Gates", "Jail", "LayerStatus", "confine", "prepare", "probe"]


class ConfineError(Exception):
    """A required layer is missing, or a canary succeeded; no student code may run."""


@dataclass(frozen=True)
class Jail:
    """The confinement of one student process.

    `uid` is the user to become (None: keep the present one), `work` the one folder it may write to. `secrets` are
    files that must turn out unreadable. `required` names layers.
    """

    work: Path
    secrets: tuple[Path, ...]
    uid: int | None
    required: tuple[str, ...]
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "work": str(self.work), "secrets": list(map(str, self.secrets))}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        secrets, limits = tuple(map(Path, data["secrets"])), Limits(**data["limits"])
        return cls(Path(data["work"]), secrets, data["uid"], tuple(data["required"]), limits)


@dataclass(frozen=True)
class LayerStatus:
    """One layer on this machine: whether it is available, and the reason if it is not."""

    layer: str
    there: bool
    why: str = ""


@dataclass(frozen=True)
class Gates:
    """Everything that can be prepared before a fork: descriptors of readable paths, and the compiled seccomp filter.

    `program` is None if there is no filter; `why_no_filter` then gives the reason.
    """

    readable: tuple[int, ...]
    program: bytes | None
    why_no_filter: str = ""


def prepare(*more: Path) -> Gates:
    """Prepare the gates for processes that may read the Python they run on, and `more`; called in the warm process."""
    with contextlib.suppress(ImportError):
        import py_landlock.abi  # noqa: F401  # once here, not once a student
    handles = tuple(os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (*_interpreter(), *more) if path.exists())
    try:
        return Gates(handles, seccomp.compile_filter())
    except (OSError, RuntimeError, ImportError) as error:
        return Gates(handles, None, f"libseccomp is needed ({error})")


def _interpreter() -> set[Path]:
    """Return the paths a Python process reads after it has started: its libraries, its packages, the C library."""
    return {
        *(Path(path).resolve() for path in (sys.prefix, sys.base_prefix)),
        *map(Path, ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types")),
        *map(Path("/dev").joinpath, ("null", "zero", "urandom", "random")),
        *map(Path("/proc").joinpath, ("cpuinfo", "meminfo", "stat", "filesystems")),
        Path("/sys/devices/system/cpu"),
    }


def confine(jail: Jail, gates: Gates, keep: Iterable[int], parent: int) -> tuple[str, ...]:
    """Apply every layer to this process, then run the canaries. Return the layers in force.

    `keep` are the descriptors to leave open besides 0, 1 and 2; `parent` is the pid of the process that forked
    this one. Raises ConfineError.
    """
    _close_all_but({0, 1, 2, *keep, *gates.readable})
    layers = dict(_layers(jail, gates, parent))
    unknown = set(jail.required) - set(layers)
    if unknown:
        raise ConfineError(f"{', '.join(sorted(unknown))}: not available here")
    force: list[str] = []
    for layer, apply in layers.items():
        try:
            detail = apply()
        except Exception as error:  # of any kind: a layer that is not known to be on is off
            if layer in jail.required:
                raise ConfineError(f"{layer}: {error}") from error
            continue
        force.append(f"{layer} {detail}" if detail else layer)
    for handle in gates.readable:
        with contextlib.suppress(OSError):
            os.close(handle)
    files_closed = any(layer.startswith("landlock") for layer in force)
    for escape in _escapes(jail.work, jail.secrets, parent, files_closed=files_closed):
        raise ConfineError(f"a canary succeeded: {escape}")
    return tuple(force)


def probe(jail: Jail, gates: Gates) -> tuple[LayerStatus, ...]:
    """Try each layer of this machine in a child of its own that ends right after."""
    return tuple(_try(layer, apply) for layer, apply in _layers(jail, gates, os.getpid()))


def _layers(jail: Jail, gates: Gates, parent: int) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield each layer's name and the function that applies it and may return a detail, in the order to apply them."""

    def limit() -> None:
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it: prctl(2)
        if os.getppid() != parent and parent != os.getpid():
            raise OSError(errno.ESRCH, "the parent is gone")
        limits_.apply(jail.limits, os.cpu_count() or 1, own_user=jail.uid is not None)

    def filter_calls() -> None:
        if gates.program is None:
            raise OSError(errno.ENOSYS, gates.why_no_filter)
        seccomp.put_on(gates.program)

    yield "uid" if jail.uid is not None else "no capabilities", lambda: libc.become(jail.uid)
    yield "rlimits", limit
    yield "network namespace", libc.unshare
    yield "no new privileges", lambda: libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    yield "landlock", lambda: landlock.restrict(jail.work, gates.readable)
    yield "seccomp", filter_calls


def _try(layer: str, apply: Callable[[], str | None]) -> LayerStatus:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            try:
                if layer in ("landlock", "seccomp"):
                    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
                outcome = f"+{apply() or ''}"
            except BaseException as error:
                outcome = f"-{error}"
            os.write(write_end, outcome.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        outcome = pipe.read().decode(errors="replace")
    os.waitpid(pid, 0)
    return LayerStatus(layer, outcome.startswith("+"), outcome[1:] or ("" if outcome else "the process died trying it"))


def _close_all_but(keep: set[int]) -> None:
    try:
        opened = set(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  # numbers, not paths
    except OSError:
        opened = set(range(min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 4096)))
    for descriptor in opened - keep:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _escapes(work: Path, secrets: Iterable[Path], parent: int, *, files_closed: bool) -> Iterator[str]:
    """Run the canaries, attempts of this process that must fail; yield the name of each that succeeds.

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
