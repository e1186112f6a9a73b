"""A report in Otter's own form, for `otter grade`, which takes a pickle of it out of the container."""

from __future__ import annotations

import pickle

from otter.test_files import GradingResults, TestCase
from otter.test_files.abstract_test import TestCaseResult
from otter.test_files.ottr_test import OttrTestFile

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade
from autograder.report.results_json import faults

__all__ = ["pickled"]

REASON = 300
"""Characters of a reason, which becomes a cell of a table."""


def pickled(report: GradeReport) -> bytes:
    """A pickled GradingResults of the coding questions, made of Otter's own classes and text.

    Otter knows no question that could not be graded; a report with one goes as a failure, with the reason, which
    `final_grades.csv` has in its column `grading_status`.
    """
    if not report.complete:
        said = " ".join(" ".join(faults(report)).split())
        return pickle.dumps(GradingResults.without_results(RuntimeError(f"could not be graded: {said}"[:REASON])))
    results = GradingResults([_test_file(question) for question in report.questions if not question.written])
    results.set_output("\n".join(report.notes))
    return pickle.dumps(results)


def _test_file(question: QuestionGrade) -> OttrTestFile:
    """The one kind of Otter's test files that is data only."""
    checks = question.checks or (CheckResult("graded", False, question.points, question.outcome, question.message),)
    file = OttrTestFile(question.id, f"{question.id}.py", [_case(check) for check in checks], all_or_nothing=False)
    file.test_case_results = [
        TestCaseResult(case, check.message or None, check.outcome is Outcome.PASSED)
        for case, check in zip(file.test_cases, checks, strict=True)
    ]
    return file


def _case(check: CheckResult) -> TestCase:
    return TestCase(check.name, "", check.hidden, check.points, None, None)
