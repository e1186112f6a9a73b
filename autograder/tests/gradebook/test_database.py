"""The gradebook's database: a file or a real PostgreSQL server, opened, migrated, refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from autograder.errors import GradebookError
from autograder.gradebook.database import FORM, Database, existing_location, location
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.stores import ReviewStores
from autograder.lms.external_grades import OTTER, ExternalGrade, MatchedGrade
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tools.postgresql import new_database, postgresql, running

ONE = Submission("first", "class/first.ipynb", b"one")
NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as running:
        yield running


@pytest.fixture
def url(server: str) -> str:
    return new_database(server, f"kit{next(NUMBERS)}")


def test_results_are_kept_on_a_server_as_in_a_file(url: str) -> None:
    first, second = reports.graded(), reports.graded(name="second")
    with Gradebook(url) as book:
        assert book.record(ONE, "key", first) is None
        book.record(ONE, "other", second, proposed=True)
        book.accept()
        book.join([MatchedGrade(ExternalGrade(OTTER, "first", "", "", "", 3.0, (("q4", 3.0),), "Completed"), "first")])
    with Gradebook(url) as again:
        assert again.known(["key"]) == {"key": first}
        assert again.names() == tuple(sorted({first.name, second.name}))
        assert again.returned()[0].row.total == 3.0


def test_a_server_is_set_up_once(url: str) -> None:
    for _ in range(2):
        with ReviewStores(url) as stores:
            secret = stores.secret()
    with ReviewStores(url) as stores, stores.database.read() as session:
        assert session.execute(text("select number from form")).scalars().all() == [FORM]
        assert stores.secret() == secret


def test_a_server_that_was_started_anew_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.gradebook.database.IDLE_S", 0)
    with running() as server, ReviewStores(new_database(server.address, "again")) as stores:
        secret = stores.secret()
        server.crash()
        with pytest.raises(GradebookError, match="What was stored before is kept"):
            stores.rubrics.all()
        server.start()
        assert stores.rubrics.all() == {}
        assert stores.secret() == secret


def test_a_server_with_a_later_form_is_refused(url: str) -> None:
    with ReviewStores(url) as stores, stores.database.write() as session:
        session.execute(text("insert into form values (99)"))
    with pytest.raises(GradebookError, match="form 99, this one writes"):
        ReviewStores(url).__enter__()


def test_a_file_of_form_2_is_brought_up_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    with Gradebook(path) as book:
        book.record(ONE, "key", reports.graded())
    with sqlite3.connect(path) as old:
        for table in ("answers", "marks", "rubrics", "snippets", "log", "requests", "settings"):
            old.execute(f"drop table {table}")
        old.execute("pragma user_version = 2")
    old.close()
    with ReviewStores(path) as stores:
        assert stores.rubrics.all() == {}
    with Gradebook(path) as book:
        assert book.known(["key"])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "is not the URL of a database"),
        ("mysql://root@127.0.0.1/x", "mysql: expected a PostgreSQL database"),
        ("postgresql://kit:secret@127.0.0.1:1/x", r"postgresql://kit:\*\*\*@127.0.0.1:1/x: .*refused"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(address: str, said: str) -> None:
    with pytest.raises(GradebookError, match=said) as told:
        Database(address).open()
    assert "secret" not in str(told.value)


def test_the_gradebook_is_in_the_folder_or_where_the_address_says(tmp_path: Path) -> None:
    assert location(tmp_path, None) == tmp_path / "gradebook.db"
    assert location(tmp_path, "postgresql://x/y") == "postgresql://x/y"


def test_a_folder_without_a_gradebook_is_told(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="there is no gradebook; expected one of a graded class"):
        existing_location(tmp_path, None)


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "gradebook.db")
    database.open()
    with pytest.raises(GradebookError, match="UNIQUE"), database.write() as session:
        session.execute(text("insert into settings values ('a', 'b'), ('b', 'c'), ('a', 'd')"))
    with database.read() as session:
        assert session.execute(text("select count(*) from settings")).scalar() == 0
    database.close()
