"""The report on a class: one page for staff that can be read on a phone, printed or passed on."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from autograder.gradebook.agreement import Agreement
from autograder.report import charts, grade_cells, item_analysis
from autograder.report.charts import Histogram, Level
from autograder.report.class_summary import ClassSummary, notebook_seconds
from autograder.report.distributions import Band, ClassAccuracies, ClassScores
from autograder.report.page import environment

__all__ = ["class_report"]

LISTED = 10
"""The number of common mistakes and of slow notebooks that are listed."""


def class_report(summary: ClassSummary, *, links: Mapping[str, str], made_at: str = "") -> str:
    """Return one page that needs nothing else: no script, no file, no network. Same arguments, same page.

    `links` are the addresses of feedback pages by the submission's name; one without a page is not linked. `made_at`
    is a time in words, left out if empty.
    """
    return (
        environment()
        .get_template("class_report.html")
        .render(
            summary=summary,
            policy=summary.policy,
            counts=summary.counts,
            links=links,
            made_at=made_at,
            cells=grade_cells,
            scores=[(scores, _scores(scores)) for scores in summary.scores],
            items=item_analysis,
            scatter=item_analysis.scatter(summary.comparable),
            accuracy_chart=_accuracies(summary.accuracy) if summary.accuracy else None,
            band_name=_band_name,
            accuracy_asked=any(question.accuracy for question in summary.policy.code.values()),
            mistakes=summary.mistakes[:LISTED],
            reviewers=list(dict.fromkeys(share.reviewer for share in summary.progress if share.reviewer is not None)),
            progress={(share.question, share.reviewer): share for share in summary.progress},
            kappa_interval=_kappa_interval,
            slowest=summary.slowest[:LISTED],
            notebook_seconds=notebook_seconds,
            median_seconds=statistics.median(map(notebook_seconds, summary.slowest)) if summary.slowest else 0.0,
        )
    )


def _scores(scores: ClassScores) -> Histogram:
    mean, median = _tenths(scores.mean), _tenths(scores.median)
    levels: Sequence[Level] = ()  # of one submission, mean and median are no news
    if len(scores.values) > 1:
        levels = (Level(scores.mean, f"mean {mean}", dashed=True), Level(scores.median, f"median {median}"))
        if mean == median:
            levels = (Level(scores.median, f"mean and median {median}"),)
    alt = (
        f"Histogram of {'automatic' if scores.automatic else 'total'} points: {_submissions(len(scores.values))} from "
        f"{_tenths(scores.values[0])} to {_tenths(scores.values[-1])} of {scores.points:g}, median {median}."
    )
    return charts.histogram(alt, scores.bins, levels=levels)


def _accuracies(found: ClassAccuracies) -> Histogram:
    levels = [
        Level(band.low, f"{_level(band.low)}: {_points(band.points)}{f' ({id})' if len(found.bands) > 1 else ''}")
        for id, bands in found.bands
        for band in bands
        if band.low is not None
    ]
    lines = f", with lines at {'; '.join(level.text for level in levels)}" if levels else ""
    alt = f"Histogram of the accuracy of {_submissions(len(found.values))}, median {_level(found.median)}{lines}."
    return charts.histogram(alt, found.bins, found.below, levels)


def _band_name(band: Band) -> str:
    if band.low is None:
        return "any" if band.high is None else f"below {_level(band.high)}"
    return f"{_level(band.low)} or more" if band.high is None else f"{_level(band.low)} to below {_level(band.high)}"


def _kappa_interval(found: Agreement) -> tuple[float, float, float] | None:
    """Return the ends of kappa's interval, and kappa between them, in percent of a scale from 0 to 1."""
    if found.low is None or found.kappa is None or found.high is None:
        return None
    low, kappa, high = (round(100 * max(0.0, value), 1) for value in (found.low, found.kappa, found.high))
    return low, kappa, high


def _submissions(count: int) -> str:
    return f"{count:,} submission{'' if count == 1 else 's'}"


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _tenths(value: float) -> str:
    return f"{round(value, 1):g}"


def _level(percent: float) -> str:
    return f"{round(percent, 2):g} %"
