"""One run of `mnist-kit new-term`: is everything as it must be before an assignment goes out, and what goes where."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from autograder.authoring import build, zip_check
from autograder.authoring.checklist import Step, StepStatus, Upload
from autograder.authoring.self_test import Rehearsal, rehearse
from autograder.calibration import calibration, miss_rate, reference
from autograder.calibration.calibration import Origin
from autograder.commands import calibrate
from autograder.engine import isolation
from autograder.engine.environment import GRADING_LOCK, LOCK, REPAIR, Unmet, unmet
from autograder.errors import CalibrationError, KitError, SetupError
from autograder.gradebook.database import DATABASE
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy

__all__ = ["steps", "uploads"]

OUTPUT = "out"
"""Where `mnist-kit grade` puts results by itself."""

LEAST_GB, RESERVE_MB = 2, 400
"""Of a container's memory: the least to choose, and what the kit's own processes take beside a notebook."""

GRADESCOPE_S, START_S = 600, 120
"""Seconds: Gradescope's limit, unless another is chosen, and what the kit may need beside a notebook's own time."""

SHOWN = 5
"""Packages that are named one by one."""

NOT_HERE = "mnist-kit grade --docker solutions/solution.ipynb student_template.ipynb -o dist/rehearsal"

SHOW_HIDDEN = {
    "visible": "students see them at once",
    "after_due_date": "students see them after the due date",
    "after_published": "students see them once you publish the grades",
    "hidden": "students never see them",
}
"""Gradescope's words for when hidden checks are shown."""

Rehearse = Callable[[Path, Sequence[Path]], tuple[Rehearsal, ...]]


def steps(
    layout: Layout,
    folder: Path,
    today: date,
    *,
    busy: Callable[[str], None] = lambda _: None,
    rehearse: Rehearse = rehearse,
) -> Iterator[Step]:
    """Look at everything, build, and have the zip grade the solution and the blank template; a step as it is done.

    `folder` is where grading will be started; `busy` is told what takes a while. A step that cannot be taken because an
    earlier one is wrong is left out. Raises no KitError.
    """
    examination = isolation.examine()
    yield Step("Python", StepStatus.RIGHT, sys.version.partition(" ")[0])
    packages = _packages()
    yield packages
    if packages.mark is StepStatus.WRONG:
        return
    yield _confinement(examination)
    try:
        policy = grading_file.load(layout.policy)
    except KitError as error:
        yield Step("grading.yml", StepStatus.WRONG, str(error), "Mend these lines.")
        return
    yield from _meaning(policy)
    yield from _left_over(folder, today)
    busy("building")
    try:
        built = build.build(layout)
        new = [path.name for path in build.stale(built, layout)]
        build.write(built, layout)
        wrong = [f"{each.what}: {each.wrong}" for each in zip_check.inspect(layout.zip) if each.wrong]
    except KitError as error:
        yield Step("build", StepStatus.WRONG, str(error))
        return
    yield Step("data", StepStatus.RIGHT, "the published images and labels, by their checksums")
    yield Step(
        "build", StepStatus.RIGHT, f"new: {' and '.join(new)}" if new else "template and solution are as they were"
    )
    yield _zip(layout, wrong)
    yield from _accuracies(layout, policy)
    if examination.missing:
        yield Step("self-test", StepStatus.LOOK, "this machine cannot confine a notebook, so none was graded", NOT_HERE)
        return
    busy("the zip grades the solution and the blank template: a minute or so")
    try:
        solution, blank = rehearse(layout.zip, (layout.solution, layout.template))
    except OSError as error:
        yield Step("self-test", StepStatus.WRONG, f"it could not be made ({error.strerror}: {error.filename})")
        return
    yield from (_solution(solution), _blank(blank), _container(policy, solution))


def uploads(layout: Layout) -> tuple[Upload, ...]:
    """What goes where, once all is built."""
    return (
        Upload(layout.zip, "Gradescope: Configure Autograder, and there as it is. `otter grade` takes it, too."),
        Upload(layout.template, "Students: as a file in Canvas, opened in Colab, or in a folder of your JupyterHub."),
        Upload(layout.dist / "handout", "Students, as a folder: the same notebook, and what belongs to it."),
        Upload(layout.solution.parent, "Nobody. So with grading.yml and assignment/exercise.md: they hold answers."),
    )


def _packages() -> Step:
    """Those that grade must be those that are locked; of the others it is enough to know."""
    what = "packages"
    try:
        grading = unmet(GRADING_LOCK)
        others = tuple(each for each in unmet(LOCK) if each not in grading)
    except SetupError as error:
        return Step(what, StepStatus.WRONG, str(error))
    if grading:
        return Step(what, StepStatus.WRONG, f"not as locked: {_named(grading)}", f"{REPAIR}.")
    if others:
        found = f"what grades is as locked; what the review and the tests need is not: {_named(others)}"
        return Step(what, StepStatus.NOTE, found, f"{REPAIR}.")
    return Step(what, StepStatus.RIGHT, "all that are locked, at these versions")


def _named(unmet: Sequence[Unmet]) -> str:
    more = f" and {len(unmet) - SHOWN} more" if len(unmet) > SHOWN else ""
    return ", ".join(map(str, unmet[:SHOWN])) + more


def _confinement(examination: isolation.Examination) -> Step:
    if examination.missing:
        missing = ", ".join(examination.missing)
        return Step(
            "confinement",
            StepStatus.LOOK,
            f"this machine cannot confine notebooks: {missing} missing",
            isolation.REMEDY,
        )
    return Step("confinement", StepStatus.RIGHT, "this machine can confine notebooks")


def _meaning(policy: Policy) -> Iterator[Step]:
    """What grading.yml says, in words: whether it is what was meant, only its author knows."""
    machine, people = (sum(q.points for q in each.values()) for each in (policy.code, policy.written))
    yield Step(
        "grading.yml",
        StepStatus.RIGHT,
        f"{policy.assignment.title}: {policy.points:g} points, {machine:g} by machine and {people:g} by people",
    )
    if policy.written:
        items = ", ".join(f"{id} has {len(q.rubric)} items" for id, q in policy.written.items())
        yield Step("rubrics", StepStatus.RIGHT, f"{items}; the points of each question add up")
        yield _reviewers(policy)
    yield Step("attempts", StepStatus.NOTE, _attempts(policy))
    yield Step("hidden checks", StepStatus.NOTE, f"on Gradescope, {SHOW_HIDDEN[policy.feedback.show_hidden]}")
    board = "the class sees a leaderboard of accuracies" if policy.feedback.leaderboard else "none"
    yield Step("leaderboard", StepStatus.NOTE, board)


def _reviewers(policy: Policy) -> Step:
    review = policy.review
    if not review.reviewers:
        return Step("reviewers", StepStatus.NOTE, "none are named, so one person marks all; name them under `review`")
    sample = f"; {review.sample} answers to each question by two of them" if review.sample else ""
    return Step("reviewers", StepStatus.NOTE, ", ".join(review.reviewers) + sample)


def _attempts(policy: Policy) -> str:
    limits = {"in any 24 hours": policy.attempts.per_day, "in all": policy.attempts.per_assignment}
    told = [f"{_times(limit)} {when}" for when, limit in limits.items() if limit is not None]
    return f"on Gradescope, a student may hand in {' and '.join(told) or 'as often as they like'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _left_over(folder: Path, today: date) -> Iterator[Step]:
    """A gradebook of an earlier class, to which results would be added; it is looked at, never opened for writing."""
    found = folder / OUTPUT / DATABASE
    if not found.is_file():
        return
    count, last = 0, ""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{found.resolve().as_uri()}?mode=ro", uri=True)) as file,
    ):
        count, last = file.execute(
            "select count(*), max(graded_at) from gradings where standing = 'current'"
        ).fetchone()
    some = f"{count} submission{'s' if count > 1 else ''}"
    what = f"{some}, the last graded on {str(last)[:10]}" if count else "a gradebook"
    yield Step(
        "left over",
        StepStatus.NOTE,
        f"{OUTPUT}/ holds {what}, and `mnist-kit grade` would add to it",
        f"For another class name another folder: -o {OUTPUT}-{_season(today)}-{today.year}",
    )


def _season(today: date) -> str:
    """As terms are called where the academic year begins in autumn."""
    return "spring" if today.month <= 5 else "summer" if today.month <= 7 else "fall"


def _zip(layout: Layout, wrong: Sequence[str]) -> Step:
    if wrong:
        return Step("zip", StepStatus.WRONG, "\n".join(wrong), "Do not upload it.")
    size = layout.zip.stat().st_size / 2**20
    return Step("zip", StepStatus.RIGHT, f"everything that Gradescope needs is in it, and no answers; {size:.0f} MB")


def _accuracies(layout: Layout, policy: Policy) -> Iterator[Step]:
    """Whether correct submissions reach what grading.yml asks for, by the runs that were stored."""
    if not any(question.accuracy for question in policy.code.values()):
        return
    try:
        reference.rules(layout)
    except CalibrationError as error:
        yield Step("accuracies", StepStatus.WRONG, str(error))
        return
    again = "Train the solution 30 times, which takes some minutes: mnist-kit calibrate"
    try:
        stored = calibration.load(layout)
        fitted = miss_rate.fit(stored.accuracies)
    except CalibrationError as error:
        yield Step("accuracies", StepStatus.LOOK, f"which ones are safe to ask for is not known: {error}", again)
        return
    if not stored.is_current(Origin.of(layout, policy.assignment.dataset, policy.assignment.split_seed)):
        yield Step(
            "accuracies", StepStatus.LOOK, "the calibration is of another solution, other data or split_seed", again
        )
        return
    most = "none" if fitted.recommended is None else f"{100 * fitted.recommended:g} %"
    high = [
        f"{100 * level:g} %"
        for level, _ in calibrate.levels(policy, stored.reference)
        if not fitted.miss_rate(level).safe
    ]
    if high:
        found = f"correct submissions may miss {' and '.join(high)}; the most that is safe to ask for is {most}"
        yield Step(
            "accuracies", StepStatus.LOOK, found, "Lower that in grading.yml; mnist-kit calibrate tells the chances."
        )
    else:
        yield Step("accuracies", StepStatus.RIGHT, f"safe to ask for; the most would be {most}")


def _solution(result: Rehearsal) -> Step:
    what = "solution"
    if result.fault:
        return Step(
            what,
            StepStatus.WRONG,
            result.fault,
            "mnist-kit grade solutions/solution.ipynb -o dist/rehearsal shows more.",
        )
    points = f"{result.earned:g} of {result.possible:g} automatic points"
    if result.short:
        return Step(
            what,
            StepStatus.WRONG,
            "\n".join([points, *result.short]),
            "Ask for less in grading.yml, or mend exercise.md.",
        )
    return Step(what, StepStatus.RIGHT, f"the zip gives it {points}")


def _blank(result: Rehearsal) -> Step:
    what = "blank template"
    if result.fault:
        return Step(
            what, StepStatus.WRONG, result.fault, "mnist-kit grade student_template.ipynb -o dist/rehearsal shows more."
        )
    if result.earned:
        return Step(
            what,
            StepStatus.WRONG,
            f"{result.earned:g} points for no answer",
            "Mend exercise.md: its prompts answer a question.",
        )
    return Step(what, StepStatus.RIGHT, f"the zip gives it 0 of {result.possible:g} points, and no error")


def _container(policy: Policy, solution: Rehearsal) -> Step:
    """What to choose on Gradescope: its own values hold no TensorFlow."""
    memory_gb = max(LEAST_GB, math.ceil((solution.memory_mb + RESERVE_MB) / 1024))
    needed_s = policy.execution.timeout_s + START_S
    time = "" if needed_s <= GRADESCOPE_S else f", and a limit of {math.ceil(needed_s / 60)} minutes"
    return Step(
        "container", StepStatus.NOTE, f"on Gradescope, choose at least 1 CPU and {memory_gb} GB of memory{time}"
    )
