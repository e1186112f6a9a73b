"""One class, opened for its reviewers, and with its marks so far, for the reports made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from autograder.calibration import reference
from autograder.errors import GradebookError, ReviewError
from autograder.gradebook import request_file
from autograder.gradebook.agreement import Agreement, agreement
from autograder.gradebook.database import existing_location, without_password
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.marked_report import MarkedClass, with_marks
from autograder.gradebook.request_store import OPEN
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.lms import roster as rosters
from autograder.policy import grading_file
from autograder.policy.policy import Policy, Review

__all__ = [
    "ALONE",
    "ClassReview",
    "agreements",
    "exchange_requests",
    "marked_class",
    "open_review",
    "with_marks_so_far",
]

ALONE = "reviewer"
"""The reviewer if neither grading.yml nor the command names one."""


@dataclass(frozen=True)
class ClassReview:
    """A class opened for review. `reports` are the automatic results by submission."""

    stores: ReviewStores
    policy: Policy
    reviewers: tuple[str, ...]
    reports: Mapping[str, GradeReport]


@contextlib.contextmanager
def open_review(folder: Path, url: str | None = None, reviewers: Sequence[str] = ()) -> Iterator[ClassReview]:
    """Open a graded class for marking: store its answers, group them, and share them out among the reviewers.

    `reviewers` are added to those of grading.yml. Raises GradebookError without a gradebook, ReviewError for an
    invalid name, PolicyError for grading.yml.
    """
    from autograder.gradebook.similar_answers import similar_answers

    policy = grading_file.load(HOME.policy)
    people = tuple(dict.fromkeys((*policy.review.reviewers, *reviewers))) or (ALONE,)
    try:
        Review(reviewers=people)
    except ValidationError:
        raise ReviewError(
            f"reviewers {', '.join(map(repr, people))}: expected different names of letters, digits and . _ @ - only. "
            "Change --reviewer, or review.reviewers in grading.yml."
        ) from None
    location = existing_location(folder, url)
    reports = _reports(location)
    with ReviewStores(location) as stores:
        stores.sync(policy, reports, people, similar_answers)
        yield ClassReview(stores, policy, people, {report.key: report for report in reports})


def marked_class(folder: Path, url: str | None = None) -> MarkedClass:
    """Read a class with its marks so far.

    Raises GradebookError without a gradebook, and PolicyError or CalibrationError like `reference.rules`.
    """
    policy = reference.rules(HOME)
    location = existing_location(folder, url)
    return with_marks_so_far(location, policy, _reports(location))


def with_marks_so_far(location: Path | str, policy: Policy, reports: Iterable[GradeReport]) -> MarkedClass:
    """Return these reports as a class, with the marks in its gradebook."""
    with ReviewStores(location, shared=False) as stores:
        final, rubrics = stores.marks.final(), stores.rubrics.all()
        marked = tuple(with_marks(report, final, rubrics) for report in reports)
        flagged = tuple(sorted(key for key, mark in final.items() if mark.flagged))
        return MarkedClass(policy, marked, stores.answers.progress(), agreements(stores), flagged)


def exchange_requests(path: Path | None, folder: Path, url: str | None = None, roster: Path | None = None) -> str:
    """Import a file of regrade requests, if given, and return all requests with their replies as CSV.

    Raises ImportedFileError if a file cannot be read; then nothing is imported.
    """
    policy = grading_file.load(HOME.policy)
    location = existing_location(folder, url)
    names = [report.key for report in _reports(location)]
    roll = None if roster is None else rosters.join(rosters.read(roster), names)
    requests = () if path is None else request_file.read(path, tuple(policy.written), names, roll)
    with ReviewStores(location, shared=False) as stores:
        points = {key: mark.points for key, mark in stores.marks.final().items()}
        stores.requests.add(requests, points)
        requests = stores.requests.all()
    closed = {one.id: points.get((one.submission, one.question)) for one in requests if one.status != OPEN}
    return request_file.render(replace(one, after=closed.get(one.id)) for one in requests)


def agreements(stores: ReviewStores) -> dict[str, Agreement]:
    """Return how far two reviewers agree on each question with answers that both have marked."""
    found = {
        question: agreement(pair.points for pair in stores.marks.pairs(question) if pair.points is not None)
        for question in sorted(stores.rubrics.all())
    }
    return {question: agreed for question, agreed in found.items() if agreed.count}


def _reports(location: Path | str) -> tuple[GradeReport, ...]:
    with Gradebook(location) as book:
        reports = book.all()
    if not reports:
        raise GradebookError(
            f"{without_password(location)}: the gradebook has no submission; expected a graded class. Run `mnist-kit "
            "grade` first, or give the folder of its results."
        )
    return reports
