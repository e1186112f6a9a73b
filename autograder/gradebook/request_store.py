"""Students' requests to have an answer marked again, in the gradebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from autograder.errors import ReviewError
from autograder.gradebook.database import Database
from autograder.gradebook.tables import LogRow, RequestRow
from autograder.text import storable

__all__ = ["ACCEPTED", "DECLINED", "LONGEST_REPLY", "OPEN", "RegradeRequest", "RequestStore"]

OPEN, ACCEPTED, DECLINED = "open", "accepted", "declined"

LONGEST_REPLY = 20_000
"""Characters of a reply, as many as a comment may have."""


@dataclass(frozen=True)
class RegradeRequest:
    """A request and its reply.

    `status` is OPEN, ACCEPTED or DECLINED. `before` and `after` are the question's points when the request came in
    and now, None if there are none. `id` is 0 for a request that is not stored.
    """

    submission: str
    question: str
    text: str
    status: str = OPEN
    reply: str = ""
    before: float | None = None
    after: float | None = None
    id: int = 0


class RequestStore:
    """The requests in an opened database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[RegradeRequest, ...]:
        """Return all requests, open ones first, then in the order they came."""
        with self._database.read() as session:
            rows = session.scalars(select(RequestRow).order_by(RequestRow.status != OPEN, RequestRow.id))
            return tuple(
                RegradeRequest(row.submission, row.question, row.text, row.status, row.reply, row.before, id=row.id)
                for row in rows
            )

    def add(self, requests: Iterable[RegradeRequest], points: Mapping[tuple[str, str], float]) -> None:
        """Store new requests, with the points that each (submission, question) has now.

        A request with the same words as a stored one is left out.
        """
        with self._database.write() as session:
            rows = session.execute(select(RequestRow.submission, RequestRow.question, RequestRow.text))
            stored = {tuple(row) for row in rows}
            for request in requests:
                words = (request.submission, request.question, request.text)
                if words not in stored:
                    stored.add(words)
                    submission, question, text = words
                    before = points.get((submission, question))
                    session.add(RequestRow(submission=submission, question=question, text=text, before=before))

    def reply(self, id: int, status: str, reply: str, reviewer: str) -> None:
        """Accept or decline an open request. This changes no points; marking the answer does.

        Raises ReviewError if another reviewer has replied, or the reply is not valid.
        """
        if status not in (ACCEPTED, DECLINED):
            raise ReviewError(f"A request is {ACCEPTED} or {DECLINED}, not {status!r}.")
        if len(reply) > LONGEST_REPLY:
            raise ReviewError(f"A reply has up to {LONGEST_REPLY} characters; this one has {len(reply)}.")
        with self._database.write() as session:
            row = session.get(RequestRow, id, with_for_update=True)
            if row is None:
                raise ReviewError(f"There is no request {id} in this gradebook.")
            if row.status != OPEN:
                raise ReviewError(f"{row.by} has {row.status} this request in the meantime. Yours was not sent.")
            row.status, row.reply, row.by, row.at = status, storable(reply.strip()), reviewer, datetime.now(UTC)
            session.add(LogRow(who=reviewer, what=f"{status} the request on {row.question}"))
