"""A report in Otter's own format, pickled for `otter grade`, which copies it out of the container."""

from __future__ import annotations

import pickle

from otter.test_files import GradingResults, TestCase
from otter.test_files.abstract_test import TestCaseResult
from otter.test_files.ottr_test import OttrTestFile

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade
from autograder.report.results_json import faults

__all__ = ["pickled"]

REASON = 300  # characters of a reason, which becomes a cell of a table


def pickled(report: GradeReport) -> bytes:
    """Pickle a GradingResults of the coding questions, made of Otter's own classes and text.

    Otter has no ungraded questions; a report with one becomes a failure, with the reason in the column `grading_status`
    of `final_grades.csv`.
    """
    if not report.complete:
        reason = " ".join(" ".join(faults(report)).split())
        return pickle.dumps(GradingResults.without_results(RuntimeError(f"could not be graded: {reason}"[:REASON])))
    results = GradingResults([_test_file(question) for question in report.questions if not question.written])
    results.set_output("\n".join(report.notes))
    return pickle.dumps(results)


def _test_file(question: QuestionGrade) -> OttrTestFile:
    """Make an Otter test file of the one kind that is data only."""
    checks = question.checks or (CheckResult("graded", False, question.points, question.outcome, question.message),)
    file = OttrTestFile(question.id, f"{question.id}.py", [_case(check) for check in checks], all_or_nothing=False)
    file.test_case_results = [
        TestCaseResult(case, check.message or None, check.outcome is Outcome.PASSED)
        for case, check in zip(file.test_cases, checks, strict=True)
    ]
    return file


def _case(check: CheckResult) -> TestCase:
    return TestCase(check.name, "", check.hidden, check.points, None, None)
