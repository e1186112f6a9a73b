"""Ten thousand marks by twenty reviewers in two processes, on SQLite and PostgreSQL: none lost, none doubled."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.gradebook.mark import Conflict, Draft, Mark, QueuePosition
from autograder.gradebook.stores import ReviewStores
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.policy.policy import Policy, Review
from autograder.tests.gradebook.marking import rows

STUDENTS, MARKS = 1000, 10_000
PROCESSES = 2
PEOPLE = tuple(f"r{number}" for number in range(20))
SAMPLE = 20
"""Answers of each question that two reviewers mark blind."""

MEETING = 0.2
"""Share of the marks for which all go to the one answer of that tenth of a second, so that they keep meeting."""


def large_class(rules: Policy) -> tuple[GradeReport, ...]:
    return tuple(
        GradeReport(
            f"s{number}",
            f"s{number}",
            Status.GRADED,
            tuple(
                QuestionGrade(id, "Why", True, asked.points, None, answer=f"Answer {number}, with some words. " * 20)
                for id, asked in rules.written.items()
            ),
        )
        for number in range(STUDENTS)
    )


def mark_one(
    stores: ReviewStores, place: QueuePosition, reviewer: str, items: Sequence[str], nonce: str
) -> tuple[Mark, int]:
    """Save until it is stored, after looking again at whatever came in between; the mark, and how often it did."""
    met, seen = 0, place.mark.id if place.mark else 0
    while True:
        try:
            return stores.marks.save(place.answer.id, reviewer, Draft(tuple(items), comment=nonce), seen, nonce), met
        except Conflict as conflict:
            met, seen = met + 1, conflict.current.id


def reviewer_at_work(stores: ReviewStores, number: int, questions: Sequence[str]) -> list[tuple[str, int, int, int]]:
    """(nonce, answer, mark, conflicts) of everything that this reviewer saved."""
    reviewer, chance = PEOPLE[number], random.Random(number)
    rubrics = {question: [item.id for item in stores.rubrics.in_force(question).items] for question in questions}
    done: list[tuple[str, int, int, int]] = []
    while len(done) < MARKS // len(PEOPLE):
        way = random.Random(int(10 * time.monotonic())) if chance.random() < MEETING else chance
        question = way.choice(questions)
        place = stores.answers.at(question, way.randint(1, STUDENTS), reviewer)
        if place.answer.in_sample and reviewer not in place.answer.reviewers:
            continue
        nonce = f"{reviewer}-{len(done)}"
        items = [id for id in rubrics[question] if chance.random() < 0.5]
        said, met = mark_one(stores, place, reviewer, items, nonce)
        if chance.random() < 0.05:  # the acknowledgement was lost on its way: the browser sends it again
            again = stores.marks.save(place.answer.id, reviewer, Draft(comment="never stored"), place.answer.id, nonce)
            assert again.id == said.id
        done.append((nonce, place.answer.id, said.id, met))
    return done


def process_at_work(location: Path | str, numbers: Sequence[int], questions: Sequence[str], result: Path) -> int:
    """A `mnist-kit review` of its own, with some of the reviewers; its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with ReviewStores(location) as stores, ThreadPoolExecutor(len(numbers)) as pool:
                done = list(pool.map(lambda number: reviewer_at_work(stores, number, questions), numbers))
                result.write_text(json.dumps([each for some in done for each in some]))
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    return pid


@pytest.mark.slow
def test_of_ten_thousand_marks_at_once_none_is_lost_and_none_doubled(
    location: Path | str, rules: Policy, tmp_path: Path
) -> None:
    policy = rules.model_copy(update={"review": Review(reviewers=PEOPLE, sample=SAMPLE)})
    questions = tuple(policy.written)
    with ReviewStores(location) as stores:
        stores.sync(policy, large_class(policy), PEOPLE, lambda _: ())
    assert threading.active_count() == 1, "only a process without threads can fork safely"
    results = [tmp_path / f"result{number}" for number in range(PROCESSES)]
    pids = [
        process_at_work(location, range(number, len(PEOPLE), PROCESSES), questions, result)
        for number, result in enumerate(results)
    ]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [0] * PROCESSES
    done = [each for result in results for each in json.loads(result.read_text())]
    met = sum(conflicts for *_, conflicts in done)
    assert len(done) == MARKS
    assert met > MARKS / 100, "reviewers met on an answer, over and over"
    stored = rows(location, "select nonce, answer, id, comment from marks")
    assert sorted(stored, key=str) == sorted(((nonce, answer, id, nonce) for nonce, answer, id, _ in done), key=str)
    assert rows(location, "select count(*) from log where what like 'marked%' or what like 'changed the mark%'") == [
        (MARKS,)
    ]
    if isinstance(location, Path):
        assert rows(location, "pragma integrity_check") == [("ok",)]
    with ReviewStores(location) as stores:
        check_histories(stores, questions, {id: answer for _, answer, id, _ in done})


def check_histories(stores: ReviewStores, questions: Sequence[str], answer_of: dict[int, int]) -> None:
    """Each answer's history is everything that was said of it, and what counts is what was said last."""
    ids: dict[int, list[int]] = {}
    for mark, answer in sorted(answer_of.items()):
        ids.setdefault(answer, []).append(mark)
    counting = stores.marks.final()
    for question in questions:
        for pair in stores.marks.pairs(question):
            for last in filter(None, pair.marks):
                mine = [each for each in stores.marks.history(pair.answer.id, last.reviewer) if each.slot == last.slot]
                assert mine[-1] == last
    for answer, said in ids.items():
        reviewer = PEOPLE[0]
        place = stores.answers.by_id(answer, reviewer)
        if place.answer.in_sample:
            reviewer = place.answer.reviewers[0]
            said = [mark for mark in said if mark in {each.id for each in stores.marks.history(answer, reviewer)}]
        history = stores.marks.history(answer, reviewer)
        assert [mark.id for mark in history] == said
        for slot in {mark.slot for mark in history}:
            standing = [mark.standing for mark in history if mark.slot == slot]
            assert standing == ["past"] * (len(standing) - 1) + ["current"]
        if not place.answer.in_sample:
            assert counting[place.answer.submission, place.answer.question] == history[-1]
