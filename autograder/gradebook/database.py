"""Where results and marks are stored: a file of SQLite, or a server that many reviewers share (PostgreSQL).

SQLAlchemy (MIT, the standard in its field) speaks to both in the same words. Every use is one transaction: what was
acknowledged is on the disk, what was not is not there.
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

__all__ = ["DATABASE", "FORM", "Database", "existing", "place", "shown"]

DATABASE = "gradebook.db"
"""The gradebook's file in the folder of a class's results."""

FORM = 3
"""Goes up with every change of the tables. Form 1 had no table `returned`, form 2 no marks."""

BUSY_S = 30
"""Seconds to wait for another process that writes to the same gradebook."""

SYNCHRONOUS = "FULL"
"""What SQLite says is stored has reached the disk: it outlives a loss of power."""

LOCK = 5_213_900_117
"""A number of our own, by which a server makes those who open a new gradebook at once wait for each other."""

AT_ONCE = 40
"""Connections that may be open at once: as many as the review's threads."""

IDLE_S = 1.0
"""Seconds after which a connection is tried before it is used: the server may have been started anew since."""

POSTGRESQL = "postgresql+psycopg"
"""By Psycopg 3 (LGPL), a driver that is long kept up."""


class Database:
    """One database, opened with `open` and left with `close`. Safe to use from several threads.

    Raises GradebookError where it cannot be opened, read or written, or was written by a later version of the kit;
    an older form is brought up to the present one.
    """

    def __init__(self, place: Path | str, *, shared: bool = False) -> None:
        self.place = place
        self.name = shown(place)
        """The place as it may be shown: without a password."""
        self._shared = shared
        self._engine: Engine | None = None
        self._writing = threading.Lock()

    def open(self) -> None:
        """Connect, and make or migrate the tables.

        `shared` databases let people read while somebody writes, which takes SQLite a second file beside the first.
        """
        try:
            with self.told():
                self._engine = engine = self._connect()
                if self._shared and engine.dialect.name == "sqlite":
                    with engine.connect() as connection:
                        driver: Any = connection.connection.driver_connection  # typed as if it might be absent
                        driver.execute("PRAGMA journal_mode=WAL")
                with engine.execution_options(writes=True).begin() as connection:
                    self._migrate(connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect. A SQLite file stands alone again afterwards, unless somebody else still has it open."""
        if self._engine is None:
            return
        self._engine.dispose()
        self._engine = None
        if self._shared and isinstance(self.place, Path):
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self.place, timeout=0)) as file:
                file.execute("PRAGMA journal_mode=DELETE")

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database."""
        assert self._engine is not None  # opened
        one_state = {} if isinstance(self.place, Path) else {"isolation_level": "REPEATABLE READ"}
        engine = self._engine.execution_options(**one_state)
        with self.told(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def glance(self) -> Iterator[Session]:
        """A session for one statement, which a server answers without being told of a transaction around it."""
        if isinstance(self.place, Path):
            with self.read() as session:
                yield session
            return
        assert self._engine is not None  # opened
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.told(), Session(engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all there afterwards or, where an error ends it, none of them."""
        assert self._engine is not None  # opened
        engine = self._engine.execution_options(writes=True)
        with self.told(), self._turn(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turn what a database raises into words."""
        try:
            yield
        except SQLAlchemyError as error:
            why = " ".join((str(error.orig) if isinstance(error, DatabaseError) else str(error)).split()).rstrip(".?")
            raise GradebookError(
                f"{self.name}: {why}. What was stored before is kept; mend that, or name another folder, and run the "
                "same command again."
            ) from error

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread writes to a file at a time, and the next begins at once.

        SQLite itself has those who wait look again after up to a tenth of a second, and lets whoever looks first go
        first: with twenty who wait, some do so for seconds. That is left to writers in other processes.
        """
        if not isinstance(self.place, Path):
            yield
            return
        if not self._writing.acquire(timeout=BUSY_S):
            raise GradebookError(f"{self.name}: database is locked. Nothing was changed; try again.")
        try:
            yield
        finally:
            self._writing.release()

    def _connect(self) -> Engine:
        if isinstance(self.place, Path):
            engine = create_engine(
                f"sqlite:///{self.place}",
                connect_args={"timeout": BUSY_S, "check_same_thread": False},
                pool_size=AT_ONCE,
                max_overflow=0,
            )
            event.listen(engine, "connect", _prepare)
            event.listen(engine, "begin", _begin)
            return engine
        engine = create_engine(
            _url(self.place),
            connect_args={
                "options": "-c timezone=UTC",  # else the server turns times into those of where it stands
                "prepare_threshold": None,  # a plan kept from when there were few marks is a slow one later
            },
            pool_size=AT_ONCE,
            max_overflow=0,
            pool_use_lifo=True,  # few connections are kept busy, so few have to be warm
        )
        event.listen(engine, "checkin", _left)
        event.listen(engine, "checkout", partial(_alive, engine.dialect))
        return engine

    def _migrate(self, connection: Connection) -> None:
        """Every form so far differs from the one before by tables that it lacks."""
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


def place(folder: Path, url: str | None) -> Path | str:
    """Where the gradebook of a folder of results is: at the URL, where one is given, else the file in that folder."""
    return url or folder / DATABASE


def existing(folder: Path, url: str | None) -> Path | str:
    """The same, for what needs a graded class. Raises GradebookError where the folder has no gradebook."""
    found = place(folder, url)
    if isinstance(found, Path) and not found.is_file():
        then = f"Run `mnist-kit grade SUBMISSION... -o {folder}` first, or name"
        if folder.exists() and not folder.is_dir():
            then = f"{folder} is a file; name"
        raise GradebookError(
            f"{found}: there is no gradebook; expected one of a graded class. {then} the folder of its results."
        )
    return found


def shown(place: Path | str) -> str:
    """A place without a password in it."""
    try:
        return str(place) if isinstance(place, Path) else make_url(place).render_as_string(hide_password=True)
    except ArgumentError:
        return str(place)


def _url(given: str) -> str:
    try:
        url = make_url(given)
    except ArgumentError:
        raise GradebookError(
            f"{given!r} is no address of a database; expected postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    if url.drivername not in ("postgresql", "postgres", POSTGRESQL):
        raise GradebookError(f"{url.drivername}: expected a database of PostgreSQL, postgresql://USER@HOST/NAME")
    import psycopg  # noqa: F401  # here, because SQLAlchemy would tell less of its absence

    return url.set(drivername=POSTGRESQL).render_as_string(hide_password=False)


def _left(_: object, record: ConnectionPoolEntry) -> None:
    record.info["left"] = time.monotonic()


def _alive(dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """What SQLAlchemy's own `pool_pre_ping` does, but not for every page: that would be every other message."""
    if time.monotonic() - record.info.get("left", math.inf) < IDLE_S:  # infinite: it is new
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    connection.execute(f"PRAGMA synchronous={SYNCHRONOUS}")


def _begin(connection: Connection) -> None:
    """A transaction that will write says so at once: two that both began by reading would lock each other out."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
