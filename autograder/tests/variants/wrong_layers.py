"""Wrong answers to question 5: layers missing, too many, in another order, or with other settings."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.tests.variants.variant import FLATTEN as F
from autograder.tests.variants.variant import HIDDEN as H
from autograder.tests.variants.variant import INPUT as I
from autograder.tests.variants.variant import NEVER_TRAINED, SCALE, Variant, chain, points, trained, wrong
from autograder.tests.variants.variant import OUTPUT as O

COMPARE = "\nTry: compare with the list in the question, from the first layer to the last"
WIDTH = "\nTry: see the question's text"
BEND = "\nExpected: another activation\nTry: what should come out of this layer: any positive number, or a probability?"
FIRST = "Not checked: the layers of question q5 have to be right first: "
CANNOT = f"{FIRST}a model that cannot be scored: "
TRAINED = trained()
UNTRAINED = "history = ..."
STRAIGHT = " of hidden images right, after 236 steps of training (a step is one batch)\nExpected: at least 95%"
"""The message about a model that is as good as a straight line can be."""


def untrained(name: str, earned: float, says: str, *layers: str) -> Variant:
    """A model that is compiled and never trained."""
    return wrong(name, points(q5=earned, q7=0), {"q5": says, "q7": NEVER_TRAINED}, ("q7",), q5=chain(*layers))


def taught(
    name: str, earned: float, says: str, *layers: str, q7: float = 8, code: str = TRAINED, also: str = ""
) -> Variant:
    """A model that is trained; `q7` and `also` are what its training earns, and the message about that."""
    messages = {"q5": says, "q7": also} if also else {"q5": says}
    return wrong(name, points(q5=earned, q7=q7), messages, q5=chain(*layers), q7=code)


def hopeless(
    name: str, earned: float, says: str, scored: str, *layers: str, code: str = "", train: str = "",
    stops: Mapping[str, str] | None = None,
) -> Variant:  # fmt: skip
    """A model that cannot be scored; `scored` is the message of question 7 about that.

    Without `train` the training is the right one, which stops with an error. If more than one layer is wrong, one of
    them is not checked.
    """
    stopped = stops or ({} if train else {"q7": "stopped with"})
    unchecked = ("q5", "q7") if earned < 5 else ("q7",)
    built, messages = code or chain(*layers), {"q5": says, "q7": scored}
    return wrong(name, points(q5=earned, q7=0), messages, unchecked, stops=stopped, q5=built, q7=train or TRAINED)


def dense(units: int, activation: str = "relu") -> str:
    return f"keras.layers.Dense({units}, activation={activation!r})"


DROPOUT = "keras.layers.Dropout(0.2)"
BATCH = "keras.layers.BatchNormalization()"
CONV = "keras.layers.Conv2D(4, 3, activation='relu')"
SOFTMAX = "keras.layers.Softmax()"
SHOWN = {
    F: "Flatten",
    H: "Dense(128, relu)",
    O: "Dense(10, softmax)",
    DROPOUT: "Dropout",
    BATCH: "BatchNormalization",
    CONV: "Conv2D(relu)",
    SOFTMAX: "Activation(softmax)",
    dense(64): "Dense(64, relu)",
    dense(784): "Dense(784, relu)",
}
"""The layers as messages have them."""


def listed(*layers: str) -> str:
    return " → ".join(SHOWN[layer] for layer in layers if layer in SHOWN)


def fewer(*layers: str) -> str:
    """The message about missing layers, of which these are left."""
    number = "1 layer" if len(layers) == 1 else f"{len(layers)} layers"
    return f"Found: {number}: {listed(*layers) or 'nothing'}\nExpected: 3 layers{COMPARE}"


def extra(name: str, earned: float, without: str, *layers: str, train: bool = False) -> Variant:
    """One layer too many, in a model that starts with an input."""
    says = f"Found: 4 layers: {listed(*layers)}\nExpected: 3 layers, without {without}{COMPARE}"
    return (taught if train else untrained)(name, earned, says, *layers)


def order(name: str, earned: float, misplaced: str, *layers: str) -> Variant:
    return untrained(name, earned, f"Found: layers in another order: {listed(*layers)}{misplaced}", I, *layers)


def hidden(name: str, found: str, *layers: str) -> Variant:
    return untrained(name, 5, f"Found: layer 2 has {found}", I, F, *layers, O)


def output(name: str, found: str, layer: str) -> Variant:
    return untrained(name, 5, f"Found: layer 3 has {found}", I, F, H, layer)


NO_PARAMETERS = f"{FIRST}a model without parameters"
ROWS = "for each image it gives an array of shape (28, 10), not one row of numbers"
IN_A_ROW = SCALE + "\nx_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)"

MISSING: tuple[Variant, ...] = (
    hopeless("no Flatten: fit stops with an error", 6, fewer(H, O), CANNOT + ROWS, I, H, O),
    taught(
        "no Flatten, as the images are laid out in a row by hand",
        6,
        fewer(H, O),
        *("keras.Input((784,))", H, O),
        code=trained(scale=IN_A_ROW),
    ),
    taught("no layer inside: trained, it is a straight line", 5, fewer(F, O), I, F, O, q7=7, also=STRAIGHT),
    untrained("no layer of ten", 5, fewer(F, H), I, F, H),
    hopeless("Flatten and nothing else", 2, fewer(F), NO_PARAMETERS, I, F, train=UNTRAINED),
    hopeless("the last layer and nothing else", 3, fewer(O), CANNOT, I, O),
    hopeless("the layer inside and nothing else", 3, fewer(H), CANNOT, I, H),
    hopeless("an empty Sequential", 0, fewer(), NO_PARAMETERS, code="model = keras.Sequential()"),
    hopeless("an input and no layer", 0, fewer(), NO_PARAMETERS, I, train=UNTRAINED),
)

EXTRA: tuple[Variant, ...] = (
    extra("Dropout before the last layer", 5, "Dropout as layer 3", I, F, H, DROPOUT, O, train=True),
    extra("Dropout after Flatten", 5, "Dropout as layer 2", I, F, DROPOUT, H, O),
    extra("Dropout at the end", 5, "Dropout as layer 4", I, F, H, O, DROPOUT),
    untrained(
        "Dropout in two places: two layers lose their points",
        2,
        f"Found: 5 layers: {listed(F, DROPOUT, H, DROPOUT, O)}\nExpected: 3 layers, without Dropout",
        *(I, F, DROPOUT, H, DROPOUT, O),
    ),
    extra("another layer of 64", 5, "Dense(64, relu) as layer 3", I, F, H, dense(64), O, train=True),
    extra("the layer of 128 twice", 5, f"the repeated {SHOWN[H]}", I, F, H, H, O),
    extra("a layer of 784 for the pixels", 5, "Dense(784, relu) as layer 2", I, F, dense(784), H, O),
    extra("BatchNormalization inside", 5, "BatchNormalization as layer 3", I, F, H, BATCH, O, train=True),
    extra("a convolution first", 6, "Conv2D(relu) as layer 1", "keras.Input((28, 28, 1))", CONV, F, H, O),
    extra("a Softmax layer after a softmax", 5, "Activation(softmax) as layer 4", I, F, H, O, SOFTMAX),
)

ORDER: tuple[Variant, ...] = (
    order("Flatten after the first Dense", 6, f"\nExpected: Flatten as layer 1{COMPARE}", H, F, O),
    order("Flatten at the end", 6, f"\nExpected: Flatten as layer 1{COMPARE}", H, O, F),
    order("ten neurons first, and then 128", 5, "", F, O, H),
)

NINE, ELEVEN, ONE = dense(9, "softmax"), dense(11, "softmax"), dense(1, "softmax")
CUSTOM = "keras.layers.Dense(128, activation=lambda x: tf.maximum(x, 0))"
TEN = f"\nExpected: 10{WIDTH}"

WIDTHS: tuple[Variant, ...] = (
    taught("half the width", 5, f"Found: layer 2 has 64 neurons\nExpected: 128{WIDTH}", I, F, dense(64), O),
    hidden("a neuron too few", f"127 neurons\nExpected: 128{WIDTH}", dense(127)),
    hopeless(
        "none for the last digit: fit stops with an error",
        5,
        f"Found: layer 3 has 9 neurons{TEN}",
        f"{FIRST}with 9 outputs, some classes have none",
        *(I, F, H, NINE),
    ),
    hopeless(
        "one neuron, as for a number that is to be predicted",
        5,
        f"Found: layer 3 has 1 neuron{TEN}",
        f"{FIRST}with 1 output, some classes have none",
        *(I, F, H, ONE),
        train=UNTRAINED,
    ),
    taught(
        "one output too many, which is learned to leave alone",
        5,
        f"Found: layer 3 has 11 neurons{TEN}",
        I,
        F,
        H,
        ELEVEN,
    ),
    untrained(
        "64 and 128: two layers wrong",
        2,
        f"Found: layer 3 has 128 neurons{TEN}",
        I,
        F,
        dense(64),
        dense(128, "softmax"),
    ),
)

LINEAR = "keras.layers.Dense(128)"
TANH = dense(128, "tanh")

ACTIVATIONS: tuple[Variant, ...] = (
    taught(
        "no activation inside: trained, it is as good as a straight line",
        5,
        f"Found: layer 2 has the activation linear{BEND}",
        *(I, F, LINEAR, O),
        q7=7,
        also=STRAIGHT,
    ),
    taught("tanh inside", 5, f"Found: layer 2 has the activation tanh{BEND}", I, F, TANH, O),
    hidden("softmax inside as well", f"the activation softmax{BEND}", dense(128, "softmax")),
    hidden("a relative of relu", f"the activation leaky_relu{BEND}", dense(128, "leaky_relu")),
    hidden(
        "a ReLU layer that stops at 6",
        f"the activation relu with max_value=6{BEND}",
        LINEAR,
        "keras.layers.ReLU(max_value=6)",
    ),
    hidden(
        "a ReLU layer that lets some of the negative through",
        f"the activation relu with negative_slope=0.1{BEND}",
        LINEAR,
        "keras.layers.ReLU(negative_slope=0.1)",
    ),
    hidden(
        "the same layer as the activation of another one",
        f"the activation relu with max_value=6{BEND}",
        "keras.layers.Dense(128, activation=keras.layers.ReLU(max_value=6))",
    ),
    hopeless(
        "an activation of one's own, even if it is relu: nobody can tell by looking, and it cannot be scored",
        5,
        f"Found: layer 2 has the activation custom <lambda>{BEND}",
        f"{CANNOT}it uses the activation custom <lambda>, which the grader cannot rebuild",
        *(I, F, CUSTOM, O),
        train=UNTRAINED,
    ),
    output("no activation at the end", f"the activation linear{BEND}", "keras.layers.Dense(10, activation=None)"),
    output("sigmoid at the end", f"the activation sigmoid{BEND}", dense(10, "sigmoid")),
    output("relu at the end", f"the activation relu{BEND}", dense(10)),
    hopeless(
        "a Softmax layer over the images instead of the digits",
        5,
        f"Found: layer 3 has the activation softmax with axis=0{BEND}",
        f"{CANNOT}its Softmax layer has axis=0",
        *(I, F, H, "keras.layers.Dense(10)", "keras.layers.Softmax(axis=0)"),
        train=UNTRAINED,
    ),
    untrained(
        "softmax inside, relu at the end",
        2,
        f"Found: layer 2 has the activation softmax{BEND}",
        *(I, F, dense(128, "softmax"), dense(10)),
    ),
)

LAYERS: tuple[Variant, ...] = (*MISSING, *EXTRA, *ORDER, *WIDTHS, *ACTIVATIONS)
