"""The hostile corpus, run through the real engine, each case beside an honest neighbour."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode

from autograder.authoring.autograder_zip import read_tests
from autograder.authoring.bundled_class import Member
from autograder.engine.engine import Engine
from autograder.gradebook.marked_report import MarkedClass
from autograder.judge.grade_report import GradeReport
from autograder.layout import Layout
from autograder.policy.policy import Policy
from autograder.report import result_files
from autograder.submissions.submission import Submission
from autograder.tests.hostile import escape, faults, honest, integrity, models
from autograder.tests.hostile.case import KIT, RIGHT, SECRET, UNTRAINED, Case
from autograder.tests.report.test_results_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.hostile]

TIMEOUT_S = 8.0
GRACE_S = 5.0  # seconds that a notebook may take over its time limit
CASES: dict[str, Case] = {
    f"{module.__name__.rpartition('.')[2]}-{case.name}": case
    for module in (escape, faults, honest, integrity, models)
    for case in module.CASES
}

NEIGHBOUR = Member("honest", "three right answers", {}, RIGHT)

LIVE_HTML = ("<script>alert", "<img src=x", "<b>bold", "\x1b[")
"""Parts of hostile texts that no output may contain unescaped."""


@dataclass(frozen=True)
class Guarded:
    """A running engine with a secret planted around it."""

    engine: Engine
    policy: Policy
    layout: Layout
    secret: str
    secret_file: Path

    @property
    def places(self) -> Mapping[str, str]:
        return {KIT: str(self.layout.root), SECRET: str(self.secret_file)}

    def files(self) -> dict[str, int]:
        """Return all files in and around the kit, with the time of their last change."""
        return {str(path): path.lstat().st_mtime_ns for path in sorted(self.layout.root.parent.glob("kit*/**/*"))}


@pytest.fixture(scope="module")
def guarded(rules: Policy, layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One engine for all cases, with a secret in a file, in the environment, and in the evaluator's tests."""
    limits = rules.execution.model_copy(update={"timeout_s": TIMEOUT_S, "output_mb": 0.5})
    policy = rules.model_copy(update={"execution": limits})
    secret = f"secret-{secrets.token_hex(16)}"
    file = tmp_path_factory.mktemp("planted") / "secret.txt"
    file.write_text(secret)
    tests = {id: f"PLANTED = {secret!r}\n{text}" for id, text in read_tests(layout.zip).items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_KIT_TOKEN", secret)
        engine = Engine(policy, tests, layout.data("mnist"), secrets=(file, *layout.secrets))
        with engine:
            yield Guarded(engine, policy, layout, secret, file)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_hostile_notebook_gains_nothing_and_harms_nobody(
    guarded: Guarded, template: NotebookNode, tmp_path: Path, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    hostile_one = Submission(case.name, f"{case.name}.ipynb", case.make(template, guarded.places))
    neighbour = Submission("honest", "honest.ipynb", NEIGHBOUR.make(template))
    files = guarded.files()
    took: dict[str, float] = {}

    def grade(submission: Submission) -> GradeReport:
        began = time.monotonic()
        report = guarded.engine.grade(submission)
        took[submission.name] = time.monotonic() - began
        return report

    with ThreadPoolExecutor(2) as pool:
        report, honest = pool.map(grade, (hostile_one, neighbour))
    said = text_of(report)
    assert "ESCAPED" not in said
    assert report.status is case.status, said
    assert earned(report) == case.points, said
    assert not [word for word in case.words if word not in said], said
    bound = TIMEOUT_S + GRACE_S if case.bound_s is None else case.bound_s
    assert took[case.name] - dict(report.seconds).get("judge", 0) <= bound
    assert earned(honest) == UNTRAINED, text_of(honest)
    assert "seccomp" in honest.isolation
    assert not left_running(guarded.engine)
    assert guarded.files() == files, "nothing of the kit was written, removed or added"
    check_outputs(report, guarded, tmp_path, "".join(capfd.readouterr()))


def earned(report: GradeReport) -> dict[str, float | None]:
    return {question.id: question.earned for question in report.questions if not question.written}


def text_of(report: GradeReport) -> str:
    """Return all text of a report."""
    words = [*report.notes, report.fault, *report.isolation]
    for question in report.questions:
        words += [question.message, *(check.message for check in question.checks)]
    return "\n".join(words)


def left_running(engine: Engine) -> list[psutil.Process]:
    """Return the live descendants of the warm process, without the evaluator."""
    warm = psutil.Process(engine.warm().pid)
    evaluator = min(warm.children(), key=lambda process: process.pid)
    return [process for process in warm.children(recursive=True) if process.pid != evaluator.pid]


def check_outputs(report: GradeReport, guarded: Guarded, folder: Path, printed: str) -> None:
    """Check that the files for Gradescope and the student are valid, inert, and hold no secret."""
    result_files.prepare(folder)
    result_files.write_submission(report, guarded.policy, folder)
    result_files.write_class(MarkedClass(guarded.policy, (report,)), folder)
    validate(json.loads(next(folder.rglob("results.json")).read_text(encoding="utf-8")))
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}
    assert {"results.json", "feedback.html", "index.html", "grades.csv"} <= texts.keys()
    for name, text in {**texts, "report": text_of(report), "printed": printed}.items():
        assert guarded.secret not in text, f"the planted secret stands in {name}"
        assert "\x1b[" not in text, name
        assert not name.endswith(".html") or not [mark for mark in LIVE_HTML if mark in text], name
