"""Wrong answers to question 5: layers missing, too many, or in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.tests.variants.variant import (
    FLATTEN,
    HIDDEN,
    INPUT,
    NEVER_TRAINED,
    OUTPUT,
    SCALE,
    Variant,
    chain,
    points,
    trained,
    wrong,
)

COMPARE = "\nTry: compare with the list in the question, from the first layer to the last"
FEWER = f"\nExpected: 3 layers{COMPARE}"
FIRST = "Not checked: the layers of question q5 have to be right first: "
CANNOT = f"{FIRST}a model that cannot be scored: "
TRAINED = trained()


def untrained(
    name: str, earned: float, says: str, layers: Sequence[str] = (), *, code: str = "", more: bool = False
) -> Variant:
    """A model that is compiled and never trained. `more`: another layer of it is not checked."""
    unchecked = ("q5", "q7") if more else ("q7",)
    messages = {"q5": says, "q7": NEVER_TRAINED}
    return wrong(name, points(q5=earned, q7=0), messages, unchecked, q5=code or chain(*layers))


def taught(
    name: str, earned: float, says: str, layers: Sequence[str], *, q7: float = 8, code: str = TRAINED, also: str = ""
) -> Variant:
    """A model that is trained; `q7` and `also` are what its training earns, and the message about that."""
    messages = {"q5": says, "q7": also} if also else {"q5": says}
    return wrong(name, points(q5=earned, q7=q7), messages, q5=chain(*layers), q7=code)


def hopeless(
    name: str, earned: float, says: str, scored: str, layers: Sequence[str] = (), *, code: str = "", more: bool = False,
    stops: Mapping[str, str] | None = None, train: str = TRAINED,
) -> Variant:  # fmt: skip
    """A model that cannot be scored, trained or not; `scored` is the message of question 7 about that."""
    unchecked = ("q5", "q7") if more else ("q7",)
    messages = {"q5": says, "q7": scored}
    built = code or chain(*layers)
    return wrong(name, points(q5=earned, q7=0), messages, unchecked, q5=built, q7=train, stops=stops)


def dense(units: int, activation: str = "relu") -> str:
    return f"keras.layers.Dense({units}, activation={activation!r})"


def listed(number: int, *names: str) -> str:
    return f"Found: {number} layer{'' if number == 1 else 's'}: {' → '.join(names)}"


def too_many(extra: str, place: int, *names: str) -> str:
    return f"{listed(4, *names)}\nExpected: 3 layers, without {extra} as layer {place}{COMPARE}"


F, H, O = "Flatten", "Dense(128, relu)", "Dense(10, softmax)"  # noqa: E741  # as the messages have them

MISSING: tuple[Variant, ...] = (
    hopeless(
        "no Flatten: fit stops with an error",
        6,
        listed(2, H, O) + FEWER,
        f"{CANNOT}for each image it gives an array of shape (28, 10), not one row of numbers",
        (INPUT, HIDDEN, OUTPUT),
        stops={"q7": "stopped with"},
    ),
    taught(
        "no Flatten, as the images are laid out in a row by hand",
        6,
        listed(2, H, O) + FEWER,
        ("keras.Input((784,))", HIDDEN, OUTPUT),
        code=trained(scale=SCALE + "\nx_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)"),
    ),
    taught(
        "no layer inside: what is left is as good as a straight line can be",
        5,
        listed(2, F, O) + FEWER,
        (INPUT, FLATTEN, OUTPUT),
        q7=7,
        also=" of hidden images right, after 236 steps of training (a step is one batch)\nExpected: at least 95%",
    ),
    untrained("no layer of ten", 5, listed(2, F, H) + FEWER, (INPUT, FLATTEN, HIDDEN)),
    hopeless(
        "Flatten and nothing else",
        2,
        listed(1, F) + FEWER,
        f"{FIRST}a model without parameters",
        (INPUT, FLATTEN),
        more=True,
        train="history = ...",
    ),
    hopeless(
        "the last layer and nothing else",
        3,
        listed(1, O) + FEWER,
        CANNOT,
        (INPUT, OUTPUT),
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "the layer inside and nothing else",
        3,
        listed(1, H) + FEWER,
        CANNOT,
        (INPUT, HIDDEN),
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "an empty Sequential",
        0,
        f"Found: 0 layers: nothing{FEWER}",
        f"{FIRST}a model without parameters",
        code="model = keras.Sequential()",
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "an input and no layer",
        0,
        f"Found: 0 layers: nothing{FEWER}",
        f"{FIRST}a model without parameters",
        (INPUT,),
        more=True,
        train="history = ...",
    ),
)

EXTRA: tuple[Variant, ...] = (
    taught(
        "Dropout before the last layer",
        5,
        too_many("Dropout", 3, F, H, "Dropout", O),
        (INPUT, FLATTEN, HIDDEN, "keras.layers.Dropout(0.2)", OUTPUT),
    ),
    untrained(
        "Dropout after Flatten",
        5,
        too_many("Dropout", 2, F, "Dropout", H, O),
        (INPUT, FLATTEN, "keras.layers.Dropout(0.2)", HIDDEN, OUTPUT),
    ),
    untrained(
        "Dropout at the end",
        5,
        too_many("Dropout", 4, F, H, O, "Dropout"),
        (INPUT, FLATTEN, HIDDEN, OUTPUT, "keras.layers.Dropout(0.2)"),
    ),
    untrained(
        "Dropout in two places: two layers lose their points",
        2,
        f"Found: 5 layers: {F} → Dropout → {H} → Dropout → {O}\nExpected: 3 layers, without Dropout",
        (INPUT, FLATTEN, "keras.layers.Dropout(0.2)", HIDDEN, "keras.layers.Dropout(0.2)", OUTPUT),
    ),
    taught(
        "another layer of 64",
        5,
        too_many("Dense(64, relu)", 3, F, H, "Dense(64, relu)", O),
        (INPUT, FLATTEN, HIDDEN, dense(64), OUTPUT),
    ),
    untrained(
        "the layer of 128 twice",
        5,
        f"{listed(4, F, H, H, O)}\nExpected: 3 layers, without the repeated {H}{COMPARE}",
        (INPUT, FLATTEN, HIDDEN, HIDDEN, OUTPUT),
    ),
    untrained(
        "a layer of 784 for the pixels",
        5,
        too_many("Dense(784, relu)", 2, F, "Dense(784, relu)", H, O),
        (INPUT, FLATTEN, dense(784), HIDDEN, OUTPUT),
    ),
    taught(
        "BatchNormalization inside",
        5,
        too_many("BatchNormalization", 3, F, H, "BatchNormalization", O),
        (INPUT, FLATTEN, HIDDEN, "keras.layers.BatchNormalization()", OUTPUT),
    ),
    untrained(
        "a convolution before everything",
        6,
        too_many("Conv2D(relu)", 1, "Conv2D(relu)", F, H, O),
        ("keras.Input((28, 28, 1))", "keras.layers.Conv2D(4, 3, activation='relu')", FLATTEN, HIDDEN, OUTPUT),
    ),
    untrained(
        "a Softmax layer after a softmax",
        5,
        too_many("Activation(softmax)", 4, F, H, O, "Activation(softmax)"),
        (INPUT, FLATTEN, HIDDEN, OUTPUT, "keras.layers.Softmax()"),
    ),
)

ORDER: tuple[Variant, ...] = (
    untrained(
        "Flatten after the first Dense",
        6,
        f"Found: layers in another order: {H} → {F} → {O}\nExpected: Flatten as layer 1{COMPARE}",
        (INPUT, HIDDEN, FLATTEN, OUTPUT),
    ),
    untrained(
        "Flatten at the end",
        6,
        f"Found: layers in another order: {H} → {O} → {F}\nExpected: Flatten as layer 1{COMPARE}",
        (INPUT, HIDDEN, OUTPUT, FLATTEN),
    ),
    untrained(
        "ten neurons first, and then 128",
        5,
        f"Found: layers in another order: {F} → {O} → {H}",
        (INPUT, FLATTEN, OUTPUT, HIDDEN),
    ),
)

LAYERS: tuple[Variant, ...] = (*MISSING, *EXTRA, *ORDER)
