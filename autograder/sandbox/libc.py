"""Calls of the C library that Python does not offer, with the constants of the kernel's headers."""

from __future__ import annotations

import ctypes

__all__ = ["LIBC", "prctl"]

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

# Looked up once, before any fork: each look-up searches every library that TensorFlow has loaded.
LIBC = ctypes.CDLL(None, use_errno=True)
for _name in ("prctl", "capset", "unshare"):
    getattr(LIBC, _name, None)


def prctl(operation: int, value: int) -> None:
    """Call prctl(2) with one argument. Raises OSError."""
    if LIBC.prctl(operation, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({operation})")
