"""The gradebook's database: a file or a real PostgreSQL server, opened, migrated, refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from autograder.errors import GradebookError
from autograder.gradebook.database import FORM, Database, existing_location, location
from autograder.gradebook.gradebook import Gradebook
from autograder.gradebook.stores import ReviewStores
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tools.postgresql import TemporaryServer, temporary_server

ONE = Submission("first", "class/first.ipynb", b"one")


def test_results_are_stored_on_a_server_as_in_a_file(postgresql_url: str) -> None:
    with Gradebook(postgresql_url) as book:
        assert book.record(ONE, "key", reports.graded()) is None
        book.record(ONE, "other", reports.graded(name="second"), proposed=True)
        book.accept()
    with Gradebook(postgresql_url) as again:
        assert again.known(["key"]) == {"key": reports.graded()}
        assert again.names() == ("first", "second")


def test_a_server_is_set_up_once(postgresql_url: str) -> None:
    for _ in range(2):
        with ReviewStores(postgresql_url) as stores:
            secret, identity = stores.secret(), stores.identity()
    with ReviewStores(postgresql_url) as stores, stores.database.read() as session:
        assert session.execute(text("select number from form")).scalars().all() == [FORM]
        assert (stores.secret(), stores.identity()) == (secret, identity)


def test_a_restarted_server_is_found_again(
    postgresql_server: TemporaryServer, monkeypatch: pytest.MonkeyPatch  # noqa: ARG001  # skips without PostgreSQL
) -> None:  # fmt: skip
    monkeypatch.setattr("autograder.gradebook.database.IDLE_S", 0)
    with temporary_server() as server, ReviewStores(server.new_database("again")) as stores:
        secret = stores.secret()
        server.crash()
        with pytest.raises(GradebookError, match="What was stored before is kept"):
            stores.rubrics.all()
        server.start()
        assert stores.rubrics.all() == {}
        assert stores.secret() == secret


def test_a_server_with_a_later_form_is_refused(postgresql_url: str) -> None:
    with ReviewStores(postgresql_url) as stores, stores.database.write() as session:
        session.execute(text("insert into form values (99)"))
    with pytest.raises(GradebookError, match="form 99, this one writes"):
        ReviewStores(postgresql_url).__enter__()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is not the URL of a database"),
        ("mysql://root@127.0.0.1/x", "mysql: expected a PostgreSQL database"),
        ("postgresql://kit:secret@127.0.0.1:1/x", r"postgresql://kit:\*\*\*@127.0.0.1:1/x: .*refused"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(url: str, message: str) -> None:
    with pytest.raises(GradebookError, match=message) as caught:
        Database(url).open()
    assert "secret" not in str(caught.value)


def test_the_gradebook_is_in_the_folder_or_at_the_url(tmp_path: Path) -> None:
    assert location(tmp_path, None) == tmp_path / "gradebook.db"
    assert location(tmp_path, "postgresql://x/y") == "postgresql://x/y"
    with pytest.raises(GradebookError, match="there is no gradebook; expected one of a graded class"):
        existing_location(tmp_path, None)


def test_a_failed_transaction_stores_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "gradebook.db")
    database.open()
    with pytest.raises(GradebookError, match="UNIQUE"), database.write() as session:
        session.execute(text("insert into settings values ('a', 'b'), ('b', 'c'), ('a', 'd')"))
    with database.read() as session:
        assert session.execute(text("select count(*) from settings")).scalar() == 0
    database.close()


def test_a_file_that_another_process_writes_can_be_used_once_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.gradebook.database.BUSY_S", 0.2)
    path = tmp_path / "gradebook.db"
    with ReviewStores(path) as stores:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(GradebookError, match=r"database is locked.*run the same command again"):
            stores.log.add("ann", "wrote")
        assert stores.log.newest() == (), "others can read meanwhile"
        other.close()
        stores.log.add("ann", "wrote")
        assert len(stores.log.newest()) == 1
