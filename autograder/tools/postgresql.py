"""A temporary PostgreSQL server for tests and benchmarks, started from Debian's package in a folder of its own."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PROGRAMS", "TemporaryServer", "temporary_server"]

ACCOUNT = "postgres"  # the account of Debian's package; PostgreSQL refuses to run as root

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""The folders of this machine's PostgreSQL programs, oldest version first; empty if it has none."""


@dataclass(frozen=True)
class TemporaryServer:
    """A server that `crash` ends as a power failure would; `start` brings it back with what it had stored."""

    folder: Path
    port: int
    as_account: tuple[str, ...]
    durable: bool

    def create(self) -> None:
        self._run("initdb", "-U", "kit", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        settings = f"-c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync={'on' if self.durable else 'off'}"
        options = f"-p {self.port} -k {self.folder} {settings}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def new_database(self, name: str) -> str:
        """Create an empty database and return its URL. Its time zone is not UTC, as on most servers."""
        import psycopg

        url = f"postgresql://kit@127.0.0.1:{self.port}"
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload, unused-ignore]
            connection.execute(f"ALTER DATABASE \"{name}\" SET timezone TO 'America/New_York'")  # type: ignore[call-overload, unused-ignore]
        return f"{url}/{name}"

    def crash(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, tool: str, *arguments: str) -> None:
        command = [*self.as_account, str(PROGRAMS[-1] / tool), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder, timeout=120
        )


@contextmanager
def temporary_server(*, durable: bool = False) -> Iterator[TemporaryServer]:
    """Run a new server. Its data survives its processes and, if `durable`, a power failure.

    Raises FileNotFoundError if PostgreSQL is not installed.
    """
    if not PROGRAMS:
        raise FileNotFoundError("PostgreSQL is not installed; run `apt-get install postgresql`, then try again")
    with tempfile.TemporaryDirectory(prefix="kit-pg-", ignore_cleanup_errors=True) as name, socket.socket() as probe:
        as_account: tuple[str, ...] = ()
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            os.chown(name, account.pw_uid, account.pw_gid)
            as_account = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups")
        probe.bind(("127.0.0.1", 0))
        server = TemporaryServer(Path(name), probe.getsockname()[1], as_account, durable)
        probe.close()
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.crash()
