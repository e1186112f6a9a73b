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
from dataclasses import dataclass
from typing import TypeVar

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status

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
    by_question = _by_name(
        ((question.id, (report, question)) for question in report.questions) for report in graded(reports)
    )
    counted = (
        (id, [(report, question) for report, question in pairs if question.outcome is not Outcome.AWAITING])
        for id, pairs in by_question.items()
    )
    return tuple(_question(id, pairs) for id, pairs in counted if pairs)


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


def _question(id: str, pairs: Sequence[tuple[GradeReport, QuestionGrade]]) -> ItemSummary:
    first = pairs[0][1]
    checks = _by_name(((check.name, (report, check)) for check in question.checks) for report, question in pairs)
    results = [_question_result(report, question) for report, question in pairs]
    summaries = tuple(
        _item(name, "", found[0][1].points, [_check_result(report, check) for report, check in found])
        for name, found in checks.items()
    )
    return _item(id, first.title, first.points, results, written=first.written, checks=summaries)


def _question_result(report: GradeReport, question: QuestionGrade) -> _Result:
    valued = [check.outcome for check in question.checks if check.points]
    unchecked = bool(valued) and all(outcome is Outcome.NOT_CHECKED for outcome in valued)
    # Written marks come later and not for all at once, so no rest counts them.
    own = 0.0 if question.written else question.earned or 0.0
    return _Result(
        Outcome.NOT_CHECKED if unchecked else question.outcome,
        question.earned,
        _rest(report, own),
        frozenset().union(*map(_messages, question.checks)),
    )


def _check_result(report: GradeReport, check: CheckResult) -> _Result:
    earned = None if check.outcome is Outcome.UNGRADED else check.earned
    return _Result(check.outcome, earned, _rest(report, check.earned), _messages(check))


def _rest(report: GradeReport, own: float) -> float | None:
    if not report.complete:
        return None
    total = math.fsum(question.earned or 0.0 for question in report.questions if not question.written)
    return round(total - own, DIGITS)


def _messages(check: CheckResult) -> frozenset[str]:
    return frozenset({check.message} if check.outcome is Outcome.FAILED and check.message else ())


def _item(
    name: str,
    title: str,
    points: float,
    results: Sequence[_Result],
    *,
    written: bool = False,
    checks: tuple[ItemSummary, ...] = (),
) -> ItemSummary:
    outcomes = Counter(result.outcome for result in results)
    shares = [result.earned / points for result in results if result.earned is not None] if points else []
    messages = Counter(message for result in results for message in result.messages)
    message, count = min(messages.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
    return ItemSummary(
        name=name,
        title=title,
        points=points,
        written=written,
        passed=outcomes[Outcome.PASSED],
        partial=outcomes[Outcome.PARTIAL],
        failed=outcomes[Outcome.FAILED],
        not_checked=outcomes[Outcome.NOT_CHECKED],
        ungraded=outcomes[Outcome.UNGRADED],
        mean=statistics.fmean(shares) if shares else None,
        discrimination=_correlation(results),
        message=message,
        message_count=count,
        checks=checks,
    )


def _correlation(results: Iterable[_Result]) -> float | None:
    pairs = [
        (round(result.earned, DIGITS), result.rest)
        for result in results
        if result.earned is not None and result.rest is not None
    ]
    own, rest = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(pairs) < FEWEST or len(set(own)) == 1 or len(set(rest)) == 1:
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
