"""`pytest --submission FILE`: every check of one submission as a test.

A failed check is a failed test with the check's message; a written answer is skipped; a fault of the grader is an error
of that test, never a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from autograder.judge.grade_report import CheckResult, GradeReport

__all__ = ["pytest_addoption", "pytest_collection"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mnist-kit")
    group.addoption(
        "--submission", metavar="FILE", help="grade this notebook and show each of its checks as a test (mnist-kit)"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> bool | None:
    """Collect the checks of a submission instead of test files, if `--submission` names one."""
    path = session.config.getoption("--submission")
    if path is None:
        return None
    collector = _Submission.from_parent(session, name=Path(path).name)
    session.items = list(collector.collect())
    session.testscollected = len(session.items)
    return True


class _Submission(pytest.Collector):
    def collect(self) -> Iterator[pytest.Item]:
        for report in _grade(Path(self.config.getoption("--submission"))):
            if report.fault or not report.complete or report.status == "rejected":
                why = report.fault or " ".join(report.notes)
                yield _Check.from_parent(self, name=report.name, check=None, why=why)
            for question in report.questions if report.status == "graded" else ():
                if question.written:
                    yield _Check.from_parent(self, name=question.id, check=None, why="")
                for number, check in enumerate(question.checks, start=1):
                    name = f"{question.id}[{number} {check.name}]"
                    yield _Check.from_parent(self, name=name, check=check, why=question.message)


class _Check(pytest.Item):
    def __init__(self, *, check: CheckResult | None, why: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._check = check
        self._why = why

    def runtest(self) -> None:
        if self._check is None:
            if self._why:
                pytest.fail(self._why, pytrace=False)
            pytest.skip("a written answer, for a person to mark")
        elif self._check.outcome == "could not be graded":
            raise RuntimeError(f"the grader failed: {self._check.message}")
        elif self._check.outcome != "passed":
            pytest.fail("\n".join(filter(None, (self._check.message, self._why))), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def _grade(path: Path) -> tuple[GradeReport, ...]:
    from autograder.authoring import build
    from autograder.authoring.autograder_zip import is_stale, read_tests
    from autograder.calibration import reference
    from autograder.engine.engine import Engine
    from autograder.errors import KitError
    from autograder.layout import HOME
    from autograder.submissions import collection

    try:
        rules = reference.rules(HOME)
        found = collection.collect([path], int(rules.execution.notebook_mb * 2**20))
        tests = build.build(HOME).tests if is_stale(HOME, rules) else read_tests(HOME.zip)
        with Engine(rules, tests, HOME.data(rules.assignment.dataset)) as engine:
            return tuple(engine.grade(submission) for submission in found)
    except KitError as error:
        raise pytest.UsageError(str(error)) from error
