"""A batch through a real pool of threads and a real gradebook; only the grading itself is a stub."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from autograder.engine import batch
from autograder.engine.batch import Done, Grade, Pool, Work, grade_all, threads
from autograder.errors import GradebookError, GraderFault
from autograder.gradebook import gradebook
from autograder.gradebook.gradebook import Gradebook, GradeChange, KitChange
from autograder.judge.grade_report import GradeReport, Status
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.journals import RULES
from autograder.version import kit_version

GRADER = "one"
CLASS = tuple(Submission(f"s{number}", f"{number}.ipynb", str(number).encode()) for number in range(6))


@dataclass
class Marker:
    """Grades at once, and keeps the names of those it graded."""

    points: float = 8.0
    names: list[str] = field(default_factory=list)

    def __call__(self, submission: Submission) -> GradeReport:
        self.names.append(submission.name)
        last = replace(reports.QUESTIONS[-1], earned=self.points)
        return reports.graded(name=submission.name, source=submission.source, questions=(*reports.QUESTIONS[:-1], last))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.db") as opened:
        yield opened


def run(
    book: Gradebook,
    grade: Grade,
    submissions: tuple[Submission, ...] = CLASS,
    grader: str = GRADER,
    *,
    regrade: bool = False,
    workers: int = 2,
) -> list[Done]:
    work = Work.of(submissions, book, grader, regrade=regrade)
    with threads(grade, workers) as pool:
        return [*work.known, *grade_all(work, book, pool, RULES, proposed=regrade)]


def test_every_submission_is_graded_stored_and_yielded_with_its_index(book: Gradebook) -> None:
    done = run(book, Marker())
    assert {(one.index, one.report.name) for one in done} == {(n, f"s{n}") for n in range(6)}
    assert all(book.current(one.report.name) == one.report for one in done)


def test_a_second_run_grades_only_what_changed(book: Gradebook) -> None:
    run(book, Marker())
    second = Marker()
    changed = (*CLASS[:2], replace(CLASS[2], data=b"new"), *CLASS[3:], replace(CLASS[0], name="late", data=b"late"))
    done = run(book, second, changed)
    assert second.names == ["s2", "late"]
    assert len(done) == 7


def test_a_renamed_file_keeps_its_result_under_the_new_name(book: Gradebook) -> None:
    run(book, Marker())
    second = Marker()
    (done,) = run(book, second, (replace(CLASS[0], name="renamed", source="there/renamed.ipynb"),))
    assert second.names == []
    assert (done.report.name, done.report.source) == ("renamed", "there/renamed.ipynb")
    assert book.current("renamed") == done.report


def test_an_earlier_version_that_is_submitted_again_counts_again(book: Gradebook) -> None:
    run(book, Marker(8), CLASS[:1])
    run(book, Marker(2), (replace(CLASS[0], data=b"worse"),))
    (done,) = run(book, Marker(0), CLASS[:1])
    assert done.change == GradeChange("s0", 10.66, 16.66)
    assert book.current("s0") == done.report


def test_another_policy_grades_everything_and_lists_the_changes(book: Gradebook) -> None:
    run(book, Marker(8))
    done = run(book, Marker(4), grader="stricter")
    assert [one.change for one in sorted(done, key=lambda one: one.index)] == [
        GradeChange(f"s{n}", 16.66, 12.66) for n in range(6)
    ]


def test_another_kit_grades_again_what_an_earlier_one_graded_and_says_so_once(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changes(kit: str, submissions: tuple[Submission, ...]) -> KitChange | None:
        monkeypatch.setattr(gradebook, "kit_version", lambda: kit)
        change = Work.of(submissions, book, kit).kit_change
        run(book, Marker(), submissions, kit)
        return change

    assert changes("1", CLASS[:4]) is None
    assert changes("2", CLASS[:1]) == KitChange(1, "1", "2")
    assert changes("2", (*CLASS[:3], replace(CLASS[3], data=b"new"), *CLASS[4:])) == KitChange(2, "1", "2")
    assert changes("2", CLASS[:3]) is None


def test_a_gradebook_that_notes_no_kit_was_made_by_an_earlier_one(book: Gradebook) -> None:
    book.record(CLASS[0], "an old key", reports.graded())
    assert book.kit_change(CLASS) == KitChange(1, None, kit_version())


def test_a_fault_is_tried_again_by_the_next_run(book: Gradebook) -> None:
    run(book, lambda submission: reports.ungraded(name=submission.name))
    second = Marker()
    run(book, second)
    assert sorted(second.names) == [f"s{n}" for n in range(6)]


def test_a_regrade_grades_everything_once_and_replaces_nothing(book: Gradebook) -> None:
    run(book, Marker(8))
    again = Marker(2)
    for _ in range(2):  # the second run goes on after an interruption
        run(book, again, regrade=True)
    assert len(again.names) == 6
    assert {change.before for change in book.proposals()} == {16.66}
    assert all(report.earned == 16.66 for report in book.all())


def test_an_ordinary_run_forgets_a_regrade_that_was_never_answered(book: Gradebook) -> None:
    run(book, Marker(2), regrade=True)
    run(book, Marker(8))
    assert book.proposals() == ()


def test_results_come_in_the_order_they_finish(book: Gradebook) -> None:
    gate = threading.Event()

    def grade(submission: Submission) -> GradeReport:
        if submission.name == "s0":
            assert gate.wait(20)
        return Marker()(submission)

    order = []
    with threads(grade, 2) as pool:
        for done in grade_all(Work.of(CLASS, book, GRADER), book, pool, RULES):
            order.append(done.report.name)
            if len(order) == 5:
                gate.set()
    assert order[-1] == "s0"


def test_a_submission_whose_worker_breaks_down_is_ungraded_and_the_others_are_graded(book: Gradebook) -> None:
    def grade(submission: Submission) -> GradeReport:
        if submission.name == "s3":
            raise RuntimeError("worker gone")
        return Marker()(submission)

    done = {one.report.name: one.report for one in run(book, grade)}
    assert done["s3"].status is Status.UNGRADED
    assert "worker gone" in done["s3"].fault
    assert sum(report.status is Status.GRADED for report in done.values()) == 5


@pytest.mark.parametrize("noticed_by", ["cancelled", "checked"])
def test_a_lost_pool_ends_the_run_and_keeps_the_grades_so_far(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch, noticed_by: str
) -> None:
    monkeypatch.setattr(batch, "LOOK_EVERY_S", 0.2)
    stored, over = threading.Event(), threading.Event()

    def grade(submission: Submission) -> GradeReport:
        if submission.name != "s0":
            assert stored.wait(20)
            if noticed_by == "cancelled" and submission.name == "s1":
                raise CancelledError
            over.wait(20)
        return Marker()(submission)

    def check() -> None:
        if noticed_by == "checked" and stored.is_set():
            raise GraderFault("the workers are gone")

    executor = ThreadPoolExecutor(1)
    results = grade_all(Work.of(CLASS, book, GRADER), book, Pool(executor, grade, check), RULES)
    try:
        next(results)
        stored.set()
        with pytest.raises(GraderFault, match="the workers are gone"):
            list(results)
    finally:
        over.set()
        executor.shutdown(cancel_futures=True)
    assert len(book.names()) == 1
    later = Marker()
    run(book, later)
    assert sorted(later.names) == [f"s{n}" for n in range(1, 6)]


def test_a_result_that_cannot_be_stored_ends_the_run(book: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    real = book.record

    def record(submission: Submission, *rest: object, **named: object) -> object:
        if submission.name == "s2":
            raise GradebookError("database or disk is full")
        return real(submission, *rest, **named)  # type: ignore[arg-type]  # the same arguments

    monkeypatch.setattr(book, "record", record)
    with pytest.raises(GradebookError, match="full"):
        run(book, Marker(), workers=1)
    assert len(book.names()) == 2


def test_stopping_early_drops_submissions_that_have_not_begun(book: Gradebook) -> None:
    marker = Marker()

    def grade(submission: Submission) -> GradeReport:
        time.sleep(0.05)
        return marker(submission)

    many = tuple(Submission(f"m{n}", "", str(n).encode()) for n in range(100))
    with threads(grade, 1) as pool:
        results = grade_all(Work.of(many, book, GRADER), book, pool, RULES)
        next(results)
        results.close()  # type: ignore[attr-defined]  # a generator
    time.sleep(0.3)
    assert len(marker.names) < 10
