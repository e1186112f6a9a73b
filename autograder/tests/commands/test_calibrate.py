"""`mnist-kit calibrate`: the change to the solution, the result of a run, and a few real runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.calibration.reference import Calibration, Origin
from autograder.commands.calibrate import CalibrationPlan, at_lowest_reference, levels, seeded, train, train_in
from autograder.engine import batch
from autograder.engine.engine import Engine
from autograder.errors import CalibrationError
from autograder.judge.grade_report import GradeReport
from autograder.layout import Layout
from autograder.policy.policy import AccuracyRule, Policy
from autograder.submissions import notebook
from autograder.submissions.submission import Submission
from autograder.tests import journals, reports
from autograder.tests.notebooks import at, change, delete, edited


@pytest.fixture(scope="module")
def solution(layout: Layout) -> NotebookNode:
    return nbformat.read(layout.solution, as_version=4)


@pytest.fixture(scope="module")
def plan(layout: Layout, rules: Policy, solution: NotebookNode) -> CalibrationPlan:
    """The solution with one epoch of training instead of five, from three seeds."""
    source = solution.cells[at(solution, "q7-answer")].source
    assert "epochs=5" in source
    quick = edited(change("q7-answer", source=source.replace("epochs=5", "epochs=1")), solution)
    return CalibrationPlan(layout, rules, quick, Origin.of(layout, "mnist", rules.assignment.split_seed), (1, 2, 3), 2)


def asking(rules: Policy, **question: object) -> Policy:
    """The rules, with question 7 changed."""
    changed = rules.questions["q7"].model_copy(update=question)
    questions = {**rules.questions, "q7": changed}
    # Not model_copy, which would keep what the old one has cached.
    return Policy(assignment=rules.assignment, questions=questions, execution=rules.execution)


def test_the_seed_is_set_right_after_the_imports_and_nothing_else_is_changed(solution: NotebookNode) -> None:
    before = nbformat.writes(solution)
    made = nbformat.reads(seeded(solution, 7).data.decode(), as_version=4)
    assert nbformat.writes(solution) == before, "the solution itself stays as it is"
    place = at(made, "seed-code")
    assert made.cells[place].source == "import keras\n\nkeras.utils.set_random_seed(7)"
    assert "import keras" in made.cells[place - 1].source
    del made.cells[place]
    assert made == nbformat.reads(before, as_version=4)


def test_the_new_cell_takes_no_question_from_another(solution: NotebookNode, rules: Policy) -> None:
    plain = notebook.read(nbformat.writes(solution).encode(), rules)
    read = notebook.read(seeded(solution, 7).data, rules)
    assert (read.answers, read.notes) == (plain.answers, plain.notes)
    owners = [(cell.source, cell.question) for cell in read.cells]
    assert owners.count(("import keras\n\nkeras.utils.set_random_seed(7)", None)) == 1
    assert [each for each in owners if "set_random_seed" not in each[0]] == [
        (cell.source, cell.question) for cell in plain.cells
    ]


@pytest.mark.parametrize("source", ["from tensorflow import keras", "x = 1\nimport tensorflow as tf", "  import keras"])
def test_the_imports_are_known_in_any_form(solution: NotebookNode, source: str) -> None:
    made = nbformat.reads(
        seeded(edited(change("intro-code-2", source=source), solution), 1).data.decode(), as_version=4
    )
    assert at(made, "seed-code") == at(made, "intro-code-2") + 1


def test_a_solution_without_imports_has_no_place_for_a_seed(solution: NotebookNode) -> None:
    with pytest.raises(CalibrationError, match="no cell of the solution imports keras or tensorflow"):
        seeded(edited(delete("intro-code-2"), solution), 1)


def test_the_levels_are_all_bands_and_full_with_their_points() -> None:
    assert levels(journals.RULES, 0.97) == ((0.85, 4.0), (0.93, 6.0), (0.965, 8.0))
    assert levels(asking(journals.RULES, accuracy=AccuracyRule(full=0.9)), 0.97) == ((0.9, 8.0),)
    apart = AccuracyRule(reference_margin=0.01, bands=((0.5, 1),), scaled=1, measured={"test_accuracy": 2})
    assert levels(asking(journals.RULES, accuracy=apart), 0.97) == ((0.5, 1.0), (0.96, 5.0))
    without = {id: question for id, question in journals.RULES.questions.items() if id != "q7"}
    with pytest.raises(CalibrationError, match=r"grading\.yml has no question with `accuracy`"):
        levels(Policy(assignment=journals.RULES.assignment, questions=without), 0.97)


def test_a_margin_leaves_room_for_the_bands_while_its_reference_is_unknown() -> None:
    rule = AccuracyRule(reference_margin=0.02, bands=((0.5, 1), (0.9, 2)))
    lowest = at_lowest_reference(asking(journals.RULES, accuracy=rule)).code["q7"].accuracy
    assert lowest is not None
    assert lowest.levels[:2] == (0.5, 0.9)
    assert lowest.levels[2] == pytest.approx(0.900001)
    assert at_lowest_reference(journals.RULES) == journals.RULES


def test_a_plan_holds_the_solution_its_origin_and_a_seed_for_each_run(layout: Layout, solution: NotebookNode) -> None:
    plan = CalibrationPlan.of(layout, 9, 2)
    assert plan.seeds == tuple(range(1, 10))
    assert plan.solution == solution
    assert plan.origin == Origin.of(layout, "mnist", plan.policy.assignment.split_seed)


@pytest.fixture
def pool(engine: Engine) -> Iterator[batch.Pool]:
    with batch.threads(engine.grade, 2) as made:
        yield made


@pytest.mark.slow
def test_each_seed_gives_an_accuracy_of_its_own_and_the_same_one_again(plan: CalibrationPlan, pool: batch.Pool) -> None:
    runs = sorted(train(plan), key=lambda run: run.seed)
    assert [run.seed for run in runs] == [1, 2, 3]
    assert len({run.accuracy for run in runs}) > 1
    assert all(0.93 < run.accuracy < 0.97 for run in runs), "one epoch gives about 95 %"
    (again,) = train_in(pool, replace(plan, seeds=(2,)))
    assert again == runs[1]
    found = Calibration.of(plan.origin, runs)
    assert Calibration.from_json(found.to_json()) == found


@pytest.mark.slow
def test_a_run_without_full_marks_says_which_question_it_lost(plan: CalibrationPlan, pool: batch.Pool) -> None:
    source = "model.compile(optimizer='sgd', loss='sparse_categorical_crossentropy')"
    solution = edited(change("q6-answer", source=source), plan.solution)
    (run,) = train_in(pool, replace(plan, solution=solution, seeds=(5,)))
    assert 0.8 < run.accuracy < 0.95
    assert run.lost == ("q6", "q7")
    assert run.earned == 26 - 2 - (4 if run.accuracy < 0.9 else 2), "the optimizer, and one or two bands"


def ungraded(fault: str) -> GradeReport:
    return replace(reports.ungraded(), fault=fault)


def test_after_a_fault_of_the_grader_what_has_not_begun_is_dropped(plan: CalibrationPlan) -> None:
    """A grader that fails, in place of the engine: that one answers faults of its own with a second try."""
    begun: list[str] = []

    def grade(submission: Submission) -> GradeReport:
        begun.append(submission.name)
        return ungraded("the judge took too long\nmore")

    with batch.threads(grade, 1) as made:
        with pytest.raises(CalibrationError, match=r"seed \d+ could not be graded: the judge took too long more"):
            list(train_in(made, replace(plan, seeds=tuple(range(1, 100)))))
        made.executor.submit(len, begun).result()  # its turn comes when all that was waiting is done, or dropped
    assert 1 <= len(begun) < 99


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (reports.half_graded(), "seed 1 could not be graded: "),
        (reports.rejected(), r"seed 1 could not be graded: It is not a notebook\."),
        (reports.graded(accuracy=None), r"seed 1 has no hidden accuracy: Cell 3 stopped with KeyError: x"),
        (replace(ungraded(""), questions=()), "seed 1 could not be graded: no reason was given"),
    ],
    ids=["one question not graded", "rejected", "not scored", "no reason"],
)
def test_no_run_without_a_grade_is_counted(plan: CalibrationPlan, report: GradeReport, message: str) -> None:
    with batch.threads(lambda _: report, 1) as made, pytest.raises(CalibrationError, match=message):
        list(train_in(made, replace(plan, seeds=(1,))))


def test_points_that_wait_for_a_reviewer_are_not_lost(plan: CalibrationPlan) -> None:
    with batch.threads(lambda _: reports.graded(), 1) as made:
        (run,) = train_in(made, replace(plan, seeds=(4,)))
    assert (run.seed, run.accuracy, run.earned, run.lost) == (4, 0.9598, 16.66, ("q5", "q6"))
