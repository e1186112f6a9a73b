"""One run of `mnist-kit calibrate`: the solution, trained many times through the real engine, a seed for each."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder import atomic
from autograder.authoring import build
from autograder.calibration import miss_rate
from autograder.calibration.calibration import Origin, TrainingRun
from autograder.calibration.miss_rate import Levels
from autograder.engine import batch, isolation
from autograder.engine.engine import Engine
from autograder.errors import BuildError, CalibrationError
from autograder.judge.grade_report import GradeReport, Outcome, Status
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.submissions.cells import cell_id
from autograder.submissions.submission import Submission

__all__ = ["CalibrationPlan", "levels", "seeded", "store", "train", "train_in"]

IMPORT = re.compile(r"^[ \t]*(import|from)[ \t]+(keras|tensorflow)\b", re.MULTILINE)


@dataclass(frozen=True)
class CalibrationPlan:
    """What to train: the solution as it was when the plan was made, once for each seed, `workers` at once."""

    layout: Layout
    policy: Policy
    solution: NotebookNode
    origin: Origin
    seeds: tuple[int, ...]
    workers: int

    @classmethod
    def of(cls, layout: Layout, runs: int, workers: int) -> Self:
        """The plan for `runs` runs, with seeds from 1 on; builds the assignment where it is stale.

        Raises KitError: too few runs, no accuracy asked for in grading.yml, a solution that cannot be built or read.
        """
        miss_rate.require_enough(runs)
        policy = grading_file.load(layout.policy)
        levels(policy, 1.0)
        if build.is_stale(layout):
            build.write(build.build(layout), layout)
        origin = Origin.of(layout, policy.assignment.dataset, policy.assignment.split_seed)
        solution = nbformat.read(layout.solution, as_version=4)
        return cls(layout, policy, solution, origin, tuple(range(1, runs + 1)), workers)


def levels(policy: Policy, reference: float) -> Levels:
    """What the policy's accuracy questions ask for, where the solution reaches `reference` (a fraction).

    Raises CalibrationError where there is no such question.
    """
    found: set[tuple[float, float]] = set()
    for question in policy.code.values():
        rule = question.accuracy
        if rule is not None:
            full = reference - rule.reference_margin if rule.reference_margin else rule.full or 0.0
            found |= {*rule.bands, (round(full, 6), question.points - rule.other_points)}
    if not found:
        raise CalibrationError("grading.yml has no question with `accuracy`, so there is nothing to calibrate")
    return tuple(sorted(found))


def seeded(solution: NotebookNode, seed: int) -> Submission:
    """The solution with a seed set after its imports, and nothing else changed.

    The new cell's id belongs to no question, so the cells around it keep theirs. Raises CalibrationError where no
    cell imports Keras or TensorFlow.
    """
    made = copy.deepcopy(solution)
    imports = (at for at, cell in enumerate(made.cells) if cell.cell_type == "code" and IMPORT.search(cell.source))
    at = next(imports, None)
    if at is None:
        raise CalibrationError("no cell of the solution imports keras or tensorflow: where would the seed go?")
    source = f"import keras\n\nkeras.utils.set_random_seed({seed})"
    made.cells.insert(at + 1, new_code_cell(source, id=cell_id("seed", "code")))
    return Submission(f"seed {seed}", "the solution", nbformat.writes(made).encode())


def train(plan: CalibrationPlan) -> Iterator[TrainingRun]:
    """Train the solution with every seed, in an engine of its own; raises what `train_in` raises.

    The solution is the instructor's own, so a machine that cannot confine student code runs it unconfined.
    """
    layout = plan.layout
    tests = build.read_tests(layout.tests)
    unsafe = bool(isolation.examine().missing)
    data = layout.data(plan.policy.assignment.dataset)
    engine = Engine(_lenient(plan.policy), tests, data, secrets=layout.secrets, unsafe=unsafe)
    with engine, batch.threads(engine.grade, plan.workers) as pool:
        yield from train_in(pool, plan)


def _lenient(policy: Policy) -> Policy:
    """With a reference at the least that leaves room for the bands: the true one is what is being looked for."""
    for question in policy.code.values():
        rule = question.accuracy
        if rule is not None and rule.reference_margin is not None:
            highest = max((accuracy for accuracy, _ in rule.bands), default=0.0)
            policy = policy.at_reference(min(1 - 1e-6, highest + rule.reference_margin + 1e-6))
    return policy


def train_in(pool: batch.Pool, plan: CalibrationPlan) -> Iterator[TrainingRun]:
    """Have the pool train the solution with every seed; each run is handed on as it is done.

    Raises CalibrationError at the first run that could not be graded or has no accuracy, and drops those that have not
    begun; so it does where the caller stops early.
    """

    def grade(seed: int) -> GradeReport:
        return pool.grade(seeded(plan.solution, seed))

    waiting = {pool.executor.submit(grade, seed): seed for seed in plan.seeds}
    try:
        for done in as_completed(waiting):
            yield _run(waiting[done], done.result())
    finally:
        for each in waiting:
            each.cancel()


def store(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all and return its path. Raises BuildError if the disk does not allow it."""
    try:
        atomic.write(path, content)
    except OSError as error:
        raise BuildError(f"{path}: it cannot be written ({error.strerror})") from error
    return path


def _run(seed: int, report: GradeReport) -> TrainingRun:
    if report.status is not Status.GRADED or not report.complete or report.accuracy is None:
        graded = report.status is Status.GRADED and report.complete
        what = "has no hidden accuracy" if graded else "could not be graded"
        raise CalibrationError(f"the run with seed {seed} {what}: {_why(report)}")
    lost = tuple(each.id for each in report.questions if not each.written and each.outcome is not Outcome.PASSED)
    return TrainingRun(seed=seed, accuracy=report.accuracy, earned=report.earned, lost=lost)


def _why(report: GradeReport) -> str:
    """The first thing that is said about what went wrong."""
    said = [report.fault]
    for question in report.questions:
        said += [question.message, *(check.message for check in question.checks if check.earned < check.points)]
    return next((" ".join(text.split()) for text in (*said, *report.notes) if text), "no reason was given")
