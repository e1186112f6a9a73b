"""A class opened for review, and what is made of its marks: with the real store, without pages."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from autograder.calibration import reference
from autograder.errors import ImportedFileError, ReviewError
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.mark import Draft
from autograder.layout import HOME
from autograder.policy import grading_file
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
            position = review.stores.answers.at(question, number, reviewer)
            item = review.stores.rubrics.current(question).items[0].id
            review.stores.marks.save(
                position.answer.id, reviewer, Draft((item,), flagged=number == 1), 0, f"{reviewer} {question} {number}"
            )


def test_a_graded_class_is_opened_for_the_reviewers_that_are_named(folder: Path) -> None:
    with open_review(folder, reviewers=["ann", "ben", "ann"]) as review:
        assert review.reviewers == ("ann", "ben")
        assert set(review.stores.rubrics.all()) == {"q1", "q2", "q3"}
        assert review.stores.answers.question_progress("q1").answers == len(review.reports) == 6
        assert review.stores.answers.groups("q1", "ann") == ()


@pytest.mark.parametrize(
    "name", ["", "*", "Ann", "a" * 100], ids=["empty", "the reviewer of settled marks", "ann again", "long"]
)
def test_an_invalid_name_of_a_reviewer_is_rejected(folder: Path, name: str) -> None:
    with pytest.raises(ReviewError, match="letters, digits"), open_review(folder, reviewers=["ann", name]):
        pass


def test_similar_answers_are_grouped_and_without_names_there_is_one_reviewer(tmp_path: Path) -> None:
    with Gradebook(tmp_path / DATABASE) as book:
        for report in reviews.class_of(12, reviews.rules()):
            book.record(Submission(report.name, report.source, report.name.encode()), report.name, report)
    with open_review(tmp_path) as review:
        first, *others = review.stores.answers.groups("q1", ALONE)
        assert review.reviewers == (ALONE,)
        assert {position.answer.text for position in first} == {None}
        assert [len(group) for group in others] == [2, 2, 2, 2, 2]


def test_a_class_that_nobody_has_opened_can_be_exported(folder: Path) -> None:
    found = class_review.marked_class(folder)
    assert len(found.reports) == 6
    assert not any(report.marked for report in found.reports)
    assert (found.progress, found.agreements, found.flagged) == ((), {}, ())


def test_marks_are_in_the_reports(folder: Path) -> None:
    mark_all(folder)
    found = class_review.marked_class(folder)
    assert {report.questions[0].earned for report in found.reports} == {1.0}
    assert len(found.flagged) == 1
    assert next((each.done, each.total) for each in found.progress if each.question == "q1") == (6, 6)


def test_full_marks_relative_to_the_solution_are_known_to_the_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relative = HOME.policy.read_text(encoding="utf-8").replace("{full: 0.95,", "{reference_margin: 0.02,")
    policy = grading_file.parse(relative, HOME.policy)
    monkeypatch.setattr("autograder.policy.grading_file.load", lambda _: policy)
    rule = class_review.marked_class(folder).policy.code["q7"].accuracy
    assert rule is not None
    assert rule.full_accuracy == pytest.approx(reference.load(HOME).reference - 0.02)


def test_agreement_is_of_answers_that_both_have_marked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = reviews.rules(sample=4)
    monkeypatch.setattr("autograder.policy.grading_file.load", lambda _: policy)
    for reviewer in ("ann", "ben"):
        mark_all(folder, reviewer)
    found = class_review.marked_class(folder).agreements
    assert (found["q1"].count, found["q1"].percent) == (4, 100)
    assert "q2" not in found


def test_requests_are_imported_and_exported_with_the_points(folder: Path) -> None:
    mark_all(folder)
    file = folder / "file.csv"
    file.write_text("submission,question,text\nstudent-001,q1,Please look again.\n")
    assert "student-001,q1,Please look again.,open,,1," in exchange_requests(file, folder)
    with open_review(folder) as review:
        request = review.stores.requests.all()[0]
        review.stores.requests.reply(request.id, "accepted", "You did say it.", "ann")
        answer = review.stores.answers.find("student-001", "q1") or 0
        position = review.stores.answers.by_id(answer, "ann")
        assert position.mark is not None
        items = tuple(item.id for item in review.stores.rubrics.current("q1").items)
        review.stores.marks.save(answer, "ann", Draft(items), position.mark.id, "again")
    row = next(csv.DictReader(io.StringIO(exchange_requests(None, folder))))
    assert (row["status"], row["reply"], row["before"], row["after"]) == ("accepted", "You did say it.", "1", "4")


def test_a_file_with_an_unknown_submission_imports_nothing(folder: Path) -> None:
    file = folder / "file.csv"
    file.write_text("submission,question,text\nnobody,q1,Why?\nstudent-001,q1,Why?\n")
    with pytest.raises(ImportedFileError, match="line 2"):
        exchange_requests(file, folder)
    assert exchange_requests(None, folder).count("\n") == 1
