"""From a graded class to marks, and from marks to what leaves the gradebook: the real store, no pages."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from autograder.errors import GradebookError, ImportedFileError, ReviewError
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.mark import Draft
from autograder.review import class_review
from autograder.review.class_review import ALONE, exchange_requests, open_review
from autograder.submissions.submission import Submission
from autograder.tests import reviews


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a graded class of six."""
    with Gradebook(tmp_path / DATABASE) as book:
        for number, report in enumerate(reviews.class_of(6, reviews.rules())):
            book.record(Submission(report.name, report.source, b"%d" % number), str(number), report)
    return tmp_path


def mark_all(folder: Path, reviewer: str = "ann", question: str = "q1") -> None:
    with open_review(folder, reviewers=[reviewer]) as review:
        while (number := review.stores.answers.next(question, reviewer)) is not None:
            place = review.stores.answers.at(question, number, reviewer)
            item = review.stores.rubrics.in_force(question).items[0].id
            review.stores.marks.save(
                place.answer.id, reviewer, Draft((item,), flagged=number == 1), 0, f"{reviewer} {question} {number}"
            )


def test_a_graded_class_is_opened_for_the_reviewers_that_are_named(folder: Path) -> None:
    with open_review(folder, reviewers=["ann", "ben", "ann"]) as review:
        assert review.reviewers == ("ann", "ben")
        assert set(review.stores.rubrics.all()) == {"q1", "q2", "q3"}
        assert review.stores.answers.at("q1", 1, "ann").of == len(review.reports) == 6
        assert review.stores.answers.groups("q1", "ann") == ()


@pytest.mark.parametrize(
    "name", ["", "*", "Ann", "a" * 100], ids=["empty", "the mark of what is settled", "ann again", "long"]
)
def test_a_name_that_no_reviewer_can_have_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ReviewError, match="letters, digits"), open_review(folder, reviewers=["ann", name]):
        pass


def test_without_names_there_is_one_reviewer(folder: Path) -> None:
    with open_review(folder) as review:
        assert review.reviewers == (ALONE,)
        assert review.stores.answers.next("q1", ALONE) == 1


def test_like_answers_of_a_class_are_grouped(tmp_path: Path) -> None:
    with Gradebook(tmp_path / DATABASE) as book:
        for report in reviews.class_of(12, reviews.rules()):
            book.record(Submission(report.name, report.source, report.name.encode()), report.name, report)
    with open_review(tmp_path) as review:
        first, *others = review.stores.answers.groups("q1", ALONE)
        assert {place.answer.text for place in first} == {None}
        assert [len(group) for group in others] == [2, 2, 2, 2, 2]


def test_a_class_that_nobody_has_opened_can_be_exported(folder: Path) -> None:
    seen = class_review.marked_class(folder)
    assert len(seen.reports) == 6
    assert not any(report.marked for report in seen.reports)
    assert (seen.progress, seen.agreements, seen.flagged) == ((), {}, ())


def test_marks_are_in_the_reports(folder: Path) -> None:
    mark_all(folder)
    seen = class_review.marked_class(folder)
    assert {report.questions[0].earned for report in seen.reports} == {1.0}
    assert len(seen.flagged) == 1
    assert next((each.done, each.total) for each in seen.progress if each.question == "q1") == (6, 6)


def test_agreement_is_told_of_what_both_have_marked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = reviews.rules(sample=4)
    monkeypatch.setattr("autograder.policy.grading_file.load", lambda _: policy)
    for reviewer in ("ann", "ben"):
        mark_all(folder, reviewer)
    found = class_review.marked_class(folder).agreements
    assert (found["q1"].count, found["q1"].percent) == (4, 100)
    assert "q2" not in found


def test_requests_come_in_and_go_out_with_the_points(folder: Path) -> None:
    mark_all(folder)
    asked = folder / "asked.csv"
    asked.write_text("submission,question,text\nstudent-001,q1,Please look again.\n")
    assert "student-001,q1,Please look again.,open,,1," in exchange_requests(asked, folder)
    with open_review(folder) as review:
        request = review.stores.requests.all()[0]
        review.stores.requests.reply(request.id, "accepted", "You did say it.", "ann")
        number = next(
            n for n in range(1, 7) if review.stores.answers.at("q1", n, "ann").answer.submission == "student-001"
        )
        place = review.stores.answers.at("q1", number, "ann")
        assert place.mark is not None
        items = tuple(item.id for item in review.stores.rubrics.in_force("q1").items)
        review.stores.marks.save(place.answer.id, "ann", Draft(items), place.mark.id, "again")
    row = next(csv.DictReader(io.StringIO(exchange_requests(None, folder))))
    assert (row["status"], row["reply"], row["before"], row["after"]) == ("accepted", "You did say it.", "1", "4")


def test_a_request_of_nobody_takes_nothing_in(folder: Path) -> None:
    asked = folder / "asked.csv"
    asked.write_text("submission,question,text\nnobody,q1,Why?\nstudent-001,q1,Why?\n")
    with pytest.raises(ImportedFileError, match="line 2"):
        exchange_requests(asked, folder)
    assert exchange_requests(None, folder).count("\n") == 1


def test_a_folder_that_was_never_graded_is_told(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="there is no gradebook"), open_review(tmp_path):
        pass
    with pytest.raises(GradebookError, match="there is no gradebook"):
        class_review.marked_class(tmp_path)
