"""The report on a class: one page for staff that can be read on a phone, printed or passed on.

Rejected files (0 points) and anything that could not be graded are counted and listed, but are in no distribution
and no mean: they say nothing about the questions. No number depends on the order of the reports.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.marked_report import MarkedClass
from autograder.judge.grade_report import GradeReport, MarkedItem, Outcome, Status
from autograder.report import distributions, grade_cells, item_analysis
from autograder.report.grade_cells import fault_reason
from autograder.report.item_analysis import ItemSummary, graded
from autograder.report.page import environment

__all__ = ["ClassCounts", "RubricSummary", "class_report"]

LISTED = 10  # the number of common mistakes and of slow notebooks that are listed


@dataclass(frozen=True)
class ClassCounts:
    """The numbers of submissions, and of written answers in those that are not rejected.

    `ungraded` submissions have something that could not be graded, `in_part` of them not everything; `marked` of the
    `written` answers have points.
    """

    submissions: int
    graded: int
    ungraded: int
    in_part: int
    rejected: int
    written: int
    marked: int


@dataclass(frozen=True)
class RubricSummary:
    """The rubric items of a written question, and how often each was given over the `marked` answers.

    Of those, `empty` have no text; a reviewer also adjusted the points of `adjusted`.
    """

    marked: int
    empty: int
    adjusted: int
    items: tuple[tuple[MarkedItem, int], ...]


def class_report(seen: MarkedClass, *, links: Mapping[str, str], made_at: str = "") -> str:
    """Return one page that needs nothing else: no script, no file, no network. Same arguments, same page.

    `links` are the addresses of feedback pages by the submission's name; one without a page is not linked. `made_at`
    is a time in words, left out if empty.
    """
    policy, reports = seen.policy, seen.reports
    known = {id: ItemSummary(id, q.title, q.points, id in policy.written) for id, q in policy.questions.items()}
    # Questions that only older results have come last.
    questions = tuple((known | {item.name: item for item in item_analysis.analyse(reports)}).values())
    comparable = len(item_analysis.comparable(reports))
    run = [report for report in graded(reports) if "notebook" in dict(report.seconds)]
    run.sort(key=lambda report: (-_notebook_seconds(report), report.name))
    page = environment().get_template("class_report.html")
    return page.render(
        policy=policy,
        reports=reports,
        links=links,
        made_at=made_at,
        cells=grade_cells,
        counts=_counts(reports),
        scores=distributions.scores(reports),
        items=item_analysis,
        questions=questions,
        comparable=comparable,
        scatter=item_analysis.scatter(comparable),
        rubrics={id: _rubric(id, graded(reports)) for id in policy.written},
        accuracy=distributions.accuracies(reports, policy),
        accuracy_asked=any(question.accuracy for question in policy.code.values()),
        mistakes=_mistakes(questions)[:LISTED],
        reviewers=list(dict.fromkeys(share.reviewer for share in seen.progress if share.reviewer is not None)),
        progress={(share.question, share.reviewer): share for share in seen.progress},
        agreements={id: found for id, found in seen.agreements.items() if id in policy.written},
        kappa_interval=_kappa_interval,
        slowest=run[:LISTED],
        notebook_seconds=_notebook_seconds,
        median_seconds=statistics.median(map(_notebook_seconds, run)) if run else 0.0,
        faults=_grouped((fault, report.name) for report in reports for fault in _faults(report)),
        rejections=_grouped((" ".join(r.notes), r.name) for r in reports if r.status is Status.REJECTED),
        flags=_grouped((flag, report.name) for report in reports for flag in report.flags),
        flagged_marks=_grouped((question, name) for name, question in seen.flagged),
    )


def _counts(reports: Sequence[GradeReport]) -> ClassCounts:
    statuses = Counter(report.status for report in reports)
    whole = len(item_analysis.comparable(reports))
    in_part = statuses[Status.GRADED] - whole
    readable = (report for report in reports if report.status is not Status.REJECTED)
    written = [question for report in readable for question in report.questions if question.written]
    return ClassCounts(
        submissions=len(reports),
        graded=whole,
        ungraded=statuses[Status.UNGRADED] + in_part,
        in_part=in_part,
        rejected=statuses[Status.REJECTED],
        written=len(written),
        marked=sum(question.earned is not None for question in written),
    )


def _mistakes(questions: Sequence[ItemSummary]) -> list[tuple[str, ItemSummary]]:
    """Return the failed checks with their questions' ids, the one with the most frequent message first.

    A public check may have the same message as a hidden one of its question: that is one mistake.
    """
    found: dict[tuple[str, str], ItemSummary] = {}
    for item in questions:
        for check in item.checks:
            key = item.name, check.message
            if check.message and (key not in found or found[key].message_count < check.message_count):
                found[key] = check
    pairs = [(question, check) for (question, _), check in found.items()]
    return sorted(pairs, key=lambda pair: (-pair[1].message_count, pair[0], pair[1].name))


def _rubric(id: str, reports: Sequence[GradeReport]) -> RubricSummary:
    """Count the rubric items that marked answers have, also those that the rubric has lost since."""
    answers = (question for report in reports for question in report.questions if question.id == id)
    marked = [question for question in answers if question.earned is not None and question.marking]
    items: dict[str, MarkedItem] = {}
    given: Counter[str] = Counter()
    for item in (item for question in marked for item in question.marking):
        items.setdefault(item.id, item)
        given[item.id] += item.given
    return RubricSummary(
        marked=len(marked),
        empty=sum(not (question.answer or "").strip() for question in marked),
        adjusted=sum(question.adjustment != 0 for question in marked),
        items=tuple((item, given[item.id]) for item in items.values()),
    )


def _kappa_interval(found: Agreement) -> list[float] | None:
    """Return the ends of kappa's interval, and kappa between them, in percent of a scale from 0 to 1."""
    if found.low is None or found.kappa is None or found.high is None:
        return None
    return [round(100 * max(0.0, value), 1) for value in (found.low, found.kappa, found.high)]


def _notebook_seconds(report: GradeReport) -> float:
    """Return the wall time of the notebook alone; 0 if it was not run."""
    return dict(report.seconds).get("notebook", 0.0)


def _faults(report: GradeReport) -> Iterable[str]:
    """Return the reasons why a whole submission (without an id before the reason) or single questions failed."""
    if report.status is Status.UNGRADED:
        return [report.fault.partition("\n")[0]]
    return [f"{q.id}: {fault_reason(q)}" for q in report.questions if q.outcome is Outcome.UNGRADED]


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Group names by remark, in alphabetical order; the most frequent remark first, ties in alphabetical order."""
    found: dict[str, set[str]] = {}
    for remark, name in pairs:
        found.setdefault(remark, set()).add(name)
    groups = ((remark, sorted(names)) for remark, names in found.items())
    return sorted(groups, key=lambda group: (-len(group[1]), group[0]))
