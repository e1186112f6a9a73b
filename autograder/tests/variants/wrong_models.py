"""Wrong answers to question 5: models that are not a chain of layers, and values that are not a model."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.tests.variants.variant import (
    BUILT,
    FLATTEN,
    HIDDEN,
    INPUT,
    OUTPUT,
    SCALE,
    SEED,
    Variant,
    chain,
    points,
    wrong,
)
from autograder.tests.variants.wrong_layers import CANNOT, FIRST, TRAINED, UNTRAINED, dense, hopeless

NO_MODEL = "Not checked: question q5 has to be answered first: there is no model yet"


def nothing(name: str, says: str, code: str | None, stops: Mapping[str, str] | None = None) -> Variant:
    """There is no model, so questions 6 and 7 cannot be answered either."""
    messages = {"q5": says, "q6": NO_MODEL, "q7": NO_MODEL}
    stopped = {"q6": "stopped with", "q7": "stopped with", **(stops or {})}
    return wrong(name, points(q5=0, q6=0, q7=0), messages, ("q5", "q6", "q7"), q5=code, q7=TRAINED, stops=stopped)


def branching(name: str, scored: str, code: str) -> Variant:
    says = "Found: a model whose layers branch, or are used twice\nExpected: one plain chain of layers"
    return hopeless(name, 0, says, scored, code=SEED + code, train=UNTRAINED)


STRUCTURES: tuple[Variant, ...] = (
    hopeless(
        "the layers in a class of one's own, trained",
        0,
        "Found: a model of your own class\nExpected: one plain chain of layers\nTry: use keras.Sequential",
        FIRST,
        code=f"""
class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten, self.inside, self.out = {FLATTEN}, {HIDDEN}, {OUTPUT}
    def call(self, x):
        return self.out(self.inside(self.flatten(x)))
model = Mine()
""".strip(),
        train=f"{SCALE}\nhistory = model.fit(x_train[:640], y_train[:640])",
    ),
    branching(
        "two layers of 128 beside each other",
        CANNOT,
        f"inputs = {INPUT}\nx = {FLATTEN}(inputs)\nx = keras.layers.Add()([{HIDDEN}(x), {HIDDEN}(x)])\n"
        f"model = keras.Model(inputs, {OUTPUT}(x))",
    ),
    branching(
        "a model with two outputs",
        FIRST,
        f"inputs = {INPUT}\nx = {HIDDEN}({FLATTEN}(inputs))\nmodel = keras.Model(inputs, [{OUTPUT}(x), x])",
    ),
    branching(
        "one layer through which the numbers go twice",
        CANNOT,
        f"inputs, again = {INPUT}, {dense(784)}\nx = {HIDDEN}(again(again({FLATTEN}(inputs))))\n"
        f"model = keras.Model(inputs, {OUTPUT}(x))",
    ),
)

NONE: tuple[Variant, ...] = (
    nothing("question 5 left as it was", "Found: `model` has not been given a value", None),
    nothing(
        "what summary returns kept as the model",
        "Found: `model` is a NoneType",
        BUILT["q5"] + "\nmodel = model.summary()",
    ),
    nothing("the layers in a list", "Found: `model` is a list", f"model = [{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}]"),
    nothing(
        "the model under another name",
        "Found: there is no variable called `model`",
        BUILT["q5"].replace("model = ", "modle = "),
    ),
    nothing(
        "a function that builds the model, not called",
        "Found: `model` is a function",
        f"def model():\n    return keras.Sequential([{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}])",
    ),
    nothing(
        "a layer that does not exist: the cell stops",
        "Found: there is no variable called `model`",
        BUILT["q5"].replace("layers.Flatten", "layers.Flaten"),
        {"q5": "stopped with AttributeError"},
    ),
    nothing(
        "the input shape asked of a model that has none yet: the cell stops before the model has its name",
        "Found: there is no variable called `model`",
        f"net = keras.Sequential([{FLATTEN}, {HIDDEN}, {OUTPUT}])\nprint(net.input_shape)\nmodel = net",
        {"q5": "stopped with"},
    ),
    wrong(
        "the input shape asked of a model that has none yet: the cell of question 6 stops before it compiles",
        points(q6=0, q7=0),
        {"q6": "Found: `model` was never compiled", "q7": "Found: "},
        ("q6", "q7"),
        q5=chain(FLATTEN, HIDDEN, OUTPUT),
        q6="print(model.input_shape)\nmodel.compile('adam', 'sparse_categorical_crossentropy')",
        stops={"q6": "stopped with"},
    ),
)

MODELS: tuple[Variant, ...] = (*STRUCTURES, *NONE)
