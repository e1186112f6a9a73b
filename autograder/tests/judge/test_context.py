"""The evidence that counts for a question, and the context under stock Otter."""

from __future__ import annotations

import pytest

from autograder.judge import checks
from autograder.judge.context import context_of
from autograder.tests.journals import COMPILED, FLATTEN, context, failed, message, of_model


def test_a_check_before_the_model_was_compiled_leaves_the_end_to_count() -> None:
    at_end = context(of_model("q6", compile=None), of_model("q6", at="end"))
    assert at_end.model("q6").compile is not None
    never = context(of_model("q6", compile=None), of_model("q6", at="end", compile=None))
    assert never.answer("q6").at == "check"


def test_a_compiled_model_stays_what_it_was_at_its_check() -> None:
    changed = {**COMPILED, "optimizer": "keras:SGD"}
    assert context(of_model("q6"), of_model("q6", at="end", compile=changed)).answer("q6").at == "check"


@pytest.mark.parametrize(
    ("at_check", "at_end", "expected"), [(0, 9375, 9375), (9375, 20000, 9375), (0, 0, 0), (5, 0, 5)], ids=str
)
def test_a_check_before_the_training_leaves_the_end_to_count(at_check: int, at_end: int, expected: int) -> None:
    assert context(of_model("q7", steps=at_check), of_model("q7", at="end", steps=at_end)).model("q7").steps == expected


def test_layers_are_those_of_the_check_whatever_became_of_them() -> None:
    world = context(of_model("q5", compile=None, steps=0), of_model("q5", [FLATTEN], at="end"))
    assert world.answer("q5").at == "check"


def test_under_stock_otter_a_check_looks_at_the_object_itself() -> None:
    assert message(checks.layer, {"model": 5}, "q5", 0) == failed("`model` is a int", "a Keras model")


def test_without_a_context_both_halves_of_the_test_images_are_loaded() -> None:
    found = context_of({}, "q5")
    assert (len(found.public.labels), len(found.private.labels)) == (5000, 5000)
