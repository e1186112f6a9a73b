"""A real PostgreSQL for the tests: Debian's package, started in a folder of its own, ended with the run."""

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

import pytest

ACCOUNT = "postgres"
"""The account of Debian's package; PostgreSQL refuses to run as root."""


def binaries() -> Path:
    """The newest PostgreSQL of this machine; skips the test, loudly, where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("NO POSTGRESQL on this machine: `apt-get install postgresql`, then run this test again")
    return found[-1].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A server of one's own. `crash` ends it as a power failure would, `start` brings it back with what it had kept."""

    folder: Path
    port: int
    who: tuple[str, ...]
    durable: bool

    @property
    def address(self) -> str:
        """Without a database."""
        return f"postgresql://kit@127.0.0.1:{self.port}"

    def start(self) -> None:
        fsync = "on" if self.durable else "off"
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync={fsync}"
        )
        self.run("pg_ctl", "-D", self.data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def create(self) -> None:
        self.run("initdb", "-D", self.data, "-U", "kit", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def run(self, tool: str, *arguments: str) -> None:
        command = [*self.who, str(binaries() / tool), *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder, timeout=120
        )


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """A server that has just been made. What it stored outlives its processes, and a power cut if `durable`."""
    binaries()
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="kit-pg-"))
    who = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups") if root else ()
    if root:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
    server = Server(folder, free_port(), who, durable)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[str]:
    """The same; its address, without a database."""
    with running(durable=durable) as server:
        yield server.address


def new_database(server: str, name: str) -> str:
    """The address of an empty database on a server whose clock is not UTC, as most are."""
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload, unused-ignore]
        connection.execute(f"ALTER DATABASE \"{name}\" SET timezone TO 'America/New_York'")  # type: ignore[call-overload, unused-ignore]
    return f"{server}/{name}"
