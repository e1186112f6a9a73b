"""Item analysis: how a class did on each question and each check, to see which of them need a look.

Reports in, frozen numbers out. Only submissions that were graded count; of those, anything that could not be graded
is left out of every statistic and counted separately, and a written question counts once it has a mark. All reports
are of one assignment. No number and no order depends on the order of the reports.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.report.grade_cells import automatic

__all__ = ["DOUBTFUL", "FEWEST", "TELLING", "ItemSummary", "analyse", "comparable", "graded", "reading", "scatter"]

FEWEST = 5
"""Submissions below which no discrimination is given: `scatter` of four is above 0.5, more than half of the scale."""

TELLING, DOUBTFUL = 0.3, 0.2
"""Ebel's rule of thumb in test theory: from 0.3 on an item separates strong from weak, below 0.2 it needs a look."""

DIGITS = 6
"""Digits that points are rounded to, as the judge does: 2.66 + 2.66 and 5.32 are no difference between students."""

T = TypeVar("T")


@dataclass(frozen=True)
class ItemSummary:
    """One question with its `checks`, or one check, which has neither a title nor checks of its own.

    `passed` had all points (of a check without points: were right), `partial` some, `failed` none. `not_checked`
    had none either, but because something earlier has to be right first. `ungraded` is in none of the numbers below.
    `mean` is the mean share of the points, 0 to 1; None without points or grades.
    `discrimination` is the corrected item-rest correlation, -1 to 1: Pearson's, between the points here and the
    automatic points everywhere else; None below FEWEST submissions, or if either is the same for all.
    `message` is the most frequent message of failed checks (the alphabetically first if tied), of `message_count`
    submissions.
    """

    name: str
    title: str
    points: float
    written: bool
    passed: int = 0
    partial: int = 0
    failed: int = 0
    not_checked: int = 0
    ungraded: int = 0
    mean: float | None = None
    discrimination: float | None = None
    message: str = ""
    message_count: int = 0
    checks: tuple[ItemSummary, ...] = ()

    @property
    def decided(self) -> int:
        """The number of submissions that have a grade here."""
        return self.passed + self.partial + self.failed + self.not_checked

    @property
    def full(self) -> float | None:
        """The share of those that have all points, 0 to 1."""
        return self.passed / self.decided if self.decided else None


def graded(reports: Iterable[GradeReport]) -> list[GradeReport]:
    """Return the reports of submissions that were graded, at least in part."""
    return [report for report in reports if report.status is Status.GRADED]


def analyse(reports: Sequence[GradeReport]) -> tuple[ItemSummary, ...]:
    """Return the questions of a class in their order, without written ones that nobody has marked."""
    grouped = _by_name(
        ((question.id, (report, question)) for question in report.questions) for report in graded(reports)
    )
    counted = ([pair for pair in pairs if pair[1].outcome is not Outcome.AWAITING] for pairs in grouped.values())
    return tuple(_question(pairs) for pairs in counted if pairs)


def comparable(reports: Sequence[GradeReport]) -> list[GradeReport]:
    """Return the reports whose automatic points are all decided: only they have a rest to compare an item with."""
    return [report for report in graded(reports) if report.complete]


def scatter(count: int) -> float | None:
    """Return how far chance alone moves a correlation over `count` submissions; None below FEWEST.

    It is the standard deviation over all ways of dealing out the same points again, 1/sqrt(n-1).
    """
    return 1 / math.sqrt(count - 1) if count >= FEWEST else None


def reading(discrimination: float | None) -> str:
    """Return the meaning of a discrimination in words; empty if there is none."""
    if discrimination is None:
        return ""
    if discrimination >= TELLING:
        return "separates well"
    return "separates a little" if discrimination >= DOUBTFUL else "take a look"


@dataclass(frozen=True)
class _Result:
    """One item in one submission. `rest` is the automatic points everywhere else; None unless all are decided."""

    outcome: Outcome
    earned: float | None
    rest: float | None
    messages: frozenset[str]


def _question(pairs: Sequence[tuple[GradeReport, QuestionGrade]]) -> ItemSummary:
    first = pairs[0][1]
    grouped = _by_name(((check.name, (report, check)) for check in question.checks) for report, question in pairs)
    checks = tuple(
        _with_numbers(ItemSummary(name, "", found[0][1].points, False), [_check_result(*pair) for pair in found])
        for name, found in grouped.items()
    )
    question = ItemSummary(first.id, first.title, first.points, first.written, checks=checks)
    return _with_numbers(question, [_question_result(*pair) for pair in pairs])


def _question_result(report: GradeReport, question: QuestionGrade) -> _Result:
    valued = [check.outcome for check in question.checks if check.points]
    unchecked = bool(valued) and all(outcome is Outcome.NOT_CHECKED for outcome in valued)
    outcome = Outcome.NOT_CHECKED if unchecked else question.outcome
    # Written marks come later and not for all at once, so no rest counts them.
    own = 0.0 if question.written else question.earned or 0.0
    messages = frozenset().union(*(_check_result(report, check).messages for check in question.checks))
    return _Result(outcome, question.earned, _rest(report, own), messages)


def _check_result(report: GradeReport, check: CheckResult) -> _Result:
    earned = None if check.outcome is Outcome.UNGRADED else check.earned
    messages = {check.message} if check.outcome is Outcome.FAILED and check.message else ()
    return _Result(check.outcome, earned, _rest(report, check.earned), frozenset(messages))


def _rest(report: GradeReport, own: float) -> float | None:
    return round(automatic(report) - own, DIGITS) if report.complete else None


def _with_numbers(item: ItemSummary, results: Sequence[_Result]) -> ItemSummary:
    outcomes = Counter(result.outcome for result in results)
    shares = [result.earned / item.points for result in results if item.points and result.earned is not None]
    messages = Counter(message for result in results for message in result.messages)
    message, count = min(messages.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
    return replace(
        item,
        passed=outcomes[Outcome.PASSED],
        partial=outcomes[Outcome.PARTIAL],
        failed=outcomes[Outcome.FAILED],
        not_checked=outcomes[Outcome.NOT_CHECKED],
        ungraded=outcomes[Outcome.UNGRADED],
        mean=statistics.fmean(shares) if shares else None,
        discrimination=_correlation(results),
        message=message,
        message_count=count,
    )


def _correlation(results: Iterable[_Result]) -> float | None:
    pairs = [(result.earned, result.rest) for result in results]
    own = [round(earned, DIGITS) for earned, rest in pairs if earned is not None and rest is not None]
    rest = [rest for earned, rest in pairs if earned is not None and rest is not None]
    if len(own) < FEWEST or len(set(own)) == 1 or len(set(rest)) == 1:
        return None
    # Rounding may carry a perfect correlation past 1 by a hair.
    return max(-1.0, min(1.0, statistics.correlation(own, rest)))


def _by_name(lists: Iterable[Iterable[tuple[str, T]]]) -> dict[str, list[T]]:
    """Group values by name; the names in the order of their first place in a list, then alphabetically."""
    first: dict[str, int] = {}
    found: dict[str, list[T]] = {}
    for pairs in lists:
        for index, (name, value) in enumerate(pairs):
            first[name] = min(index, first.get(name, index))
            found.setdefault(name, []).append(value)
    return {name: found[name] for name in sorted(found, key=lambda name: (first[name], name))}
