"""Limits, set on real processes and watched on real folders."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.sandbox import limits
from autograder.sandbox.limits import Limits, Use

PR_SET_DUMPABLE = 4  # linux/prctl.h
SMALL = Limits(wall_s=5, memory_mb=64, work_mb=1, files=20)


def inside(code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh process with SMALL applied."""
    setup = "from autograder.sandbox import limits\nlimits.apply(limits.Limits(5, 64, 1, 20), 1, own_user=True)\n"
    return subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("open('/dev/shm/limit-test', 'wb').write(bytes(2**21))", "File too large"),
        ("held = [open('/dev/null') for _ in range(400)]", "Too many open files"),
        ("held = bytearray(8 * 2**30)", "MemoryError"),
        ("import resource; raise ValueError(resource.getrlimit(resource.RLIMIT_CORE))", "ValueError: (0, 0)"),
        ("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))", "not allowed"),
    ],
    ids=["one huge file", "open files", "address space", "a core", "raising a limit"],
)
def test_the_kernel_refuses_to_exceed_a_limit(code: str, message: str) -> None:
    if os.geteuid() == 0 and "setrlimit" in code:
        pytest.skip("root may raise limits")
    done = inside(f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{code}")
    Path("/dev/shm/limit-test").unlink(missing_ok=True)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_use_of_a_process_is_measured_up_to_a_number_of_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(os.urandom(300_000))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)  # counts with its allocated blocks
    (tmp_path / "away").symlink_to("/usr")
    use = limits.use_of(os.getpid(), tmp_path, most_files=10)
    assert use.files == 4
    assert 0.28 < use.work_mb < 0.5
    assert 10 < use.memory_mb < 4000
    for number in range(50):
        (tmp_path / str(number)).touch()
    assert limits.use_of(os.getpid(), tmp_path, 10).files == 11


def test_a_folder_deeper_than_any_path_counts_as_too_many_files(tmp_path: Path) -> None:
    handles = [os.open(tmp_path, os.O_RDONLY)]
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=handles[-1])
        handles.append(os.open("d" * 200, os.O_RDONLY, dir_fd=handles[-1]))
    assert limits.use_of(os.getpid(), tmp_path, 100).files == 101
    for handle in reversed(handles):
        if handle != handles[-1]:
            os.rmdir("d" * 200, dir_fd=handle)
        os.close(handle)


def test_a_deleted_file_counts_while_it_is_open(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.write(bytes(5 * 2**20))
        file.flush()
        (tmp_path / "x").unlink()
        held = limits.use_of(os.getpid(), tmp_path, 10).work_mb
    assert 5 <= held - limits.use_of(os.getpid(), tmp_path, 10).work_mb < 6


@pytest.mark.parametrize("keep", [True, False], ids=["by a descriptor too", "by nothing else"])
def test_a_deleted_file_counts_while_it_is_mapped(tmp_path: Path, keep: bool) -> None:
    program = (
        "import ctypes, mmap, os, sys\nfile = os.open('x', os.O_RDWR | os.O_CREAT)\nos.write(file, bytes(2**20))\n"
        "map_ = ctypes.CDLL(None).mmap\nmap_.restype = ctypes.c_void_p\n"
        "map_.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]\n"
        "assert map_(None, 4096, mmap.PROT_READ, mmap.MAP_PRIVATE, file, 0) != 2**64 - 1\n"
        f"{'' if keep else 'os.close(file)'}\nos.unlink('x')\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        held = limits.use_of(child.pid, tmp_path, 10).work_mb
        child.communicate()
    assert (1 <= held < 2) if keep else limits.excess(Use(0, held, 0), SMALL) == "disk"


def test_a_closed_folder_is_opened_by_the_watcher_and_counted() -> None:
    """Run as an ordinary user in a process of its own, because root can list closed folders anyway."""
    place = Path(tempfile.mkdtemp())
    try:
        place.chmod(0o777)
        pid = os.fork()
        if pid == 0:
            count = -1
            with contextlib.suppress(BaseException):
                if os.geteuid() == 0:
                    os.setresuid(65534, 65534, 65534)
                    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # own entries in /proc, lost with root
                (place / "shut").mkdir()
                (place / "shut" / "file").touch()
                (place / "shut").chmod(0)
                count = limits.use_of(os.getpid(), place, 10).files
            os._exit(count)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    finally:
        shutil.rmtree(place)


def test_a_process_that_is_gone_uses_nothing(tmp_path: Path) -> None:
    done = subprocess.Popen(["true"])
    done.wait()
    assert limits.use_of(done.pid, tmp_path / "gone", 10) == Use(0, 0, 0)


@pytest.mark.parametrize(
    ("use", "over"),
    [
        (Use(64, 1, 20), None),
        (Use(64.1, 0, 0), "memory"),
        (Use(0, 1.1, 0), "disk"),
        (Use(0, 0, 21), "files"),
        (Use(0, 0, 0, limits.THREADS), None),
        (Use(0, 0, 0, limits.THREADS + 1), "threads"),
    ],
    ids=["just within", "memory", "disk", "files", "threads, just within", "threads"],
)
def test_the_exceeded_limit_is_named(use: Use, over: str | None) -> None:
    assert limits.excess(use, SMALL) == over
