"""What people say of written answers, stored as they say it: marks, the rubric, snippets, a log.

Nothing said is ever deleted: a mark that was changed or taken back stays, with who and when. An answer has one mark
that all reviewers share; an answer of the sample has one for each of its two reviewers, neither of whom sees the
other's, and, where they differ, one that settles it.

A reviewer who saves names the mark that they saw. Where another has come in between, nothing is written and Conflict
says so; so two people on one answer never lose a word. Saving the same act twice, after a lost connection, does it
once.
"""

from __future__ import annotations

import contextlib
import json
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autograder.errors import GradebookError, ReviewError
from autograder.gradebook import answer_store, marking_order, queries, rubric_store
from autograder.gradebook.answer_store import Found, Grouping
from autograder.gradebook.database import Database
from autograder.gradebook.mark import (
    Answer,
    Conflict,
    Draft,
    LogEntry,
    Mark,
    Pair,
    Progress,
    QueuePosition,
    Snippet,
    agreed,
)
from autograder.gradebook.queries import SETTLED, SHARED
from autograder.gradebook.rubric import Effect, Rubric
from autograder.gradebook.tables import (
    CURRENT,
    PAST,
    UNDONE,
    AnswerRow,
    LogRow,
    MarkRow,
    SettingRow,
    SnippetRow,
)
from autograder.judge.grade_report import GradeReport
from autograder.policy.policy import Policy
from autograder.text import storable

__all__ = ["MarkStore"]

LONGEST_COMMENT = 20_000
"""Characters of a comment or a snippet."""

MOST_ADJUSTMENT = 1000
"""Points that a reviewer may add or take off besides the rubric, as many as a rubric item may have."""

T = TypeVar("T")


class MarkStore:
    """The marks in one gradebook. Use as a context manager; every call is one transaction; threads may share it.

    Raises ReviewError where what is asked for cannot be done, and GradebookError where the database fails.
    """

    def __init__(self, place: Path | str, *, shared: bool = True) -> None:
        """`shared`: many will read and write at once."""
        self.database = Database(place, shared=shared)

    def __enter__(self) -> Self:
        self.database.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()

    # What there is to mark

    def sync(self, policy: Policy, reports: Iterable[GradeReport], reviewers: Sequence[str], alike: Grouping) -> None:
        """Take over the answers of graded submissions and grading.yml's rubrics, and share the work out.

        What was marked stays marked. An answer that was handed in again with other words takes its place anew,
        unmarked; what was said of the old one stays in its history.
        """
        found = marking_order.answers(reports, policy)
        with self.database.write() as session:
            for question, rules in policy.written.items():
                rubric_store.offer(session, Rubric.of(question, rules))
                if answer_store.take_over(session, question, found[question]):
                    answer_store.group(session, question, alike)
                answer_store.share_out(session, question, reviewers, policy.review.sample)

    def questions(self) -> tuple[str, ...]:
        """The questions that have answers."""
        with self.database.glance() as session:
            asked = select(AnswerRow.question).where(AnswerRow.standing == CURRENT).distinct()
            return tuple(session.scalars(asked.order_by(AnswerRow.question)))

    def count(self, question: str) -> int:
        """How many answers a question has."""
        with self.database.glance() as session:
            return answer_store.count(session, question)

    def place(self, question: str, number: int, reviewer: str) -> QueuePosition:
        """The answer at this place, and this reviewer's mark or the one that all share. Raises ReviewError for none."""
        with self.database.glance() as session:
            asked = {"question": question, "number": number, "reviewer": reviewer}
            row = session.execute(queries.PLACE_BY_NUMBER, asked).first()
            if row is None:
                raise ReviewError(
                    f"{question} has no answer number {number}; it has {answer_store.count(session, question)}."
                )
            return self._place(row, reviewer)

    def answer(self, answer: int, reviewer: str) -> QueuePosition:
        """The same for the id of an answer."""
        with self.database.glance() as session:
            row = session.execute(queries.PLACE_BY_ID, {"answer": answer, "reviewer": reviewer}).first()
            if row is None:
                raise answer_store.missing(answer)
            return self._place(row, reviewer)

    def find(self, submission: str, question: str) -> int | None:
        """The id of a submission's answer; None where it has none."""
        found = select(AnswerRow.id).where(
            AnswerRow.submission == submission, AnswerRow.question == question, AnswerRow.standing == CURRENT
        )
        with self.database.glance() as session:
            return session.scalar(found)

    def next(self, question: str, reviewer: str, after: int = 0) -> int | None:
        """The place of the next answer that waits for this reviewer, in their own share first; None where none does."""
        with self.database.glance() as session:
            asked = {"question": question, "reviewer": reviewer, "after": after}
            return session.scalar(queries.NEXT, asked)

    def progress(self) -> tuple[Progress, ...]:
        """Of every question: all, then each reviewer's share. An answer of the sample wants two marks."""
        done: Counter[tuple[str, str]] = Counter()
        total: Counter[tuple[str, str]] = Counter()
        with self.database.read() as session:
            for question, first, second, number in session.execute(queries.SHARES):
                for who in (first,) if second is None else (first, second):
                    total[question, who] += number
                    total[question, ""] += number
            for question, first, second, slot, number in session.execute(queries.GIVEN):
                who = first if second is None else slot
                if who in (first, second):  # what settled two opinions was not asked for
                    done[question, who] += number
                    done[question, ""] += number
        return tuple(Progress(key[0], key[1] or None, done[key], total[key]) for key in sorted(total))

    def total(self, question: str) -> Progress:
        """Of one question, all reviewers together: what every page of it shows, at less cost than `progress`."""
        with self.database.glance() as session:
            one, two, done = session.execute(queries.TOTAL, {"question": question}).one()
            return Progress(question, None, done, one + two)

    # Marking

    def mark(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Store what this reviewer says. `seen` is the id of the mark that they saw, 0 for none.

        Raises Conflict where another mark counts by now, ReviewError where the answer is not theirs to mark or has
        been handed in anew. The same `nonce` again changes nothing and returns what it stored.
        """

        def act(session: Session) -> Mark:
            row = answer_store.seat(session, answer)
            return self._say(session, row, _slot(row, reviewer), reviewer, draft, seen, nonce)

        return self._act(act)

    def mark_group(self, ids: Sequence[int], reviewer: str, draft: Draft, nonce: str) -> tuple[Mark, ...]:
        """Store the same mark for several answers, each as a record of its own; all of them or, on a Conflict, none.

        Only answers without a mark of this reviewer's slot can be marked together.
        """

        def act(session: Session) -> tuple[Mark, ...]:
            held = {
                answer: answer_store.seat(session, answer) for answer in sorted(set(ids))
            }  # two who wait never cross
            rows = [held[answer] for answer in ids]
            return tuple(self._say(session, row, _slot(row, reviewer), reviewer, draft, 0, nonce) for row in rows)

        return self._act(act)

    def settle(self, answer: int, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        """Say what counts for an answer of the sample, once both its reviewers have marked it."""

        def act(session: Session) -> Mark:
            row = answer_store.seat(session, answer)
            given = set(session.scalars(_of(row.id).with_only_columns(MarkRow.slot)))
            if row.second is None or not {row.first, row.second} <= given:
                raise ReviewError("An answer is settled once both of its reviewers have marked it.")
            return self._say(session, row, SETTLED, reviewer, draft, seen, nonce)

        return self._act(act)

    def undo(self, reviewer: str) -> tuple[int, ...]:
        """Take back what this reviewer said last; what counted before counts again. The answers' ids; () for nothing.

        Raises ReviewError where another reviewer has changed it since.
        """
        with self.database.write() as session:
            last = session.scalars(
                select(MarkRow)
                .where(MarkRow.reviewer == reviewer, MarkRow.standing == CURRENT)
                .order_by(MarkRow.id.desc())
                .limit(1)
            ).first()
            if last is None:
                return ()
            act = select(MarkRow).where(MarkRow.nonce == last.nonce).order_by(MarkRow.id)
            for answer in sorted(row.answer for row in session.scalars(act)):
                answer_store.seat(session, answer)  # whoever marks one of them now goes first
            rows = session.scalars(act.execution_options(populate_existing=True)).all()
            if any(row.standing != CURRENT for row in rows):
                raise ReviewError("Some of those answers have been marked again since; change them one by one.")
            for row in rows:
                row.standing = UNDONE
                session.flush()
                if row.replaced is not None:
                    session.execute(update(MarkRow).where(MarkRow.id == row.replaced).values(standing=CURRENT))
            self._note(session, reviewer, f"took back {_counted(len(rows), 'mark')}", rows[0].answer)
            return tuple(row.answer for row in rows)

    def history(self, answer: int, reviewer: str) -> tuple[Mark, ...]:
        """Every mark of an answer's place, oldest first, those of earlier words too.

        Of an answer in the sample, a reviewer who has yet to mark it sees their own only.
        """
        with self.database.read() as session:
            row = session.execute(queries.SEAT, {"answer": answer}).first()
            if row is None:
                raise answer_store.missing(answer)
            rubric = rubric_store.in_force(session, row.question)
            asked = {"submission": row.submission, "question": row.question}
            said = [_mark(mark, rubric) for mark in session.execute(queries.HISTORY, asked)]
            if row.second is not None and not _is_open(row, said):
                return tuple(mark for mark in said if mark.reviewer == reviewer)
            return tuple(said)

    def pairs(self, question: str) -> tuple[Pair, ...]:
        """The sample of a question, in order."""
        with self.database.read() as session:
            return tuple(self._pairs(session, question))

    def counting(self) -> dict[tuple[str, str], Mark]:
        """What counts for each (submission, question), where it is decided.

        In the sample that is what settled it, or the first reviewer's mark where both come to the same points.
        """
        counts: dict[tuple[str, str], Mark] = {}
        sample: dict[tuple[str, str, str, str], dict[str, Mark]] = {}
        with self.database.read() as session:
            known = rubric_store.every(session)
            for submission, question, first, second, *values in session.execute(queries.COUNTING):
                mark = _mark(values, known[question])
                if second is None:
                    counts[submission, question] = mark
                else:
                    sample.setdefault((submission, question, first, second), {})[mark.slot] = mark
        for (submission, question, first, second), marks in sample.items():
            counted = marks.get(SETTLED) or agreed(marks.get(first), marks.get(second))
            if counted is not None:
                counts[submission, question] = counted
        return counts

    # The rubric

    def rubric(self, question: str) -> Rubric:
        """The rubric in force."""
        with self.database.glance() as session:
            return rubric_store.in_force(session, question)

    def rubrics(self) -> dict[str, Rubric]:
        """The rubrics in force, by question; none before the first `sync`."""
        with self.database.glance() as session:
            return rubric_store.every(session)

    def offered(self, question: str) -> Rubric | None:
        """grading.yml's rubric, where it was changed since the one in force was adopted, and waits for a yes."""
        with self.database.read() as session:
            return rubric_store.offered(session, question)

    def propose(self, rubric: Rubric) -> tuple[Effect, ...]:
        """Whose points this rubric would change, in the order of marking. Nothing is stored."""
        with self.database.read() as session:
            return rubric_store.effects(session, rubric)

    def adopt(self, rubric: Rubric, reviewer: str) -> tuple[Effect, ...]:
        """Put a rubric in force, for what is marked already too; returns whose points that changed.

        Raises ReviewError where it does not add up, or where its `revision` is not the one in force any more.
        """
        if problem := rubric.problem():
            raise ReviewError(problem)
        with self.database.write() as session:
            effects = rubric_store.adopt(session, rubric, reviewer)
            what = f"changed the rubric of {rubric.question}: {_counted(len(effects), 'mark')} changed"
            self._note(session, reviewer, what)
            return effects

    # Groups of like answers

    def groups(self, question: str, reviewer: str) -> tuple[tuple[QueuePosition, ...], ...]:
        """Groups of two or more like answers that this reviewer may mark: unanswered ones first, then the largest."""
        with self.database.read() as session:
            asked = {"question": question}
            found: dict[int, list[QueuePosition]] = {}
            rubric, of = rubric_store.in_force(session, question), answer_store.count(session, question)
            marks = {(row.answer, row.slot): row for row in session.execute(queries.KIN_MARKS, asked)}
            for row in session.execute(queries.KIN, asked):
                if row.second is None or reviewer in (row.first, row.second):
                    answer, slot = _seen(row), _slot(row, reviewer)
                    mark = marks.get((answer.id, slot))
                    place = QueuePosition(answer, of, _mark(mark, rubric) if mark else None, slot)
                    found.setdefault(row.kin, []).append(place)
        several = [tuple(places) for places in found.values() if len(places) > 1]
        return tuple(sorted(several, key=lambda each: (each[0].answer.text is not None, -len(each), each[0].number)))

    def set_apart(self, answer: int, reviewer: str, *, apart: bool) -> None:
        """Take an answer out of its group, or put it back."""
        with self.database.write() as session:
            answer_store.answer(session, answer).apart = apart
            self._note(session, reviewer, "took an answer out of its group" if apart else "put it back", answer)

    # Snippets, names, the log

    def snippets(self, question: str) -> tuple[Snippet, ...]:
        """The comments kept for a question, oldest first."""
        with self.database.glance() as session:
            return tuple(Snippet(*row) for row in session.execute(queries.SNIPPETS, {"question": question}))

    def add_snippet(self, question: str, text: str, reviewer: str) -> Snippet:
        """Keep a comment; one that is kept already is kept once."""
        words = text.strip()
        if not words or len(words) > LONGEST_COMMENT:
            raise ReviewError(f"A snippet has 1 to {LONGEST_COMMENT} characters; this one has {len(words)}.")
        with self.database.write() as session:
            kept = select(SnippetRow).where(
                SnippetRow.question == question, SnippetRow.standing == CURRENT, SnippetRow.text == words
            )
            row = session.scalars(kept).first()
            if row is None:
                row = SnippetRow(question=question, text=words, by=reviewer, standing=CURRENT)
                session.add(row)
                session.flush()
            return Snippet(row.id, question, words)

    def drop_snippet(self, snippet: int) -> None:
        """Offer a comment no longer."""
        with self.database.write() as session:
            session.execute(update(SnippetRow).where(SnippetRow.id == snippet).values(standing=PAST))

    def reveal(self, answer: int, reviewer: str) -> str:
        """Whose answer this is; the log says who asked."""
        with self.database.write() as session:
            row = answer_store.answer(session, answer)
            self._note(session, reviewer, "revealed the name", answer)
            return row.submission

    def note(self, reviewer: str, what: str) -> None:
        """Write a line into the log."""
        with self.database.write() as session:
            self._note(session, reviewer, what)

    def log(self, limit: int = 200) -> tuple[LogEntry, ...]:
        """The newest lines of the log, newest first."""
        with self.database.glance() as session:
            rows = session.scalars(select(LogRow).order_by(LogRow.id.desc()).limit(limit))
            return tuple(LogEntry(_utc(row.at), row.who, row.what, row.answer) for row in rows)

    def secret(self) -> bytes:
        """A secret of this gradebook, made when it is asked for first."""
        return bytes.fromhex(self._setting("secret", lambda: secrets.token_hex(32)))

    def identity(self) -> str:
        """A name of this gradebook that no other has."""
        return self._setting("identity", lambda: secrets.token_hex(8))

    # How

    def _act(self, act: Callable[[Session], T]) -> T:
        """Do it. Where another was quicker by an instant, the database refuses; the next try sees what they did."""
        for _ in range(3):
            with contextlib.suppress(_Raced), self._refusing() as session:
                return act(session)
        raise GradebookError(f"{self.database.name}: too many reviewers wrote at once. Save again.")

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[Session]:
        with self.database.write() as session:
            try:
                yield session
                session.flush()
            except IntegrityError:
                raise _Raced from None

    def _say(self, session: Session, row: Found, slot: str, reviewer: str, draft: Draft, seen: int, nonce: str) -> Mark:
        rubric = rubric_store.in_force(session, row.question)
        done = session.execute(queries.MARK_OF_ACT, {"nonce": nonce, "answer": row.id}).first()
        if done is not None:
            return _mark(done, rubric)
        if row.standing != CURRENT:
            raise ReviewError("The student has handed in another answer since. Load the page again to see it.")
        draft = _checked(draft, rubric)
        now = session.execute(queries.MARK_TO_REPLACE, {"answer": row.id, "slot": slot}).first()
        if (0 if now is None else now.id) != seen:
            if now is None:
                raise ReviewError("The mark that you saw has been taken back. Load the page again, then save.")
            raise Conflict(_mark(now, rubric))
        connection = session.connection()
        if now is not None:
            connection.execute(queries.REPLACED, {"mark": now.id})
        new = {
            "answer": row.id,
            "slot": slot,
            "reviewer": reviewer,
            "at": datetime.now(UTC),
            "items": json.dumps(draft.items),
            "adjustment": draft.adjustment,
            "comment": draft.comment,
            "flagged": draft.flagged,
            "standing": CURRENT,
        }
        more = {"nonce": nonce, "replaced": None if now is None else now.id}
        id = connection.execute(queries.NEW_MARK, new | more).scalar_one()
        said = _mark((id, *new.values()), rubric)
        self._note(session, reviewer, f"{_verb(slot, now)} {said.points:g} of {rubric.points:g}", row.id)
        return said

    def _place(self, row: Found, reviewer: str) -> QueuePosition:
        """From a row of ANSWER, how many there are, the rubric, and MARK, whose id is None where there is none."""
        answer = _seen(row)
        of, revision, points, items, *mark = row[len(queries.ANSWER) :]
        slot = reviewer if answer.in_sample else SHARED
        if mark[0] is None:
            return QueuePosition(answer, of, None, slot)
        rubric = rubric_store.stored(answer.question, points, items, revision)
        return QueuePosition(answer, of, _mark(mark, rubric), slot)

    def _pairs(self, session: Session, question: str) -> Iterator[Pair]:
        asked = {"question": question}
        rows = session.execute(queries.SAMPLE, asked).all()
        if not rows:
            return
        rubric = rubric_store.in_force(session, question)
        marks = {(row.answer, row.slot): _mark(row, rubric) for row in session.execute(queries.SAMPLE_MARKS, asked)}
        for row in rows:
            said = (marks.get((row.id, row.first)), marks.get((row.id, row.second)))
            yield Pair(_seen(row), (row.first, row.second), said, marks.get((row.id, SETTLED)))

    def _note(self, session: Session, who: str, what: str, answer: int | None = None) -> None:
        entry = {"at": datetime.now(UTC), "who": who, "what": what, "answer": answer}
        session.connection().execute(queries.NEW_ENTRY, entry)

    def _setting(self, key: str, make: Callable[[], str]) -> str:
        with self.database.write() as session:
            row = session.get(SettingRow, key)
            if row is None:
                row = SettingRow(key=key, value=make())
                session.add(row)
            return row.value


class _Raced(Exception):
    """Another reviewer wrote the same thing at the same instant."""


def _of(answer: int) -> Select[MarkRow]:
    """The marks of an answer that count."""
    return select(MarkRow).where(MarkRow.answer == answer, MarkRow.standing == CURRENT)


def _slot(row: Found, reviewer: str) -> str:
    """Where this reviewer's mark of an answer goes. Whoever is not of a sample's two can look, not mark."""
    if row.second is None:
        return SHARED
    if reviewer not in (row.first, row.second):
        raise ReviewError(
            f"This answer is in the sample of {row.first} and {row.second}: only they mark it, each without seeing the "
            "other's mark."
        )
    return reviewer


def _is_open(row: Found, said: Sequence[Mark]) -> bool:
    """Whether both reviewers of a sample's answer have marked it, so that nobody can be led by the other any more."""
    given = {mark.slot for mark in said if mark.standing == CURRENT and mark.answer == row.id}
    return {row.first, row.second} <= given


def _checked(draft: Draft, rubric: Rubric) -> Draft:
    """A draft whose items are in the rubric, in its order. Raises ReviewError for what is not a mark."""
    known = [item.id for item in rubric.items]
    if strange := [item for item in draft.items if item not in known]:
        raise ReviewError(
            f"The rubric has no item {strange[0]!r} any more; somebody has changed it. Load the page again, then save."
        )
    if not math.isfinite(draft.adjustment) or abs(draft.adjustment) > MOST_ADJUSTMENT:
        raise ReviewError(f"An adjustment is a number of points up to {MOST_ADJUSTMENT}, not {draft.adjustment:g}.")
    if len(draft.comment) > LONGEST_COMMENT:
        raise ReviewError(f"A comment has up to {LONGEST_COMMENT} characters; this one has {len(draft.comment)}.")
    comment = storable(draft.comment.strip())
    return replace(draft, items=tuple(id for id in known if id in draft.items), comment=comment)


def _seen(row: Found) -> Answer:
    """From a row that begins with ANSWER."""
    id, submission, question, number, text, kin, apart, first, second = row[: len(queries.ANSWER)]
    reviewers = (first,) if second is None else (first, second)
    return Answer(id, submission, question, number, text, kin, apart, reviewers)


def _mark(values: Sequence[Any], rubric: Rubric) -> Mark:
    """From the values of MARK."""
    id, answer, slot, reviewer, at, stored, adjustment, comment, flagged, standing = values
    items, points = _worth(rubric, stored, adjustment)
    return Mark(id, answer, slot, reviewer, _utc(at), items, adjustment, comment, flagged, points, standing)


@lru_cache(maxsize=4096)
def _worth(rubric: Rubric, stored: str, adjustment: float) -> tuple[tuple[str, ...], float]:
    """The items of a mark, and what they come to; a class has thousands of marks, and few that are different."""
    items = tuple(json.loads(stored))
    return items, rubric.points_for(items, adjustment)


def _verb(slot: str, before: Found | None) -> str:
    if slot == SETTLED:
        return "settled it at"
    return "marked" if before is None else "changed the mark to"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _utc(at: datetime) -> datetime:
    """SQLite keeps no time zones; all times are UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
