"""How a class did on each question and each check: what an instructor reads to see which of them to look at.

Reports in, frozen numbers out. Counted are the submissions that were graded; of those, whatever could not be
graded is left out of every statistic and only counted as such, and a written question is in as far as it has marks.
All reports are of one assignment.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status

__all__ = ["DOUBTFUL", "FEWEST", "TELLING", "CheckSummary", "analyse", "comparable", "reading", "scatter"]

FEWEST = 5
"""Submissions below which no discrimination is given: `scatter` of four is above 0.5, more than half of the scale."""

TELLING, DOUBTFUL = 0.3, 0.2
"""Ebel's rule of thumb in test theory: from 0.3 on an item tells strong from weak, below 0.2 it needs a look."""

DIGITS = 6
"""Digits that points are rounded to, as `findings` does: 2.66 + 2.66 and 5.32 are no difference between students."""

T = TypeVar("T")


@dataclass(frozen=True)
class CheckSummary:
    """One question, with its `checks`, or one check, which has neither a title nor checks of its own.

    `passed` had all points (of a check without points: were right), `partial` some, `failed` none. `not_checked`
    is none either, but something earlier had to be right first. `ungraded` is in none of the numbers that follow.
    `mean` is the mean share of the points, 0 to 1; None without points, or where nobody has a grade.
    `discrimination` is the corrected item-rest correlation, -1 to 1: Pearson's, between the points here and the
    automatic points everywhere else; None below FEWEST submissions, or where either is the same for all.
    `message` is what failed checks said most often (the first in the alphabet of several), in `said` submissions.
    """

    name: str
    title: str
    points: float
    passed: int
    partial: int
    failed: int
    not_checked: int
    ungraded: int
    mean: float | None
    discrimination: float | None
    message: str = ""
    said: int = 0
    checks: tuple[CheckSummary, ...] = ()

    @property
    def decided(self) -> int:
        """Submissions that have a grade here."""
        return self.passed + self.partial + self.failed + self.not_checked

    @property
    def full(self) -> float | None:
        """The share of those that have all points, 0 to 1."""
        return self.passed / self.decided if self.decided else None


def analyse(reports: Sequence[GradeReport]) -> tuple[CheckSummary, ...]:
    """The questions of a class, in their order; none where nothing was graded.

    Their order does not depend on the order of the reports, nor does any number.
    """
    graded = [report for report in reports if report.status is Status.GRADED]
    asked = _by_name(((question.id, (report, question)) for question in report.questions) for report in graded)
    counted = {
        id: [(report, question) for report, question in pairs if question.outcome is not Outcome.AWAITING]
        for id, pairs in asked.items()
    }
    return tuple(_question(id, pairs) for id, pairs in counted.items() if pairs)


def comparable(reports: Sequence[GradeReport]) -> list[GradeReport]:
    """The reports whose automatic points are all decided: only they have a rest that an item can be held against."""
    return [report for report in reports if report.status is Status.GRADED and report.complete]


def scatter(count: int) -> float | None:
    """How far chance alone moves a correlation over `count` submissions: its standard deviation, 1/sqrt(n-1).

    That is the one over all ways of dealing out the same points anew. None below FEWEST.
    """
    return 1 / math.sqrt(count - 1) if count >= FEWEST else None


def reading(discrimination: float | None) -> str:
    """What a discrimination says, in words for an instructor; empty where there is none."""
    if discrimination is None:
        return ""
    if discrimination >= TELLING:
        return "tells apart"
    return "a little" if discrimination >= DOUBTFUL else "look at it"


@dataclass(frozen=True)
class _Seen:
    """One item in one submission. `rest` is the automatic points everywhere else; None where not all are decided."""

    outcome: Outcome
    earned: float | None
    rest: float | None
    messages: frozenset[str]


def _question(id: str, pairs: Sequence[tuple[GradeReport, QuestionGrade]]) -> CheckSummary:
    first = pairs[0][1]
    checks = _by_name(((check.name, (report, check)) for check in asked.checks) for report, asked in pairs)
    seen = [_of_question(report, question) for report, question in pairs]
    return _item(id, first.title, first.points, seen, tuple(_check(name, each) for name, each in checks.items()))


def _check(name: str, pairs: Sequence[tuple[GradeReport, CheckResult]]) -> CheckSummary:
    return _item(name, "", pairs[0][1].points, [_of_check(report, check) for report, check in pairs])


def _of_question(report: GradeReport, question: QuestionGrade) -> _Seen:
    valued = [check.outcome for check in question.checks if check.points]
    waits = bool(valued) and all(outcome is Outcome.NOT_CHECKED for outcome in valued)
    # Written marks come later and not for all at once, so that no rest counts them.
    own = 0.0 if question.written else question.earned or 0.0
    return _Seen(
        Outcome.NOT_CHECKED if waits else question.outcome,
        question.earned,
        _rest(report, own),
        frozenset().union(*map(_messages, question.checks)),
    )


def _of_check(report: GradeReport, check: CheckResult) -> _Seen:
    earned = None if check.outcome is Outcome.UNGRADED else check.earned
    return _Seen(check.outcome, earned, _rest(report, check.earned), _messages(check))


def _rest(report: GradeReport, own: float) -> float | None:
    if not report.complete:
        return None
    total = math.fsum(question.earned or 0.0 for question in report.questions if not question.written)
    return round(total - own, DIGITS)


def _messages(check: CheckResult) -> frozenset[str]:
    return frozenset({check.message} if check.outcome is Outcome.FAILED and check.message else ())


def _item(
    name: str, title: str, points: float, seen: Sequence[_Seen], checks: tuple[CheckSummary, ...] = ()
) -> CheckSummary:
    outcomes = Counter(each.outcome for each in seen)
    shares = [each.earned / points for each in seen if each.earned is not None] if points else []
    message, said = _commonest(each.messages for each in seen)
    return CheckSummary(
        name=name,
        title=title,
        points=points,
        passed=outcomes[Outcome.PASSED],
        partial=outcomes[Outcome.PARTIAL],
        failed=outcomes[Outcome.FAILED],
        not_checked=outcomes[Outcome.NOT_CHECKED],
        ungraded=outcomes[Outcome.UNGRADED],
        mean=statistics.fmean(shares) if shares else None,
        discrimination=_correlation(seen),
        message=message,
        said=said,
        checks=checks,
    )


def _correlation(seen: Iterable[_Seen]) -> float | None:
    pairs = [
        (round(each.earned, DIGITS), each.rest) for each in seen if each.earned is not None and each.rest is not None
    ]
    own, rest = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(pairs) < FEWEST or len(set(own)) == 1 or len(set(rest)) == 1:
        return None
    # Rounding may carry a perfect correlation past 1 by a hair.
    return max(-1.0, min(1.0, statistics.correlation(own, rest)))


def _commonest(messages: Iterable[frozenset[str]]) -> tuple[str, int]:
    """The message of most submissions and their number; several messages with that number go by the alphabet."""
    counts = Counter(message for each in messages for message in each)
    return min(counts.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))


def _by_name(lists: Iterable[Iterable[tuple[str, T]]]) -> dict[str, list[T]]:
    """Values of equal names together; the names by their foremost place in a list, then by the alphabet."""
    places: dict[str, int] = {}
    found: dict[str, list[T]] = {}
    for each in lists:
        for place, (name, value) in enumerate(each):
            places[name] = min(place, places.get(name, place))
            found.setdefault(name, []).append(value)
    return {name: found[name] for name in sorted(found, key=lambda name: (places[name], name))}
