"""The written answers of a graded class, in a fair order, shared out to reviewers, with a sample for two of them.

The order differs from question to question, so that nobody is always marked first or last. Once made, it stays: a new
answer goes to the end, a changed one keeps its number.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.judge.grade_report import GradeReport, Status
from autograder.policy.policy import Policy
from autograder.text import storable

__all__ = ["Share", "in_order", "share_out", "written_answers"]


@dataclass(frozen=True)
class Share:
    """The reviewer of a submission's answer, and the second one if it is in the sample."""

    submission: str
    first: str = ""
    second: str | None = None
    marked: bool = False


def written_answers(reports: Iterable[GradeReport], policy: Policy) -> dict[str, dict[str, str | None]]:
    """Return each written question's answers by submission, None for a blank one.

    A rejected file has nothing to mark.
    """
    answers: dict[str, dict[str, str | None]] = {id: {} for id in policy.written}
    for report in reports:
        if report.status is Status.REJECTED:
            continue
        for question in report.questions:
            if question.id in answers:
                text = question.answer or ""
                answers[question.id][report.key] = storable(text) if text.strip() else None
    return answers


def in_order(question: str, submissions: Iterable[str]) -> tuple[str, ...]:
    """Return the submissions in a pseudo-random order that depends only on them and the question."""
    return tuple(sorted(submissions, key=lambda name: (_digest(question, "order", name), name)))


def share_out(question: str, shares: Sequence[Share], reviewers: Sequence[str], sample: int) -> tuple[Share, ...]:
    """Return the shares with their reviewers, in the same order.

    Marked answers keep theirs. The rest goes to the reviewer with the fewest, and `sample` of all answers, drawn
    pseudo-randomly, to two reviewers, so that pairs take turns. With one reviewer there is no sample.
    """
    unmarked = [share for share in shares if not share.marked]
    load: Counter[str] = Counter()
    for share in shares:
        if share.marked:
            load.update(filter(None, (share.first, share.second)))
    drawn: set[str] = set()
    if len(reviewers) > 1:
        missing = sample - sum(share.marked and share.second is not None for share in shares)
        names = sorted(
            (share.submission for share in unmarked), key=lambda name: (_digest(question, "sample", name), name)
        )
        drawn.update(names[: max(0, missing)])
    shared = {share.submission: share for share in shares}
    for share in sorted(unmarked, key=lambda share: share.submission not in drawn):
        by_load = sorted(reviewers, key=lambda name: (load[name], reviewers.index(name)))
        first, second = by_load[0], by_load[1] if share.submission in drawn else None
        load.update(filter(None, (first, second)))
        shared[share.submission] = replace(share, first=first, second=second)
    return tuple(shared[share.submission] for share in shares)


def _digest(question: str, purpose: str, submission: str) -> bytes:
    return hashlib.sha256("\0".join((purpose, question, submission)).encode("utf-8", "backslashreplace")).digest()
