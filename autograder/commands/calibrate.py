"""One run of `mnist-kit calibrate`: the solution, trained many times by the real engine, each with another seed."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Self

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.authoring import build
from autograder.authoring.autograder_zip import read_tests
from autograder.calibration import miss_rate
from autograder.calibration.miss_rate import Levels
from autograder.calibration.reference import Calibration, Origin, TrainingRun
from autograder.engine import batch, isolation
from autograder.engine.engine import Engine
from autograder.errors import CalibrationError
from autograder.judge.grade_report import GradeReport, Outcome, Status
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.report import result_files
from autograder.submissions.cells import cell_id
from autograder.submissions.submission import Submission

__all__ = ["CalibrationPlan", "at_lowest_reference", "finish", "levels", "seeded", "train", "train_in"]

IMPORT = re.compile(r"^[ \t]*(import|from)[ \t]+(keras|tensorflow)\b", re.MULTILINE)


@dataclass(frozen=True)
class CalibrationPlan:
    """The solution as it was when the plan was made, to be trained once with each seed, `workers` at a time."""

    layout: Layout
    policy: Policy
    solution: NotebookNode
    origin: Origin
    seeds: tuple[int, ...]
    workers: int

    @classmethod
    def of(cls, layout: Layout, runs: int, workers: int) -> Self:
        """Plan `runs` runs, with seeds from 1; build the assignment if it is stale.

        Raises KitError: too few runs, no accuracy in grading.yml, a solution that cannot be built or read.
        """
        miss_rate.require_enough(runs)
        policy = grading_file.load(layout.policy)
        levels(policy, 1.0)
        build.ensure_built(layout, policy)
        origin = Origin.of(layout, policy.assignment.dataset, policy.assignment.split_seed)
        solution = nbformat.read(layout.solution, as_version=4)
        return cls(layout, policy, solution, origin, tuple(range(1, runs + 1)), workers)


def levels(policy: Policy, reference: float) -> Levels:
    """Return the accuracies that the policy asks for, with their points, if the solution reaches `reference` (0 to 1).

    Raises CalibrationError if the policy asks for none.
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
    """Return the solution with a seed set right after its imports, and otherwise unchanged.

    The new cell's id belongs to no question, so the cells around it keep theirs. Raises CalibrationError if no cell
    imports Keras or TensorFlow.
    """
    notebook = copy.deepcopy(solution)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and IMPORT.search(cell.source):
            source = f"import keras\n\nkeras.utils.set_random_seed({seed})"
            notebook.cells.insert(index + 1, new_code_cell(source, id=cell_id("seed", "code")))
            return Submission(f"seed {seed}", "the solution", nbformat.writes(notebook).encode())
    raise CalibrationError("no cell of the solution imports keras or tensorflow, so the seed cannot be set after it")


def train(plan: CalibrationPlan) -> Iterator[TrainingRun]:
    """Train the solution with every seed, in its own engine; raise what `train_in` raises.

    The solution is the instructor's own, so a machine that cannot confine student code runs it unconfined.
    """
    layout, policy = plan.layout, at_lowest_reference(plan.policy)
    unsafe, data = bool(isolation.examine().missing), layout.data(policy.assignment.dataset)
    engine = Engine(policy, read_tests(layout.tests), data, secrets=layout.secrets, unsafe=unsafe)
    with engine, batch.threads(engine.grade, plan.workers) as pool:
        yield from train_in(pool, plan)


def at_lowest_reference(policy: Policy) -> Policy:
    """Return the policy with the lowest reference that leaves room for its bands, while the true one is unknown."""
    for question in policy.code.values():
        rule = question.accuracy
        if rule is not None and rule.reference_margin is not None:
            highest = max((accuracy for accuracy, _ in rule.bands), default=0.0)
            policy = policy.at_reference(min(1 - 1e-6, highest + rule.reference_margin + 1e-6))
    return policy


def train_in(pool: batch.Pool, plan: CalibrationPlan) -> Iterator[TrainingRun]:
    """Have the pool train the solution with every seed; yield each run when it is done.

    Raises CalibrationError at the first run that could not be graded or has no accuracy. Runs that have not begun by
    then, or when the caller stops early, are dropped.
    """
    waiting = {pool.executor.submit(pool.grade, seeded(plan.solution, seed)): seed for seed in plan.seeds}
    try:
        for done in as_completed(waiting):
            yield _run(waiting[done], done.result())
    finally:
        for future in waiting:
            future.cancel()


def _run(seed: int, report: GradeReport) -> TrainingRun:
    if report.status is not Status.GRADED or not report.complete:
        raise CalibrationError(f"the run with seed {seed} could not be graded: {_reason(report)}")
    if report.accuracy is None:
        raise CalibrationError(f"the run with seed {seed} has no hidden accuracy: {_reason(report)}")
    lost = tuple(one.id for one in report.questions if not one.written and one.outcome is not Outcome.PASSED)
    return TrainingRun(seed=seed, accuracy=report.accuracy, earned=report.earned, lost=lost)


def _reason(report: GradeReport) -> str:
    """Return the first message about what went wrong, on one line."""
    messages = [report.fault]
    for question in report.questions:
        messages += [question.message, *(check.message for check in question.checks if check.earned < check.points)]
    return next((" ".join(text.split()) for text in (*messages, *report.notes) if text), "no reason was given")


def finish(
    plan: CalibrationPlan, runs: Sequence[TrainingRun]
) -> tuple[Calibration, miss_rate.AccuracyDistribution, Levels]:
    """Write calibration.json and its chart; return the calibration, its fitted curve, and the levels asked for.

    Raises BuildError if the disk does not allow a file.
    """
    from autograder.report.calibration_report import picture  # here, because matplotlib takes a second

    found = Calibration.of(plan.origin, runs)
    result_files.write(plan.layout.calibration, found.to_json())
    fitted, required = miss_rate.fit(found.accuracies), levels(plan.policy, found.reference)
    result_files.write(plan.layout.calibration_plot, picture(found, fitted, required))
    return found, fitted, required
