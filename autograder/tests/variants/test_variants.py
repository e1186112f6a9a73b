"""Right and wrong answers in many spellings, graded by the real engine: exact points, and their messages."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import FULL
from autograder.engine.engine import Engine
from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.submissions.submission import Submission
from autograder.tests.variants.right_notebooks import NOTEBOOKS
from autograder.tests.variants.right_spellings import SPELLINGS
from autograder.tests.variants.right_training import TRAINING
from autograder.tests.variants.variant import Variant
from autograder.tests.variants.wrong_compile import COMPILED
from autograder.tests.variants.wrong_layers import LAYERS
from autograder.tests.variants.wrong_models import MODELS
from autograder.tests.variants.wrong_notebooks import NOTEBOOKS as BLANKS
from autograder.tests.variants.wrong_training import LEARNED, REPORTED
from autograder.tests.variants.wrong_values import VALUES

pytestmark = [pytest.mark.slow, pytest.mark.variants]

RIGHT = (*SPELLINGS, *TRAINING, *NOTEBOOKS)
WRONG = (*VALUES, *LAYERS, *MODELS, *COMPILED, *LEARNED, *REPORTED, *BLANKS)

AT_ONCE = 2  # notebooks graded at the same time
LINES = 3  # the most lines of a message: what was found, what was expected, what to try


@pytest.fixture(scope="session")
def reports(request: pytest.FixtureRequest, engine: Engine, template: NotebookNode) -> dict[str, GradeReport]:
    """The variants that were selected, graded once, by name."""
    selected: dict[str, Variant] = {}
    for item in request.session.items:
        callspec = getattr(item, "callspec", None)
        variant = callspec.params.get("variant") if callspec else None
        if isinstance(variant, Variant) and "reports" in getattr(item, "fixturenames", ()):
            selected[variant.name] = variant
    submissions = [Submission(each.name, f"{each.name}.ipynb", each.make(template)) for each in selected.values()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {report.name: report for report in pool.map(engine.grade, submissions)}


@pytest.mark.parametrize("variant", RIGHT, ids=lambda variant: variant.name)
def test_a_right_answer_gets_full_marks_and_no_remark(variant: Variant, reports: Mapping[str, GradeReport]) -> None:
    report = reports[variant.name]
    assert report.status is Status.GRADED, report.fault
    assert earned(report) == FULL, text_of(report)
    assert not text_of(report)


@pytest.mark.parametrize("variant", WRONG, ids=lambda variant: variant.name)
def test_a_mistake_costs_its_own_points_and_is_explained(variant: Variant, reports: Mapping[str, GradeReport]) -> None:
    report = reports[variant.name]
    text = text_of(report)
    assert report.status is Status.GRADED, report.fault
    assert earned(report) == dict(variant.points), text
    for id, words in variant.says.items():
        assert any(words in check.message for check in failing(question(report, id))), text
    for id in FULL:
        stopped = question(report, id).message
        assert variant.stops[id] in stopped if id in variant.stops else not stopped, text
    not_checked = {
        id for id in FULL if any(check.outcome is Outcome.NOT_CHECKED for check in question(report, id).checks)
    }
    assert not_checked == set(variant.unchecked), text
    assert not faults(report), text


def earned(report: GradeReport) -> dict[str, float | None]:
    return {question.id: question.earned for question in report.questions if not question.written}


def question(report: GradeReport, id: str) -> QuestionGrade:
    return next(question for question in report.questions if question.id == id)


def failing(graded: QuestionGrade) -> list[CheckResult]:
    return [check for check in graded.checks if check.outcome is not Outcome.PASSED]


def text_of(report: GradeReport) -> str:
    """Return every message to the student, each after the id of its question."""
    words = [report.fault] if report.fault else []
    for graded in report.questions:
        words += [f"{graded.id}: {graded.message}"] if graded.message else []
        words += [f"{graded.id} {check.name}: {check.message}" for check in graded.checks if check.message]
    return "\n".join(words)


def faults(report: GradeReport) -> list[str]:
    """Return the messages that no student should get: empty, too long, with a traceback, or in neither form."""
    wrong = []
    for graded in report.questions:
        for check in failing(graded):
            start = {Outcome.NOT_CHECKED: "Not checked: "}.get(check.outcome, "Found: " if check.hidden else "")
            message = check.message
            if not message or not message.startswith(start) or message.count("\n") >= LINES or "Traceback" in message:
                wrong.append(f"{graded.id} {check.name}: {message}")
    return wrong
