"""The class report: how a whole class did, on one page for staff that can be printed or passed on."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence

from markupsafe import Markup

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Progress
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.report import charts, overview
from autograder.report.overview import Accuracies, Band, QuestionSummary, Spread
from autograder.report.page import environment

__all__ = ["course_page"]

LISTED = 10
"""Commonest mistakes and slowest notebooks that are listed."""


def course_page(
    reports: Sequence[GradeReport],
    policy: Policy,
    *,
    agreements: Mapping[str, Agreement],
    progress: Sequence[Progress] = (),
    flagged: Collection[tuple[str, str]] = (),
    made_at: str = "",
) -> str:
    """One page that needs nothing else: no script, no file, no network. The same arguments give the same page.

    `agreements` are those of the questions of which a sample was marked twice; `flagged` are submissions, each with
    a question whose mark a reviewer flagged; `made_at` is a time in words, and left out where it is empty.
    """
    asked = overview.questions(reports, policy)
    found = overview.accuracies(reports, policy)
    runs = overview.runs(reports)
    return (
        environment()
        .get_template("course.html")
        .render(
            policy=policy,
            made_at=made_at,
            counts=overview.counts(reports),
            spreads=[(each, _scores(each)) for each in overview.spreads(reports)],
            questions=asked,
            questions_chart=_shares(asked),
            tallies=overview.tallies(reports, policy),
            accuracies=found,
            accuracies_chart=_accuracies(found) if found else None,
            bands=[(id, _named(bands)) for id, bands in found.bands] if found else [],
            accuracy_asked=any(question.accuracy for question in policy.code.values()),
            mistakes=overview.mistakes(asked)[:LISTED],
            agreements=[(id, _told(agreements.get(id))) for id in policy.written],
            agreements_chart=_intervals(agreements, policy),
            reviewers=list(dict.fromkeys(each.reviewer for each in progress if each.reviewer is not None)),
            progress={(each.question, each.reviewer): each for each in progress},
            slowest=runs[:LISTED],
            middle=statistics.median(run.seconds for run in runs) if runs else 0.0,
            turned_away=overview.turned_away(reports),
            faults=overview.faults(reports),
            flags=overview.flags(reports),
            flagged=overview.grouped((question, name) for name, question in flagged),
        )
    )


def _scores(spread: Spread) -> Markup:
    what = f"{'automatic' if spread.automatic else 'total'} points"
    alt = (
        f"Histogram of {what}: {_submissions(len(spread.values))} from {_tenths(spread.values[0])} to "
        f"{_tenths(spread.values[-1])} of {spread.points:g}, median {_tenths(spread.median)}."
    )
    name = "automatic" if spread.automatic else "total"
    return charts.histogram(name, spread.bins, 0, lines=_middle(spread), what=f"{what}, of {spread.points:g}", alt=alt)


def _middle(spread: Spread) -> list[charts.Line]:
    """Mean and median; of one submission neither."""
    mean, median = _tenths(spread.mean), _tenths(spread.median)
    if len(spread.values) == 1:
        return []
    if mean == median:
        return [charts.Line(spread.median, f"mean and median {median}")]
    return [charts.Line(spread.mean, f"mean {mean}", dashed=True), charts.Line(spread.median, f"median {median}")]


def _shares(asked: Sequence[QuestionSummary]) -> Markup | None:
    rows = [charts.Share(each.id, each.title, each.mean, each.count, hatched=each.written) for each in asked]
    if not any(row.count for row in rows):
        return None
    told = "; ".join(f"{row.name} {row.share:.0%}" for row in rows if row.share is not None)
    return charts.shares("questions", rows, alt=f"Bars of the mean share of the points of each question: {told}.")


def _accuracies(found: Accuracies) -> Markup:
    lines = [
        charts.Line(band.low, f"{_level(band.low)}: {_points(band.points)}{f' ({id})' if len(found.bands) > 1 else ''}")
        for id, bands in found.bands
        for band in bands
        if band.low is not None
    ]
    levels = f", with lines at {'; '.join(line.text for line in lines)}" if lines else ""
    alt = f"Histogram of the accuracy of {_submissions(len(found.values))}, median {_level(found.median)}{levels}."
    what = "accuracy on the private images"
    return charts.histogram("accuracy", found.bins, found.below, lines=lines, what=what, unit=" %", alt=alt)


def _named(bands: Sequence[Band]) -> list[tuple[str, str, int]]:
    """Each band in words, the points it gives, and how many are in it."""
    highs = (*(band.low for band in bands[1:]), None)
    return [(_range(band.low, high), _points(band.points), band.count) for band, high in zip(bands, highs, strict=True)]


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "any" if high is None else f"below {_level(high)}"
    return f"{_level(low)} or more" if high is None else f"{_level(low)} to below {_level(high)}"


def _told(found: Agreement | None) -> Agreement | None:
    return found if found is not None and found.count else None


def _intervals(agreements: Mapping[str, Agreement], policy: Policy) -> Markup | None:
    """None where no question has a kappa."""
    found = [(id, agreements[id]) for id in policy.written if id in agreements and agreements[id].count]
    rows = [charts.Interval(id, _within(each), _agreed(each)) for id, each in found]
    if not any(row.within for row in rows):
        return None
    told = "; ".join(f"{row.name} {row.text}" for row in rows)
    what = "Cohen's kappa: 0 is what chance alone would give, 1 is full agreement"
    return charts.intervals("agreement", rows, what=what, alt=f"Cohen's kappa with its interval: {told}.")


def _within(found: Agreement) -> tuple[float, float, float] | None:
    """The interval around kappa, and kappa in its middle."""
    if found.low is None or found.kappa is None or found.high is None:
        return None
    return found.low, found.kappa, found.high


def _agreed(found: Agreement) -> str:
    within = _within(found)
    kappa = "no kappa" if within is None else "{1} ({0} to {2})".format(*map(_signed, within))
    same = "" if found.percent is None else f"{found.percent:.0f} % the same, "
    return f"{kappa}, {same}n = {found.count:,}"


def _submissions(count: int) -> str:
    return f"{count:,} submission{'' if count == 1 else 's'}"


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _tenths(value: float) -> str:
    return f"{round(value, 1):g}"


def _level(percent: float) -> str:
    return f"{round(percent, 2):g} %"


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
