"""Giving up root, capabilities, and the network and System V objects that other processes share."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

from autograder.sandbox import libc

__all__ = ["become", "unshare"]

# linux/capability.h: version 3 takes two 32-bit words of each set
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = 63  # more than any kernel has; dropping an unknown one fails with EINVAL and is ignored


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
        libc.prctl(libc.PR_SET_DUMPABLE, 1)
    _drop_capabilities()
    return str(uid) if uid is not None else ""


def unshare() -> None:
    """Enter an empty network and a namespace of System V objects (unshare(2), user_namespaces(7)). Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    if libc.LIBC.unshare(libc.CLONE_NEWUSER | libc.CLONE_NEWNET | libc.CLONE_NEWIPC) != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not available here")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError):
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    _drop_capabilities()  # a new user namespace begins with all of them


def _drop_capabilities() -> None:
    for capability in range(LAST_CAPABILITY + 1):
        libc.LIBC.prctl(libc.PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails without CAP_SETPCAP: nothing to drop then
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, two words each: capget(2)
    if libc.LIBC.capset(ctypes.byref(header), ctypes.byref(nothing)) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    held = [line for line in status.splitlines() if line.startswith(("CapEff:", "CapPrm:", "CapInh:"))]
    if any(int(line.split()[1], 16) for line in held):
        raise OSError(errno.EPERM, "a capability is left")
