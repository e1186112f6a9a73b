"""Calls of the C library that Python does not offer, and the privileges that a process gives up with them."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

__all__ = ["LIBC", "become", "prctl", "unshare"]

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME, PR_GET_NAME = 15, 16
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_SET_VMA = 0x53564D41  # newer C libraries name their anonymous mappings

# linux/sched.h
CLONE_THREAD = 0x00010000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CLONE_NEWIPC = 0x08000000

# linux/capability.h: version 3 takes two 32-bit words of each set
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63  # more than any kernel has; dropping an unknown one fails with EINVAL and is ignored

# Looked up once, before any fork: each look-up searches every library that TensorFlow has loaded.
LIBC = ctypes.CDLL(None, use_errno=True)
for _name in ("prctl", "capset", "unshare"):
    getattr(LIBC, _name, None)


def prctl(operation: int, value: int) -> None:
    """Call prctl(2) with one argument. Raises OSError."""
    if LIBC.prctl(operation, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({operation})")


def become(uid: int | None) -> str:
    """Become another user, or stay the same one without any capability (capabilities(7)). Return the user's id.

    Raises OSError.
    """
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        if os.getresuid() != (uid,) * 3 or os.getresgid() != (uid,) * 3:
            raise OSError(errno.EPERM, "the user could not be changed")
        # The change clears this flag. Without it /proc/self belongs to root, and only a privileged watcher may look in.
        # No other process runs as this user, and the seccomp filter has no ptrace.
        prctl(PR_SET_DUMPABLE, 1)
    _drop_capabilities()
    return str(uid) if uid is not None else ""


def unshare() -> None:
    """Enter an empty network and a namespace of System V objects (unshare(2), user_namespaces(7)). Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not available here")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError):
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    _drop_capabilities()  # a new user namespace begins with all of them


def _drop_capabilities() -> None:
    for capability in range(LAST_CAPABILITY + 1):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails without CAP_SETPCAP: nothing to drop then
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, two words each: capget(2)
    if LIBC.capset(ctypes.byref(header), ctypes.byref(nothing)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    held = [line for line in status.splitlines() if line.startswith(("CapEff:", "CapPrm:", "CapInh:"))]
    if any(int(line.split()[1], 16) for line in held):
        raise OSError(errno.EPERM, "a capability is left")
