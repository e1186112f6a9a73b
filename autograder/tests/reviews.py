"""Classes to review, and a running review, for the tests of the pages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade, Status
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.policy.policy import Policy, Review
from autograder.review import app, serve
from autograder.review.class_review import ClassReview

REVIEWERS = ("ann", "ben")

ANSWERS = (
    "The training set is used to fit the parameters. The test set holds images the model has never seen, so the "
    "accuracy on it says how well it does on **new** images.",
    "We split the data so that training is faster, and there is less data to train on.",
    "So that overfitting is noticed: a model that *memorises* has a high accuracy on the training set only.\n\n"
    "- training: fit\n- test: measure\n\nThe loss is $L(\\theta) = -\\sum_i \\log p_i$.",
    "Because one needs data that was not used for fitting. Otherwise memory looks like understanding.",
    "The test set is for checking, the training set for learning.",
)


def words_of(number: int) -> str | None:
    """The answer of the student with this number: every sixth wrote nothing."""
    return None if number % 6 == 5 else f"{ANSWERS[number % 6]} ({number})"


def class_of(size: int, policy: Policy, texts: Mapping[int, str | None] | None = None) -> tuple[GradeReport, ...]:
    return tuple(_report(number, policy, dict(texts or {})) for number in range(size))


def _report(number: int, policy: Policy, texts: Mapping[int, str | None]) -> GradeReport:
    answer = texts[number] if number in texts else words_of(number)
    questions = []
    for id, rules in policy.questions.items():
        if id in policy.written:
            questions.append(QuestionGrade(id, rules.title, True, rules.points, None, answer=answer))
        else:
            check = CheckResult("all of it", True, rules.points, Outcome.PASSED if number % 4 else Outcome.FAILED, "")
            questions.append(QuestionGrade(id, rules.title, False, rules.points, check.earned, (check,)))
    return GradeReport(f"student-{number:03d}", f"class/{number}.ipynb", Status.GRADED, tuple(questions))


def rules(*, sample: int = 0, reviewers: Sequence[str] = REVIEWERS) -> Policy:
    """The shipped grading.yml with these reviewers."""
    return grading_file.load(HOME.policy).model_copy(
        update={"review": Review(reviewers=tuple(reviewers), sample=sample)}
    )


def alike(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:
    """Answers that begin with the same words; first those that say nothing."""
    found: dict[str, list[int]] = {}
    for id, text in texts.items():
        found.setdefault(" ".join((text or "").split()[:6]), []).append(id)
    groups = [tuple(ids) for _, ids in sorted(found.items()) if len(ids) > 1]
    return tuple(groups)


@contextlib.contextmanager
def opened_class(
    place: Path | str, size: int = 30, *, sample: int = 0, reviewers: Sequence[str] = REVIEWERS,
    texts: Mapping[int, str | None] | None = None, group: bool = True,
) -> Iterator[ClassReview]:  # fmt: skip
    """A class of `size`, opened for marking."""
    policy = rules(sample=sample, reviewers=reviewers)
    reports = class_of(size, policy, texts)
    with ReviewStores(place) as stores:
        stores.sync(policy, reports, reviewers, alike if group else lambda _: ())
        yield ClassReview(stores, policy, tuple(reviewers), {report.key: report for report in reports})


@dataclass(frozen=True)
class Running:
    """A review that a browser can reach."""

    review: ClassReview
    port: int

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self, reviewer: str) -> str:
        return app.access(self.review).link(reviewer, self.port)


@contextlib.contextmanager
def running(review: ClassReview) -> Iterator[Running]:
    """The review of this class on a port of its own, in a thread."""
    with serve.running(review) as server:
        yield Running(review, server.port)
