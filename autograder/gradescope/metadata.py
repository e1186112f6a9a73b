"""Gradescope's submission_metadata.json, and the limits on attempts.

Gradescope says that the format may change. Anything unreadable counts as missing, so a change lets an extra attempt
through rather than stopping the grading of a class.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.judge.grade_report import Status
from autograder.policy.policy import AttemptLimit

__all__ = ["Attempt", "Metadata", "carried_over", "read", "refusal"]

DAY = timedelta(days=1)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
REFUSED = "refused"  # the value of `extra_data.attempt` in the results of an attempt beyond a limit


@dataclass(frozen=True)
class Attempt:
    """An earlier submission. `fault`: it was not graded, because the grader failed or it was beyond a limit.

    `at` has a time zone; `results` is its results.json.
    """

    at: datetime | None = None
    score: float | None = None
    fault: bool = False
    results: dict[str, Any] | None = None


@dataclass(frozen=True)
class Metadata:
    """The time of a submission (with a time zone) and the earlier submissions of its group."""

    created_at: datetime | None = None
    previous: tuple[Attempt, ...] = ()

    @property
    def last(self) -> Attempt | None:
        """The newest graded attempt with a score."""
        scored = [attempt for attempt in reversed(self.previous) if attempt.score is not None and not attempt.fault]
        return max(scored, key=lambda attempt: attempt.at or BEFORE_ALL, default=None)


def read(path: Path) -> Metadata:
    """Read the file. Never raises: anything missing or not in the documented format is left out."""
    try:
        data = json.loads(path.read_bytes(), parse_float=_number, parse_constant=_number)
    except (OSError, ValueError, RecursionError):
        return Metadata()
    content = _mapping(data)
    previous = content.get("previous_submissions")
    entries = previous if isinstance(previous, list) else []
    attempts = tuple(_attempt(entry) for entry in entries if isinstance(entry, dict))
    return Metadata(_time(content.get("created_at")), attempts)


def refusal(metadata: Metadata, attempts: AttemptLimit) -> str:
    """Return the message that refuses a submission beyond a limit; empty if it may be graded.

    Earlier attempts that were not graded do not count. A day is the 24 hours before this submission.
    """
    counted = [attempt for attempt in metadata.previous if not attempt.fault]
    reason = _used_up(len(counted), attempts.per_assignment)
    reason = reason or _too_soon(metadata.created_at, counted, attempts.per_day)
    if not reason:
        return ""
    if metadata.last:
        return f"{reason} The score of your last graded attempt counts."
    return f"{reason} No earlier attempt has a score yet: a total of 0 shown here is a placeholder, not a mark."


def carried_over(message: str, last: Attempt | None) -> dict[str, Any]:
    """Return the results.json of a refused attempt: the last graded attempt's, with the refusal before its text."""
    if last is None or not last.results:
        return {
            "score": 0.0 if last is None or last.score is None else last.score,
            "output": message,
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "extra_data": {"attempt": REFUSED},
        }
    document = copy.deepcopy(last.results)
    output = document.get("output")
    document["output"] = f"{message}\n\n{output}" if output and isinstance(output, str) else message
    document["extra_data"] = {**_mapping(document.get("extra_data")), "attempt": REFUSED}
    return document


def _used_up(used: int, limit: int | None) -> str:
    if limit is None or used < limit:
        return ""
    return (
        f"This attempt was not graded: the limit for this assignment is {_count(limit)}, and {used} had been used "
        "before it. No further attempt is possible."
    )


def _too_soon(now: datetime | None, counted: Sequence[Attempt], limit: int | None) -> str:
    if now is None or limit is None:
        return ""
    times = sorted(attempt.at for attempt in counted if attempt.at and timedelta(0) <= now - attempt.at < DAY)
    if len(times) < limit:
        return ""
    # Round up to a full minute, so that an attempt at the stated time is accepted.
    free = (times[-limit] + DAY + timedelta(minutes=1) - timedelta.resolution).astimezone(now.tzinfo)
    return (
        f"This attempt was not graded: the limit is {_count(limit)} in 24 hours, and {len(times)} had been used in the "
        f"24 hours before it. The next attempt is possible from {free:%Y-%m-%d %H:%M} ({free:%Z})."
    )


def _count(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _attempt(entry: dict[str, Any]) -> Attempt:
    results = entry.get("results")
    extra = _mapping(_mapping(results).get("extra_data"))
    fault = (
        entry.get("autograder_error") is True
        or extra.get("status") == Status.UNGRADED
        or extra.get("complete") is False
        or extra.get("attempt") == REFUSED
    )
    results = results if isinstance(results, dict) else None
    return Attempt(_time(entry.get("submission_time")), _number(entry.get("score")), fault, results)


def _time(value: Any) -> datetime | None:
    """Parse a time with a zone, a year inside the calendar's ends, so that a day can be added or subtracted."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    in_reach = datetime.min.year < moment.year < datetime.max.year
    return moment if in_reach and moment.tzinfo is not None else None


def _number(value: Any) -> float | None:
    """Parse a finite number, given as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
