"""Faults of the machine and of the grader: nobody loses a point, no process is left, no result is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode

from autograder.authoring.autograder_zip import read_tests
from autograder.authoring.bundled_class import LOAD, Member
from autograder.engine import isolation
from autograder.engine.engine import Engine
from autograder.errors import DatasetError, GraderFault
from autograder.judge.grade_report import GradeReport, Status
from autograder.layout import Layout
from autograder.policy.policy import Policy
from autograder.sandbox.limits import Limits
from autograder.submissions.submission import Submission
from autograder.tests.hostile.case import RIGHT
from autograder.tests.report.test_results_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.hostile, pytest.mark.timeout(240)]

COMMAND = Path(sys.executable).with_name("mnist-kit")
RAN = "raise RuntimeError('student code ran')"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def handed_in(template: NotebookNode, code: str = LOAD) -> Submission:
    return Submission("one", "one.ipynb", Member("one", "made for a test", {}, {**RIGHT, "q4": code}).make(template))


def made(rules: Policy, layout: Layout, secrets: tuple[Path, ...] = ()) -> Engine:
    """Make an engine for the built assignment."""
    return Engine(rules, read_tests(layout.zip), layout.data("mnist"), secrets=secrets)


def assert_nothing_decided(report: GradeReport, because: str) -> None:
    assert report.status is Status.UNGRADED
    assert all(question.earned is None for question in report.questions)
    assert because in report.fault
    assert "student code ran" not in repr(report)


@contextlib.contextmanager
def confined_as(engine: Engine, plan: isolation.ConfinementPlan | None) -> Iterator[None]:
    """Give the engine another plan than this machine's."""
    own, engine.plan = engine.plan, plan
    try:
        yield
    finally:
        engine.plan = own


def test_a_layer_that_is_required_and_missing_lets_no_student_cell_run(engine: Engine, template: NotebookNode) -> None:
    assert engine.plan is not None
    more = dataclasses.replace(engine.plan, required=(*engine.plan.required, "a layer nobody has"))
    with confined_as(engine, more):
        assert_nothing_decided(engine.grade(handed_in(template, RAN)), "a layer nobody has: not available here")
    assert engine.grade(handed_in(template)).earned == 18, "and the next submission is graded"


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_a_change_of_user_that_fails_lets_no_student_cell_run(
    engine: Engine, template: NotebookNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4294967295 means "no change" to setresuid(2): the process would go on as root."""
    assert engine.plan is not None
    monkeypatch.setattr(isolation, "FIRST_UID", 2**32 - 1)
    other = dataclasses.replace(engine.plan, own_users=True, required=("uid", *engine.plan.required[1:]))
    with confined_as(engine, other):
        assert_nothing_decided(engine.grade(handed_in(template, RAN)), "uid: ")


def test_a_canary_that_succeeds_lets_no_student_cell_run(rules: Policy, layout: Layout, template: NotebookNode) -> None:
    """A file of Python itself, which every student process can read, is called a secret."""
    with made(rules, layout, secrets=(Path(os.__file__),)) as running:
        assert_nothing_decided(running.grade(handed_in(template, RAN)), "a canary succeeded: read os.py")


@pytest.mark.parametrize(
    ("fault", "because"),
    [("__import__('os').abort()", "signal 6"), ("__import__('time').sleep(600)", "over time")],
    ids=["crashes", "loops"],
)
def test_a_judge_that_fails_takes_no_points(
    rules: Policy, layout: Layout, template: NotebookNode, monkeypatch: pytest.MonkeyPatch, fault: str, because: str
) -> None:
    tests = read_tests(layout.zip)
    assert "checks.report(env, 'q4', 'train_labels_length')" in tests["q4"]
    tests["q4"] = tests["q4"].replace("checks.report(env, 'q4', 'train_labels_length')", fault)
    monkeypatch.setattr("autograder.engine.engine.JUDGE_LIMITS", Limits(wall_s=3, memory_mb=4096, work_mb=0, files=0))
    with Engine(rules, tests, layout.data("mnist")) as running:
        report = running.grade(handed_in(template))
        assert_nothing_decided(report, because)
        assert report.fault.startswith("the judge ended:")
        warm = psutil.Process(running.warm().pid)
        assert len(warm.children(recursive=True)) == 1, "the evaluator and nothing else"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an npz", b"x" * 2**20], ids=["empty", "cut", "other"])
def test_hidden_data_that_is_damaged_stops_the_run_before_it_begins(
    rules: Policy, layout: Layout, tmp_path: Path, content: bytes
) -> None:
    data = tmp_path / "mnist.npz"
    data.write_bytes(content)
    with pytest.raises(DatasetError), Engine(rules, read_tests(layout.zip), data):
        pass  # pragma: no cover


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of 256 KB, or of the size the test asks for."""
    size = getattr(request, "param", "256k")
    if not IS_ROOT:
        pytest.skip("NOT TESTED: a full disk needs root, to mount a small one")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"NOT TESTED: a full disk needs a mount, which this container refuses ({mounted.stderr.decode()})")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_reported_and_every_written_file_is_complete(tmp_path: Path, small_disk: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.ipynb").write_text("{", encoding="utf-8")
    files = sorted(tmp_path.glob("*.ipynb"))
    done = subprocess.run(
        [COMMAND, "grade", *files, "-o", small_disk / "out"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "disk is full. What was stored before is kept" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(small_disk.rglob("*.part"))
    results = list(small_disk.rglob("results.json"))
    assert results
    for path in results:
        validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("small_disk", ["600m"], indirect=True)
def test_a_disk_that_fills_up_under_a_notebook_costs_it_nothing(
    rules: Policy, layout: Layout, template: NotebookNode, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the notebook's files find no space, then its folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    saves = LOAD + "\nopen('kept', 'wb').write(bytes(2**20))"
    with made(rules, layout) as running:
        assert running.grade(handed_in(template, saves)).earned == 18
        full = small_disk / "full"
        with contextlib.suppress(OSError), full.open("wb") as file:
            while True:
                file.write(bytes(2**16))
        assert_nothing_decided(running.grade(handed_in(template, saves)), "is full")
        full.unlink()
        assert running.grade(handed_in(template, saves)).earned == 18, "and afterwards all is well"
    assert not [path for path in small_disk.iterdir() if path.name.startswith("mnist-kit-")]


@pytest.mark.parametrize("small_disk", ["200m"], indirect=True)
def test_a_disk_without_room_for_one_notebook_is_reported_at_once(
    rules: Policy, layout: Layout, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(GraderFault, match=r"is full .*TMPDIR="), made(rules, layout):
        pass  # pragma: no cover
    assert not list(small_disk.iterdir())


def test_a_launcher_that_is_killed_while_tensorflow_is_imported_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(b"{")
    launcher = subprocess.Popen(
        [COMMAND, "grade", tmp_path / "a.ipynb", "-o", tmp_path / "out"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    warm: list[psutil.Process] = []
    while not warm:
        assert time.monotonic() < deadline
        assert launcher.poll() is None
        time.sleep(0.05)
        children = psutil.Process(launcher.pid).children()
        warm = [child for child in children if "autograder.engine.warm_main" in child.cmdline()]
    time.sleep(1)
    launcher.kill()
    launcher.wait(timeout=5)
    _, alive = psutil.wait_procs(warm, timeout=2)
    for each in alive:
        each.kill()
    assert not alive


def test_a_temporary_folder_that_others_cannot_enter_is_reported_at_once(
    rules: Policy, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "closed"))
    running = made(rules, layout)
    assert running.plan is not None
    own_users = dataclasses.replace(running.plan, own_users=True)
    with confined_as(running, own_users), pytest.raises(GraderFault, match="other users"), running:
        pass  # pragma: no cover
    assert not list((tmp_path / "closed").iterdir())


def family(launcher: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_launcher_that_is_ended_leaves_no_process_and_keeps_what_it_wrote(
    template: NotebookNode, tmp_path: Path, number: signal.Signals
) -> None:
    deep = "import os, time\nfor _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\nwhile True: time.sleep(1)"
    (tmp_path / "a.ipynb").write_bytes(b"{")
    (tmp_path / "b.ipynb").write_bytes(handed_in(template, deep).data)
    (tmp_path / "c.ipynb").write_bytes(handed_in(template, "while True: pass").data)
    out, temporary = tmp_path / "out", Path(tempfile.mkdtemp(prefix="kit-"))
    temporary.chmod(0o711)
    launcher = subprocess.Popen(
        [COMMAND, "grade", *sorted(tmp_path.glob("*.ipynb")), "-o", out, "--timeout", "100", "-n", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored below a shell's background job
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    processes: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + 90
        while len(processes) < 5:  # launcher, warm process, evaluator, two students
            assert time.monotonic() < deadline
            assert launcher.poll() is None
            time.sleep(0.3)
            processes = family(launcher)
        time.sleep(1)
        processes = family(launcher)
        launcher.send_signal(number)
        code = launcher.wait(timeout=5)
        _, alive = psutil.wait_procs(processes[1:], timeout=5)
        assert not alive
        said = launcher.communicate(timeout=10)[1].decode()
    finally:
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        left = bool(list(temporary.iterdir()))
        subprocess.run(["rm", "-rf", temporary], check=True)  # too deep for pytest to remove
    assert "Traceback" not in said
    assert [path.parent.name for path in out.glob("submissions/*/results.json")] == ["a"]
    assert (code, left) == {
        signal.SIGTERM: (128 + signal.SIGTERM, False),
        signal.SIGINT: (128 + signal.SIGINT, False),
        signal.SIGKILL: (-signal.SIGKILL, True),
    }[number]
