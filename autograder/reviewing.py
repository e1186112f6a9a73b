"""The marking of one class: opened for reviewers, and as it stands, for whatever renders it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import grading_file
from autograder.agreement import Agreement, agreement
from autograder.database import existing
from autograder.grade import GradeReport
from autograder.gradebook import Gradebook
from autograder.inbox import Inbox
from autograder.layout import HOME
from autograder.marked import marked
from autograder.marks import Marks, Progress
from autograder.policy import Policy

__all__ = ["ALONE", "Desk", "Reviewed", "agreements", "desk", "reviewed"]

ALONE = "reviewer"
"""Who marks where grading.yml and the command name nobody."""


@dataclass(frozen=True)
class Desk:
    """What the review needs: marks, requests, grading.yml, who reviews, and the automatic results by submission."""

    marks: Marks
    inbox: Inbox
    policy: Policy
    reviewers: tuple[str, ...]
    reports: Mapping[str, GradeReport]


@dataclass(frozen=True)
class Reviewed:
    """A class as it stands: reports with the marks that count, by name; progress; agreement by question."""

    policy: Policy
    reports: tuple[GradeReport, ...]
    progress: tuple[Progress, ...]
    agreements: Mapping[str, Agreement]


@contextlib.contextmanager
def desk(folder: Path, url: str | None = None, reviewers: Sequence[str] = ()) -> Iterator[Desk]:
    """Open a graded class for marking: its answers taken over, grouped and shared out.

    `reviewers` are added to those of grading.yml. Raises GradebookError where there is no gradebook, PolicyError for
    grading.yml.
    """
    from autograder.grouping import groups

    policy = grading_file.load(HOME.policy)
    people = tuple(dict.fromkeys((*policy.review.reviewers, *reviewers))) or (ALONE,)
    place = existing(folder, url)
    reports = _reports(place)
    with Marks(place) as marks:
        marks.sync(policy, reports, people, groups)
        yield Desk(marks, Inbox(marks.database), policy, people, {report.key: report for report in reports})


def reviewed(folder: Path, url: str | None = None) -> Reviewed:
    """The class as it stands."""
    policy = grading_file.load(HOME.policy)
    place = existing(folder, url)
    with Marks(place, shared=False) as marks:
        counting, rubrics = marks.counting(), marks.rubrics()
        reports = tuple(marked(report, counting, rubrics) for report in _reports(place))
        return Reviewed(policy, reports, marks.progress(), agreements(marks))


def agreements(marks: Marks) -> dict[str, Agreement]:
    """How far the two reviewers of each question's sample agree, where both have marked."""
    found = {}
    for question in marks.questions():
        both = [pair.marks for pair in marks.pairs(question) if pair.both]
        points = [(first.points, second.points) for first, second in both if first and second]
        if points:
            found[question] = agreement(points)
    return found


def _reports(place: Path | str) -> tuple[GradeReport, ...]:
    with Gradebook(place) as book:
        return book.all()
