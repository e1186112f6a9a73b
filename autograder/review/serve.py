"""The review on this machine: uvicorn (BSD, the common server for such apps), for browsers on 127.0.0.1 alone."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator, Mapping

import uvicorn

from autograder.review import app
from autograder.review.class_review import ClassReview

__all__ = ["HOST", "Listening", "listen", "listening"]

HOST = "127.0.0.1"

LINGER_S = 3
"""Seconds that open requests have to end once the server is asked to."""


SWITCH_S = 0.0005
"""Seconds after which a busy thread lets another one run. With Python's own 5 ms, a thread that waits for a database
waits that much more after each answer of it."""


class Listening:
    """A review that has its port; `links` let each reviewer in."""

    def __init__(self, review: ClassReview, bound: socket.socket) -> None:
        self._bound = bound
        self._app = app.create(review)
        self.port: int = bound.getsockname()[1]
        granted = app.access(review)
        self.links: Mapping[str, str] = {name: granted.link(name, self.port) for name in granted.reviewers}

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM; what was begun is ended first."""
        server = self.server()
        sys.setswitchinterval(SWITCH_S)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended by then, and raises it once more
            server.run(sockets=[self._bound])

    def server(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._app,
            log_level="warning",
            access_log=False,  # addresses hold tokens
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=LINGER_S,
        )
        return uvicorn.Server(config)


@contextlib.contextmanager
def listening(review: ClassReview, port: int) -> Iterator[Listening]:
    """The review of an opened class on this port of 127.0.0.1 or, where that is taken, on a free one."""
    with listen(port) as bound:
        yield Listening(review, bound)


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
