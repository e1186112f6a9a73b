"""Students' requests to look at an answer again, as they are kept in the gradebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import select

from autograder.errors import ReviewError
from autograder.gradebook.database import Database
from autograder.gradebook.tables import LogRow, RequestRow
from autograder.text import storable

__all__ = ["ACCEPTED", "DECLINED", "OPEN", "RequestStore", "StoredRequest"]

Standing = Literal["open", "accepted", "declined"]
OPEN: Literal["open"] = "open"
ACCEPTED: Literal["accepted"] = "accepted"
DECLINED: Literal["declined"] = "declined"

STANDINGS: Mapping[str, Standing] = {each: each for each in (OPEN, ACCEPTED, DECLINED)}

LONGEST_REPLY = 20_000
"""Characters of a reply, as of a comment."""


@dataclass(frozen=True)
class StoredRequest:
    """A request on a question; `before` is what the answer had when it came in, None where nothing was decided."""

    id: int
    submission: str
    question: str
    text: str
    status: Standing
    reply: str
    before: float | None


class RequestStore:
    """The requests of an opened database; every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def requests(self) -> tuple[StoredRequest, ...]:
        """All requests: open ones first, then in the order they came."""
        with self._database.read() as session:
            rows = session.scalars(select(RequestRow).order_by(RequestRow.status != OPEN, RequestRow.id))
            return tuple(map(_asked, rows))

    def add(self, asked: Iterable[tuple[str, str, str]], points: Mapping[tuple[str, str], float]) -> int:
        """Take requests in: submission, question and text of each, and what counts by now; returns how many are new.

        One that is there already, in the same words, is left as it is.
        """
        new = 0
        with self._database.write() as session:
            for submission, question, text in asked:
                same = select(RequestRow.id).where(
                    RequestRow.submission == submission, RequestRow.question == question, RequestRow.text == text
                )
                if session.scalars(same).first() is not None:
                    continue
                new += 1
                row = RequestRow(
                    submission=submission,
                    question=question,
                    text=text,
                    status=OPEN,
                    reply="",
                    before=points.get((submission, question)),
                    by="",
                    at=datetime.now(UTC),
                )
                session.add(row)
                session.flush()
        return new

    def answer_request(self, id: int, status: str, reply: str, reviewer: str, *, anew: bool = True) -> None:
        """Accept or decline a request, or open it again. Points change by marking the answer, not by this.

        Without `anew`, one that has been answered already is left as it is: ReviewError says by whom.
        """
        if status not in STANDINGS:
            raise ReviewError(f"A request is {OPEN}, {ACCEPTED} or {DECLINED}, not {status!r}.")
        if len(reply) > LONGEST_REPLY:
            raise ReviewError(f"A reply has up to {LONGEST_REPLY} characters; this one has {len(reply)}.")
        with self._database.write() as session:
            row = session.get(RequestRow, id)
            if row is None:
                raise ReviewError(f"There is no request {id} in this gradebook.")
            if row.status != OPEN and not anew:
                raise ReviewError(f"{row.by} has {row.status} this request in the meantime. Yours was not sent.")
            now = datetime.now(UTC)
            row.status, row.reply, row.by, row.at = status, storable(reply.strip()), reviewer, now
            did = "opened" if status == OPEN else status
            session.add(LogRow(at=now, who=reviewer, what=f"{did} the request on {row.question}", answer=None))


def _asked(row: RequestRow) -> StoredRequest:
    return StoredRequest(row.id, row.submission, row.question, row.text, STANDINGS[row.status], row.reply, row.before)
