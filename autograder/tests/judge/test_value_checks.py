"""The check of reported values, with every message."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge import checks
from autograder.tests.journals import RULES, env, failed, message, of_values

SHAPE, LENGTH = "train_images_shape", "train_labels_length"
READ_IT = "read it off the array: .shape gives a shape, len() gives a length"
NO_VALUE = ("has not been given a value", "", READ_IT)
RIGHT_PAIR = "is this the right array of the right pair?"

REPORTS: dict[str, tuple[str, Any, tuple[str, str, str]]] = {
    "missing": (SHAPE, "missing", NO_VALUE),
    "still dots": (LENGTH, "ellipsis", NO_VALUE),
    "none": (SHAPE, "none", NO_VALUE),
    "a number for a shape": (SHAPE, ("number", 60000), ("is 60000", "a tuple of 3 whole numbers", READ_IT)),
    "another shape": (
        SHAPE,
        ("numbers", [10000, 28, 28]),
        (
            "is (10000, 28, 28)",
            "(60000, 28, 28)",
            "load_data() returns two pairs; is this the right array of the right pair, before any reshaping?",
        ),
    ),
    "a shape for a number": (LENGTH, ("numbers", [60000]), ("is (60000,)", "one whole number", READ_IT)),
    "another number": (LENGTH, ("number", 10000), ("is 10000", "60000", RIGHT_PAIR)),
}


def report(name: str, world: dict[str, Any]) -> str:
    return message(checks.report, world, "q4", name)


@pytest.mark.parametrize("case", REPORTS)
def test_a_wrong_report_is_named(case: str) -> None:
    name, value, (found, expected, hint) = REPORTS[case]
    assert report(name, env(of_values(**{name: value}))) == failed(f"`{name}` {found}", expected, hint)


def test_a_report_that_was_not_recorded_has_no_value() -> None:
    found, expected, hint = NO_VALUE
    assert report(SHAPE, env(of_values(other=("number", 1)))) == failed(f"`{SHAPE}` {found}", expected, hint)


RIGHT: dict[str, Any] = {SHAPE: ("numbers", [60000, 28, 28]), LENGTH: ("number", 60000)}


def test_the_images_of_another_dataset_are_reported_once_and_the_rest_is_not_checked() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **RIGHT))
    assert report(SHAPE, world) == failed(
        "keras.datasets.fashion_mnist, the images of Fashion MNIST",
        "the images of MNIST",
        "keras.datasets.mnist has a load_data of its own",
    )
    assert report(LENGTH, world) == "Not checked: the images of MNIST have to be loaded first"


def test_a_missing_value_is_reported_before_the_images_are() -> None:
    world = env(of_values(loaded=["fashion_mnist"], **{**RIGHT, LENGTH: "ellipsis"}))
    assert "has not been given a value" in report(LENGTH, world)


@pytest.mark.parametrize("loaded", [[], ["mnist"], ["fashion_mnist", "mnist"], ["cifar10"], ["no such thing"]])
def test_a_true_report_passes_if_the_right_images_were_loaded_or_no_others_are_known(loaded: list[str]) -> None:
    assert [report(name, env(of_values(loaded=loaded, **RIGHT))) for name in RIGHT] == ["", ""]


def test_another_assignment_is_about_another_dataset() -> None:
    about = RULES.assignment.model_copy(update={"dataset": "fashion_mnist"})
    rules = RULES.model_copy(update={"assignment": about})
    assert report(SHAPE, env(of_values(loaded=["fashion_mnist"], **RIGHT), rules=rules)) == ""
    said = report(SHAPE, env(of_values(loaded=["mnist"], **RIGHT), rules=rules))
    assert said.startswith("Found: keras.datasets.mnist, the images of MNIST\nExpected: the images of Fashion MNIST")


def test_without_a_context_the_evidence_is_taken_from_the_variables_themselves() -> None:
    assert report(SHAPE, {SHAPE: (60000, 28, 28)}) == ""
    assert report(SHAPE, {SHAPE: 3}) == failed(f"`{SHAPE}` is 3", "a tuple of 3 whole numbers", READ_IT)
