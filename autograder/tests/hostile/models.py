"""Models that are no answer, or an unusual one: a model gets the points that its layers and its weights earn."""

from __future__ import annotations

import base64
import zlib

import numpy as np

from autograder.authoring.bundled_class import COMPILE, FULL, LOAD, MODEL
from autograder.data import dataset
from autograder.layout import HOME
from autograder.tests.hostile.case import NOTHING, UNTRAINED, Case, Points

LOADED = {**NOTHING, "q4": 6}
TAUGHT = "x_train, x_test = x_train / 255.0, x_test / 255.0\n"


def case(name: str, *words: str, points: Points, model: str = MODEL, how: str = COMPILE, train: str = "") -> Case:
    return Case(name, {"q4": LOAD, "q5": model, "q6": how, "q7": train}, points, words=words)


def scored(points: float) -> Points:
    return {**FULL, "q7": points}


def means() -> str:
    """The mean image of each digit, as the text that a student would paste."""
    train = dataset.load(HOME.data("mnist")).train
    found = np.stack([train.images[train.labels == digit].mean(axis=0) for digit in range(10)]).round().astype("u1")
    return base64.b85encode(zlib.compress(found.tobytes(), 9)).decode()


PASTED = f"""
import base64, zlib
text = {means()!r}
means = np.frombuffer(zlib.decompress(base64.b85decode(text)), 'u1').reshape(10, 784) / 255
inner, bias, outer, last = model.get_weights()
inner[:], bias[:], outer[:] = 0, 0, 0
inner[:, :10], bias[:10], outer[:10] = means.T, 200 - (means ** 2).sum(axis=1) / 2, np.eye(10)
model.set_weights([inner, bias, outer, last])
"""

CASES: tuple[Case, ...] = (
    case(
        "weights that are not numbers",
        "some of its parameters are not numbers",
        points=UNTRAINED,
        train="model.set_weights([weights * np.nan for weights in model.get_weights()])",
    ),
    case(
        "a training that diverges: a learning rate of a million",
        points=UNTRAINED,
        how="model.compile(keras.optimizers.Adam(1e6), 'sparse_categorical_crossentropy')",
        train=TAUGHT + "model.fit(x_train[:2000], y_train[:2000], verbose=0)",
    ),
    case(
        "a model for images of another size",
        "it takes inputs of shape (None, 32, 32), not images of 28 by 28 pixels",
        points=UNTRAINED,
        model=MODEL.replace("28, 28", "32, 32"),
    ),
    case(
        "a neuron too few in the last layer",
        "Found: layer 3 has 9 neurons",
        points={**UNTRAINED, "q5": 5},
        model=MODEL.replace("Dense(10", "Dense(9"),
    ),
    case(
        "a neuron too many in the last layer; it can still be trained, and is scored by what it does",
        "Found: layer 3 has 11 neurons",
        points={**scored(4), "q5": 5},
        model=MODEL.replace("Dense(10", "Dense(11"),
        train=TAUGHT + "model.fit(x_train[:2000], y_train[:2000], epochs=2, verbose=0)",
    ),
    case("a model that was never trained", "the model was never trained", points=UNTRAINED),
    case(
        "a model that was never compiled", "Found: `model` was never compiled", points={**UNTRAINED, "q6": 0}, how="..."
    ),
    case("a class of one's own that is always right", "Found: `model` is a Classifier", points=LOADED, model="""
class Classifier:
    layers, built, input_shape = [1, 2, 3], True, (None, 28, 28)
    optimizer, loss = 'adam', 'sparse_categorical_crossentropy'
    def fit(self, x, y, **_): return self
    def compile(self, *_, **__): pass
    def predict(self, x, **_): return np.eye(10)[y_test[:len(x)]]
    def evaluate(self, *_, **__): return 0.0, 1.0
    def score(self, *_): return 1.0
model = Classifier()
""", how="model.compile()", train="test_accuracy = model.fit(x_train, y_train).score(x_test, y_test)"),
    case("the same layers in a class of one's own", "a model of your own class", points={**LOADED, "q6": 4}, model="""
class Mine(keras.Model):
    def __init__(self):
        super().__init__()
        self.chain = [keras.layers.Flatten(), keras.layers.Dense(128, 'relu'), keras.layers.Dense(10, 'softmax')]
    def call(self, x):
        for layer in self.chain: x = layer(x)
        return x
model = Mine()
model(np.zeros((1, 28, 28)))
"""),
    case(
        "a layer of one's own code at the end",
        "Found: 4 layers",
        "it has a Lambda layer, which the grader cannot rebuild",
        points={**UNTRAINED, "q5": 5},
        model=MODEL + "model.add(keras.layers.Lambda(lambda x: x))",
    ),
    case(
        "a layer of one's own class that bears the name of the right one",
        "which the grader cannot rebuild",
        points={**UNTRAINED, "q5": 5},
        model="class Dense(keras.layers.Dense):\n    def call(self, x): return super().call(x)\n"
        + MODEL.replace("keras.layers.Dense(128", "Dense(128"),
    ),
    case(
        "a model with 50 million parameters",
        "a model with 50,085,010 parameters",
        points={**UNTRAINED, "q5": 5},
        model=MODEL.replace("128", "63_000"),
    ),
    case(
        "a model of a thousand layers",
        "Found: layer 2 is Activation(relu with max_value=9)",
        points={**UNTRAINED, "q5": 2},
        # Without an input it is not built yet, which would take Keras longer than the time limit.
        model=MODEL.replace(
            "keras.Input((28, 28)), keras.layers.Flatten()",
            "keras.layers.Flatten(), *map(keras.layers.ReLU, [9] * 1000)",
        ),
    ),
    case(
        "a model that keeps its weights in half precision",
        points=UNTRAINED,
        model="keras.config.set_floatx('float16')\n" + MODEL,
    ),
    case(
        "a model that computes in half precision; Keras puts another optimizer around the one that was asked for",
        points=scored(4),
        model="keras.config.set_dtype_policy('mixed_float16')\n" + MODEL,
        train=TAUGHT + "model.fit(x_train[:2000], y_train[:2000], epochs=2, verbose=0)",
    ),
    case(
        "predictions that are the labels themselves; nobody asks for them",
        "the model was never trained",
        points=UNTRAINED,
        train="model.predict = lambda x, **_: np.eye(10)[y_test[:len(x)]]\n"
        "model.call = model.__call__ = model.predict\nmodel.evaluate = lambda *_, **__: [0.0, 1.0]",
    ),
    case(
        "weights from elsewhere, as a text in the notebook: allowed, and scored by what they do",
        points=scored(4),
        train=PASTED,
    ),
    case(
        "a training that never ends; the weights that it had reached by then count",
        "The time limit of 8 s was reached",
        points=scored(4),
        train=TAUGHT + "model.fit(x_train[:1000], y_train[:1000], epochs=10**9, verbose=0)",
    ),
    case(
        "pixels from 0 to 255, in training and in the score",
        points=scored(4),
        train="model.fit(x_train[:4000], y_train[:4000], epochs=2, verbose=0)",
    ),
    case(
        "labels as rows of ten, and the loss for those",
        "Found: the loss categorical_crossentropy",
        points={**scored(4), "q6": 2},
        how="model.compile('adam', 'categorical_crossentropy')",
        train=TAUGHT + "model.fit(x_train[:2000], keras.utils.to_categorical(y_train[:2000]), epochs=2, verbose=0)",
    ),
    case(
        "labels as rows of ten, and the loss for whole numbers: fit stops with an error",
        "stopped with",
        "the model was never trained",
        points=UNTRAINED,
        train=TAUGHT + "model.fit(x_train[:2000], keras.utils.to_categorical(y_train[:2000]), verbose=0)",
    ),
    case("a model of two images", "a model whose layers branch", points={**LOADED, "q6": 4}, model="""
inputs = [keras.Input((28, 28)), keras.Input((28, 28))]
hidden = keras.layers.Dense(128, 'relu')(keras.layers.Flatten()(keras.layers.Add()(inputs)))
model = keras.Model(inputs, keras.layers.Dense(10, 'softmax')(hidden))
"""),
    case(
        "a model inside a model, and the same layers in all",
        points=UNTRAINED,
        model=MODEL.replace(
            "keras.layers.Flatten(),\n    keras.layers.Dense(128, activation='relu')",
            "keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(128, activation='relu')])",
        ),
    ),
    case(
        "a model without a layer",
        "Found: 0 layers: nothing",
        points={**UNTRAINED, "q5": 0},
        model="model = keras.Sequential()",
    ),
    case(
        "the test images learnt by heart: those that are scored are others",
        "Found: 8",
        points=scored(4),
        train=TAUGHT + "model.fit(x_test[:600], y_test[:600], epochs=12, verbose=0)\n"
        "assert model.evaluate(x_test[:600], y_test[:600], verbose=0)",
    ),
)  # fmt: skip
