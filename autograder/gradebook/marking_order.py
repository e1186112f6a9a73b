"""What `grade` left becomes what people mark: answers in a fair order, shared out, with a sample for two reviewers.

The order differs from question to question, so that nobody is always marked first or last, and stays once it is made:
an answer that comes later goes to the end, one that was handed in again keeps its place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.judge.grade_report import GradeReport, Status
from autograder.policy.policy import Policy
from autograder.text import storable

__all__ = ["Seat", "answers", "in_order", "share_out"]


@dataclass(frozen=True)
class Seat:
    """An answer's place in the work: whose it is, and who marks it besides, if it is in the sample."""

    submission: str
    first: str = ""
    second: str | None = None
    marked: bool = False


def answers(reports: Iterable[GradeReport], policy: Policy) -> dict[str, dict[str, str | None]]:
    """Each written question's answers by submission, None where there is none.

    Only of submissions that could be read: there is nothing to mark in a file that was turned away.
    """
    found: dict[str, dict[str, str | None]] = {id: {} for id in policy.written}
    for report in reports:
        if report.status is Status.REJECTED:
            continue
        for question in report.questions:
            if question.id in found:
                answer = question.answer or ""
                found[question.id][report.key] = storable(answer) if answer.strip() else None
    return found


def in_order(question: str, submissions: Iterable[str]) -> tuple[str, ...]:
    """The submissions in an order that looks random, is always the same, and is another for each question."""
    return tuple(sorted(submissions, key=lambda name: (_lot(question, "order", name), name)))


def share_out(question: str, seats: Sequence[Seat], reviewers: Sequence[str], sample: int) -> tuple[Seat, ...]:
    """The seats with their reviewers, in the same order.

    What is marked stays as it is. The rest goes to whoever has least, and `sample` of all answers, drawn by lot, to
    two reviewers; pairs take turns. `reviewers` are one or more; with one there is no sample.
    """
    free = {seat.submission for seat in seats if not seat.marked}
    drawn = [seat.submission for seat in seats if seat.marked and seat.second is not None]
    if len(reviewers) > 1:
        lots = sorted(free, key=lambda name: (_lot(question, "sample", name), name))
        drawn += lots[: max(0, sample - len(drawn))]
    load: Counter[str] = Counter()
    for seat in seats:
        if seat.marked:
            load.update(filter(None, (seat.first, seat.second)))
    placed: dict[str, Seat] = {seat.submission: seat for seat in seats if seat.marked}
    for seat in sorted((seat for seat in seats if not seat.marked), key=lambda seat: seat.submission not in drawn):
        ranked = sorted(reviewers, key=lambda name: (load[name], reviewers.index(name)))
        pair = ranked[:2] if seat.submission in drawn else ranked[:1]
        load.update(pair)
        placed[seat.submission] = replace(seat, first=pair[0], second=pair[1] if len(pair) > 1 else None)
    return tuple(placed[seat.submission] for seat in seats)


def _lot(question: str, what: str, submission: str) -> bytes:
    return hashlib.sha256("\0".join((what, question, submission)).encode("utf-8", "backslashreplace")).digest()
