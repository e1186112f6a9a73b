"""The check of layers: the chain is compared as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.judge import checks
from autograder.tests.journals import (
    CLASSIC,
    FLATTEN,
    HIDDEN,
    OUTPUT,
    Chain,
    Layer,
    dense,
    env,
    failed,
    message,
    of_model,
)


def layers(chain: Chain, **changes: Any) -> list[str]:
    """The messages of the three checks of layers."""
    world = env(of_model("q5", chain, **changes))
    return [message(checks.layer, world, "q5", index) for index in range(3)]


COUNT_FIRST = "Not checked: the number of layers has to be right first"
COMPARE = "compare with the list in the question, from the first layer to the last"


def number_of(found: str, expected: str = "3 layers") -> str:
    return failed(found, expected, COMPARE)


def units(found: str, expected: int) -> str:
    return failed(found, str(expected), "see the question's text")


def activation(layer: int, name: str) -> str:
    hint = "what should come out of this layer: any positive number, or a probability?"
    return failed(f"layer {layer} has the activation {name}", "another activation", hint)


DROPOUT: Layer = ("keras:Dropout", {"rate": 0.5})
OWN: Layer = ("custom:Mine\u00a0a", {})
MIDDLE, LAST = "Dense(128, relu)", "Dense(10, softmax)"
FOUR = f"4 layers: Flatten → Dropout → {MIDDLE} → {LAST}"
GRIDS = "the images are grids; a Dense layer wants one row of numbers"
CHAINS: dict[str, tuple[Chain, list[str]]] = {
    "as asked for": (CLASSIC, ["", "", ""]),
    "one too few": ([FLATTEN, OUTPUT], ["", number_of(f"2 layers: Flatten → {LAST}"), ""]),
    "two too few": ([FLATTEN], ["", number_of("1 layer: Flatten"), COUNT_FIRST]),
    "empty": ([], [number_of("0 layers: nothing"), COUNT_FIRST, COUNT_FIRST]),
    "one too many, the same": (
        [*CLASSIC, OUTPUT],
        [
            "",
            "",
            number_of(f"4 layers: Flatten → {MIDDLE} → {LAST} → {LAST}", f"3 layers, without the repeated {LAST}"),
        ],
    ),
    "one too many, another": (
        [FLATTEN, DROPOUT, HIDDEN, OUTPUT],
        ["", number_of(FOUR, "3 layers, without Dropout as layer 2"), ""],
    ),
    "one too many, in two places": (
        [FLATTEN, DROPOUT, HIDDEN, DROPOUT, OUTPUT],
        [
            "",
            *[number_of(f"5 layers: Flatten → Dropout → {MIDDLE} → Dropout → {LAST}", "3 layers, without Dropout")] * 2,
        ],
    ),
    "another order": (
        [HIDDEN, FLATTEN, OUTPUT],
        [number_of(f"layers in another order: {MIDDLE} → Flatten → {LAST}", "Flatten as layer 1"), "", ""],
    ),
    "no Flatten": (
        [dense(784), HIDDEN, OUTPUT],
        [failed("layer 1 is Dense(784, relu)", "a Flatten layer", GRIDS), "", ""],
    ),
    "one's own": ([FLATTEN, OWN, OUTPUT], ["", failed("layer 2 is your own layer Mine a", "a Dense layer"), ""]),
    "too few neurons": (
        [FLATTEN, dense(64), dense(1, "keras:softmax")],
        ["", units("layer 2 has 64 neurons", 128), units("layer 3 has 1 neuron", 10)],
    ),
    "neurons unknown": (
        [FLATTEN, ("keras:Dense", {"activation": "keras:relu"}), OUTPUT],
        ["", units("layer 2 has 0 neurons", 128), ""],
    ),
    "activations swapped": (
        [FLATTEN, dense(128, "keras:softmax"), dense(10)],
        ["", activation(2, "softmax"), activation(3, "relu")],
    ),
}


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_of_layers_is_compared_whole(case: str) -> None:
    chain, expected = CHAINS[case]
    assert layers(chain) == expected


@pytest.mark.parametrize(
    ("structure", "found"),
    [
        ("subclassed", "a model of your own class"),
        ("branching", "a model whose layers branch, or are used twice"),
        ("unknown", "a model whose layers cannot be read"),
    ],
)
def test_a_model_that_is_no_chain_is_named_even_with_the_right_layers(structure: str, found: str) -> None:
    later = ["Not checked: the model has to be one plain chain of layers first"] * 2
    expected = failed(found, "one plain chain of layers", "use keras.Sequential")
    assert layers(CLASSIC, structure=structure) == [expected, *later]
