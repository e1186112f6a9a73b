"""Wrong answers to question 5: layers missing, too many, in another order, with other settings."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.tests.variants.variant import (
    FLATTEN,
    HIDDEN,
    INPUT,
    NEVER_TRAINED,
    OUTPUT,
    SCALE,
    SEED,
    Variant,
    chain,
    points,
    trained,
    wrong,
)

__all__ = ["LAYERS"]

COMPARE = "\nTry: compare with the list in the question, from the first layer to the last"
FEWER = f"\nExpected: 3 layers{COMPARE}"
WIDTH = "\nTry: see the question's text"
BEND = "\nExpected: another activation\nTry: what should come out of this layer: any positive number, or a probability?"
FIRST = "Not checked: the layers of question q5 have to be right first: "
CANNOT = f"{FIRST}a model that cannot be scored: "
TRAINED = trained()


def untrained(
    name: str, shows: str, earned: float, says: str, *layers: str, code: str = "", more: bool = False
) -> Variant:
    """A model that is compiled and never trained. `more`: another layer of it is not checked."""
    unchecked = ("q5", "q7") if more else ("q7",)
    said = {"q5": says, "q7": NEVER_TRAINED}
    return wrong(name, shows, points(q5=earned, q7=0), said, *unchecked, q5=code or chain(*layers))


def taught(
    name: str, shows: str, earned: float, says: str, *layers: str, q7: float = 8, code: str = TRAINED, also: str = ""
) -> Variant:
    """A model that is trained; `q7` and `also` are what its training earns, and what is said about that."""
    said = {"q5": says, "q7": also} if also else {"q5": says}
    return wrong(name, shows, points(q5=earned, q7=q7), said, q5=chain(*layers), q7=code)


def hopeless(
    name: str, shows: str, earned: float, says: str, scored: str, *layers: str, code: str = "", more: bool = False,
    stops: Mapping[str, str] | None = None, train: str = TRAINED,
) -> Variant:  # fmt: skip
    """A model of which nothing is scored, trained or not; `scored` is what question 7 says to that."""
    unchecked = ("q5", "q7") if more else ("q7",)
    said = {"q5": says, "q7": scored}
    return wrong(
        name, shows, points(q5=earned, q7=0), said, *unchecked, q5=code or chain(*layers), q7=train, stops=stops
    )


def listed(number: int, *names: str) -> str:
    return f"Found: {number} layer{'' if number == 1 else 's'}: {' → '.join(names)}"


def too_many(extra: str, place: int, *names: str) -> str:
    return f"{listed(4, *names)}\nExpected: 3 layers, without {extra} as layer {place}{COMPARE}"


def dense(units: int, activation: str = "relu") -> str:
    return f"keras.layers.Dense({units}, activation={activation!r})"


def hidden(name: str, shows: str, found: str, *layers: str) -> Variant:
    return untrained(name, shows, 5, found, INPUT, FLATTEN, *layers, OUTPUT)


def output(name: str, shows: str, found: str, *layers: str) -> Variant:
    return untrained(name, shows, 5, found, INPUT, FLATTEN, HIDDEN, *layers)


F, H, O = "Flatten", "Dense(128, relu)", "Dense(10, softmax)"  # noqa: E741  # as the messages have them

MISSING: tuple[Variant, ...] = (
    hopeless(
        "flatten-missing",
        "no Flatten: fit stops with an error",
        6,
        listed(2, H, O) + FEWER,
        f"{CANNOT}for each image it gives an array of shape (28, 10), not one row of numbers",
        INPUT,
        HIDDEN,
        OUTPUT,
        stops={"q7": "stopped with"},
    ),
    taught(
        "flattened-by-hand",
        "no Flatten, as the images are laid out in a row by hand",
        6,
        listed(2, H, O) + FEWER,
        "keras.Input((784,))",
        HIDDEN,
        OUTPUT,
        code=trained(scale=SCALE + "\nx_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)"),
    ),
    taught(
        "hidden-missing",
        "no layer inside: what is left is as good as a straight line can be",
        5,
        listed(2, F, O) + FEWER,
        INPUT,
        FLATTEN,
        OUTPUT,
        q7=7,
        also=" of hidden images right\nExpected: at least 95%",
    ),
    untrained("output-missing", "no layer of ten", 5, listed(2, F, H) + FEWER, INPUT, FLATTEN, HIDDEN),
    hopeless(
        "only-flatten",
        "Flatten and nothing else",
        2,
        listed(1, F) + FEWER,
        f"{FIRST}a model without parameters",
        INPUT,
        FLATTEN,
        more=True,
        train="history = ...",
    ),
    hopeless(
        "only-the-output",
        "the last layer and nothing else",
        3,
        listed(1, O) + FEWER,
        CANNOT,
        INPUT,
        OUTPUT,
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "only-the-hidden-layer",
        "the layer inside and nothing else",
        3,
        listed(1, H) + FEWER,
        CANNOT,
        INPUT,
        HIDDEN,
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "no-layers",
        "an empty Sequential",
        0,
        f"Found: 0 layers: nothing{FEWER}",
        f"{FIRST}a model without parameters",
        code="model = keras.Sequential()",
        more=True,
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "only-an-input",
        "an input and no layer",
        0,
        f"Found: 0 layers: nothing{FEWER}",
        f"{FIRST}a model without parameters",
        INPUT,
        more=True,
        train="history = ...",
    ),
)

EXTRA: tuple[Variant, ...] = (
    taught(
        "dropout-inside",
        "Dropout before the last layer",
        5,
        too_many("Dropout", 3, F, H, "Dropout", O),
        INPUT,
        FLATTEN,
        HIDDEN,
        "keras.layers.Dropout(0.2)",
        OUTPUT,
    ),
    untrained(
        "dropout-first",
        "Dropout after Flatten",
        5,
        too_many("Dropout", 2, F, "Dropout", H, O),
        INPUT,
        FLATTEN,
        "keras.layers.Dropout(0.2)",
        HIDDEN,
        OUTPUT,
    ),
    untrained(
        "dropout-last",
        "Dropout at the end",
        5,
        too_many("Dropout", 4, F, H, O, "Dropout"),
        INPUT,
        FLATTEN,
        HIDDEN,
        OUTPUT,
        "keras.layers.Dropout(0.2)",
    ),
    untrained(
        "dropout-twice",
        "Dropout in two places: two layers lose their points",
        2,
        f"Found: 5 layers: {F} → Dropout → {H} → Dropout → {O}\nExpected: 3 layers, without Dropout",
        INPUT,
        FLATTEN,
        "keras.layers.Dropout(0.2)",
        HIDDEN,
        "keras.layers.Dropout(0.2)",
        OUTPUT,
    ),
    taught(
        "second-hidden-layer",
        "another layer of 64",
        5,
        too_many("Dense(64, relu)", 3, F, H, "Dense(64, relu)", O),
        INPUT,
        FLATTEN,
        HIDDEN,
        dense(64),
        OUTPUT,
    ),
    untrained(
        "hidden-layer-twice",
        "the layer of 128 twice",
        5,
        f"{listed(4, F, H, H, O)}\nExpected: 3 layers, without {H} so often{COMPARE}",
        INPUT,
        FLATTEN,
        HIDDEN,
        HIDDEN,
        OUTPUT,
    ),
    untrained(
        "output-twice",
        "the layer of ten twice",
        5,
        f"{listed(4, F, H, O, O)}\nExpected: 3 layers, without {O} so often{COMPARE}",
        INPUT,
        FLATTEN,
        HIDDEN,
        OUTPUT,
        OUTPUT,
    ),
    untrained(
        "layer-of-pixels",
        "a layer of 784 for the pixels",
        5,
        too_many("Dense(784, relu)", 2, F, "Dense(784, relu)", H, O),
        INPUT,
        FLATTEN,
        dense(784),
        HIDDEN,
        OUTPUT,
    ),
    taught(
        "batch-normalization",
        "BatchNormalization inside",
        5,
        too_many("BatchNormalization", 3, F, H, "BatchNormalization", O),
        INPUT,
        FLATTEN,
        HIDDEN,
        "keras.layers.BatchNormalization()",
        OUTPUT,
    ),
    untrained(
        "convolution-first",
        "a convolution before everything",
        6,
        too_many("Conv2D(relu)", 1, "Conv2D(relu)", F, H, O),
        "keras.Input((28, 28, 1))",
        "keras.layers.Conv2D(4, 3, activation='relu')",
        FLATTEN,
        HIDDEN,
        OUTPUT,
    ),
    untrained(
        "softmax-again",
        "a Softmax layer after a softmax",
        5,
        too_many("Activation(softmax)", 4, F, H, O, "Activation(softmax)"),
        INPUT,
        FLATTEN,
        HIDDEN,
        OUTPUT,
        "keras.layers.Softmax()",
    ),
)

ORDER: tuple[Variant, ...] = (
    untrained(
        "flatten-second",
        "Flatten after the first Dense",
        6,
        f"Found: layers in another order: {H} → {F} → {O}\nExpected: Flatten as layer 1{COMPARE}",
        INPUT,
        HIDDEN,
        FLATTEN,
        OUTPUT,
    ),
    untrained(
        "flatten-last",
        "Flatten at the end",
        6,
        f"Found: layers in another order: {H} → {O} → {F}\nExpected: Flatten as layer 1{COMPARE}",
        INPUT,
        HIDDEN,
        OUTPUT,
        FLATTEN,
    ),
    untrained(
        "dense-layers-swapped",
        "ten neurons first, and then 128",
        5,
        f"Found: layers in another order: {F} → {O} → {H}",
        INPUT,
        FLATTEN,
        OUTPUT,
        HIDDEN,
    ),
)

WIDTHS: tuple[Variant, ...] = (
    taught(
        "width-64",
        "half the width",
        5,
        f"Found: layer 2 has 64 neurons\nExpected: 128{WIDTH}",
        INPUT,
        FLATTEN,
        dense(64),
        OUTPUT,
    ),
    hidden("width-127", "a neuron too few", f"Found: layer 2 has 127 neurons\nExpected: 128{WIDTH}", dense(127)),
    hidden("width-129", "a neuron too many", f"Found: layer 2 has 129 neurons\nExpected: 128{WIDTH}", dense(129)),
    hidden("width-1280", "a digit too many", f"Found: layer 2 has 1280 neurons\nExpected: 128{WIDTH}", dense(1280)),
    hopeless(
        "nine-outputs",
        "none for the last digit: fit stops with an error",
        5,
        f"Found: layer 3 has 9 neurons\nExpected: 10{WIDTH}",
        f"{FIRST}with 9 outputs there is none for some digits",
        INPUT,
        FLATTEN,
        HIDDEN,
        dense(9, "softmax"),
        stops={"q7": "stopped with"},
    ),
    hopeless(
        "one-output",
        "one neuron, as for a number that is to be predicted",
        5,
        f"Found: layer 3 has 1 neuron\nExpected: 10{WIDTH}",
        f"{FIRST}with 1 output there is none for some digits",
        INPUT,
        FLATTEN,
        HIDDEN,
        dense(1, "softmax"),
        train="history = ...",
    ),
    taught(
        "eleven-outputs",
        "one output more than there are digits, which training learns to leave alone",
        5,
        f"Found: layer 3 has 11 neurons\nExpected: 10{WIDTH}",
        INPUT,
        FLATTEN,
        HIDDEN,
        dense(11, "softmax"),
    ),
    untrained(
        "both-widths-wrong",
        "64 and 128: two mistakes cost two layers",
        2,
        f"Found: layer 3 has 128 neurons\nExpected: 10{WIDTH}",
        INPUT,
        FLATTEN,
        dense(64),
        dense(128, "softmax"),
    ),
)

ACTIVATIONS: tuple[Variant, ...] = (
    taught(
        "hidden-linear",
        "no activation inside: trained, it is as good as a straight line",
        5,
        f"Found: layer 2 has the activation linear{BEND}",
        INPUT,
        FLATTEN,
        "keras.layers.Dense(128)",
        OUTPUT,
        q7=7,
        also=" of hidden images right\nExpected: at least 95%",
    ),
    hidden(
        "hidden-sigmoid", "sigmoid inside", f"Found: layer 2 has the activation sigmoid{BEND}", dense(128, "sigmoid")
    ),
    taught(
        "hidden-tanh",
        "tanh inside",
        5,
        f"Found: layer 2 has the activation tanh{BEND}",
        INPUT,
        FLATTEN,
        dense(128, "tanh"),
        OUTPUT,
    ),
    hidden(
        "softmax-in-both",
        "softmax inside as well",
        f"Found: layer 2 has the activation softmax{BEND}",
        dense(128, "softmax"),
    ),
    hidden(
        "hidden-leaky-relu",
        "a relative of relu",
        f"Found: layer 2 has the activation leaky_relu{BEND}",
        dense(128, "leaky_relu"),
    ),
    hidden(
        "relu-with-a-ceiling",
        "a ReLU layer that stops at 6",
        f"Found: layer 2 has the activation relu with max_value=6{BEND}",
        "keras.layers.Dense(128)",
        "keras.layers.ReLU(max_value=6)",
    ),
    hidden(
        "relu-with-a-slope",
        "a ReLU layer that lets some of the negative through",
        f"Found: layer 2 has the activation relu with negative_slope=0.1{BEND}",
        "keras.layers.Dense(128)",
        "keras.layers.ReLU(negative_slope=0.1)",
    ),
    hidden(
        "relu-object-with-a-ceiling",
        "the same layer as the activation of another one",
        f"Found: layer 2 has the activation relu with max_value=6{BEND}",
        "keras.layers.Dense(128, activation=keras.layers.ReLU(max_value=6))",
    ),
    hopeless(
        "hidden-lambda",
        "an activation of one's own, even if it is relu: nobody can tell by looking, and it cannot be scored",
        5,
        f"Found: layer 2 has the activation custom <lambda>{BEND}",
        f"{CANNOT}it uses the activation custom <lambda>, which the grader cannot rebuild",
        INPUT,
        FLATTEN,
        "keras.layers.Dense(128, activation=lambda x: tf.maximum(x, 0))",
        OUTPUT,
        train="history = ...",
    ),
    output(
        "output-linear",
        "no activation at the end",
        f"Found: layer 3 has the activation linear{BEND}",
        "keras.layers.Dense(10)",
    ),
    output(
        "output-sigmoid", "sigmoid at the end", f"Found: layer 3 has the activation sigmoid{BEND}", dense(10, "sigmoid")
    ),
    output("output-relu", "relu at the end", f"Found: layer 3 has the activation relu{BEND}", dense(10)),
    output(
        "output-log-softmax",
        "log_softmax at the end",
        f"Found: layer 3 has the activation log_softmax{BEND}",
        dense(10, "log_softmax"),
    ),
    hopeless(
        "softmax-over-the-batch",
        "a Softmax layer over the images instead of the digits",
        5,
        f"Found: layer 3 has the activation softmax with axis=0{BEND}",
        f"{CANNOT}its Softmax layer has axis=0",
        INPUT,
        FLATTEN,
        HIDDEN,
        "keras.layers.Dense(10)",
        "keras.layers.Softmax(axis=0)",
        train="history = ...",
    ),
    untrained(
        "activations-swapped",
        "softmax inside, relu at the end",
        2,
        f"Found: layer 2 has the activation softmax{BEND}",
        INPUT,
        FLATTEN,
        dense(128, "softmax"),
        dense(10),
    ),
)

STRUCTURES: tuple[Variant, ...] = (
    hopeless(
        "subclassed",
        "the layers in a class of one's own, trained",
        0,
        "Found: a model of a class of its own\nExpected: one plain chain of layers\nTry: use keras.Sequential",
        f"{CANNOT}its layers do not form one plain chain from images to outputs",
        code=f"""
class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.inside, self.out = {FLATTEN}, {HIDDEN}, {OUTPUT}
    def call(self, x):
        return self.out(self.inside(self.flatten(x)))
model = Mine()
""".strip(),
        more=True,
        train=f"{SCALE}\nhistory = model.fit(x_train[:640], y_train[:640])",
    ),
    hopeless(
        "branching",
        "two layers of 128 beside each other",
        0,
        "Found: a model whose layers branch, or are used twice\nExpected: one plain chain of layers",
        CANNOT,
        code=f"{SEED}inputs = {INPUT}\nx = {FLATTEN}(inputs)\nx = keras.layers.Add()([{HIDDEN}(x), {HIDDEN}(x)])\n"
        f"model = keras.Model(inputs, {OUTPUT}(x))",
        more=True,
        train="history = ...",
    ),
    hopeless(
        "two-outputs",
        "a model with two outputs",
        0,
        "Found: a model whose layers branch, or are used twice\nExpected: one plain chain of layers",
        FIRST,
        code=f"{SEED}inputs = {INPUT}\nx = {HIDDEN}({FLATTEN}(inputs))\nmodel = keras.Model(inputs, [{OUTPUT}(x), x])",
        more=True,
        train="history = ...",
    ),
    hopeless(
        "layer-used-twice",
        "one layer through which the numbers go twice",
        0,
        "Found: a model whose layers branch, or are used twice\nExpected: one plain chain of layers",
        CANNOT,
        code=f"{SEED}inputs, again = {INPUT}, {dense(784)}\nx = {HIDDEN}(again(again({FLATTEN}(inputs))))\n"
        f"model = keras.Model(inputs, {OUTPUT}(x))",
        more=True,
        train="history = ...",
    ),
)

NO_MODEL = "Not checked: question q5 has to be answered first: there is no model yet"


def nothing(name: str, shows: str, says: str, code: str | None, stops: Mapping[str, str] | None = None) -> Variant:
    """There is no model, so that questions 6 and 7 cannot be answered either."""
    said = {"q5": says, "q6": NO_MODEL, "q7": NO_MODEL}
    earned = {"q4": 6, "q5": 0, "q6": 0, "q7": 0}
    return wrong(
        name,
        shows,
        earned,
        said,
        "q5",
        "q6",
        "q7",
        q5=code,
        q7=TRAINED,
        stops={"q6": "stopped with", "q7": "stopped with", **(stops or {})},
    )


NONE: tuple[Variant, ...] = (
    nothing("model-blank", "question 5 left as it was", "Found: `model` has not been given a value", None),
    nothing(
        "model-is-its-summary",
        "what summary returns kept as the model",
        "Found: `model` is a NoneType",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT) + "\nmodel = model.summary()",
    ),
    nothing(
        "model-is-a-list",
        "the layers in a list",
        "Found: `model` is a list",
        f"model = [{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}]",
    ),
    nothing(
        "model-misspelled",
        "the model under another name",
        "Found: there is no variable called `model`",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT).replace("model = ", "modle = "),
    ),
    nothing(
        "model-not-called",
        "a function that builds the model, not called",
        "Found: `model` is a function",
        f"def model():\n    return keras.Sequential([{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}])",
    ),
    nothing(
        "layer-misspelled",
        "a layer that does not exist: the cell stops",
        "Found: there is no variable called `model`",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT).replace("layers.Flatten", "layers.Flaten"),
        {"q5": "stopped with AttributeError"},
    ),
    nothing(
        "shape-of-an-unbuilt-model",
        "the input shape asked of a model that has none yet: the cell stops before the model has its name",
        "Found: there is no variable called `model`",
        f"net = keras.Sequential([{FLATTEN}, {HIDDEN}, {OUTPUT}])\nprint(net.input_shape)\nmodel = net",
        {"q5": "stopped with"},
    ),
    wrong(
        "shape-asked-before-compiling",
        "the input shape asked of a model that has none yet: the cell of question 6 stops before it compiles",
        {"q4": 6, "q5": 8, "q6": 0, "q7": 0},
        {"q6": "Found: `model` was never compiled", "q7": "Found: "},
        "q6",
        "q7",
        q5=chain(FLATTEN, HIDDEN, OUTPUT),
        q6="print(model.input_shape)\nmodel.compile('adam', 'sparse_categorical_crossentropy')",
        stops={"q6": "stopped with"},
    ),
)

LAYERS: tuple[Variant, ...] = (*MISSING, *EXTRA, *ORDER, *WIDTHS, *ACTIVATIONS, *STRUCTURES, *NONE)
