"""One submission in a container; `run_autograder` starts this.

    python -I -m autograder.gradescope.entry /autograder

Runs as root. Before any student code it closes the folders that students must not read. `run_autograder` has already
written a fallback results.json, which is replaced in one step at the end. The output is for staff: Gradescope hides it
from students.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

from autograder import atomic
from autograder.authoring.autograder_zip import read_tests
from autograder.calibration import reference
from autograder.engine import report_builder
from autograder.engine.engine import Engine
from autograder.errors import KitError, SubmissionError
from autograder.gradescope.metadata import carried_over, read, refusal
from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, Status
from autograder.layout import HOME
from autograder.policy.policy import Policy
from autograder.report import results_json
from autograder.submissions import collection
from autograder.submissions.submission import Submission
from autograder.text import printable_lines
from autograder.version import installed, kit_version

__all__ = ["ContainerPaths", "main", "pickled"]

RESERVE_MB = 400
"""Megabytes of a container's memory for the kit's own processes, besides what a notebook shares with them."""

LEAST_MB = 1536  # megabytes of memory below which even the solution does not fit

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Files with a container's memory limit (cgroups, version 2 and 1)."""

REASON = 300
"""Characters of a reason for Otter, which becomes a cell of a table."""


class ContainerPaths:
    """The folders that Gradescope and Otter lay out; with a file at `pickle`, `otter grade` waits for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.submission = root / "submission"
        self.results = root / "results" / "results.json"
        self.pickle = root / "results" / "results.pkl"
        self.metadata = root / "submission_metadata.json"

    def close(self) -> None:
        """Close all of it to other users."""
        for folder in (self.root / "source", self.submission, self.results.parent):
            if folder.is_dir():
                folder.chmod(0o700)
        for file in (self.metadata, self.root / "run_autograder"):
            if file.is_file():
                file.chmod(0o700 if file.suffix == "" else 0o600)


def main(root: Path) -> None:
    """Grade the submission. Every failure is in results.json and, for staff, on standard output."""
    paths = ContainerPaths(root)
    paths.close()
    metadata = read(paths.metadata)
    policy = reference.rules(HOME)
    refused = refusal(metadata, policy.attempts)
    if refused and not paths.pickle.exists():
        _say(f"Not graded: {refused}")
        _write(paths.results, carried_over(refused, metadata.last))
        return
    policy = _fitting(policy)
    report = _report(paths, policy)
    document = results_json.results(report, policy)
    libraries = installed("tensorflow", "tensorflow-cpu", "keras", "otter-grader")
    python = sys.version.partition(" ")[0]
    document["extra_data"]["versions"] = {"kit": kit_version(), "python": python, **libraries}
    if report.status is Status.UNGRADED:
        _say(f"Could not be graded: {report.fault}")
        if (last := metadata.last) is not None:  # a fault of the grader must not take the last score away
            document["score"] = last.score
            document["output"] = (
                "Your notebook could not be graded, through no fault of yours. Your instructor can see why.\n"
                f"Until it is graded, your last score counts: {last.score:g}."
            )
    for note in report.notes:
        _say(note)
    _write(paths.results, document)
    if paths.pickle.exists():
        atomic.write(paths.pickle, pickled(report))


def pickled(report: GradeReport) -> bytes:
    """Pickle a GradingResults of the coding questions, made of Otter's own classes and text, for `otter grade`.

    Otter has no ungraded questions; a report with one becomes a failure, with the reason in the column `grading_status`
    of `final_grades.csv`.
    """
    from otter.test_files import GradingResults, TestCase  # importing Otter takes seconds
    from otter.test_files.abstract_test import TestCaseResult
    from otter.test_files.ottr_test import OttrTestFile

    if not report.complete:
        reason = " ".join(" ".join(results_json.faults(report)).split())
        return pickle.dumps(GradingResults.without_results(RuntimeError(f"could not be graded: {reason}"[:REASON])))
    files = []
    for question in (question for question in report.questions if not question.written):
        checks = question.checks or (CheckResult("graded", False, question.points, question.outcome, question.message),)
        cases = [TestCase(check.name, "", check.hidden, check.points, None, None) for check in checks]
        files.append(OttrTestFile(question.id, f"{question.id}.py", cases, all_or_nothing=False))
        files[-1].test_case_results = [
            TestCaseResult(case, check.message or None, check.outcome is Outcome.PASSED)
            for case, check in zip(files[-1].test_cases, checks, strict=True)
        ]
    results = GradingResults(files)
    results.set_output("\n".join(report.notes))
    return pickle.dumps(results)


def _report(paths: ContainerPaths, policy: Policy) -> GradeReport:
    chosen = _choose(paths.submission, policy)
    if chosen.problem:
        return report_builder.rejected(chosen, policy, chosen.problem)
    try:
        secrets = (*HOME.secrets, paths.metadata, paths.results)
        data = HOME.data(policy.assignment.dataset)
        with Engine(policy, read_tests(HOME.tests), data, secrets=secrets) as engine:
            return engine.grade(chosen)
    except KitError as error:
        return report_builder.ungraded(chosen, policy, str(error))


def _choose(folder: Path, policy: Policy) -> Submission:
    """Return the one notebook in a folder; with none or several, a submission that names the problem."""
    try:
        found = collection.collect((folder,), int(policy.execution.notebook_mb * 2**20))
    except SubmissionError:
        found = ()
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.name for one in found[:5])
        problem = f"{len(found)} notebooks were handed in ({names}), but only one can be graded. Hand in just that one."
    else:
        names = ", ".join(sorted(path.name for path in folder.glob("[!.]*"))[:5])
        problem = f"No notebook was handed in{f', only {names}' if names else ''}. Hand in the .ipynb file itself."
    return Submission(folder.name, str(folder), b"", printable_lines(problem))


def _fitting(policy: Policy) -> Policy:
    """Limit a notebook's memory to this container's, so that the message names the real limit."""
    has_mb = _container_mb()
    if has_mb is None or has_mb - RESERVE_MB >= policy.execution.memory_mb:
        return policy
    if has_mb < LEAST_MB:
        _say(f"This container has {has_mb:.0f} MB of memory; choose at least {LEAST_MB} MB, better 3072.")
    limits = policy.execution.model_copy(update={"memory_mb": max(has_mb - RESERVE_MB, RESERVE_MB)})
    return policy.model_copy(update={"execution": limits})


def _container_mb() -> float | None:
    for path in map(Path, LIMITS):
        try:
            return int(path.read_text()) / 2**20
        except (OSError, ValueError):  # another kind of machine, or "max": no limit
            continue
    return None


def _write(path: Path, document: dict[str, Any]) -> None:
    atomic.write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # leaves no process and no file behind
    main(Path(sys.argv[1]))
