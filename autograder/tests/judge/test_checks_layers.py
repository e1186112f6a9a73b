"""The check of layers: the list is compared whole, lengths first."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge import checks
from autograder.judge.checks import BENCH
from autograder.judge.context import CheckFailed
from autograder.tests.journals import CLASSIC, FLATTEN, HIDDEN, OUTPUT, Chain, bench, dense, of_model


def layers(chain: Chain, **changes: Any) -> list[str]:
    """What the three checks of layers say; empty where they pass."""
    world = {BENCH: bench(of_model("q5", chain, **changes))}
    said = []
    for index in range(3):
        try:
            checks.layer(world, "q5", index)
            said.append("")
        except CheckFailed as failed:
            said.append(str(failed))
    return said


COUNT_FIRST = ["Not checked: the number of layers has to be right first"] * 2
COMPARE = "Try: compare with the list in the question, from the first layer to the last"
BEND = "Try: what should come out of this layer: any positive number, or a probability?"

CHAINS: dict[str, tuple[Chain, list[str]]] = {
    "as asked for": (CLASSIC, ["", "", ""]),
    "without its last layer": (
        [FLATTEN, HIDDEN],
        ["", "", f"Found: 2 layers: Flatten → Dense(128, relu)\nExpected: 3 layers\n{COMPARE}"],
    ),
    "without its middle layer": (
        [FLATTEN, OUTPUT],
        ["", f"Found: 2 layers: Flatten → Dense(10, softmax)\nExpected: 3 layers\n{COMPARE}", ""],
    ),
    "without its first layer": (
        [HIDDEN, OUTPUT],
        [f"Found: 2 layers: Dense(128, relu) → Dense(10, softmax)\nExpected: 3 layers\n{COMPARE}", "", ""],
    ),
    "one layer": ([FLATTEN], ["", f"Found: 1 layer: Flatten\nExpected: 3 layers\n{COMPARE}", COUNT_FIRST[0]]),
    "empty": ([], [f"Found: 0 layers: nothing\nExpected: 3 layers\n{COMPARE}", *COUNT_FIRST]),
    "one layer too many": (
        [*CLASSIC, OUTPUT],
        [
            "",
            "",
            "Found: 4 layers: Flatten → Dense(128, relu) → Dense(10, softmax) → Dense(10, softmax)\n"
            f"Expected: 3 layers, without Dense(10, softmax) so often\n{COMPARE}",
        ],
    ),
    "a layer in between": (
        [FLATTEN, ("keras:Dropout", {"rate": 0.5}), HIDDEN, OUTPUT],
        [
            "",
            "Found: 4 layers: Flatten → Dropout → Dense(128, relu) → Dense(10, softmax)\n"
            f"Expected: 3 layers, without Dropout as layer 2\n{COMPARE}",
            "",
        ],
    ),
    "a layer before": (
        [("keras:Dropout", {"rate": 0.5}), *CLASSIC],
        [
            "Found: 4 layers: Dropout → Flatten → Dense(128, relu) → Dense(10, softmax)\n"
            f"Expected: 3 layers, without Dropout as layer 1\n{COMPARE}",
            "",
            "",
        ],
    ),
    "another order": (
        [HIDDEN, FLATTEN, OUTPUT],
        [
            "Found: layers in another order: Dense(128, relu) → Flatten → Dense(10, softmax)\n"
            f"Expected: Flatten as layer 1\n{COMPARE}",
            "",
            "",
        ],
    ),
    "far too many layers": (
        [FLATTEN] * 99,
        [
            "",
            "Found: layer 2 is Flatten\nExpected: a Dense layer",
            "Found: layer 3 is Flatten\nExpected: a Dense layer",
        ],
    ),
    "no Flatten": (
        [dense(784), HIDDEN, OUTPUT],
        [
            "Found: layer 1 is Dense(784, relu)\nExpected: a Flatten layer\n"
            "Try: the images are grids; a Dense layer wants one row of numbers",
            "",
            "",
        ],
    ),
    "another type": (
        [FLATTEN, ("keras:Conv2D", {}), OUTPUT],
        ["", "Found: layer 2 is Conv2D\nExpected: a Dense layer", ""],
    ),
    "a layer of one's own": (
        [FLATTEN, ("custom:Mine\u00a0a", {}), OUTPUT],
        ["", "Found: layer 2 is your own layer Mine a\nExpected: a Dense layer", ""],
    ),
    "too few neurons": (
        [FLATTEN, dense(64), dense(9, "keras:softmax")],
        [
            "",
            "Found: layer 2 has 64 neurons\nExpected: 128\nTry: see the question's text",
            "Found: layer 3 has 9 neurons\nExpected: 10\nTry: see the question's text",
        ],
    ),
    "one neuron": (
        [FLATTEN, HIDDEN, dense(1, "keras:softmax")],
        ["", "", "Found: layer 3 has 1 neuron\nExpected: 10\nTry: see the question's text"],
    ),
    "neurons unknown": (
        [FLATTEN, ("keras:Dense", {"activation": "keras:relu"}), OUTPUT],
        ["", "Found: layer 2 has 0 neurons\nExpected: 128\nTry: see the question's text", ""],
    ),
    "activations swapped": (
        [FLATTEN, dense(128, "keras:softmax"), dense(10)],
        [
            "",
            f"Found: layer 2 has the activation softmax\nExpected: another activation\n{BEND}",
            f"Found: layer 3 has the activation relu\nExpected: another activation\n{BEND}",
        ],
    ),
}


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_of_layers_is_compared_whole(case: str) -> None:
    chain, expected = CHAINS[case]
    assert layers(chain) == expected


@pytest.mark.parametrize(
    ("structure", "found"),
    [
        ("subclassed", "a model of a class of its own"),
        ("branching", "a model whose layers branch, or are used twice"),
        ("unknown", "a model whose layers cannot be read"),
    ],
)
def test_a_model_that_is_no_chain_is_named_even_with_the_right_layers(structure: str, found: str) -> None:
    expected = f"Found: {found}\nExpected: one plain chain of layers\nTry: use keras.Sequential"
    later = ["Not checked: the model has to be one plain chain of layers first"] * 2
    assert layers(CLASSIC, structure=structure) == [expected, *later]


def test_a_functional_chain_is_a_chain() -> None:
    assert layers(CLASSIC, structure="functional") == ["", "", ""]
