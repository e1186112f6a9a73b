"""The review on this machine: uvicorn, for browsers on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping

import uvicorn

from autograder.review import app
from autograder.review.class_review import ClassReview

__all__ = ["HOST", "ReviewServer", "bind", "listening", "running"]

HOST = "127.0.0.1"

SHUTDOWN_S = 3  # seconds that open requests have to finish once the server is told to stop

SWITCH_S = 0.0005
"""Seconds after which a busy thread lets another one run. With Python's default of 5 ms, a thread that waits for a
database waits that much longer after each of its replies."""


class ReviewServer:
    """A review that has its port; `links` sign each reviewer in."""

    def __init__(self, review: ClassReview, bound: socket.socket) -> None:
        self.sockets = [bound]
        self.port: int = bound.getsockname()[1]
        access = app.access(review)
        self.links: Mapping[str, str] = {name: access.link(name, self.port) for name in review.reviewers}
        config = uvicorn.Config(
            app.create(review),
            log_level="warning",
            access_log=False,  # addresses hold tokens
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        self.server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM, and finish the requests in progress."""
        sys.setswitchinterval(SWITCH_S)
        with contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises once more after its shutdown
            self.server.run(sockets=self.sockets)


@contextlib.contextmanager
def listening(review: ClassReview, port: int) -> Iterator[ReviewServer]:
    """Yield a server, not yet running, for an open class, on this port of 127.0.0.1 or, if it is taken, a free one."""
    with bind(port) as bound:
        yield ReviewServer(review, bound)


@contextlib.contextmanager
def running(review: ClassReview) -> Iterator[ReviewServer]:
    """Run the server in a thread, on a free port."""
    with listening(review, 0) as server:
        thread = threading.Thread(target=server.server.run, kwargs={"sockets": server.sockets})
        thread.start()
        try:
            while not server.server.started:
                time.sleep(0.01)
            yield server
        finally:
            server.server.should_exit = True
            thread.join()


def bind(port: int) -> socket.socket:
    """Return a socket that listens on this port of 127.0.0.1 or, if that is taken, on a free one."""
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError:
        return socket.create_server((HOST, 0), backlog=128)
