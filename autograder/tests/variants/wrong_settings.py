"""Wrong answers to question 5: the right layers with another width or activation."""

from __future__ import annotations

from autograder.tests.variants.variant import FLATTEN, HIDDEN, INPUT, OUTPUT, Variant
from autograder.tests.variants.wrong_layers import CANNOT, FIRST, dense, hopeless, taught, untrained

WIDTH = "\nTry: see the question's text"
BEND = "\nExpected: another activation\nTry: what should come out of this layer: any positive number, or a probability?"


def hidden(name: str, found: str, *layers: str) -> Variant:
    return untrained(name, 5, found, (INPUT, FLATTEN, *layers, OUTPUT))


def output(name: str, found: str, *layers: str) -> Variant:
    return untrained(name, 5, found, (INPUT, FLATTEN, HIDDEN, *layers))


WIDTHS: tuple[Variant, ...] = (
    taught(
        "half the width", 5, f"Found: layer 2 has 64 neurons\nExpected: 128{WIDTH}", (INPUT, FLATTEN, dense(64), OUTPUT)
    ),
    hidden("a neuron too few", f"Found: layer 2 has 127 neurons\nExpected: 128{WIDTH}", dense(127)),
    hopeless(
        "none for the last digit: fit stops with an error",
        5,
        f"Found: layer 3 has 9 neurons\nExpected: 10{WIDTH}",
        f"{FIRST}with 9 outputs, some classes have none",
        (INPUT, FLATTEN, HIDDEN, dense(9, "softmax")),
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "one neuron, as for a number that is to be predicted",
        5,
        f"Found: layer 3 has 1 neuron\nExpected: 10{WIDTH}",
        f"{FIRST}with 1 output, some classes have none",
        (INPUT, FLATTEN, HIDDEN, dense(1, "softmax")),
        train="history = ...",
    ),
    taught(
        "one output more than there are digits, which training learns to leave alone",
        5,
        f"Found: layer 3 has 11 neurons\nExpected: 10{WIDTH}",
        (INPUT, FLATTEN, HIDDEN, dense(11, "softmax")),
    ),
    untrained(
        "64 and 128: two mistakes cost two layers",
        2,
        f"Found: layer 3 has 128 neurons\nExpected: 10{WIDTH}",
        (INPUT, FLATTEN, dense(64), dense(128, "softmax")),
    ),
)

ACTIVATIONS: tuple[Variant, ...] = (
    taught(
        "no activation inside: trained, it is as good as a straight line",
        5,
        f"Found: layer 2 has the activation linear{BEND}",
        (INPUT, FLATTEN, "keras.layers.Dense(128)", OUTPUT),
        q7=7,
        also=" of hidden images right, after 236 steps of training (a step is one batch)\nExpected: at least 95%",
    ),
    taught(
        "tanh inside", 5, f"Found: layer 2 has the activation tanh{BEND}", (INPUT, FLATTEN, dense(128, "tanh"), OUTPUT)
    ),
    hidden("softmax inside as well", f"Found: layer 2 has the activation softmax{BEND}", dense(128, "softmax")),
    hidden("a relative of relu", f"Found: layer 2 has the activation leaky_relu{BEND}", dense(128, "leaky_relu")),
    hidden(
        "a ReLU layer that stops at 6",
        f"Found: layer 2 has the activation relu with max_value=6{BEND}",
        "keras.layers.Dense(128)",
        "keras.layers.ReLU(max_value=6)",
    ),
    hidden(
        "a ReLU layer that lets some of the negative through",
        f"Found: layer 2 has the activation relu with negative_slope=0.1{BEND}",
        "keras.layers.Dense(128)",
        "keras.layers.ReLU(negative_slope=0.1)",
    ),
    hidden(
        "the same layer as the activation of another one",
        f"Found: layer 2 has the activation relu with max_value=6{BEND}",
        "keras.layers.Dense(128, activation=keras.layers.ReLU(max_value=6))",
    ),
    hopeless(
        "an activation of one's own, even if it is relu: nobody can tell by looking, and it cannot be scored",
        5,
        f"Found: layer 2 has the activation custom <lambda>{BEND}",
        f"{CANNOT}it uses the activation custom <lambda>, which the grader cannot rebuild",
        (INPUT, FLATTEN, "keras.layers.Dense(128, activation=lambda x: tf.maximum(x, 0))", OUTPUT),
        train="history = ...",
    ),
    output(
        "no activation at the end",
        f"Found: layer 3 has the activation linear{BEND}",
        "keras.layers.Dense(10, activation=None)",
    ),
    output("sigmoid at the end", f"Found: layer 3 has the activation sigmoid{BEND}", dense(10, "sigmoid")),
    output("relu at the end", f"Found: layer 3 has the activation relu{BEND}", dense(10)),
    hopeless(
        "a Softmax layer over the images instead of the digits",
        5,
        f"Found: layer 3 has the activation softmax with axis=0{BEND}",
        f"{CANNOT}its Softmax layer has axis=0",
        (INPUT, FLATTEN, HIDDEN, "keras.layers.Dense(10)", "keras.layers.Softmax(axis=0)"),
        train="history = ...",
    ),
    untrained(
        "softmax inside, relu at the end",
        2,
        f"Found: layer 2 has the activation softmax{BEND}",
        (INPUT, FLATTEN, dense(128, "softmax"), dense(10)),
    ),
)

SETTINGS: tuple[Variant, ...] = (*WIDTHS, *ACTIVATIONS)
