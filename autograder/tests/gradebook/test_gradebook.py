"""The gradebook on a real SQLite file: nothing is lost, nothing counts twice, and what is known is known."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.engine.batch import Work, grade_all, threads
from autograder.errors import GradebookError
from autograder.gradebook import database, gradebook
from autograder.gradebook.gradebook import Change, Gradebook, Grader
from autograder.judge.grade_report import GradeReport
from autograder.lms.external_grades import GRADESCOPE, OTTER, ExternalGrade, MatchedGrade
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.journals import RULES

ONE = Submission("first", "class/first.ipynb", b"one")
OTHER = replace(ONE, data=b"another")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.db"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    with Gradebook(path) as opened:
        yield opened


def rows(path: Path, what: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(what).fetchall()
    finally:
        connection.close()


def with_points(points: float) -> GradeReport:
    """`first` with this many points for its last question."""
    last = replace(reports.QUESTIONS[-1], earned=points)
    return reports.graded(questions=(*reports.QUESTIONS[:-1], last))


@pytest.mark.parametrize(
    "report", [reports.graded(), reports.rejected(), reports.hostile()], ids=lambda each: each.status
)
def test_a_result_comes_back_as_it_was_stored(path: Path, report: GradeReport) -> None:
    with Gradebook(path) as book:
        book.record(replace(ONE, name=report.name), "key", report)
    with Gradebook(path) as again:
        assert again.known(["key", "another key"]) == {"key": report}
        assert again.current(report.name) == report
        assert len(again) == 1


def test_a_fault_of_the_grader_is_stored_but_not_known(book: Gradebook) -> None:
    """So the next run tries again."""
    book.record(ONE, "key", reports.ungraded(name="first"))
    book.record(replace(ONE, name="half"), "half", replace(reports.half_graded(), name="half"))
    assert book.known(["key", "half"]) == {}
    assert book.current("first") == reports.ungraded(name="first")


def test_a_new_result_takes_the_place_of_the_old_one_and_the_change_is_told(book: Gradebook, path: Path) -> None:
    assert book.record(ONE, "key", with_points(8)) is None, "nothing was there before"
    assert book.record(OTHER, "other", with_points(4)) == Change("first", 16.66, 12.66)
    assert book.record(OTHER, "third", with_points(4)) is None, "the points are the same"
    assert book.current("first") == with_points(4)
    assert rows(path, "select standing, count(*) from gradings group by 1 order by 1") == [("current", 1), ("past", 2)]


def test_the_same_result_stored_again_is_one_row(book: Gradebook, path: Path) -> None:
    for _ in range(3):
        book.record(ONE, "key", with_points(8))
    assert rows(path, "select count(*) from gradings") == [(1,)]


def test_what_counted_once_is_known_when_it_comes_back(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    book.record(OTHER, "other", with_points(4))
    assert book.known(["key"]) == {"key": with_points(8)}


def test_a_fault_takes_the_place_of_an_older_submission_but_not_of_a_grade_for_the_same(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    fault = reports.ungraded(name="first")
    assert book.record(ONE, "newer kit", fault) is None
    assert book.current("first") == with_points(8)
    assert book.record(OTHER, "other", fault) == Change("first", 16.66, None)
    assert book.current("first") == fault


def test_proposals_count_only_when_they_are_accepted(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    book.record(replace(ONE, name="same"), "same", replace(with_points(8), name="same"))
    assert book.record(ONE, "key", with_points(4), proposed=True) is None
    book.record(replace(ONE, name="same"), "same", replace(with_points(8), name="same"), proposed=True)
    assert book.current("first") == with_points(8)
    assert book.known(["key"]) == {"key": with_points(8)}
    assert book.known(["key"], proposed=True) == {"key": with_points(4)}
    assert book.proposals() == (Change("first", 16.66, 12.66),)
    book.accept()
    assert book.current("first") == with_points(4)
    assert book.proposals() == ()
    assert book.known(["key"], proposed=True) == {}


def test_a_proposal_made_again_is_one_proposal(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(4), proposed=True)
    book.record(ONE, "key", with_points(6), proposed=True)
    assert book.proposals() == (Change("first", None, 14.66),)


def test_proposals_that_are_turned_down_are_forgotten_but_those_to_keep(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    for key in ("key", "stale"):
        book.record(replace(ONE, name=key), key, replace(with_points(4), name=key), proposed=True)
    book.reject(keep=["key"])
    assert [change.name for change in book.proposals()] == ["key"]
    book.reject()
    assert book.proposals() == ()
    assert book.current("first") == with_points(8)


def test_a_proposed_fault_does_not_replace_a_grade(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    book.record(ONE, "key", reports.ungraded(name="first"), proposed=True)
    book.accept()
    assert book.current("first") == with_points(8)


def stricter(policy: Policy) -> Policy:
    return policy.model_copy(update={"execution": policy.execution.model_copy(update={"timeout_s": 1.0})})


def test_the_key_changes_with_whatever_decides_about_a_grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    data.write_bytes(b"images")
    other.write_bytes(b"other images")
    tests = {"q4": "a test", "q5": "another"}
    graders = [
        Grader.of(RULES, tests, data, unsafe=False),
        Grader.of(stricter(RULES), tests, data, unsafe=False),
        Grader.of(RULES, {**tests, "q5": "changed"}, data, unsafe=False),
        Grader.of(RULES, tests, other, unsafe=False),
        Grader.of(RULES, tests, data, unsafe=True),
    ]
    assert graders[0] == Grader.of(RULES, dict(reversed(tests.items())), data, unsafe=False)
    monkeypatch.setattr(gradebook, "kit_version", lambda: "9.9+0")
    graders.append(Grader.of(RULES, tests, data, unsafe=False))
    submissions = (ONE, OTHER, replace(ONE, data=b"", problem="a link"), replace(ONE, data=b"", problem="a folder"))
    keys = {grader.key(submission) for grader in graders for submission in submissions}
    assert len(keys) == len(graders) * len(submissions)
    assert graders[0].key(ONE) == graders[0].key(replace(ONE, name="renamed", source="elsewhere"))


def test_the_database_itself_allows_one_current_result_a_submission(book: Gradebook, path: Path) -> None:
    book.record(ONE, "key", with_points(8))
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(
            "insert into gradings select 99, submission, key, content, standing, report, graded_at from gradings"
        )
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"no database" * 999), "file is not a database"),
        (lambda path: path.mkdir(), "unable to open database file"),
        (lambda path: rows(path, "pragma user_version = 99"), "written by another version of the kit (form 99"),
    ],
    ids=["another file", "a folder", "a later form"],
)
def test_what_is_no_gradebook_of_this_kit_is_told(path: Path, spoil: object, said: str) -> None:
    assert callable(spoil)
    spoil(path)
    with pytest.raises(GradebookError) as caught, Gradebook(path):
        pass  # pragma: no cover
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_stored_result_that_was_tampered_with_is_told(book: Gradebook, path: Path) -> None:
    book.record(ONE, "key", with_points(8))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("update gradings set report = '{}'")
    connection.close()
    with pytest.raises(GradebookError, match="a stored result cannot be read"):
        book.current("first")


def test_a_database_that_another_process_holds_is_told_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    with Gradebook(path) as book:
        holder = sqlite3.connect(path)
        holder.execute("begin exclusive")
        with pytest.raises(GradebookError, match=r"database is locked.*run the same command again"):
            book.record(ONE, "key", with_points(8))
        holder.close()
        book.record(ONE, "key", with_points(8))
        assert len(book) == 1


ANN = ExternalGrade(
    GRADESCOPE, "ann@x.edu", "ann@x.edu", "17", "Ann É", 20.5, (("q4", 6.0), ("9: Style (1.0 pts)", None)), "Graded"
)
BO = ExternalGrade(OTTER, "bo", "", "", "", None, (("q4", None),), "it timed out")


def test_grades_made_elsewhere_come_back_as_they_were_joined(path: Path) -> None:
    with Gradebook(path) as book:
        book.join([MatchedGrade(BO, None, "no submission has bo in its name"), MatchedGrade(ANN, "first")])
    with Gradebook(path) as again:
        assert again.returned() == (MatchedGrade(ANN, "first"), MatchedGrade(BO, None))
    assert rows(path, "select origin, email, sid, person, total, points, submission from returned order by name") == [
        (GRADESCOPE, "ann@x.edu", "17", "Ann É", 20.5, '{"q4": 6.0, "9: Style (1.0 pts)": null}', "first"),
        (OTTER, "", "", "", None, '{"q4": null}', None),
    ]


def test_a_grade_joined_again_takes_the_place_of_its_own_and_of_no_other(book: Gradebook, path: Path) -> None:
    twin = replace(ANN, origin=OTTER)
    book.join([MatchedGrade(ANN, None), MatchedGrade(twin, "first"), MatchedGrade(BO, "bo")])
    book.join([MatchedGrade(replace(ANN, total=3.0), "first")])
    assert book.returned() == (
        MatchedGrade(replace(ANN, total=3.0), "first"),
        MatchedGrade(twin, "first"),
        MatchedGrade(BO, "bo"),
    )
    book.join([])
    assert rows(path, "select count(*) from returned") == [(3,)]


def test_a_whole_university_is_joined_and_joined_again(book: Gradebook, path: Path) -> None:
    many = [MatchedGrade(replace(ANN, name=f"s{number}@x.edu"), None) for number in range(1200)]
    book.join(many)
    book.join(many)
    assert rows(path, "select count(*) from returned") == [(1200,)]


def test_joining_changes_nothing_that_counts(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    book.join([MatchedGrade(replace(ANN, total=0.0), "first")])
    assert book.current("first") == with_points(8)
    assert book.known(["key"]) == {"key": with_points(8)}


def test_the_names_are_those_of_what_counts(book: Gradebook) -> None:
    assert book.names() == ()
    book.record(replace(ONE, name="zoe"), "key", replace(with_points(8), name="zoe"))
    for points in (8, 4):
        book.record(ONE, f"key {points}", with_points(points))
    book.record(replace(ONE, name="asked"), "asked", replace(with_points(8), name="asked"), proposed=True)
    assert book.names() == ("first", "zoe")


@pytest.mark.parametrize("spoilt", ["[]", "{", "3"])
def test_joined_points_that_were_tampered_with_are_told(book: Gradebook, path: Path, spoilt: str) -> None:
    book.join([MatchedGrade(ANN, "first")])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("update returned set points = ?", [spoilt])
    connection.close()
    with pytest.raises(GradebookError, match=r"the points of ann@x\.edu from Gradescope cannot be read"):
        book.returned()


FORM_1 = """
CREATE TABLE gradings (
    id INTEGER NOT NULL,
    submission TEXT NOT NULL,
    "key" VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    standing VARCHAR NOT NULL,
    report TEXT NOT NULL,
    graded_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_gradings_key ON gradings ("key");
CREATE INDEX ix_gradings_submission ON gradings (submission);
CREATE UNIQUE INDEX one_current_grading ON gradings (submission) WHERE standing = 'current';
PRAGMA user_version = 1;
"""
"""What the kit wrote before it knew of grades made elsewhere."""


def test_a_gradebook_of_form_1_is_brought_up_in_place_and_keeps_its_results(path: Path) -> None:
    old = sqlite3.connect(path)
    with old:
        old.executescript(FORM_1)
        old.execute(
            "insert into gradings values (7, 'first', 'key', 'c', 'current', ?, '2026-01-02 03:04:05.000000')",
            [with_points(8).to_json()],
        )
    old.close()
    with Gradebook(path) as book:
        assert book.current("first") == with_points(8)
        assert book.returned() == ()
        book.join([MatchedGrade(ANN, "first")])
        assert book.record(OTHER, "other", with_points(4)) == Change("first", 16.66, 12.66)
    with Gradebook(path) as again:
        assert again.returned() == (MatchedGrade(ANN, "first"),)
    assert rows(path, "pragma user_version") == [(3,)]
    assert rows(path, "select id, standing from gradings order by id") == [(7, "past"), (8, "current")]


def test_form_1_is_what_this_kit_writes_but_for_the_new_table(path: Path) -> None:
    with Gradebook(path):
        pass
    old = sqlite3.connect(":memory:")
    old.executescript(FORM_1)
    what = "select name, sql from sqlite_master where tbl_name = 'gradings' order by 1"
    before, now = old.execute(what).fetchall(), rows(path, what)
    assert [(name, "".join(str(sql).split())) for name, sql in now] == [
        (name, "".join(str(sql).split())) for name, sql in before
    ]
    old.close()


def grade_a_class(path: Path, count: int, tell: int) -> None:
    """A run with a real pool and gradebook, whose grading takes some 100 ms and tells that it has begun."""
    everything = [Submission(f"s{n}", f"s{n}.ipynb", str(n).encode()) for n in range(count)]

    def grade(submission: Submission) -> GradeReport:
        os.write(tell, b".")
        time.sleep(random.uniform(0, 0.2))
        return reports.graded(name=submission.name, source=submission.source)

    with Gradebook(path) as book:
        work = Work.of(everything, book, Grader("the same"))
        with threads(grade, 4) as pool:
            for _ in grade_all(work, book, pool, RULES):
                pass


@pytest.mark.slow
def test_killed_at_fifty_moments_and_continued_every_submission_has_one_result(path: Path) -> None:
    count, stored = 800, [0]
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    with Gradebook(path):
        pass
    for kills in range(51):
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            with contextlib.suppress(BaseException):
                grade_a_class(path, count, tell)
                code = 0
            os._exit(code)
        os.close(tell)
        if kills < 50:
            if kills % 5:
                os.read(told, 1)  # most of them once it grades, the others wherever it is
            time.sleep(moments.uniform(0, 0.6))
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(told)
        assert code == (-signal.SIGKILL if kills < 50 else 0), "it was killed in the middle"
        assert rows(path, "pragma integrity_check") == [("ok",)], f"seed {seed}"
        (done,) = rows(path, "select count(*) from gradings where standing = 'current'")[0]
        assert isinstance(done, int)
        assert done >= stored[-1], "nothing is lost"
        stored.append(done)
    assert len(set(stored)) > 20, "many of the kills came while results were being stored"
    assert rows(path, "select count(*), count(distinct key) from gradings") == [(count, count)]
