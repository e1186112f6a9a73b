"""Limits on a student process: those the kernel enforces, and the measurements for those it does not.

Kernel limits (setrlimit(2)) are set in the child before any student code; the zygote watches the rest from
outside: resident memory (shared anonymous memory evades RLIMIT_DATA), the size of the work directory
(RLIMIT_FSIZE is per file) and of files that are deleted but still held, and threads (RLIMIT_NPROC does not bind root,
and counts everything else that an ordinary user runs).
"""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["THREADS", "Limits", "Use", "apply", "excess", "use_of"]

OPEN_FILES = 256
THREADS = 256
MOST_THREADS = 32 * THREADS
CPU_GRACE_S = 10  # seconds of CPU time beyond the wall-clock limit, before the kernel kills the process
HEADROOM_MB = 2048  # address space on top of the memory limit: TensorFlow reserves far more than it touches
HIDDEN = 2**62  # bytes that mean "cannot be known": more than any limit
DELETED = b" (deleted)"  # the kernel's mark after the path of a file that is in no folder any more


@dataclass(frozen=True)
class Limits:
    """Limits on one submission. Wall-clock seconds, megabytes of 2**20 bytes, number of files."""

    wall_s: float
    memory_mb: float
    work_mb: float
    files: int


@dataclass(frozen=True)
class Use:
    """The resources that a process and its work folder use at one moment."""

    memory_mb: float
    work_mb: float
    files: int
    threads: int = 0


def apply(limits: Limits, cores: int, *, own_user: bool) -> None:
    """Set the kernel's limits on this process, soft and hard alike (they cannot be raised again).

    `own_user`: nothing else runs as this user, so the kernel can count its threads. Its limit is a multiple of the
    watcher's, so that the watcher is always the one to report too many.
    """
    space = int((_status("self", "VmSize") / 1024 + limits.memory_mb + HEADROOM_MB) * 2**20)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_FSIZE, int(limits.work_mb * 2**20)),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, MOST_THREADS if own_user else resource.RLIM_INFINITY),
        (resource.RLIMIT_CPU, int(limits.wall_s * cores) + CPU_GRACE_S),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0) if hasattr(resource, "RLIMIT_MSGQUEUE") else (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        allowed = min((bound for bound in (value, hard) if bound != resource.RLIM_INFINITY), default=hard)
        resource.setrlimit(limit, (allowed, allowed))


def use_of(pid: int, work: Path | None, most_files: int) -> Use:
    """Measure process `pid` and its work folder (None: it has none); counting stops past `most_files` files.

    A process that is gone uses nothing.
    """
    try:
        memory_kb, threads = _status(str(pid), "VmRSS"), _status(str(pid), "Threads")
    except OSError:
        memory_kb = threads = 0
    if work is None:
        return Use(memory_kb / 1024, 0, 0, threads)
    size, files = _folder(work, most_files)
    return Use(memory_kb / 1024, (size + _deleted(pid, work)) / 2**20, files, threads)


def excess(use: Use, limits: Limits) -> str | None:
    """Return the limit that is exceeded: `memory`, `disk`, `files`, `threads`, or None."""
    if use.memory_mb > limits.memory_mb:
        return "memory"
    if use.work_mb > limits.work_mb:
        return "disk"
    if use.files > limits.files:
        return "files"
    return "threads" if use.threads > THREADS else None


def _folder(path: Path, most_files: int) -> tuple[int, int]:
    """Return the allocated bytes and the number of entries below `path`; links are not followed.

    A closed folder is opened first. One that still cannot be listed (its path is too long) counts as having too many
    files.
    """
    size = count = 0
    waiting = [str(path)]
    while waiting and count <= most_files:
        folder = waiting.pop()
        try:
            entries = _look_into(folder)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):  # removed meanwhile
                continue
            return size, most_files + 1
        with entries as found:
            for entry in found:
                count += 1
                if count > most_files:
                    break
                try:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
    return size, count


def _look_into(folder: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    """List a folder; as root also one that its owner made with mode 0."""
    try:
        return os.scandir(folder)
    except PermissionError:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            Path(f"/proc/self/fd/{handle}").chmod(0o700)  # of the folder that was opened, wherever its path leads now
        finally:
            os.close(handle)
        return os.scandir(folder)


def _deleted(pid: int, work: Path) -> int:
    """Return the bytes of deleted files that a descriptor or a mapping still holds.

    The evidence is among them: two files without a name, at most some 40 MB. The size of a file that only a mapping
    holds cannot be read without privileges, so it counts as more than any limit; Python's own mappings keep their
    descriptors. 0 if the system does not let this process look.
    """
    try:
        with _as_user_of(pid):
            sizes = dict(_deleted_and_open(pid))
            mapped = _deleted_and_mapped(pid, (os.fsencode(work) + b"/", b"/memfd:"))
    except OSError:
        return 0
    return sum(sizes.values()) + (0 if mapped <= sizes.keys() else HIDDEN)


@contextmanager
def _as_user_of(pid: int) -> Iterator[None]:
    """Act as the user of a process: without CAP_SYS_PTRACE (Docker) even root may not look into another user's."""
    found = Path(f"/proc/{pid}").stat()
    own = os.geteuid(), os.getegid()
    if own[0] != 0 or found.st_uid == 0:
        yield
        return
    try:
        os.setegid(found.st_gid)
        os.seteuid(found.st_uid)
        yield
    finally:
        os.seteuid(own[0])
        os.setegid(own[1])


def _deleted_and_open(pid: int) -> Iterator[tuple[int, int]]:
    """Yield inode and bytes of each deleted file that a process has open."""
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            found = entry.stat()
        except OSError:  # closed meanwhile
            continue
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
            yield found.st_ino, found.st_blocks * 512


def _deleted_and_mapped(pid: int, places: tuple[bytes, ...]) -> set[int]:
    """Return the inodes of deleted files below `places` that a process has mapped (proc_pid_maps(5))."""
    maps = Path(f"/proc/{pid}/maps").read_bytes()  # thousands of lines, five times a second: split only if needed
    if DELETED not in maps:
        return set()
    lines = (line.split(maxsplit=5) for line in maps.splitlines() if line.endswith(DELETED))
    return {int(fields[4]) for fields in lines if len(fields) == 6 and fields[5].startswith(places)}


def _status(pid: str, field: str) -> int:
    """Return a number from /proc/PID/status (proc(5)), sizes in KiB; 0 if it is missing, as for a zombie."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0
