"""The layers between a student's code and the machine, and the canaries that test them.

Border contract
---------------
In:   a Jail, in a freshly forked process that has run no student code and has one thread.
Out:  the names of the layers in force. From then on the process can read the Python it runs on and the public
      data, write one folder, use no network, start no process, and signal none but itself.
Fails closed: a required layer that cannot be had, or a canary that gets through, raises ConfineError, and no
      student cell runs.
It is not: a defence against bugs in the kernel, against a process that burns the CPU it was given, or
      against stat(2) of paths, which Landlock does not cover.

Landlock comes from `py-landlock` (typed, MIT, rulesets up to ABI 7), seccomp from `pyseccomp` (MIT, the interface
of libseccomp itself). What neither covers (capabilities, unshare, prctl) is ctypes, with its source beside it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
import stat
import struct
import sys
import tempfile
import termios
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from autograder.sandbox import limits as limits_
from autograder.sandbox.limits import Limits

__all__ = [
    "LAYERS",
    "ConfineError",
    "Gates",
    "Jail",
    "LayerStatus",
    "confine",
    "interpreter_folders",
    "passable",
    "prepare",
    "probe",
    "public_to_others",
]

LAYERS = ("uid", "no capabilities", "rlimits", "network namespace", "no new privileges", "landlock", "seccomp")

ARCHITECTURES = ("x86_64", "aarch64")

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_SET_NAME, PR_GET_NAME = 15, 16
PR_SET_VMA = 0x53564D41  # anonymous mappings are given names by newer C libraries

# linux/sched.h
CLONE_THREAD = 0x00010000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CLONE_NEWIPC = 0x08000000

# linux/capability.h: version 3 takes two 32-bit words of each set
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63  # more than any kernel has; dropping an unknown one fails with EINVAL and is ignored

SECCOMP_MODE_FILTER = 2  # linux/seccomp.h
OWN_PID = 0x7EADBEEF
"""Stands for the student's pid in the filter compiled before the fork; no pid is that high (PID_MAX_LIMIT is 2**22)."""

ALLOWED = tuple(
    """
    access alarm arch_prctl brk chdir clock_getres clock_gettime clock_nanosleep close close_range dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 exit exit_group
    faccessat faccessat2 fadvise64 fallocate fchdir fdatasync flock fstat fstatfs fsync ftruncate futex
    futex_waitv getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpgid getpgrp getpid
    getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid gettid gettimeofday getuid
    get_robust_list lseek lstat madvise membarrier mincore mkdir mkdirat mmap mprotect mremap msync munmap
    nanosleep newfstatat pause pipe pipe2 poll ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev
    pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 restart_syscall rmdir rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_yield select sendfile setitimer
    set_robust_list set_tid_address sigaltstack stat statfs statx sync_file_range sysinfo time times umask
    uname unlink unlinkat wait4 waitid write writev
    """.split()  # noqa: SIM905  # a hundred names read better without quotes
)
"""System calls that Python, NumPy, TensorFlow and IPython make on a normal run. Everything else fails with EPERM:
sockets, exec, ptrace, mount, chmod, links, bpf, io_uring, keyctl, and whatever a later kernel brings."""

# fcntl(2), ioctl(2): what Python and the C library ask of a file. Not F_SETOWN and F_SETSIG, which have the kernel
# send any signal to any process of the same user, nor FS_IOC_SETFLAGS and its like, which change a file that is
# open for reading only.
FILE_COMMANDS = (
    *(fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL),
    *(fcntl.F_GETLK, fcntl.F_SETLK, fcntl.F_SETLKW, fcntl.F_OFD_GETLK, fcntl.F_OFD_SETLK, fcntl.F_OFD_SETLKW),
)
DEVICE_COMMANDS = (
    *(termios.TCGETS, termios.TIOCGWINSZ, termios.FIONREAD, termios.FIONBIO, termios.FIOCLEX, termios.FIONCLEX),
)


INSTRUCTION = struct.Struct("=HBBI")
"""One step of a filter: code, jump if true, jump if false, value (struct sock_filter, linux/filter.h)."""


class _SocketFilterProgram(ctypes.Structure):
    """struct sock_fprog, linux/filter.h: the number of instructions and where they stand."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


# Looked up once, before the fork: each look-up searches every library TensorFlow has loaded.
_LIBC = ctypes.CDLL(None, use_errno=True)
for _name in ("prctl", "capset", "unshare"):
    getattr(_LIBC, _name, None)


class ConfineError(Exception):
    """A required layer is missing, or a canary got through; no student code may run."""


@dataclass(frozen=True)
class Jail:
    """What a student process may reach, and what is demanded of its confinement.

    `uid` is the user to become (None: keep the present one). `work` is the one folder to write. `secrets` are
    files that must turn out unreadable. `required` names LAYERS.
    """

    work: Path
    secrets: tuple[Path, ...]
    uid: int | None
    required: tuple[str, ...]
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        return {
            "work": str(self.work),
            "secrets": [str(path) for path in self.secrets],
            "uid": self.uid,
            "required": list(self.required),
            "limits": self.limits.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        secrets, limits = tuple(map(Path, data["secrets"])), Limits.from_json(data["limits"])
        return cls(Path(data["work"]), secrets, data["uid"], tuple(data["required"]), limits)


@dataclass(frozen=True)
class LayerStatus:
    """One layer on this machine: whether it can be had, and the reason where it cannot."""

    layer: str
    there: bool
    why: str = ""


@dataclass(frozen=True)
class Gates:
    """What can be made ready once, before any fork: descriptors of what may be read, and the compiled filter.

    `program` is None where there is no filter, and `why_no_filter` says so.
    """

    readable: tuple[int, ...]
    program: bytes | None
    why_no_filter: str = ""


def prepare(readable: Iterable[Path]) -> Gates:
    """Make the gates for processes that may read `readable`; called in the warm process."""
    with contextlib.suppress(ImportError):
        import py_landlock.abi  # noqa: F401  # once here, not once a student
    handles = tuple(os.open(path, os.O_PATH | os.O_CLOEXEC) for path in readable if path.exists())
    try:
        return Gates(handles, _compile_filter())
    except (OSError, RuntimeError, ImportError) as error:
        return Gates(handles, None, f"libseccomp is needed ({error})")


def confine(jail: Jail, gates: Gates, keep: Iterable[int], parent: int) -> tuple[str, ...]:
    """Apply every layer to this process, then send the canaries.

    `keep` are the descriptors to leave open besides 0, 1 and 2; `parent` is the pid of the process that forked
    this one. Returns the layers in force. Raises ConfineError.
    """
    _close_all_but({0, 1, 2, *keep, *gates.readable})
    force: list[str] = []
    unknown = set(jail.required) - {layer for layer, _ in _steps(jail, gates, parent)}
    if unknown:
        raise ConfineError(f"{', '.join(sorted(unknown))}: not to be had here")
    for layer, put_on in _steps(jail, gates, parent):
        try:
            done = put_on()
        except Exception as error:  # of any kind: a layer that is not known to be on is off
            if layer in jail.required:
                raise ConfineError(f"{layer}: {error}") from error
            continue
        force.append(f"{layer} {done}" if done else layer)
    for handle in gates.readable:
        with contextlib.suppress(OSError):
            os.close(handle)
    for name, escaped in _canaries(jail, parent, files_closed=any(each.startswith("landlock") for each in force)):
        if escaped:
            raise ConfineError(f"a canary got through: {name}")
    return tuple(force)


def interpreter_folders() -> tuple[Path, ...]:
    """Folders a Python process reads after it has started: its libraries, its packages, the C library."""
    found = [Path(each) for each in ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types")]
    found += [Path(each).resolve() for each in (sys.prefix, sys.base_prefix)]
    found += [Path(f"/dev/{name}") for name in ("null", "zero", "urandom", "random")]
    found += [Path(f"/proc/{name}") for name in ("cpuinfo", "meminfo", "stat", "filesystems")]
    found += [Path("/sys/devices/system/cpu")]
    return tuple(dict.fromkeys(path for path in found if path.exists()))


def public_to_others(paths: Iterable[Path]) -> bool:
    """Whether another user could read all of `paths`."""
    return all(passable(path.resolve().parent) and path.resolve().stat().st_mode & 0o005 == 0o005 for path in paths)


def passable(folder: Path) -> bool:
    """Whether another user can pass through a folder and all above it."""
    return all(each.stat().st_mode & 0o001 for each in (folder.resolve(), *folder.resolve().parents))


def probe(jail: Jail, gates: Gates) -> tuple[LayerStatus, ...]:
    """What this machine offers, each layer tried in a child of its own that ends right after."""
    return tuple(_try(layer, put_on) for layer, put_on in _steps(jail, gates, os.getpid()))


def _steps(jail: Jail, gates: Gates, parent: int) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "uid" if jail.uid is not None else "no capabilities", lambda: _become(jail.uid)
    yield "rlimits", lambda: _limit(jail, parent)
    yield "network namespace", _unshare
    yield "no new privileges", lambda: _prctl(PR_SET_NO_NEW_PRIVS, 1)
    yield "landlock", lambda: _landlock(jail, gates)
    yield "seccomp", lambda: _seccomp(gates)


def _try(layer: str, put_on: Callable[[], str]) -> LayerStatus:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            try:
                if layer in ("landlock", "seccomp"):
                    _prctl(PR_SET_NO_NEW_PRIVS, 1)
                said = f"+{put_on()}"
            except BaseException as error:
                said = f"-{error}"
            os.write(write_end, said.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    os.waitpid(pid, 0)
    return LayerStatus(layer, said.startswith("+"), said[1:] or ("" if said else "the trial did not survive it"))


def _close_all_but(keep: set[int]) -> None:
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        opened = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208  # numbers, not paths
    except OSError:
        opened = list(range(min(highest, 4096)))
    for descriptor in opened:
        if descriptor not in keep:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _become(uid: int | None) -> str:
    """Give up root: another user, or the same user without any capability (capabilities(7))."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        if os.getresuid() != (uid,) * 3 or os.getresgid() != (uid,) * 3:
            raise OSError(errno.EPERM, "the user could not be changed")
        # Lost with the change: without it /proc/self is root's, and nobody but a privileged watcher may look in.
        # No other process has this user, and the filter below has no ptrace.
        _prctl(PR_SET_DUMPABLE, 1)
    _drop_capabilities()
    return str(uid) if uid is not None else ""


def _drop_capabilities() -> None:
    for capability in range(LAST_CAPABILITY + 1):
        _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails without CAP_SETPCAP: nothing to drop then
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, two words each: capget(2)
    if _LIBC.capset(ctypes.byref(header), ctypes.byref(nothing)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be given up")
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    held = [line for line in status.splitlines() if line.startswith(("CapEff:", "CapPrm:", "CapInh:"))]
    if any(int(line.split()[1], 16) for line in held):
        raise OSError(errno.EPERM, "some capability is left")


def _limit(jail: Jail, parent: int) -> str:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it: prctl(2)
    if os.getppid() != parent and parent != os.getpid():
        raise OSError(errno.ESRCH, "the parent is gone")
    limits_.apply(jail.limits, os.cpu_count() or 1, own_user=jail.uid is not None)
    return ""


def _unshare() -> str:
    """An empty network and an own set of System V objects (unshare(2), user_namespaces(7))."""
    own = os.getuid(), os.getgid()
    if _LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not to be had here")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{own[0]} {own[0]} 1"), ("gid_map", f"{own[1]} {own[1]} 1")):
        with contextlib.suppress(OSError):
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    _drop_capabilities()  # a new user namespace begins with all of them
    return ""


def _landlock(jail: Jail, gates: Gates) -> str:
    """Files, TCP and signals (landlock(7)); what this kernel does not know is left out. Returns its version.

    Every process gets a ruleset of its own: rules added to a shared one would open each other's work folders.
    """
    from py_landlock import AccessFs, RulesetAttr, create_ruleset, get_abi_version, restrict_self
    from py_landlock.abi import get_supported_fs, get_supported_net, get_supported_scope

    abi = get_abi_version()
    attributes = RulesetAttr()
    attributes.handled_access_fs = known = get_supported_fs(abi)
    attributes.handled_access_net = get_supported_net(abi)
    attributes.scoped = get_supported_scope(abi)
    ruleset = create_ruleset(attributes)
    read = AccessFs.READ_FILE | AccessFs.READ_DIR
    write = AccessFs.WRITE_FILE | AccessFs.TRUNCATE | AccessFs.MAKE_REG | AccessFs.MAKE_DIR
    write |= AccessFs.REMOVE_FILE | AccessFs.REMOVE_DIR
    for handle in gates.readable:
        _allow(ruleset, handle, read & known)
    for path, access in (
        (Path(f"/proc/{os.getpid()}"), read),
        (Path("/dev/null"), AccessFs.READ_FILE | AccessFs.WRITE_FILE),
        (jail.work, read | write),
    ):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _allow(ruleset, handle, access & known)
        os.close(handle)
    restrict_self(ruleset, None)
    os.close(ruleset)
    return str(abi)


def _allow(ruleset: int, handle: int, access: Any) -> None:
    """Let a path and all below it be used; rights that only folders have are left out for a file."""
    from py_landlock import AccessFs, PathBeneathAttr, RulesetFd, add_rule

    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        access &= AccessFs.READ_FILE | AccessFs.WRITE_FILE | AccessFs.TRUNCATE
    rule = PathBeneathAttr()
    rule.allowed_access = access
    rule.parent_fd = handle
    add_rule(RulesetFd(ruleset), rule)


def _compile_filter() -> bytes:
    """Only the system calls in ALLOWED, threads but no processes, signals to itself only (seccomp(2))."""
    import pyseccomp as seccomp

    if platform.machine() not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter is known for {platform.machine()}")
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in ALLOWED:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # not every architecture has every call
            rules.add_rule(seccomp.ALLOW, name)
    argument = seccomp.Arg
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        rules.add_rule(seccomp.ALLOW, name, argument(0, seccomp.EQ, OWN_PID))
    rules.add_rule(seccomp.ALLOW, "clone", argument(0, seccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    for name, commands in (("fcntl", FILE_COMMANDS), ("ioctl", DEVICE_COMMANDS)):
        for command in commands:
            rules.add_rule(seccomp.ALLOW, name, argument(1, seccomp.EQ, command))
    for name, place in (("open", 1), ("openat", 2)):
        # Emptying a file needs no right to write it before Landlock's version 3, if it is opened for reading.
        for how in (0, os.O_TRUNC | os.O_WRONLY, os.O_TRUNC | os.O_RDWR):
            mask = os.O_TRUNC | (os.O_ACCMODE if how else 0)
            with contextlib.suppress(OSError, ValueError, RuntimeError):  # aarch64 has no open
                rules.add_rule(seccomp.ALLOW, name, argument(place, seccomp.MASKED_EQ, mask, how))
    for name in ("chmod", "fchmod", "fchmodat", "fchmodat2"):
        # Answered with success and not done: copying a file ends with one, and an honest notebook may copy a file.
        # The calls for a file's times are refused instead: Path.touch takes success for a file that is there.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            rules.add_rule(seccomp.ERRNO(0), name)
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags are in memory; the C library falls back to clone
    rules.add_rule(seccomp.ALLOW, "prlimit64", argument(0, seccomp.EQ, 0), argument(2, seccomp.EQ, 0))
    for operation in (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA):
        rules.add_rule(seccomp.ALLOW, "prctl", argument(0, seccomp.EQ, operation))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _seccomp(gates: Gates) -> str:
    """Put on the compiled filter, with this process's pid where it says OWN_PID."""
    if gates.program is None:
        raise OSError(errno.ENOSYS, gates.why_no_filter)
    program = b"".join(
        INSTRUCTION.pack(code, true, false, os.getpid() if value == OWN_PID else value)
        for code, true, false, value in INSTRUCTION.iter_unpack(gates.program)
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = _SocketFilterProgram(len(program) // INSTRUCTION.size, ctypes.addressof(buffer))
    if _LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not take the filter")
    return ""


def _canaries(jail: Jail, parent: int, *, files_closed: bool) -> Iterator[tuple[str, bool]]:
    """Each tries what must not work; True means that it worked.

    Without Landlock (`files_closed` is False) folders that everybody may write to, such as /tmp, stay open.
    """
    for secret in jail.secrets:
        yield f"read {secret.name}", _works(partial(os.open, secret, os.O_RDONLY))
    outside = jail.work.parent / f"canary-{os.getpid()}"
    for path in (outside, *([Path("/tmp") / outside.name] if files_closed else [])):
        yield "write outside the work folder", _works(partial(_write, path))
    for family, kind, name in (
        (socket.AF_INET, socket.SOCK_STREAM, "TCP"),
        (socket.AF_INET, socket.SOCK_DGRAM, "UDP"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "unix"),
        (socket.AF_NETLINK, socket.SOCK_RAW, "netlink"),
    ):
        yield f"open a {name} socket", _works(partial(socket.socket, family, kind))
    yield "start a process", _forks()
    yield "signal the parent", _works(partial(os.kill, parent, 0))
    yield "run a program", _works(partial(os.execv, "/nonexistent", ["x"]), unless=errno.EPERM)
    before = jail.work.stat().st_mode
    _works(partial(os.chmod, jail.work, 0o777))
    yield "change permissions", jail.work.stat().st_mode != before


def _works(attempt: Callable[[], Any], unless: int | None = None) -> bool:
    """Whether an attempt went through; with `unless`, whether it failed for any other reason than that one."""
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


def _prctl(operation: int, value: int) -> str:
    if _LIBC.prctl(operation, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({operation})")
    return ""
