"""Seccomp: the system calls that a student process may make.

`pyseccomp` (MIT, the interface of libseccomp itself) compiles the filter.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import struct
import tempfile
import termios

from autograder.sandbox import libc

__all__ = ["ARCHITECTURES", "compile_filter", "put_on"]

ARCHITECTURES = ("x86_64", "aarch64")

SECCOMP_MODE_FILTER = 2  # linux/seccomp.h
OWN_PID = 0x7EADBEEF
"""Placeholder for the process's own pid in the compiled filter; no pid is that high (PID_MAX_LIMIT is 2**22)."""

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
"""One instruction of a filter: code, jump if true, jump if false, value (struct sock_filter, linux/filter.h)."""


class _SocketFilterProgram(ctypes.Structure):
    """struct sock_fprog, linux/filter.h: the number of instructions and their address."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def compile_filter() -> bytes:
    """Only the system calls in ALLOWED, threads but no processes, signals to itself only (seccomp(2))."""
    import pyseccomp as seccomp

    if platform.machine() not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"there is no filter for {platform.machine()}")
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in ALLOWED:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # not every architecture has every call
            rules.add_rule(seccomp.ALLOW, name)
    argument = seccomp.Arg
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        rules.add_rule(seccomp.ALLOW, name, argument(0, seccomp.EQ, OWN_PID))
    rules.add_rule(seccomp.ALLOW, "clone", argument(0, seccomp.MASKED_EQ, libc.CLONE_THREAD, libc.CLONE_THREAD))
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
    for operation in (libc.PR_SET_NAME, libc.PR_GET_NAME, libc.PR_SET_VMA):
        rules.add_rule(seccomp.ALLOW, "prctl", argument(0, seccomp.EQ, operation))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def put_on(program: bytes) -> None:
    """Install a compiled filter, with this process's pid in place of OWN_PID. Raises OSError."""
    own = b"".join(
        INSTRUCTION.pack(code, true, false, os.getpid() if value == OWN_PID else value)
        for code, true, false, value in INSTRUCTION.iter_unpack(program)
    )
    buffer = ctypes.create_string_buffer(own, len(own))
    filter_ = _SocketFilterProgram(len(own) // INSTRUCTION.size, ctypes.addressof(buffer))
    if libc.LIBC.prctl(libc.PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel rejected the filter")
