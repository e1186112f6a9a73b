"""The database of a gradebook: an SQLite file, or a PostgreSQL server that many reviewers share.

Every use is one transaction: what was acknowledged is on the disk, anything else is not stored at all.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from autograder.errors import GradebookError
from autograder.gradebook.tables import Base

__all__ = ["DATABASE", "FORM", "Database", "existing_location", "location", "without_password"]

DATABASE = "gradebook.db"
"""The gradebook's file in the folder of a class's results."""

FORM = 3
"""The version of the tables, raised with every change. Form 1 had no table `returned`, form 2 no marks."""

BUSY_S = 30  # seconds to wait for another process that writes to the same gradebook

SYNCHRONOUS = "FULL"
"""SQLite's setting under which stored data has reached the disk and survives a loss of power."""

LOCK = 5_213_900_117
"""The arbitrary number of a server's lock under which a new gradebook gets its tables, by one process at a time."""

POOL_SIZE = 40  # connections that may be open at once: as many as the review's threads

IDLE_S = 1.0
"""Seconds after which a connection is tested before use, because the server may have been restarted."""

POSTGRESQL = "postgresql+psycopg"


class Database:
    """One database. Safe to use from several threads between `open` and `close`.

    Raises GradebookError if it cannot be opened, read or written, or was written by a later version of the kit; an
    older form is migrated.
    """

    def __init__(self, location: Path | str, *, shared: bool = False) -> None:
        """Prepare a file or a server's URL. With `shared`, people can read while somebody writes.

        For SQLite that takes a second file next to the first until the database is closed.
        """
        self.name = without_password(location)
        self._location = location
        self._shared = shared
        self._engine: Engine | None = None
        self._writing = threading.Lock()

    def open(self) -> None:
        """Connect, and create or migrate the tables."""
        try:
            with self._translated_errors():
                self._engine = engine = self._connect()
                if self._shared and engine.dialect.name == "sqlite":
                    with engine.connect() as connection:
                        driver: Any = connection.connection.driver_connection  # a pragma outside any transaction
                        driver.execute("PRAGMA journal_mode=WAL")
                with engine.execution_options(writes=True).begin() as connection:
                    self._migrate(connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect. An SQLite file has no second file afterwards, unless another process has it open."""
        if self._engine is None:
            return
        self._engine.dispose()
        self._engine = None
        if self._shared and isinstance(self._location, Path):
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(sqlite3.connect(self._location, timeout=0)) as file,
            ):
                file.execute("PRAGMA journal_mode=DELETE")

    def read(self) -> contextlib.AbstractContextManager[Session]:
        """Return a session that sees one state of the database."""
        return self._session() if self._is_file else self._session(isolation_level="REPEATABLE READ")

    def read_once(self) -> contextlib.AbstractContextManager[Session]:
        """Return a session for one statement. It saves a server two messages about the transaction around it."""
        return self._session() if self._is_file else self._session(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose changes are all stored at its end or, after an error, none of them.

        One thread of this process writes to a file at a time, and the next begins at once. SQLite itself lets waiting
        threads look again every tenth of a second, in any order, and with twenty of them some wait for seconds; that
        is left to writers in other processes.
        """
        if self._is_file and not self._writing.acquire(timeout=BUSY_S):
            raise GradebookError(f"{self.name}: database is locked. Nothing was changed; try again.")
        try:
            with self._session(writes=True) as session:
                yield session
        finally:
            if self._is_file:
                self._writing.release()

    @property
    def _is_file(self) -> bool:
        return isinstance(self._location, Path)

    @contextlib.contextmanager
    def _session(self, **options: Any) -> Iterator[Session]:
        assert self._engine is not None  # opened
        engine = self._engine.execution_options(**options)
        with self._translated_errors(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turn SQLAlchemy's errors into GradebookErrors."""
        try:
            yield
        except SQLAlchemyError as error:
            why = " ".join((str(error.orig) if isinstance(error, DatabaseError) else str(error)).split()).rstrip(".?")
            raise GradebookError(
                f"{self.name}: {why}. What was stored before is kept; fix that, or name another folder, and run the "
                "same command again."
            ) from error

    def _connect(self) -> Engine:
        if isinstance(self._location, Path):
            engine = create_engine(
                f"sqlite:///{self._location}",
                connect_args={"timeout": BUSY_S, "check_same_thread": False},
                pool_size=POOL_SIZE,
                max_overflow=0,
            )
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        engine = create_engine(
            _driver_url(self._location),
            connect_args={
                "options": "-c timezone=UTC",  # otherwise the server converts times to its own zone
                "prepare_threshold": None,  # a plan made while there were few marks is a slow one later
            },
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_use_lifo=True,  # keeps few connections busy, so that few have to be tested
        )
        event.listen(engine, "checkin", _note_time)
        event.listen(engine, "checkout", partial(_test_idle, engine.dialect))
        return engine

    def _migrate(self, connection: Connection) -> None:
        """Create the tables that are missing: each form so far differs from the one before by new tables only."""
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            found = connection.execute(text("PRAGMA user_version")).scalar_one()
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            connection.execute(text("CREATE TABLE IF NOT EXISTS form (number integer NOT NULL)"))
            found = connection.execute(text("SELECT max(number) FROM form")).scalar_one() or 0
        if not 0 <= found <= FORM:
            raise GradebookError(
                f"{self.name} was written by another version of the kit (form {found}, this one writes {FORM}). "
                "Grade into another folder with -o, or move that file away."
            )
        if found == FORM:
            return
        Base.metadata.create_all(connection)
        if sqlite:
            connection.execute(text(f"PRAGMA user_version = {FORM}"))
        else:
            connection.execute(text(f"INSERT INTO form (number) VALUES ({FORM})"))


def location(folder: Path, url: str | None) -> Path | str:
    """Return the location of a class's gradebook: the URL if there is one, else the file in the folder of results."""
    return url or folder / DATABASE


def existing_location(folder: Path, url: str | None) -> Path | str:
    """Return the location of a graded class's gradebook. Raises GradebookError if the folder has none."""
    found = location(folder, url)
    if isinstance(found, Path) and not found.is_file():
        then = f"Run `mnist-kit grade SUBMISSION... -o {folder}` first, or name"
        if folder.exists() and not folder.is_dir():
            then = f"{folder} is a file; name"
        raise GradebookError(
            f"{found}: there is no gradebook; expected one of a graded class. {then} the folder of its results."
        )
    return found


def without_password(location: Path | str) -> str:
    """Return a location for a message."""
    try:
        return str(location) if isinstance(location, Path) else make_url(location).render_as_string(hide_password=True)
    except ArgumentError:
        return str(location)


def _driver_url(given: str) -> str:
    """Return the URL with the driver's name in it. Raises GradebookError if it is not one of PostgreSQL."""
    try:
        url = make_url(given)
    except ArgumentError:
        raise GradebookError(
            f"{given!r} is not the URL of a database; expected postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    if url.drivername not in ("postgresql", "postgres", POSTGRESQL):
        raise GradebookError(f"{url.drivername}: expected a PostgreSQL database, postgresql://USER@HOST/NAME")
    import psycopg  # noqa: F401  # its own message when it is missing is clearer than SQLAlchemy's

    return url.set(drivername=POSTGRESQL).render_as_string(hide_password=False)


def _note_time(_: object, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _test_idle(dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """Do what SQLAlchemy's `pool_pre_ping` does, but not for every page, where it would be every second message."""
    if time.monotonic() - record.info.get("idle_since", math.inf) < IDLE_S:  # infinity: the connection is new
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    connection.execute(f"PRAGMA synchronous={SYNCHRONOUS}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction that will write as a writing one: two that both began by reading would deadlock."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
