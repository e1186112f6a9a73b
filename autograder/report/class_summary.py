"""The results of a whole class as frozen data: the one model behind the report page.

Rejected files (0 points) and anything that could not be graded are counted and listed, but are in no distribution
and no mean: they say nothing about the questions. No number depends on the order of the reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Progress
from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome, Status
from autograder.policy.policy import Policy
from autograder.report import distributions, item_analysis
from autograder.report.distributions import ClassAccuracies, ClassScores
from autograder.report.grade_cells import fault_reason
from autograder.report.item_analysis import ItemSummary, graded

__all__ = [
    "ClassCounts",
    "ClassSummary",
    "CommonMistake",
    "RemarkGroup",
    "RubricSummary",
    "notebook_seconds",
    "summarise",
]


@dataclass(frozen=True)
class ClassCounts:
    """Every submission is in one of graded, in_part, rejected and failed; `marked` of `written` answers have points."""

    submissions: int
    graded: int
    in_part: int
    rejected: int
    failed: int
    written: int
    marked: int

    @property
    def ungraded(self) -> int:
        """The number of submissions with something that could not be graded."""
        return self.failed + self.in_part


@dataclass(frozen=True)
class RubricSummary:
    """The rubric items of a written question, and how often each was given over the `marked` answers.

    Of those, `empty` have no text; a reviewer also adjusted the points of `adjusted`.
    """

    id: str
    title: str
    marked: int
    empty: int
    adjusted: int
    items: tuple[tuple[MarkedItem, int], ...]


@dataclass(frozen=True)
class CommonMistake:
    """A message that `count` of `decided` submissions got from a check."""

    question: str
    check: str
    message: str
    count: int
    decided: int


@dataclass(frozen=True)
class RemarkGroup:
    """One remark, and the submissions that got it."""

    text: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ClassSummary:
    """A class: its submissions in their order, and what can be said about all of them.

    `questions` are those of the policy, and after them those that only older results have. `comparable` is the number
    of submissions that discrimination is computed from. `slowest` are the submissions whose notebook was run, the
    slowest first. `agreements` are by question, for those with a sample that was marked twice, and `flagged_marks` the
    answers that a reviewer flagged, by question.
    """

    policy: Policy
    reports: tuple[GradeReport, ...]
    counts: ClassCounts
    scores: tuple[ClassScores, ...]
    questions: tuple[ItemSummary, ...]
    comparable: int
    mistakes: tuple[CommonMistake, ...]
    rubrics: tuple[RubricSummary, ...]
    accuracy: ClassAccuracies | None
    slowest: tuple[GradeReport, ...]
    rejections: tuple[RemarkGroup, ...]
    faults: tuple[RemarkGroup, ...]
    flags: tuple[RemarkGroup, ...]
    progress: tuple[Progress, ...]
    agreements: Mapping[str, Agreement]
    flagged_marks: tuple[RemarkGroup, ...]


def summarise(
    reports: Sequence[GradeReport],
    policy: Policy,
    *,
    progress: Sequence[Progress] = (),
    agreements: Mapping[str, Agreement] | None = None,
    flagged: Collection[tuple[str, str]] = (),
) -> ClassSummary:
    """Return the model of a class from its reports, with their marks, and from what the reviewers did.

    `flagged` are submissions, each with a question whose mark a reviewer flagged.
    """
    known = {id: ItemSummary(id, q.title, q.points, id in policy.written) for id, q in policy.questions.items()}
    questions = tuple((known | {item.name: item for item in item_analysis.analyse(reports)}).values())
    run = [report for report in graded(reports) if "notebook" in dict(report.seconds)]
    return ClassSummary(
        policy=policy,
        reports=tuple(reports),
        counts=_counts(reports),
        scores=distributions.scores(reports),
        questions=questions,
        comparable=len(item_analysis.comparable(reports)),
        mistakes=_mistakes(questions),
        rubrics=tuple(_rubric(id, question.title, graded(reports)) for id, question in policy.written.items()),
        accuracy=distributions.accuracies(reports, policy),
        slowest=tuple(sorted(run, key=lambda report: (-notebook_seconds(report), report.name))),
        rejections=_grouped(
            (" ".join(report.notes), report.name) for report in reports if report.status is Status.REJECTED
        ),
        faults=_grouped((fault, report.name) for report in reports for fault in _faults(report)),
        flags=_grouped((flag, report.name) for report in reports for flag in report.flags),
        progress=tuple(progress),
        agreements={id: found for id, found in (agreements or {}).items() if found.count and id in policy.written},
        flagged_marks=_grouped((question, name) for name, question in flagged),
    )


def notebook_seconds(report: GradeReport) -> float:
    """Return the wall time of the notebook alone; 0 if it was not run."""
    return dict(report.seconds).get("notebook", 0.0)


def _counts(reports: Sequence[GradeReport]) -> ClassCounts:
    statuses = Counter(report.status for report in reports)
    whole = len(item_analysis.comparable(reports))
    readable = (report for report in reports if report.status is not Status.REJECTED)
    written = [question for report in readable for question in report.questions if question.written]
    return ClassCounts(
        submissions=len(reports),
        graded=whole,
        in_part=statuses[Status.GRADED] - whole,
        rejected=statuses[Status.REJECTED],
        failed=statuses[Status.UNGRADED],
        written=len(written),
        marked=sum(question.earned is not None for question in written),
    )


def _mistakes(questions: Sequence[ItemSummary]) -> tuple[CommonMistake, ...]:
    """Return the most frequent message of each failed check, the most frequent first.

    A public check may have the same message as a hidden one of its question: that is one mistake.
    """
    found: dict[tuple[str, str], CommonMistake] = {}
    for item in questions:
        for check in item.checks:
            key = item.name, check.message
            if check.message and (key not in found or found[key].count < check.message_count):
                found[key] = CommonMistake(item.name, check.name, check.message, check.message_count, check.decided)
    return tuple(sorted(found.values(), key=lambda mistake: (-mistake.count, mistake.question, mistake.check)))


def _rubric(id: str, title: str, reports: Sequence[GradeReport]) -> RubricSummary:
    answers = (question for report in reports for question in report.questions if question.id == id)
    marked = [question for question in answers if question.earned is not None and question.marking]
    items: dict[str, MarkedItem] = {}
    given: Counter[str] = Counter()
    for item in (item for question in marked for item in question.marking):
        items.setdefault(item.id, item)
        given[item.id] += item.given
    return RubricSummary(
        id=id,
        title=title,
        marked=len(marked),
        empty=sum(not (question.answer or "").strip() for question in marked),
        adjusted=sum(question.adjustment != 0 for question in marked),
        items=tuple((item, given[item.id]) for item in items.values()),
    )


def _faults(report: GradeReport) -> Iterable[str]:
    """Return the reasons why a whole submission (without an id before the reason) or single questions failed."""
    if report.status is Status.UNGRADED:
        return [report.fault.partition("\n")[0]]
    return [
        f"{question.id}: {fault_reason(question)}"
        for question in report.questions
        if question.outcome is Outcome.UNGRADED
    ]


def _grouped(pairs: Iterable[tuple[str, str]]) -> tuple[RemarkGroup, ...]:
    """Group names by remark, in alphabetical order; the most frequent remark first, ties in alphabetical order."""
    found: dict[str, set[str]] = {}
    for text, name in pairs:
        found.setdefault(text, set()).add(name)
    remarks = (RemarkGroup(text, tuple(sorted(names))) for text, names in found.items())
    return tuple(sorted(remarks, key=lambda remark: (-len(remark.names), remark.text)))
