"""Every layer on a real process: honest work still runs, everything else is refused, and it fails closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import confine
from autograder.sandbox.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's own")

REQUIRED = ("rlimits", "no new privileges", "landlock", "seccomp")

PROGRAM = """
import json, os, sys
from pathlib import Path
from autograder.sandbox import confine, landlock, libc
from autograder.sandbox.limits import Limits

work, secret, required, code, gates_code = sys.argv[1:6]
jail = confine.Jail(Path(work), (Path(secret),), None, tuple(required.split(",")), Limits(20, 500, 10, 100))
gates = confine.prepare()
exec(gates_code)
parent = os.getpid()
if os.fork() == 0:
    try:
        print(json.dumps(confine.confine(jail, gates, (), parent)), flush=True)
        os.chdir(work)
        exec(code)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""


class Cage:
    """A work folder and a secret beside it, for confined processes."""

    def __init__(self, folder: Path) -> None:
        self.work, self.secret = folder / "work", folder / "secret"
        self.work.mkdir(mode=0o700)
        self.secret.write_text("the answer", encoding="utf-8")
        self.secret.chmod(0o600)

    def run(self, code: str, required: tuple[str, ...] = REQUIRED, gates: str = "") -> list[str]:
        """Return the lines of a confined process: the layers in force, then the output of `code`, or an error."""
        arguments = [str(self.work), str(self.secret), ",".join(required), code, gates]
        command = [sys.executable, "-c", PROGRAM, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.splitlines() or [done.stderr]


@pytest.fixture
def cage(tmp_path: Path) -> Cage:
    return Cage(tmp_path)


def test_the_layers_in_force_are_reported(cage: Cage) -> None:
    (layers,) = cage.run("")
    assert all(layer in layers for layer in (*REQUIRED, "no capabilities"))


HONEST = {
    "files": "Path('mine.txt').write_text('x'); print(Path('mine.txt').read_text() + 'y')",
    "folders": "Path('a/b').mkdir(parents=True); Path('a').rename('c'); print('xy')",
    "late imports": "import sqlite3, decimal, zoneinfo; print('xy')",
    "threads": "import threading; t = threading.Thread(target=print, args=('xy',)); t.start(); t.join()",
    "proc self": "print(len(Path('/proc/self/maps').read_text()) > 0 and 'xy')",
    "copying": "import shutil; Path('f').touch(); shutil.copy('f', 'g'); print('xy')",
    "temporary files": "import tempfile; tempfile.tempdir = work; print(tempfile.TemporaryFile() and 'xy')",
    "numpy": "import numpy; print('xy' if (numpy.ones((50, 50)) @ numpy.ones((50, 50))).sum() > 1 else '')",
}


@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST)
def test_honest_work_still_runs(cage: Cage, code: str) -> None:
    assert cage.run(code)[1:] == ["xy"]


REFUSED = (
    "open(secret)",
    "os.listdir('/root')",
    "open(f'/proc/{os.getppid()}/environ')",
    "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "open('/tmp/confine-test', 'w')",
    "open(os.path.join(work, '..', 'outside'), 'w')",
    "open(os.__file__, 'ab')",
    "os.symlink('/etc', 'etc')",
    "os.link('/etc/hostname', 'host')",
    "os.fork()",
    "os.execv('/bin/true', ['true'])",
    "os.kill(os.getppid(), 9)",
    "os.kill(-1, 9)",
    "os.setuid(0) if os.getuid() else os.setuid(1)",
    "os.chroot('.')",
    "os.mkfifo('pipe')",
    "os.mknod('node')",
    "os.sched_setaffinity(0, {0})",
    "os.memfd_create('x')",
    "import socket; socket.socket()",
    "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "import socket; socket.socket(socket.AF_UNIX)",
    "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "import ctypes; e = ctypes.CDLL(None, use_errno=True); assert e.ptrace(0, 0, 0, 0) == 0, 'Permission denied'",
    "import ctypes; e = ctypes.CDLL(None, use_errno=True); assert e.unshare(0x10000000) == 0, 'Permission denied'",
    "import ctypes; e = ctypes.CDLL(None, use_errno=True); assert e.syscall(425, 4, 0) >= 0, 'Permission denied'",
)


@pytest.mark.parametrize("code", REFUSED)
def test_everything_else_is_refused(cage: Cage, code: str) -> None:
    lines = cage.run(f"{code}; print('went through')")
    assert len(lines) == 2, lines
    assert any(word in lines[1] for word in ("not permitted", "ermission denied")), lines


def test_permissions_do_not_change_though_the_call_seems_to_work(cage: Cage) -> None:
    code = "Path('f').touch(mode=0o600); os.chmod('f', 0o777); print(oct(Path('f').stat().st_mode & 0o777))"
    assert cage.run(code)[1:] == ["0o600"]


def test_two_jails_do_not_open_each_others_work_folder(cage: Cage, tmp_path: Path) -> None:
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    (neighbour / "answer").write_text("theirs", encoding="utf-8")
    first = "libc.prctl(38, 1); landlock.restrict(Path(secret).parent / 'neighbour', gates.readable); os._exit(0)"
    gates = f"pid = os.fork()\nif pid == 0:\n    {first}\nos.waitpid(pid, 0)"
    lines = cage.run(f"open({str(neighbour / 'answer')!r})", gates=gates)
    assert "Permission denied" in lines[-1]


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ("gates = confine.Gates(gates.readable, None, 'libseccomp is needed')", "seccomp: "),
        ("gates = confine.Gates(gates.readable, b'\\x00' * 16)", "seccomp: "),
        ("gates = confine.Gates((99,), gates.program)", "landlock: "),
    ],
    ids=["no filter", "broken filter", "no ruleset"],
)
def test_a_required_layer_that_fails_stops_everything(cage: Cage, gates: str, message: str) -> None:
    lines = cage.run("print('student code ran')", gates=gates)
    assert len(lines) == 1
    assert lines[0].startswith(f"ConfineError: {message}")


def test_the_canaries_notice_a_layer_that_is_missing(cage: Cage) -> None:
    """Without Landlock and without a user of its own, a student process could write where its owner can."""
    cage.secret.unlink()
    gates = "gates = confine.Gates((99,), gates.program)"
    lines = cage.run("print('student code ran')", ("rlimits", "no new privileges", "seccomp"), gates)
    assert lines == ["ConfineError: a canary succeeded: write outside the work folder"]


def test_a_canary_that_succeeds_stops_everything(cage: Cage) -> None:
    cage.secret = Path(os.__file__)
    assert cage.run("print('student code ran')") == ["ConfineError: a canary succeeded: read os.py"]


def test_the_probe_tries_each_layer_and_confines_nobody(tmp_path: Path) -> None:
    jail = confine.Jail(tmp_path, (), None, (), Limits(5, 100, 1, 10))
    gates = confine.prepare()
    offers = {offer.layer: offer.there for offer in confine.probe(jail, gates)}
    for handle in gates.readable:
        os.close(handle)
    assert offers["rlimits"]
    assert offers["no new privileges"]
    assert Path("/etc/passwd").read_text(encoding="utf-8")
