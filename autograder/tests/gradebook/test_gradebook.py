"""The gradebook on a real SQLite file: nothing is lost, nothing counts twice, and what was graded before is known."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.engine.batch import Work, grade_all, threads
from autograder.errors import GradebookError
from autograder.gradebook.gradebook import Gradebook, GradeChange
from autograder.gradebook.grading_key import grader_fingerprint, grading_key
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport
from autograder.lms.external_grades import GRADESCOPE, OTTER, ExternalGrade, MatchedGrade
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.journals import RULES

ONE = Submission("first", "class/first.ipynb", b"one")
OTHER = replace(ONE, data=b"another")
FAULT = reports.ungraded(name="first")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.db"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    with Gradebook(path) as opened:
        yield opened


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Run a query past the gradebook, and store what it changes."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query).fetchall()


def with_points(points: float, name: str = "first") -> GradeReport:
    """A report with this many points for its last question, and 8.66 for the others."""
    last = replace(reports.QUESTIONS[-1], earned=points)
    return reports.graded(name=name, questions=(*reports.QUESTIONS[:-1], last))


@pytest.mark.parametrize(
    "report", [reports.graded(), reports.rejected(), reports.hostile()], ids=lambda report: report.status
)
def test_a_result_comes_back_as_it_was_stored(path: Path, report: GradeReport) -> None:
    with Gradebook(path) as book:
        book.record(replace(ONE, name=report.name), "key", report)
    with Gradebook(path) as again:
        assert again.known(["key", "another key"]) == {"key": report}
        assert again.current(report.name) == report
        assert again.all() == (report,)


def test_a_grader_fault_is_stored_but_not_known_so_that_the_next_run_tries_again(book: Gradebook) -> None:
    book.record(ONE, "key", FAULT)
    book.record(replace(ONE, name="half"), "half", replace(reports.half_graded(), name="half"))
    assert book.known(["key", "half"]) == {}
    assert book.current("first") == FAULT


def test_a_new_result_replaces_the_old_one_and_returns_the_change(book: Gradebook, path: Path) -> None:
    assert book.record(ONE, "key", with_points(8)) is None, "nothing was there before"
    assert book.record(ONE, "key", with_points(8)) is None, "stored again, it is one row"
    assert book.record(OTHER, "other", with_points(4)) == GradeChange("first", 16.66, 12.66)
    assert book.record(OTHER, "third", with_points(4)) is None, "the points are the same"
    assert book.current("first") == with_points(4)
    assert book.known(["key"]) == {"key": with_points(8)}, "it is known if it comes back"
    assert rows(path, "select standing, count(*) from gradings group by 1 order by 1") == [("current", 1), ("past", 2)]


def test_a_fault_replaces_an_older_submission_but_not_a_grade_for_the_same(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    assert book.record(ONE, "newer kit", FAULT) is None
    book.record(ONE, "key", FAULT, proposed=True)
    book.accept()
    assert book.current("first") == with_points(8)
    assert book.record(OTHER, "other", FAULT) == GradeChange("first", 16.66, None)
    assert book.current("first") == FAULT


def test_proposals_count_only_when_they_are_accepted(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    book.record(replace(ONE, name="same"), "same", with_points(8, "same"))
    assert book.record(ONE, "key", with_points(6), proposed=True) is None
    book.record(ONE, "key", with_points(4), proposed=True)  # replaces the proposal before
    book.record(replace(ONE, name="same"), "same", with_points(8, "same"), proposed=True)
    book.record(replace(ONE, name="new"), "new", with_points(8, "new"), proposed=True)
    assert book.current("first") == with_points(8)
    assert book.names() == ("first", "same")
    assert book.known(["key"]) == {"key": with_points(8)}
    assert book.known(["key"], proposed=True) == {"key": with_points(4)}
    assert book.proposals() == (GradeChange("first", 16.66, 12.66), GradeChange("new", None, 16.66))
    book.accept()
    assert book.current("first") == with_points(4)
    assert book.names() == ("first", "new", "same")
    assert book.proposals() == ()
    assert book.known(["key"], proposed=True) == {}


def test_rejected_proposals_are_deleted_except_those_to_keep(book: Gradebook) -> None:
    book.record(ONE, "key", with_points(8))
    for key in ("key", "stale"):
        book.record(replace(ONE, name=key), key, with_points(4, key), proposed=True)
    book.reject(keep=["key"])
    assert [change.name for change in book.proposals()] == ["key"]
    book.reject()
    assert book.proposals() == ()
    assert book.current("first") == with_points(8)


def stricter(policy: Policy) -> Policy:
    return policy.model_copy(update={"execution": policy.execution.model_copy(update={"timeout_s": 1.0})})


def test_the_key_changes_with_all_that_decides_about_a_grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    data.write_bytes(b"images")
    other.write_bytes(b"other images")
    tests = {"q4": "a test", "q5": "another"}
    different = [
        grader_fingerprint(RULES, tests, data, unsafe=False),
        grader_fingerprint(stricter(RULES), tests, data, unsafe=False),
        grader_fingerprint(RULES, {**tests, "q5": "changed"}, data, unsafe=False),
        grader_fingerprint(RULES, tests, other, unsafe=False),
        grader_fingerprint(RULES, tests, data, unsafe=True),
    ]
    assert different[0] == grader_fingerprint(RULES, dict(reversed(tests.items())), data, unsafe=False)
    monkeypatch.setattr("autograder.gradebook.grading_key.kit_version", lambda: "9.9+0")
    different.append(grader_fingerprint(RULES, tests, data, unsafe=False))
    submissions = (ONE, OTHER, replace(ONE, data=b"", problem="a link"), replace(ONE, data=b"", problem="a folder"))
    keys = {grading_key(fingerprint, submission) for fingerprint in different for submission in submissions}
    assert len(keys) == len(different) * len(submissions)
    assert grading_key("same", ONE) == grading_key("same", replace(ONE, name="renamed", source="elsewhere"))


def test_the_database_itself_allows_one_current_result_a_submission(book: Gradebook, path: Path) -> None:
    book.record(ONE, "key", with_points(8))
    columns = "submission, key, content, standing, report, graded_at"
    with pytest.raises(sqlite3.IntegrityError):
        rows(path, f"insert into gradings select 99, {columns} from gradings")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b"no database" * 999), "file is not a database"),
        (lambda path: path.mkdir(), "unable to open database file"),
        (lambda path: rows(path, "pragma user_version = 99"), "written by another version of the kit (form 99"),
    ],
    ids=["another file", "a folder", "a later form"],
)
def test_a_file_that_is_not_a_gradebook_is_named(path: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(path)
    with pytest.raises(GradebookError) as caught, Gradebook(path):
        pass  # pragma: no cover
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_stored_result_that_was_tampered_with_is_an_error(book: Gradebook, path: Path) -> None:
    book.record(ONE, "key", with_points(8))
    rows(path, "update gradings set report = '{}'")
    with pytest.raises(GradebookError, match="a stored result cannot be read"):
        book.current("first")


ANN = ExternalGrade(
    GRADESCOPE, "ann@x.edu", "ann@x.edu", "17", "Ann É", 20.5, (("q4", 6.0), ("9: Style (1.0 pts)", None)), "Graded"
)
BO = ExternalGrade(OTTER, "bo", "", "", "", None, (("q4", None),), "it timed out")


def test_grades_of_other_systems_are_stored_beside_the_results(book: Gradebook, path: Path) -> None:
    book.record(ONE, "key", with_points(8))
    book.record_external([MatchedGrade(BO, None, "no submission has bo in its name"), MatchedGrade(ANN, "first")])
    columns = "origin, name, email, sid, person, total, points, status, submission"
    assert rows(path, f"select {columns} from returned order by name") == [
        (GRADESCOPE, "ann@x.edu", "ann@x.edu", "17", "Ann É", 20.5, '{"q4": 6.0, "9: Style (1.0 pts)": null}',
         "Graded", "first"),
        (OTTER, "bo", "", "", "", None, '{"q4": null}', "it timed out", None),
    ]  # fmt: skip
    assert book.all() == (with_points(8),), "they do not count"


def test_an_external_grade_replaces_the_one_of_its_origin_and_name_only(book: Gradebook, path: Path) -> None:
    many = [MatchedGrade(replace(ANN, name=f"s{number}"), None) for number in range(1200)]
    book.record_external([*many, MatchedGrade(ANN, None), MatchedGrade(replace(ANN, origin=OTTER), "first")])
    book.record_external([*many, MatchedGrade(replace(ANN, total=3.0), "first")])
    assert rows(path, "select origin, total, submission from returned where name = 'ann@x.edu' order by 1") == [
        (GRADESCOPE, 3.0, "first"),
        (OTTER, 20.5, "first"),
    ]
    book.record_external([])
    assert rows(path, "select count(*) from returned") == [(1202,)]


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
"""The first tables of the kit."""


def test_a_gradebook_of_form_1_is_migrated_in_place_and_keeps_its_results(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.executescript(FORM_1)
        old.execute(
            "insert into gradings values (7, 'first', 'key', 'c', 'current', ?, '2026-01-02 03:04:05.000000')",
            [with_points(8).to_json()],
        )
    with Gradebook(path) as book:
        assert book.current("first") == with_points(8)
        book.record_external([MatchedGrade(ANN, "first")])
        assert book.record(OTHER, "other", with_points(4)) == GradeChange("first", 16.66, 12.66)
    with ReviewStores(path) as stores:
        assert stores.answers.progress() == ()
    assert rows(path, "pragma user_version") == [(3,)]
    assert rows(path, "select id, standing from gradings order by id") == [(7, "past"), (8, "current")]


def test_form_1_differs_from_the_present_one_by_new_tables_only(path: Path) -> None:
    with Gradebook(path), contextlib.closing(sqlite3.connect(":memory:")) as old:
        old.executescript(FORM_1)
        query = "select name, sql from sqlite_master where tbl_name = 'gradings' order by 1"
        before, now = (
            [(name, "".join(str(sql).split())) for name, sql in found]
            for found in (old.execute(query).fetchall(), rows(path, query))
        )
        assert now == before


def grade_a_class(path: Path, count: int, started: int) -> None:
    """Grade with a real pool and gradebook, some 100 ms each, and write to `started` for each."""
    submissions = [Submission(f"s{n}", f"s{n}.ipynb", str(n).encode()) for n in range(count)]

    def grade(submission: Submission) -> GradeReport:
        os.write(started, b".")
        time.sleep(random.uniform(0, 0.2))
        return reports.graded(name=submission.name, source=submission.source)

    with Gradebook(path) as book:
        work = Work.of(submissions, book, "the same")
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
        read_end, started = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            with contextlib.suppress(BaseException):
                grade_a_class(path, count, started)
                code = 0
            os._exit(code)
        os.close(started)
        if kills < 50:
            if kills % 5:
                os.read(read_end, 1)  # most of them while grading, the others at any moment
            time.sleep(moments.uniform(0, 0.6))
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(read_end)
        assert code == (-signal.SIGKILL if kills < 50 else 0), "it was killed in the middle"
        assert rows(path, "pragma integrity_check") == [("ok",)], f"seed {seed}"
        (done,) = rows(path, "select count(*) from gradings where standing = 'current'")[0]
        assert isinstance(done, int)
        assert done >= stored[-1], "nothing is lost"
        stored.append(done)
    assert len(set(stored)) > 20, "many of the kills came while results were being stored"
    assert rows(path, "select count(*), count(distinct key) from gradings") == [(count, count)]
