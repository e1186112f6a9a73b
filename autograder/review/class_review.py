"""The marking of one class: opened for reviewers, and as it stands, for whatever renders it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook import request_file
from autograder.gradebook.agreement import Agreement, agreement
from autograder.gradebook.database import existing_location, without_password
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.mark import Progress
from autograder.gradebook.marked_report import marked
from autograder.gradebook.request_store import OPEN
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.lms import roster as rosters
from autograder.policy import grading_file
from autograder.policy.policy import Policy, Review

__all__ = ["ALONE", "ClassReview", "MarkedClass", "agreements", "exchange_requests", "marked_class", "open_review"]

ALONE = "reviewer"
"""Who marks where grading.yml and the command name nobody."""


@dataclass(frozen=True)
class ClassReview:
    """What the review needs: the stores, grading.yml, who reviews, and the automatic results by submission."""

    stores: ReviewStores
    policy: Policy
    reviewers: tuple[str, ...]
    reports: Mapping[str, GradeReport]


@dataclass(frozen=True)
class MarkedClass:
    """A class as it stands: reports with the marks that count, by name; progress; agreement by question.

    `flagged` are the submissions and questions whose mark a reviewer flagged.
    """

    policy: Policy
    reports: tuple[GradeReport, ...]
    progress: tuple[Progress, ...]
    agreements: Mapping[str, Agreement]
    flagged: tuple[tuple[str, str], ...]


@contextlib.contextmanager
def open_review(folder: Path, url: str | None = None, reviewers: Sequence[str] = ()) -> Iterator[ClassReview]:
    """Open a graded class for marking: its answers taken over, grouped and shared out.

    `reviewers` are added to those of grading.yml. Raises GradebookError where there is no gradebook, ReviewError for
    a name that is none, PolicyError for grading.yml.
    """
    from autograder.gradebook.grouping import groups

    policy = grading_file.load(HOME.policy)
    people = tuple(dict.fromkeys((*policy.review.reviewers, *reviewers))) or (ALONE,)
    try:
        Review(reviewers=people)
    except ValidationError:
        raise ReviewError(
            f"reviewers {', '.join(map(repr, people))}: expected a name of letters, digits and . _ @ - for each, and "
            "each once. Change --reviewer, or review in grading.yml."
        ) from None
    place = existing_location(folder, url)
    reports = _reports(place)
    with ReviewStores(place) as stores:
        stores.sync(policy, reports, people, groups)
        yield ClassReview(stores, policy, people, {report.key: report for report in reports})


def marked_class(folder: Path, url: str | None = None) -> MarkedClass:
    """The class as it stands."""
    policy = grading_file.load(HOME.policy)
    place = existing_location(folder, url)
    with ReviewStores(place, shared=False) as stores:
        counting, rubrics = stores.marks.final(), stores.rubrics.all()
        reports = tuple(marked(report, counting, rubrics) for report in _reports(place))
        flagged = tuple(sorted(key for key, mark in counting.items() if mark.flagged))
        return MarkedClass(policy, reports, stores.answers.progress(), agreements(stores), flagged)


def exchange_requests(path: Path | None, folder: Path, url: str | None = None, roster: Path | None = None) -> str:
    """Put a file of regrade requests before the reviewers, where one is given; all requests as CSV, with the replies.

    Raises RequestError or RosterError, and takes nothing, where a file cannot be read.
    """
    policy = grading_file.load(HOME.policy)
    place = existing_location(folder, url)
    names = [report.key for report in _reports(place)]
    roll = None if roster is None else rosters.join(rosters.read(roster), names)
    requests = () if path is None else request_file.read(path, tuple(policy.written), names, roll)
    with ReviewStores(place, shared=False) as stores:
        points = {key: mark.points for key, mark in stores.marks.final().items()}
        stores.requests.add(requests, points)
        return request_file.render(
            request
            if request.status == OPEN
            else replace(request, after=points.get((request.submission, request.question)))
            for request in stores.requests.all()
        )


def agreements(stores: ReviewStores) -> dict[str, Agreement]:
    """How far the two reviewers of each question's sample agree, where both have marked."""
    found = {}
    for question in sorted(stores.rubrics.all()):
        points = [pair.points for pair in stores.marks.pairs(question) if pair.points is not None]
        if points:
            found[question] = agreement(points)
    return found


def _reports(place: Path | str) -> tuple[GradeReport, ...]:
    with Gradebook(place) as book:
        reports = book.all()
    if not reports:
        raise GradebookError(
            f"{without_password(place)}: there is no submission in it yet; expected a graded class. Run `mnist-kit "
            "grade` first, or name the folder of its results."
        )
    return reports
