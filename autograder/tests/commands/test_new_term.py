"""`mnist-kit new-term`: its checks, their findings, and one real run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from autograder.authoring.self_test import SelfTest
from autograder.calibration import miss_rate, reference
from autograder.calibration.reference import Calibration, Origin
from autograder.cli.kit_commands import TITLE_WIDTH, term_result
from autograder.commands import new_term
from autograder.commands.doctor import CHECK, ERROR, NOTE, OK, Finding, FindingStatus
from autograder.engine import isolation
from autograder.engine.environment import command
from autograder.engine.isolation import Examination
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import HOME, Layout
from autograder.policy import grading_file
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.authoring.copies import replace
from autograder.tests.environments import run, without

TODAY = date(2026, 9, 1)


@pytest.fixture(scope="module", autouse=True)
def _examined() -> Iterator[None]:
    """Examine the layers of this machine only once."""
    found = isolation.examine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "examine", lambda: found)
        yield


@pytest.fixture
def own(copy: Layout) -> Layout:
    """A built assignment to change, with the calibration that belongs to it."""
    calibrated(copy)
    return copy


def calibrated(layout: Layout) -> None:
    """Store the shipped runs as if they were of this solution."""
    stored = reference.load(HOME)
    origin = Origin.of(layout, "mnist", stored.origin.split_seed)
    layout.calibration.write_text(Calibration.of(origin, stored.runs).to_json(), encoding="utf-8")


def most() -> str:
    """Return the highest accuracy that is safe to ask for, by the shipped runs."""
    fitted = miss_rate.fit(reference.load(HOME).accuracies)
    assert fitted.recommended is not None
    return f"{100 * fitted.recommended:g} %"


GOOD = SelfTest(26, 26, memory_mb=1058), SelfTest(0, 26, short=("q4: Load",))
"""The results of the solution and of the blank template by a good zip."""


def findings(layout: Layout, folder: Path | None = None, *, until: str = "") -> dict[str, Finding]:
    """Return the findings of a run by title, up to the one called `until`."""
    found: dict[str, Finding] = {}
    for finding in new_term.prepare(layout, folder or layout.root, TODAY, self_test=lambda *_: GOOD):
        found[finding.title] = finding
        if finding.title == until:
            break
    return found


def test_without_errors_everything_is_built_and_every_upload_is_there(own: Layout) -> None:
    own.zip.unlink()
    own.template.unlink()
    found = findings(own)
    assert {finding.status for finding in found.values()} == {OK, NOTE}
    assert list(found) == [
        *("Python", "packages", "confinement", "grading.yml", "rubrics", "reviewers", "attempts", "hidden checks"),
        *("leaderboard", "data", "build", "zip", "accuracies", "solution", "blank template", "container"),
    ]
    assert all(len(name) <= TITLE_WIDTH for name in found)
    assert found["build"].detail == "new: student_template.ipynb"
    assert found["accuracies"].detail == f"safe to ask for; the highest would be {most()}"
    assert all(path.exists() for path in new_term.uploads(own))


def test_a_mistake_in_grading_yml_is_named_with_its_line_and_nothing_is_built(own: Layout) -> None:
    replace(own.policy, "split_seed: 20", "split_sed: 20")
    built = own.zip.read_bytes()
    *_, finding = findings(own).values()
    assert (finding.title, finding.status) == ("grading.yml", ERROR)
    assert "grading.yml:6: assignment.split_sed" in finding.detail
    assert "did you mean: split_seed" in finding.detail
    assert own.zip.read_bytes() == built


def test_grading_yml_is_shown_in_words(own: Layout) -> None:
    plain = findings(own, until="leaderboard")
    assert plain["grading.yml"].detail.endswith(": 40 points, 26 by machine and 14 by people")
    assert plain["rubrics"].detail.startswith("q1 has 3 items, q2 has 3 items")
    assert "none are named, so one person marks everything" in plain["reviewers"].detail
    assert plain["attempts"].detail == "on Gradescope, a student may submit as often as they like"
    assert plain["hidden checks"].detail == "on Gradescope, students see them once you publish the grades"
    assert plain["leaderboard"].detail == "none"
    replace(own.policy, "show_hidden: after_published", "show_hidden: hidden")
    replace(own.policy, "leaderboard: false", "leaderboard: true")
    with own.policy.open("a", encoding="utf-8") as file:
        file.write("attempts: {per_day: 3, per_assignment: 1}\nreview: {reviewers: [ann, ben], sample: 5}\n")
    other = findings(own, until="leaderboard")
    assert other["reviewers"].detail == "ann, ben; two of them mark the same 5 answers to each question"
    assert other["attempts"].detail == "on Gradescope, a student may submit 3 times in any 24 hours and once in total"
    assert other["hidden checks"].detail == "on Gradescope, students never see them"
    assert other["leaderboard"].detail == "the class sees a leaderboard of accuracies"


@pytest.mark.parametrize(
    ("today", "name"),
    [(date(2026, 9, 1), "out-fall-2026"), (date(2027, 1, 9), "out-spring-2027"), (date(2027, 6, 1), "out-summer-2027")],
)
def test_an_earlier_gradebook_is_named_and_left_as_it_is(tmp_path: Path, today: date, name: str) -> None:
    (tmp_path / "out").mkdir()
    with Gradebook(tmp_path / "out" / DATABASE) as book:
        report = reports.graded()
        book.record(Submission(report.name, "", b"{}"), report.name, report)
    before = (tmp_path / "out" / DATABASE).read_bytes()
    (finding,) = new_term.check_earlier_class(tmp_path, today)
    assert finding.status is NOTE
    assert finding.detail.startswith("out/ contains 1 submission, the last graded on 20")
    assert finding.remedy == f"For another class, name another folder: -o {name}"
    assert (tmp_path / "out" / DATABASE).read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [DATABASE]
    (tmp_path / "out" / DATABASE).write_bytes(b"something else")
    (finding,) = new_term.check_earlier_class(tmp_path, today)
    assert finding.detail.startswith("out/ contains a gradebook")


def margin_without_calibration(own: Layout) -> None:
    replace(own.policy, "full: 0.95", "reference_margin: 0.02")
    own.calibration.unlink()


Edit = Callable[[Layout], object]
AGAIN = "mnist-kit calibrate"
ACCURACIES: dict[str, tuple[Edit, FindingStatus, str]] = {
    "too high": (
        lambda own: replace(own.policy, "full: 0.95", "full: 0.975"),
        CHECK,
        "correct submissions may miss 97.5 %; the highest that is safe to ask for is {most} ",
    ),
    "not calibrated": (lambda own: own.calibration.unlink(), CHECK, AGAIN),
    "broken": (lambda own: own.calibration.write_text("{}", encoding="utf-8"), ERROR, AGAIN),
    "of another split": (lambda own: replace(own.policy, "split_seed: 20", "split_seed: 21"), CHECK, AGAIN),
    "of another solution": (lambda own: replace(own.solution, "epochs=5", "epochs=6"), CHECK, AGAIN),
    "a margin": (lambda own: replace(own.policy, "full: 0.95", "reference_margin: 0.02"), OK, "safe to ask for"),
    "a margin, not calibrated": (margin_without_calibration, ERROR, "Make it: mnist-kit calibrate"),
}


@pytest.mark.parametrize("case", ACCURACIES)
def test_accuracies_are_safe_to_ask_for_by_a_calibration_of_this_solution(own: Layout, case: str) -> None:
    edit, status, message = ACCURACIES[case]
    edit(own)
    (finding,) = new_term.check_accuracies(own, grading_file.load(own.policy))
    assert finding.status is status
    assert message.format(most=most()) in f"{finding.detail} {finding.remedy}"


def test_an_assignment_that_cannot_be_built_is_an_error(own: Layout) -> None:
    replace(own.master, "name: q7", "name: q8")
    finding = findings(own)["build"]
    assert finding.status is ERROR
    assert "question q8 is not in grading.yml" in finding.detail
    own.data("mnist").unlink()
    finding = findings(own)["build"]
    assert "mnist.npz is missing: restore it from the repository" in finding.detail


def test_without_confinement_the_command_that_tries_the_zip_is_shown(
    own: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "examine", lambda: Examination(isolation.NO_PLAN, ()))
    found = findings(own)
    assert found["confinement"].status is CHECK
    assert "mnist-kit grade --docker" in found["confinement"].remedy
    assert list(found)[-1] == "self-test"
    assert found["self-test"].remedy.startswith("mnist-kit grade --docker solutions/solution.ipynb student_template")
    assert found["build"].detail == "template and solution have not changed"


@pytest.mark.parametrize(
    ("solution", "blank", "message"),
    [
        (SelfTest(fault="no kernel"), GOOD[1], "no kernel"),
        (SelfTest(22, 26, short=("q7: Train\naccuracy",)), GOOD[1], "22 of 26 automatic points\nq7: Train"),
        (GOOD[0], SelfTest(fault="it is not a notebook"), "it is not a notebook"),
        (GOOD[0], SelfTest(2, 26), "2 points without an answer"),
    ],
    ids=["fault", "points lost", "blank with a fault", "blank with points"],
)
def test_a_zip_that_grades_wrongly_must_not_go_out(solution: SelfTest, blank: SelfTest, message: str) -> None:
    (finding,) = (each for each in new_term.check_self_test(solution, blank) if each.is_error)
    assert message in finding.detail
    assert finding.remedy


def test_the_container_is_as_large_as_the_solution_needs(own: Layout) -> None:
    policy = grading_file.load(own.policy)
    small = new_term.check_container(policy, SelfTest(memory_mb=900))
    assert small.detail == "on Gradescope, choose at least 1 CPU and 2 GB of memory"
    replace(own.policy, "timeout_s: 300", "timeout_s: 540")
    large = new_term.check_container(grading_file.load(own.policy), SelfTest(memory_mb=2000))
    assert large.detail == "on Gradescope, choose at least 1 CPU and 3 GB of memory, and a time limit of 11 minutes"


def test_uploads_are_listed_only_without_errors() -> None:
    for marks, words, listed in (
        ((OK, NOTE), "Ready.", True),
        ((CHECK,), "Ready, but check 1 thing above.", True),
        ((ERROR, ERROR, CHECK), "Not ready: 2 errors.", False),
    ):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(term_result([Finding(mark, "x") for mark in marks], new_term.uploads(HOME), HOME.root))
        assert words in captured.get()
        assert ("Configure Autograder" in captured.get()) is listed


def test_packages_that_are_not_as_locked_end_it_before_anything_is_built(here: Path) -> None:
    done = run(without(here / "environment", "jupytext"), "new-term", cwd=here)
    assert done.returncode == 2
    assert all(
        words in done.stdout for words in ("jupytext", "(not installed)", "`make -B setup`", "Not ready: 1 error.")
    )
    assert "build" not in done.stdout


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A copy of the whole kit, whose `mnist-kit` is that copy's."""
    copy = tmp_path / "kit"
    copy.mkdir()
    for name in ("autograder", "assignment", "solutions"):
        shutil.copytree(HOME.root / name, copy / name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for name in ("grading.yml", "requirements.lock"):
        shutil.copy(HOME.root / name, copy)
    calibrated(Layout(copy))
    return copy


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder that other users may pass, which pytest's own are not: where notebooks run as such users."""
    with tempfile.TemporaryDirectory(prefix="kit-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def running(kit: Path, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """The command of that copy, at work; afterwards, nothing of it is left behind."""
    with subprocess.Popen(
        command("autograder", "new-term", root=kit),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=kit.parent,
        env={**os.environ, "TMPDIR": str(temporary), "COLUMNS": "200", "NO_COLOR": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored below a shell's background job
    ) as started:
        yield started
    assert list(temporary.iterdir()) == []
    words = [str(process.info["cmdline"]) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in words if str(temporary) in line or str(kit) in line]


@pytest.mark.slow
def test_the_real_zip_grades_the_solution_and_the_blank_template(kit: Path, running: subprocess.Popen[str]) -> None:
    message, _ = running.communicate(timeout=300)
    assert running.returncode == 0, message
    lines = [" ".join(line.split()) for line in message.splitlines()]
    assert "ok solution the zip gives it 26 of 26 automatic points" in lines
    assert "ok blank template the zip gives it 0 of 26 points, and no error" in lines
    assert "Ready." in lines
    assert (kit / "dist" / "autograder.zip").exists()
    assert (kit / "student_template.ipynb").read_bytes() == HOME.template.read_bytes()


@pytest.mark.slow
def test_ctrl_c_while_notebooks_run_leaves_nothing_behind(temporary: Path, running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while len(list(temporary.glob("mnist-kit-self-test-*/*/tmp/mnist-kit-*/public"))) < 2:  # both engines at work
        assert time.monotonic() < end
        assert running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    message, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "Traceback" not in message
