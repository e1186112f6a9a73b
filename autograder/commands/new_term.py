"""One run of `mnist-kit new-term`: check everything before an assignment goes out, and build it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from autograder.authoring import build, zip_check
from autograder.authoring.finding import Finding, FindingStatus
from autograder.authoring.self_test import SelfTest, self_test
from autograder.commands import term_checks
from autograder.engine import isolation
from autograder.errors import KitError
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy

__all__ = ["Upload", "prepare", "uploads"]

LEAST_GB, RESERVE_MB = 2, 400
"""Memory of a container: the least to choose, and what the kit's own processes need in addition to a notebook."""

GRADESCOPE_S, START_S = 600, 120
"""Seconds: Gradescope's default limit, and what the kit may need in addition to a notebook's time."""

OK, NOTE, CHECK, ERROR = FindingStatus

SelfTester = Callable[[Path, Sequence[Path]], tuple[SelfTest, ...]]


@dataclass(frozen=True)
class Upload:
    """A file or folder that was built, and where it goes."""

    path: Path
    where: str


def prepare(
    layout: Layout,
    folder: Path,
    today: date,
    *,
    busy: Callable[[str], None] = lambda _: None,
    self_test: SelfTester = self_test,
) -> Iterator[Finding]:
    """Check everything, build, and have the zip grade the solution and the blank template; yield findings as they come.

    `folder` is where grading will be started; `busy` is called with each task that takes a while. Later checks are left
    out if an error makes them pointless. Raises no KitError.
    """
    examination = isolation.examine()
    yield Finding(OK, "Python", sys.version.partition(" ")[0])
    packages = term_checks.packages()
    yield packages
    if packages.is_error:
        return
    yield term_checks.confinement(examination)
    try:
        policy = grading_file.load(layout.policy)
    except KitError as error:
        yield Finding(ERROR, "grading.yml", str(error), "Fix these lines.")
        return
    yield from term_checks.policy_in_words(policy)
    yield from term_checks.earlier_class(folder, today)
    busy("building")
    try:
        built = build.build(layout, policy)
        new = " and ".join(path.name for path in build.stale_files(built, layout))
        build.write(built, layout)
        zip_errors = [finding for finding in zip_check.check_zip(layout.zip) if finding.is_error]
    except KitError as error:
        yield Finding(ERROR, "build", str(error))
        return
    yield Finding(OK, "data", "the published images and labels, by their checksums")
    yield Finding(OK, "build", f"new: {new}" if new else "template and solution have not changed")
    yield _zip(layout, zip_errors)
    yield from term_checks.accuracies(layout, policy)
    if examination.missing:
        command = "mnist-kit grade --docker solutions/solution.ipynb student_template.ipynb -o dist/self-test"
        yield Finding(CHECK, "self-test", "not done, because this machine cannot confine a notebook", command)
        return
    busy("the zip grades the solution and the blank template: about a minute")
    try:
        solution, blank = self_test(layout.zip, (layout.solution, layout.template))
    except OSError as error:
        yield Finding(ERROR, "self-test", f"it could not be started ({error.strerror}: {error.filename})")
        return
    yield from (_solution(solution), _blank(blank), _container(policy, solution))


def uploads(layout: Layout) -> tuple[Upload, ...]:
    """Return what was built, with where each part goes."""
    return (
        Upload(layout.zip, "Gradescope: Configure Autograder; upload it unchanged. `otter grade` takes it, too."),
        Upload(layout.template, "Students: as a file in Canvas, opened in Colab, or in a folder of your JupyterHub."),
        Upload(layout.dist / "handout", "Students, as a folder: the same notebook, with a page and its checks."),
        Upload(layout.solution.parent, "Nobody. Like grading.yml and assignment/exercise.md, it contains answers."),
    )


def _zip(layout: Layout, errors: Sequence[Finding]) -> Finding:
    if errors:
        detail = "\n".join(f"{error.title}: {error.detail}" for error in errors)
        return Finding(ERROR, "zip", detail, "Do not upload it.")
    size = layout.zip.stat().st_size / 2**20
    return Finding(OK, "zip", f"contains everything that Gradescope needs, and no answers; {size:.0f} MB")


def _solution(result: SelfTest) -> Finding:
    points = f"{result.earned:g} of {result.possible:g} automatic points"
    if result.fault:
        return _fault("solution", result, "solutions/solution.ipynb")
    if result.short:
        remedy = "Ask for less in grading.yml, or fix exercise.md."
        return Finding(ERROR, "solution", "\n".join([points, *result.short]), remedy)
    return Finding(OK, "solution", f"the zip gives it {points}")


def _blank(result: SelfTest) -> Finding:
    if result.fault:
        return _fault("blank template", result, "student_template.ipynb")
    if result.earned:
        remedy = "Fix exercise.md: its prompts answer a question."
        return Finding(ERROR, "blank template", f"{result.earned:g} points without an answer", remedy)
    return Finding(OK, "blank template", f"the zip gives it 0 of {result.possible:g} points, and no error")


def _fault(title: str, result: SelfTest, notebook: str) -> Finding:
    return Finding(ERROR, title, result.fault, f"For details: mnist-kit grade {notebook} -o dist/self-test")


def _container(policy: Policy, solution: SelfTest) -> Finding:
    """Return what to choose on Gradescope: the container that it offers by default cannot hold TensorFlow."""
    memory_gb = max(LEAST_GB, math.ceil((solution.memory_mb + RESERVE_MB) / 1024))
    needed_s = policy.execution.timeout_s + START_S
    limit = "" if needed_s <= GRADESCOPE_S else f", and a time limit of {math.ceil(needed_s / 60)} minutes"
    return Finding(NOTE, "container", f"on Gradescope, choose at least 1 CPU and {memory_gb} GB of memory{limit}")
