"""How a whole class did, as frozen numbers for the class report: reports in, no words and no pictures out.

Files that were turned away (0 points) and what could not be graded are counted and listed, but are in no
distribution and no mean: they tell nothing about the questions. No number depends on the order of the reports.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome, QuestionGrade, Status
from autograder.policy.policy import Policy
from autograder.report.items import CheckSummary, analyse

__all__ = [
    "Accuracies",
    "Band",
    "Bin",
    "Counts",
    "Group",
    "Mistake",
    "QuestionSummary",
    "Spread",
    "Stretch",
    "Tally",
    "accuracies",
    "binned",
    "counts",
    "faults",
    "flags",
    "grouped",
    "mistakes",
    "nice",
    "questions",
    "runs",
    "spreads",
    "tallies",
    "turned_away",
]

SCORE_BINS, ACCURACY_BINS = 20, 30
"""Most bins of a histogram: a bar has to have room for its number."""

MARGIN = 5.0
"""Percent below the lowest level of grading.yml that still have bins of their own."""

STEPS = (1, 2, 5, 10)
"""Widths of bins, times a power of ten."""

DIGITS = 9
"""Digits that edges and places of values are rounded to, so that 0.1 + 0.2 reaches 0.3."""


@dataclass(frozen=True)
class Counts:
    """Every submission is in one of graded, in_part, rejected and failed; `marked` of `written` answers have points."""

    submissions: int
    graded: int
    in_part: int
    rejected: int
    failed: int
    written: int
    marked: int

    @property
    def unsure(self) -> int:
        """Submissions with something that could not be graded."""
        return self.failed + self.in_part


@dataclass(frozen=True)
class Bin:
    """How many values are from `low` to below `high`; in the last bin, to `high` itself."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Spread:
    """The points of a class, in rising order, out of `points`: all of them, or the automatic ones alone."""

    automatic: bool
    points: float
    values: tuple[float, ...]
    bins: tuple[Bin, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def deviation(self) -> float | None:
        """None for a class of one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def full(self) -> int:
        """Submissions with all points."""
        return sum(round(value - self.points, DIGITS) >= 0 for value in self.values)


@dataclass(frozen=True)
class QuestionSummary:
    """A question, and how the class did there; `item` is None where nobody has points yet."""

    id: str
    title: str
    points: float
    written: bool
    item: CheckSummary | None

    @property
    def count(self) -> int:
        """Submissions that have points here."""
        return self.item.decided if self.item else 0

    @property
    def mean(self) -> float | None:
        """The mean share of the points, 0 to 1."""
        return self.item.mean if self.item else None


@dataclass(frozen=True)
class Tally:
    """How often each rubric item of a written question was given, over the `marked` answers.

    Of those, `empty` have no text, and of `adjusted` a reviewer changed the points besides.
    """

    id: str
    title: str
    marked: int
    empty: int
    adjusted: int
    items: tuple[tuple[MarkedItem, int], ...]


@dataclass(frozen=True)
class Band:
    """Models of an accuracy from `low` (None: whatever is less) to below the next band, and the points it gives."""

    low: float | None
    points: float
    count: int


@dataclass(frozen=True)
class Accuracies:
    """Accuracies in percent, rising; `below` are less than the first bin. The bands are by question."""

    values: tuple[float, ...]
    bins: tuple[Bin, ...]
    below: int
    bands: tuple[tuple[str, tuple[Band, ...]], ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Mistake:
    """What `said` of the `decided` submissions were told by a check."""

    question: str
    check: str
    message: str
    said: int
    decided: int


@dataclass(frozen=True)
class Stretch:
    """What one notebook took, the checks not counted; None where it was not measured."""

    name: str
    seconds: float
    cpu_seconds: float | None
    memory_mb: float | None


@dataclass(frozen=True)
class Group:
    """Submissions of which the same was said."""

    what: str
    names: tuple[str, ...]


def counts(reports: Sequence[GradeReport]) -> Counts:
    whole = sum(report.complete for report in _graded(reports))
    of = Counter(report.status for report in reports)
    open_to_marks = (report for report in reports if report.status is not Status.REJECTED)
    written = [question for report in open_to_marks for question in report.questions if question.written]
    return Counts(
        submissions=len(reports),
        graded=whole,
        in_part=of[Status.GRADED] - whole,
        rejected=of[Status.REJECTED],
        failed=of[Status.UNGRADED],
        written=len(written),
        marked=sum(question.earned is not None for question in written),
    )


def spreads(reports: Sequence[GradeReport]) -> tuple[Spread, ...]:
    """Total points of those whose points are all decided; while not everybody's are, the automatic ones as well."""
    decided = [report for report in _graded(reports) if report.complete]
    final = [report for report in decided if report.marked]
    found = []
    if final:
        totals = [math.fsum(question.earned or 0.0 for question in report.questions) for report in final]
        found.append(_spread(totals, max(report.points for report in final), automatic=False))
    if len(final) < len(decided):
        totals = [math.fsum(q.earned or 0.0 for q in report.questions if not q.written) for report in decided]
        found.append(_spread(totals, max(report.automatic_points for report in decided), automatic=True))
    return tuple(each for each in found if each.points)


def questions(reports: Sequence[GradeReport], policy: Policy) -> tuple[QuestionSummary, ...]:
    """The questions of the policy, and after them those that only results of an older grading.yml have."""
    items = {item.name: item for item in analyse(reports)}
    asked = {id: (question.title, question.points, id in policy.written) for id, question in policy.questions.items()}
    for id, item in items.items():
        asked.setdefault(id, (item.title, item.points, not item.checks))
    return tuple(QuestionSummary(id, *about, items.get(id)) for id, about in asked.items())


def tallies(reports: Sequence[GradeReport], policy: Policy) -> tuple[Tally, ...]:
    """One for each written question of the policy. Answers without a rubric's mark have none of its items."""
    return tuple(_tally(id, asked.title, _graded(reports)) for id, asked in policy.written.items())


def accuracies(reports: Sequence[GradeReport], policy: Policy) -> Accuracies | None:
    """None where no model was scored. Bins end at 100 and begin a little below the lowest level that is asked for."""
    values = sorted(round(100 * report.accuracy, DIGITS) for report in _graded(reports) if report.accuracy is not None)
    if not values:
        return None
    levels = {id: found for id in policy.code if (found := _levels(policy, id))}
    lowest = min((level for found in levels.values() for level, _ in found), default=values[0])
    span = min(100.0, round(100 - lowest + MARGIN, DIGITS))
    width = nice(span, ACCURACY_BINS)
    bins, below = binned(values, max(0.0, 100 - width * math.ceil(round(span / width, DIGITS))), 100.0, width)
    return Accuracies(tuple(values), bins, below, tuple((id, _bands(values, found)) for id, found in levels.items()))


def mistakes(asked: Sequence[QuestionSummary]) -> tuple[Mistake, ...]:
    """What failed checks said most often, the commonest first.

    A public check may say the same as a hidden one of its question: that is one mistake.
    """
    found: dict[tuple[str, str], Mistake] = {}
    for item in (each.item for each in asked if each.item):
        for check in item.checks:
            key = item.name, check.message
            if check.said and (key not in found or found[key].said < check.said):
                found[key] = Mistake(item.name, check.name, check.message, check.said, check.decided)
    return tuple(sorted(found.values(), key=lambda each: (-each.said, each.question, each.check)))


def runs(reports: Sequence[GradeReport]) -> tuple[Stretch, ...]:
    """The slowest first."""
    found = [
        Stretch(report.name, dict(report.seconds)["notebook"], report.cpu_seconds, report.peak_memory_mb)
        for report in _graded(reports)
        if "notebook" in dict(report.seconds)
    ]
    return tuple(sorted(found, key=lambda run: (-run.seconds, run.name)))


def turned_away(reports: Sequence[GradeReport]) -> tuple[Group, ...]:
    """Files that cannot be graded as they are, by the reason that their students were told."""
    rejected = (report for report in reports if report.status is Status.REJECTED)
    return grouped((" ".join(report.notes), report.name) for report in rejected)


def faults(reports: Sequence[GradeReport]) -> tuple[Group, ...]:
    """What the grader failed on: whole submissions (no id before the reason) and single questions."""
    return grouped((fault, report.name) for report in reports for fault in _faults(report))


def flags(reports: Sequence[GradeReport]) -> tuple[Group, ...]:
    """What staff should look at."""
    return grouped((flag, report.name) for report in reports for flag in report.flags)


def grouped(pairs: Iterable[tuple[str, str]]) -> tuple[Group, ...]:
    """Names of the same words together, by the alphabet; what was said of most comes first, then by the alphabet."""
    found: dict[str, set[str]] = {}
    for what, name in pairs:
        found.setdefault(what, set()).add(name)
    groups = (Group(what, tuple(sorted(names))) for what, names in found.items())
    return tuple(sorted(groups, key=lambda group: (-len(group.names), group.what)))


def nice(span: float, most: int) -> float:
    """The least of 1, 2 and 5 times a power of ten that cuts `span` (above 0) into no more than `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(round(power * step, DIGITS) for step in STEPS if round(power * step * most - span, DIGITS) >= 0)


def binned(values: Iterable[float], low: float, high: float, width: float) -> tuple[tuple[Bin, ...], int]:
    """The values from `low` to `high` in bins of this width (the last may be narrower), and how many are below.

    What is above `high` counts in the last bin.
    """
    number = max(1, math.ceil(round((high - low) / width, DIGITS)))
    heights, below = [0] * number, 0
    for value in values:
        place = math.floor(round((value - low) / width, DIGITS))
        if place < 0:
            below += 1
        else:
            heights[min(place, number - 1)] += 1
    edges = [round(low + place * width, DIGITS) for place in range(number)]
    return tuple(Bin(*each) for each in zip(edges, (*edges[1:], high), heights, strict=True)), below


def _graded(reports: Iterable[GradeReport]) -> list[GradeReport]:
    return [report for report in reports if report.status is Status.GRADED]


def _spread(values: Sequence[float], points: float, *, automatic: bool) -> Spread:
    bins, _ = binned(values, 0.0, points, nice(points, SCORE_BINS)) if points else ((), 0)
    return Spread(automatic, points, tuple(sorted(values)), bins)


def _tally(id: str, title: str, graded: Sequence[GradeReport]) -> Tally:
    answers = (question for report in graded for question in report.questions if question.id == id)
    marked = [question for question in answers if _has_mark(question)]
    items: dict[str, MarkedItem] = {}
    given: Counter[str] = Counter()
    for item in (item for question in marked for item in question.marking):
        items.setdefault(item.id, item)
        given[item.id] += item.given
    return Tally(
        id=id,
        title=title,
        marked=len(marked),
        empty=sum(not (question.answer or "").strip() for question in marked),
        adjusted=sum(question.adjustment != 0 for question in marked),
        items=tuple((item, given[item.id]) for item in items.values()),
    )


def _has_mark(question: QuestionGrade) -> bool:
    return question.written and question.earned is not None and bool(question.marking)


def _levels(policy: Policy, id: str) -> list[tuple[float, float]]:
    """The accuracies that a question asks for, in percent, and their points, rising."""
    question = policy.code[id]
    rule = question.accuracy
    if rule is None:
        return []
    levels = list(rule.bands)
    if rule.full_accuracy is not None:  # else it hangs on a reference that is not known here
        levels.append((rule.full_accuracy, round(question.points - rule.other_points, 6)))
    return [(round(100 * level, DIGITS), points) for level, points in levels]


def _bands(values: Sequence[float], levels: Sequence[tuple[float, float]]) -> tuple[Band, ...]:
    reached = Counter(sum(value >= level for level, _ in levels) for value in values)
    rising = [(None, 0.0), *levels]
    return tuple(Band(low, points, reached[place]) for place, (low, points) in enumerate(rising))


def _faults(report: GradeReport) -> Iterable[str]:
    if report.status is Status.UNGRADED:
        yield report.fault.partition("\n")[0]
        return
    for question in report.questions:
        if question.outcome is Outcome.UNGRADED:
            said = (check.message for check in question.checks if check.outcome is Outcome.UNGRADED)
            yield f"{question.id}: {next(said, '').rpartition(chr(10))[2]}"
