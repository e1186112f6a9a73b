"""Wrong answers to question 5: models that are not a chain of layers, and values that are not a model."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.tests.variants.variant import FLATTEN, HIDDEN, INPUT, OUTPUT, SCALE, SEED, Variant, chain, wrong
from autograder.tests.variants.wrong_layers import CANNOT, FIRST, TRAINED, dense, hopeless

NO_MODEL = "Not checked: question q5 has to be answered first: there is no model yet"


def nothing(name: str, says: str, code: str | None, stops: Mapping[str, str] | None = None) -> Variant:
    """There is no model, so questions 6 and 7 cannot be answered either."""
    messages = {"q5": says, "q6": NO_MODEL, "q7": NO_MODEL}
    earned = {"q4": 6, "q5": 0, "q6": 0, "q7": 0}
    return wrong(
        name,
        earned,
        messages,
        ("q5", "q6", "q7"),
        q5=code,
        q7=TRAINED,
        stops={"q6": "stopped with", "q7": "stopped with", **(stops or {})},
    )


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
        more=True,
        train=f"{SCALE}\nhistory = model.fit(x_train[:640], y_train[:640])",
    ),
    hopeless(
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
        "a model with two outputs",
        0,
        "Found: a model whose layers branch, or are used twice\nExpected: one plain chain of layers",
        FIRST,
        code=f"{SEED}inputs = {INPUT}\nx = {HIDDEN}({FLATTEN}(inputs))\nmodel = keras.Model(inputs, [{OUTPUT}(x), x])",
        more=True,
        train="history = ...",
    ),
    hopeless(
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

NONE: tuple[Variant, ...] = (
    nothing("question 5 left as it was", "Found: `model` has not been given a value", None),
    nothing(
        "what summary returns kept as the model",
        "Found: `model` is a NoneType",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT) + "\nmodel = model.summary()",
    ),
    nothing("the layers in a list", "Found: `model` is a list", f"model = [{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}]"),
    nothing(
        "the model under another name",
        "Found: there is no variable called `model`",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT).replace("model = ", "modle = "),
    ),
    nothing(
        "a function that builds the model, not called",
        "Found: `model` is a function",
        f"def model():\n    return keras.Sequential([{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}])",
    ),
    nothing(
        "a layer that does not exist: the cell stops",
        "Found: there is no variable called `model`",
        chain(INPUT, FLATTEN, HIDDEN, OUTPUT).replace("layers.Flatten", "layers.Flaten"),
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
        {"q4": 6, "q5": 8, "q6": 0, "q7": 0},
        {"q6": "Found: `model` was never compiled", "q7": "Found: "},
        ("q6", "q7"),
        q5=chain(FLATTEN, HIDDEN, OUTPUT),
        q6="print(model.input_shape)\nmodel.compile('adam', 'sparse_categorical_crossentropy')",
        stops={"q6": "stopped with"},
    ),
)

MODELS: tuple[Variant, ...] = (*STRUCTURES, *NONE)
