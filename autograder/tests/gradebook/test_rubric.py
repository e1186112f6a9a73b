from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.gradebook.rubric import Rubric, RubricItem

FIT, UNSEEN, WRONG = (
    RubricItem("fit", 1, "is fitted"),
    RubricItem("unseen", 2, "is unseen"),
    RubricItem("wrong", -1, "calls it faster"),
)
RUBRIC = Rubric("q1", 3, (FIT, UNSEEN, WRONG))


@pytest.mark.parametrize(
    ("chosen", "adjustment", "points"),
    [
        ((), 0, 0),
        (("fit",), 0, 1),
        (("fit", "unseen"), 0, 3),
        (("unseen", "wrong"), 0, 1),
        (("fit",), 0.5, 1.5),
        (("wrong",), 0, 0),
        (("fit", "unseen"), 5, 3),
        (("gone",), 0, 0),
        ((), -2, 0),
    ],
)
def test_points_are_the_items_and_the_adjustment_within_the_question(
    chosen: tuple[str, ...], adjustment: float, points: float
) -> None:
    assert RUBRIC.points_for(chosen, adjustment) == points


def test_points_are_rounded_and_never_minus_zero() -> None:
    assert str(RUBRIC.points_for((), -0.0)) == "0.0"
    tenths = Rubric("q1", 0.3, (RubricItem("a", 0.1, "a"), RubricItem("b", 0.2, "b")))
    assert tenths.points_for(("a", "b")) == 0.3
    assert not tenths.problem()


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((), "at least one item"),
        ((FIT, FIT, UNSEEN), "Two items have the id 'fit'"),
        ((FIT,), "add up to 1 = 1; the question is worth 3"),
        ((FIT, replace(UNSEEN, points=3)), "1 + 3 = 4"),
        ((WRONG,), "add up to 0 = 0"),
        ((FIT, replace(UNSEEN, text=" ")), "Item 2: expected a text"),
        ((FIT, replace(UNSEEN, id="Un seen")), "Item 2: 'Un seen' is not an id"),
        ((FIT, UNSEEN, replace(WRONG, points=0)), "Item 3: 0 points"),
        ((FIT, replace(UNSEEN, points=float("nan"))), "Item 2: nan points"),
        (tuple(RubricItem(f"i{n}", 1, "x") for n in range(21)), "at most 20 are allowed"),
    ],
)
def test_a_problem_is_named_with_its_item(items: tuple[RubricItem, ...], message: str) -> None:
    assert message in replace(RUBRIC, items=items).problem()


def test_it_is_stored_and_read_back() -> None:
    assert Rubric.from_json("q1", 3, RUBRIC.to_json(), 7) == replace(RUBRIC, revision=7)
