"""The checks of `mnist-kit new-term` that need no build: packages, machine, grading.yml, old results, accuracies."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from autograder.authoring.finding import Finding, FindingStatus
from autograder.calibration import calibration, miss_rate, reference
from autograder.calibration.calibration import Origin
from autograder.commands import calibrate
from autograder.engine import isolation
from autograder.engine.environment import GRADING_LOCK, LOCK, REPAIR, Unmet, unmet
from autograder.errors import CalibrationError, SetupError
from autograder.gradebook.database import DATABASE
from autograder.layout import Layout
from autograder.policy.policy import Policy

__all__ = ["accuracies", "confinement", "earlier_class", "packages", "policy_in_words"]

OUTPUT = "out"
"""The default output folder of `mnist-kit grade`."""

SHOWN = 5
"""Packages that are named one by one."""

SHOW_HIDDEN = {
    "visible": "students see them at once",
    "after_due_date": "students see them after the due date",
    "after_published": "students see them once you publish the grades",
    "hidden": "students never see them",
}
"""Gradescope's settings for when hidden checks are shown, in words."""

OK, NOTE, CHECK, ERROR = FindingStatus


def packages() -> Finding:
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


def _names(packages: Sequence[Unmet]) -> str:
    more = f" and {len(packages) - SHOWN} more" if len(packages) > SHOWN else ""
    return ", ".join(map(str, packages[:SHOWN])) + more


def confinement(examination: isolation.Examination) -> Finding:
    """Check whether this machine can grade by itself."""
    if examination.missing:
        detail = f"this machine cannot confine notebooks; missing: {', '.join(examination.missing)}"
        return Finding(CHECK, "confinement", detail, isolation.REMEDY)
    return Finding(OK, "confinement", "this machine can confine notebooks")


def policy_in_words(policy: Policy) -> Iterator[Finding]:
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
    attempts = [
        f"{'once' if limit == 1 else f'{limit} times'} {when}" for when, limit in limits.items() if limit is not None
    ]
    often = " and ".join(attempts) or "as often as they like"
    yield Finding(NOTE, "attempts", f"on Gradescope, a student may submit {often}")
    yield Finding(NOTE, "hidden checks", f"on Gradescope, {SHOW_HIDDEN[policy.feedback.show_hidden]}")
    board = "the class sees a leaderboard of accuracies" if policy.feedback.leaderboard else "none"
    yield Finding(NOTE, "leaderboard", board)


def earlier_class(folder: Path, today: date) -> Iterator[Finding]:
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


def accuracies(layout: Layout, policy: Policy) -> Iterator[Finding]:
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
        stored = calibration.load(layout)
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
