"""Right and wrong answers in many spellings, graded by the real engine: exact points, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import FULL, Member
from autograder.engine.engine import Engine
from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.submissions.submission import Submission
from autograder.tests.variants.right import RIGHT
from autograder.tests.variants.variant import RIGHT_ANSWERS, Variant
from autograder.tests.variants.wrong import WRONG

pytestmark = [pytest.mark.slow, pytest.mark.variants]

AT_ONCE = 2
"""Notebooks graded at the same time."""

LINES = 3
"""Of a message to a student, at most: what was found, what was expected, what to try."""


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


def cases(variants: tuple[Variant, ...]) -> list[object]:
    """Test parameters; where the kit is in doubt, the test is known to fail, and must."""
    doubt = pytest.mark.xfail
    return [
        pytest.param(each, id=each.name, marks=[doubt(reason=each.doubt, strict=True)] if each.doubt else [])
        for each in variants
    ]


@pytest.mark.parametrize("variant", cases(RIGHT))
def test_a_right_answer_gets_full_marks_and_no_remark(variant: Variant, reports: Mapping[str, GradeReport]) -> None:
    report = reports[variant.name]
    assert report.status is Status.GRADED, report.fault
    assert earned(report) == FULL, text_of(report)
    assert not text_of(report)


@pytest.mark.parametrize("variant", cases(WRONG))
def test_a_mistake_costs_its_own_points_and_is_explained(variant: Variant, reports: Mapping[str, GradeReport]) -> None:
    report = reports[variant.name]
    said = text_of(report)
    assert report.status is Status.GRADED, report.fault
    assert earned(report) == dict(variant.points), said
    for id, words in variant.says.items():
        assert any(words in check.message for check in failing(question(report, id))), said
    for id in FULL:
        stopped = question(report, id).message
        assert variant.stops[id] in stopped if id in variant.stops else not stopped, said
    not_checked = {
        id for id in FULL if any(check.outcome is Outcome.NOT_CHECKED for check in question(report, id).checks)
    }
    assert not_checked == set(variant.unchecked), said
    assert not faults(report), said


def test_there_are_enough_of_both_kinds() -> None:
    assert len(RIGHT) >= 60
    assert len(WRONG) >= 80


def test_every_variant_has_a_name_of_its_own_and_says_what_it_shows() -> None:
    everyone = RIGHT + WRONG
    assert len({variant.name for variant in everyone}) == len(everyone)
    assert all(variant.shows.strip() and "\n" not in variant.shows for variant in everyone)


def test_no_two_notebooks_are_the_same(template: NotebookNode) -> None:
    seen: dict[bytes, str] = {}
    for variant in RIGHT + WRONG:
        assert seen.setdefault(variant.make(template), variant.name) == variant.name


@pytest.mark.parametrize("variant", WRONG, ids=lambda variant: variant.name)
def test_a_wrong_variant_differs_from_the_right_answer(variant: Variant, template: NotebookNode) -> None:
    right = Member("right", "the right answers", FULL, RIGHT_ANSWERS).make(template)
    assert variant.make(template) != right
    assert variant.edit is not None or {**RIGHT_ANSWERS, **variant.answers} != RIGHT_ANSWERS or len(variant.answers) < 4


@pytest.mark.parametrize("variant", WRONG, ids=lambda variant: variant.name)
def test_a_wrong_variant_says_why_points_are_lost(variant: Variant) -> None:
    lost = {id for id, most in FULL.items() if variant.points[id] < most}
    assert lost
    assert variant.says.keys() <= lost
    assert set(variant.unchecked) <= lost
    assert lost <= variant.says.keys() | set(variant.unchecked)


def earned(report: GradeReport) -> dict[str, float | None]:
    return {question.id: question.earned for question in report.questions if not question.written}


def question(report: GradeReport, id: str) -> QuestionGrade:
    return next(question for question in report.questions if question.id == id)


def failing(graded: QuestionGrade) -> list[CheckResult]:
    return [check for check in graded.checks if check.outcome is not Outcome.PASSED]


def text_of(report: GradeReport) -> str:
    """All that a student is told about questions 4 to 7, each message under the name of its question."""
    told = [report.fault] if report.fault else []
    for graded in report.questions:
        told += [f"{graded.id}: {graded.message}"] if graded.message else []
        told += [f"{graded.id} {check.name}: {check.message}" for check in graded.checks if check.message]
    return "\n".join(told)


def faults(report: GradeReport) -> list[str]:
    """Messages that no student should get: empty, too long, with Python's words in it, or none of the two kinds."""
    wrong = []
    for graded in report.questions:
        for check in failing(graded):
            start = {Outcome.NOT_CHECKED: "Not checked: "}.get(check.outcome, "Found: " if check.hidden else "")
            told = check.message
            if not told or not told.startswith(start) or told.count("\n") >= LINES or "Traceback" in told:
                wrong.append(f"{graded.id} {check.name}: {told}")
    return wrong
