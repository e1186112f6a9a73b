"""A graded class of 1,000 with written answers, for the benchmark of the review."""

from __future__ import annotations

import random
from pathlib import Path

from autograder.gradebook import marking_order
from autograder.gradebook.database import location
from autograder.gradebook.gradebook import Gradebook
from autograder.judge.grade_report import GradeReport, QuestionGrade, Status
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.submissions.submission import Submission

__all__ = ["LARGE", "STUDENTS", "fill", "largest_pages"]

STUDENTS = 1000

LARGE = 2**20
"""Characters of the longest answers."""

LARGE_ONES = (100, 500, 900)
"""The students who give them."""

COMMON = ("the", "of", "and", "a", "is", "to", "it", "training", "test", "set", "data", "model", "accuracy", "loss")
OTHERS = tuple(
    first + middle + last
    for first in ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "te")
    for middle in ("", "ll", "nd", "r", "st", "x")
    for last in ("a", "ed", "ing", "ion", "ly", "s", "um", "ward")
)
"""Half of an answer's words come from COMMON, half from OTHERS."""

ALIKE = (
    "The test set is for checking, the training set for learning.",
    "We split the data so that training is faster.",
    "Because otherwise it overfits.",
)
"""Answers that many students give in the same words."""


def fill(folder: Path, url: str | None) -> None:
    """Store the graded class in the gradebook of a folder, or at a database URL."""
    policy = grading_file.load(HOME.policy)
    chance = random.Random(7)
    with Gradebook(location(folder, url)) as book:
        for number in range(STUDENTS):
            questions = tuple(
                QuestionGrade(id, rules.title, True, rules.points, None, answer=_answer(number, chance))
                if id in policy.written
                else QuestionGrade(id, rules.title, False, rules.points, rules.points * (number % 4) / 4)
                for id, rules in policy.questions.items()
            )
            report = GradeReport(_name(number), f"class/{number}.ipynb", Status.GRADED, questions)
            book.record(Submission(report.name, report.source, str(number).encode()), str(number), report)


def largest_pages() -> list[str]:
    """Return the URLs of the pages with the longest answers."""
    names = [_name(number) for number in range(STUDENTS)]
    orders = {id: marking_order.in_order(id, names) for id in grading_file.load(HOME.policy).written}
    return [f"/question/{id}/{order.index(_name(one)) + 1}" for id, order in orders.items() for one in LARGE_ONES]


def _name(number: int) -> str:
    return f"student-{number:04d}"


def _answer(number: int, chance: random.Random) -> str | None:
    """Make up an answer: none for some students, a common one for others, a huge one for three."""
    if number in LARGE_ONES:
        return " ".join(_word(chance) for _ in range(LARGE // 5))[:LARGE]
    lot = chance.random()
    if lot < 0.05:
        return None
    if lot < 0.2:
        return chance.choice(ALIKE)
    words = [_word(chance) for _ in range(chance.randint(30, 160))]
    return " ".join(words).capitalize() + ". The loss is $L = -\\sum_i \\log p_i$.\n\n- *first*\n- `second`"


def _word(chance: random.Random) -> str:
    return chance.choice(COMMON if chance.random() < 0.5 else OTHERS)
