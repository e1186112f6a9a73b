"""One run of `mnist-kit new-term`: check everything before an assignment goes out, and build it."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from autograder.authoring import build
from autograder.authoring.self_test import SelfTest, self_test
from autograder.calibration import miss_rate, reference
from autograder.calibration.reference import Origin
from autograder.commands import calibrate
from autograder.commands.doctor import CHECK, ERROR, NOTE, OK, Finding, check_zip
from autograder.engine import isolation
from autograder.engine.environment import GRADING_LOCK, LOCK, REPAIR, unmet
from autograder.errors import CalibrationError, KitError, SetupError
from autograder.gradebook.database import DATABASE
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy

__all__ = ["check_accuracies", "check_container", "check_earlier_class", "check_self_test", "prepare", "uploads"]

OUTPUT = "out"  # the default output folder of `mnist-kit grade`
SHOWN = 5  # packages that are named one by one

LEAST_GB, RESERVE_MB = 2, 400
"""Memory of a container: the least to choose, and what the kit's own processes need in addition to a notebook."""

GRADESCOPE_S, START_S = 600, 120
"""Seconds: Gradescope's default limit, and what the kit may need in addition to a notebook's time."""

SHOW_HIDDEN = {
    "visible": "students see them at once",
    "after_due_date": "students see them after the due date",
    "after_published": "students see them once you publish the grades",
    "hidden": "students never see them",
}
"""Gradescope's settings for when hidden checks are shown, in words."""


def prepare(
    layout: Layout,
    folder: Path,
    today: date,
    *,
    busy: Callable[[str], None] = lambda _: None,
    self_test: Callable[[Path, Sequence[Path]], tuple[SelfTest, ...]] = self_test,
) -> Iterator[Finding]:
    """Check everything, build, and have the zip grade the solution and the blank template; yield findings as they come.

    `folder` is where grading will be started; `busy` is called with each task that takes a while. Later checks are left
    out if an error makes them pointless. Raises no KitError.
    """
    missing_layers = isolation.examine().missing
    yield Finding(OK, "Python", sys.version.partition(" ")[0])
    packages = _check_packages()
    yield packages
    if packages.is_error:
        return
    yield _check_confinement(missing_layers)
    try:
        policy = grading_file.load(layout.policy)
    except KitError as error:
        yield Finding(ERROR, "grading.yml", str(error), "Fix these lines.")
        return
    yield from _policy_in_words(policy)
    yield from check_earlier_class(folder, today)
    busy("building")
    try:
        built = build.build(layout, policy)
        new = " and ".join(path.name for path in build.stale_files(built, layout))
        build.write(built, layout)
        zip_errors = [f"{finding.title}: {finding.detail}" for finding in check_zip(layout.zip) if finding.is_error]
    except KitError as error:
        yield Finding(ERROR, "build", str(error))
        return
    yield Finding(OK, "data", "the published images and labels, by their checksums")
    yield Finding(OK, "build", f"new: {new}" if new else "template and solution have not changed")
    if zip_errors:
        yield Finding(ERROR, "zip", "\n".join(zip_errors), "Do not upload it.")
    else:
        size = f"{len(built.zip) / 2**20:.0f} MB"
        yield Finding(OK, "zip", f"contains everything that Gradescope needs, and no answers; {size}")
    yield from check_accuracies(layout, policy)
    if missing_layers:
        command = "mnist-kit grade --docker solutions/solution.ipynb student_template.ipynb -o dist/self-test"
        yield Finding(CHECK, "self-test", "not done, because this machine cannot confine a notebook", command)
        return
    busy("the zip grades the solution and the blank template: about a minute")
    try:
        solution, blank = self_test(layout.zip, (layout.solution, layout.template))
    except OSError as error:
        yield Finding(ERROR, "self-test", f"it could not be started ({error.strerror}: {error.filename})")
        return
    yield from check_self_test(solution, blank)
    yield check_container(policy, solution)


def uploads(layout: Layout) -> Mapping[Path, str]:
    """Return each file or folder that was built, with where it goes."""
    return {
        layout.zip: "Gradescope: Configure Autograder; upload it unchanged. `otter grade` takes it, too.",
        layout.template: "Students: as a file in Canvas, opened in Colab, or in a folder of your JupyterHub.",
        layout.dist / "handout": "Students, as a folder: the same notebook, with a page and its checks.",
        layout.solution.parent: "Nobody. Like grading.yml and assignment/exercise.md, it contains answers.",
    }


def _check_packages() -> Finding:
    """Check the installed packages: an error if one that grades is not at its locked version."""
    try:
        grading = unmet(GRADING_LOCK)
        others = tuple(package for package in unmet(LOCK) if package not in grading)
    except SetupError as error:
        return Finding(ERROR, "packages", str(error))
    if grading:
        return Finding(ERROR, "packages", f"not at their locked versions: {_names(grading)}", f"{REPAIR}.")
    if others:
        detail = f"those for grading are at their locked versions; those for review and tests are not: {_names(others)}"
        return Finding(NOTE, "packages", detail, f"{REPAIR}.")
    return Finding(OK, "packages", "all at their locked versions")


def _names(packages: Sequence[str]) -> str:
    more = f" and {len(packages) - SHOWN} more" if len(packages) > SHOWN else ""
    return ", ".join(packages[:SHOWN]) + more


def _check_confinement(missing: Sequence[str]) -> Finding:
    """Check whether this machine can grade by itself."""
    if missing:
        detail = f"this machine cannot confine notebooks; missing: {', '.join(missing)}"
        return Finding(CHECK, "confinement", detail, isolation.REMEDY)
    return Finding(OK, "confinement", "this machine can confine notebooks")


def _policy_in_words(policy: Policy) -> Iterator[Finding]:
    """Yield what grading.yml says, in words: only its author knows whether that is what was meant."""
    machine, people = (sum(question.points for question in kind.values()) for kind in (policy.code, policy.written))
    points = f"{policy.points:g} points, {machine:g} by machine and {people:g} by people"
    yield Finding(OK, "grading.yml", f"{policy.assignment.title}: {points}")
    if policy.written:
        items = ", ".join(f"{id} has {len(question.rubric)} items" for id, question in policy.written.items())
        yield Finding(OK, "rubrics", f"{items}; the points of each question add up")
        reviewers = ", ".join(policy.review.reviewers)
        if not reviewers:
            reviewers = "none are named, so one person marks everything; name them under `review`"
        elif policy.review.sample:
            reviewers += f"; two of them mark the same {policy.review.sample} answers to each question"
        yield Finding(NOTE, "reviewers", reviewers)
    limits = {"in any 24 hours": policy.attempts.per_day, "in total": policy.attempts.per_assignment}
    attempts = [f"{'once' if limit == 1 else f'{limit} times'} {when}" for when, limit in limits.items() if limit]
    often = " and ".join(attempts) or "as often as they like"
    yield Finding(NOTE, "attempts", f"on Gradescope, a student may submit {often}")
    yield Finding(NOTE, "hidden checks", f"on Gradescope, {SHOW_HIDDEN[policy.feedback.show_hidden]}")
    board = "the class sees a leaderboard of accuracies" if policy.feedback.leaderboard else "none"
    yield Finding(NOTE, "leaderboard", board)


def check_earlier_class(folder: Path, today: date) -> Iterator[Finding]:
    """Look for a gradebook of an earlier class, to which results would be added; it is opened read-only."""
    file = folder / OUTPUT / DATABASE
    if not file.is_file():
        return
    count, last = 0, ""
    address = f"{file.resolve().as_uri()}?mode=ro"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(address, uri=True)) as database:
        query = "select count(*), max(graded_at) from gradings where standing = 'current'"
        count, last = database.execute(query).fetchone()
    submissions = f"{count} submission{'' if count == 1 else 's'}, the last graded on {str(last)[:10]}"
    season = "spring" if today.month <= 5 else "summer" if today.month <= 7 else "fall"
    yield Finding(
        NOTE,
        "earlier class",
        f"{OUTPUT}/ contains {submissions if count else 'a gradebook'}; `mnist-kit grade` would add to it",
        f"For another class, name another folder: -o {OUTPUT}-{season}-{today.year}",
    )


def check_accuracies(layout: Layout, policy: Policy) -> Iterator[Finding]:
    """Check whether correct submissions reach the accuracies of grading.yml, by the stored calibration."""
    if not any(question.accuracy for question in policy.code.values()):
        return
    try:
        reference.rules(layout, policy)
    except CalibrationError as error:
        yield Finding(ERROR, "accuracies", str(error))
        return
    again = "Train the solution 30 times, which takes some minutes: mnist-kit calibrate"
    try:
        stored = reference.load(layout)
        fitted = miss_rate.fit(stored.accuracies)
    except CalibrationError as error:
        yield Finding(CHECK, "accuracies", f"it is not known which are safe to ask for: {error}", again)
        return
    if not stored.is_current(Origin.of(layout, policy.assignment.dataset, policy.assignment.split_seed)):
        detail = "the calibration is of another solution, other data or another split_seed"
        yield Finding(CHECK, "accuracies", detail, again)
        return
    most = "none" if fitted.recommended is None else f"{100 * fitted.recommended:g} %"
    levels = calibrate.levels(policy, stored.reference)
    high = [f"{100 * level:g} %" for level, _ in levels if not fitted.miss_rate(level).safe]
    if high:
        detail = f"correct submissions may miss {' and '.join(high)}; the highest that is safe to ask for is {most}"
        remedy = "Lower that in grading.yml; mnist-kit calibrate shows the chances."
        yield Finding(CHECK, "accuracies", detail, remedy)
    else:
        yield Finding(OK, "accuracies", f"safe to ask for; the highest would be {most}")


def check_self_test(solution: SelfTest, blank: SelfTest) -> Iterator[Finding]:
    """Check that the zip gives the solution every automatic point, and the blank template none."""
    details = "For details: mnist-kit grade {} -o dist/self-test"
    points = f"{solution.earned:g} of {solution.possible:g} automatic points"
    if solution.fault:
        yield Finding(ERROR, "solution", solution.fault, details.format("solutions/solution.ipynb"))
    elif solution.short:
        remedy = "Ask for less in grading.yml, or fix exercise.md."
        yield Finding(ERROR, "solution", "\n".join([points, *solution.short]), remedy)
    else:
        yield Finding(OK, "solution", f"the zip gives it {points}")
    if blank.fault:
        yield Finding(ERROR, "blank template", blank.fault, details.format("student_template.ipynb"))
    elif blank.earned:
        remedy = "Fix exercise.md: its prompts answer a question."
        yield Finding(ERROR, "blank template", f"{blank.earned:g} points without an answer", remedy)
    else:
        yield Finding(OK, "blank template", f"the zip gives it 0 of {blank.possible:g} points, and no error")


def check_container(policy: Policy, solution: SelfTest) -> Finding:
    """Return what to choose on Gradescope: the container that it offers by default cannot hold TensorFlow."""
    memory_gb = max(LEAST_GB, math.ceil((solution.memory_mb + RESERVE_MB) / 1024))
    needed_s = policy.execution.timeout_s + START_S
    limit = "" if needed_s <= GRADESCOPE_S else f", and a time limit of {math.ceil(needed_s / 60)} minutes"
    return Finding(NOTE, "container", f"on Gradescope, choose at least 1 CPU and {memory_gb} GB of memory{limit}")
