"""A temporary PostgreSQL server for tests and benchmarks, started from Debian's package in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TemporaryServer", "installed", "temporary_server"]

ACCOUNT = "postgres"
"""The account of Debian's package; PostgreSQL refuses to run as root."""


def installed() -> bool:
    """Return whether this machine has PostgreSQL."""
    return bool(_versions())


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
        fsync = "on" if self.durable else "off"
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync={fsync}"
        )
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
        command = [*self.as_account, str(_versions()[-1] / tool), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder, timeout=120
        )


@contextmanager
def temporary_server(*, durable: bool = False) -> Iterator[TemporaryServer]:
    """Run a new server. Its data survives its processes and, if `durable`, a power failure.

    Raises FileNotFoundError if PostgreSQL is not installed.
    """
    if not installed():
        raise FileNotFoundError("PostgreSQL is not installed; run `apt-get install postgresql`, then try again")
    folder = Path(tempfile.mkdtemp(prefix="kit-pg-"))
    as_account: tuple[str, ...] = ()
    if os.geteuid() == 0:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_account = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = TemporaryServer(folder, port, as_account, durable)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _versions() -> list[Path]:
    """Return the folders of PostgreSQL's programs on this machine, oldest version first."""
    return sorted(program.parent for program in Path("/usr/lib/postgresql").glob("*/bin/initdb"))
