"""The review on this machine: uvicorn (BSD, the common server for such apps), for browsers on 127.0.0.1 alone."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

__all__ = ["HOST", "listen", "serve"]

HOST = "127.0.0.1"

LINGER_S = 3
"""Seconds that open requests have to end once the server is asked to."""


def serve(app: ASGIApp, port: int, started: Callable[[int], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. `started` is told the port: another one where `port` is taken."""
    with listen(port) as bound:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses hold tokens
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=LINGER_S,
        )
        started(bound.getsockname()[1])
        uvicorn.Server(config).run(sockets=[bound])


def listen(port: int) -> socket.socket:
    """A socket that listens on this port of 127.0.0.1 or, where that is taken, on a free one."""
    for wanted in (port, 0):
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, wanted))
            bound.listen(128)
        except OSError:
            bound.close()
            if wanted == 0:
                raise
        else:
            return bound
    raise AssertionError  # the second try returns or raises
