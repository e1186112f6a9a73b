"""Right answers to question 5, in many spellings."""

from __future__ import annotations

from autograder.tests.variants.variant import (
    FLATTEN,
    HIDDEN,
    INPUT,
    OUTPUT,
    SCALE,
    SEED,
    Variant,
    chain,
    right,
    trained,
)

LINEAR = "keras.layers.Dense(128)"
LINEAR_OUTPUT = "keras.layers.Dense(10)"


def layers(name: str, *listed: str) -> Variant:
    return right(name, q5=chain(*listed))


def hidden(name: str, *listed: str) -> Variant:
    return layers(name, INPUT, FLATTEN, *listed, OUTPUT)


def output(name: str, *listed: str) -> Variant:
    return layers(name, INPUT, FLATTEN, HIDDEN, *listed)


def model(name: str, code: str) -> Variant:
    return right(name, q5=SEED + code.strip())


ACTIVATIONS: tuple[Variant, ...] = (
    hidden("the activation as second argument", "keras.layers.Dense(128, 'relu')"),
    hidden("tf.nn.relu", "keras.layers.Dense(units=128, activation=tf.nn.relu)"),
    hidden("keras.activations.relu", "keras.layers.Dense(128, activation=keras.activations.relu)"),
    hidden("a ReLU layer after a Dense without activation", LINEAR, "keras.layers.ReLU()"),
    hidden(
        "a ReLU layer after a Dense that says it is linear",
        "keras.layers.Dense(128, activation='linear')",
        "tf.keras.layers.ReLU()",
    ),
    hidden("relu in an Activation layer", LINEAR, "keras.layers.Activation('relu')"),
    hidden("an Activation layer of tf.nn.relu", LINEAR, "keras.layers.Activation(tf.nn.relu)"),
    hidden("a ReLU layer as activation", "keras.layers.Dense(128, activation=keras.layers.ReLU())"),
    hidden("relu in the layer and once more after it, which changes nothing", HIDDEN, "keras.layers.ReLU()"),
    output("tf.nn.softmax, which calls itself softmax_v2", "keras.layers.Dense(10, tf.nn.softmax)"),
    output("keras.activations.softmax", "keras.layers.Dense(10, activation=keras.activations.softmax)"),
    output("a Softmax layer", LINEAR_OUTPUT, "keras.layers.Softmax()"),
    output("softmax in an Activation layer", LINEAR_OUTPUT, "keras.layers.Activation('softmax')"),
    output("the number of digits counted", "keras.layers.Dense(len(np.unique(y_train)), 'softmax')"),
)

INPUTS: tuple[Variant, ...] = (
    layers("input_shape in Flatten", "keras.layers.Flatten(input_shape=(28, 28))", HIDDEN, OUTPUT),
    layers(
        "input_shape is the shape of the first image",
        "keras.layers.Flatten(input_shape=x_train[0].shape)",
        HIDDEN,
        OUTPUT,
    ),
    layers("the shape without its first number", "keras.Input(x_train.shape[1:])", FLATTEN, HIDDEN, OUTPUT),
    layers("an InputLayer", "keras.layers.InputLayer(shape=(28, 28))", FLATTEN, HIDDEN, OUTPUT),
    layers(
        "an InputLayer by its former setting", "keras.layers.InputLayer(input_shape=(28, 28))", FLATTEN, HIDDEN, OUTPUT
    ),
    layers("Reshape to a row", INPUT, "keras.layers.Reshape((784,))", HIDDEN, OUTPUT),
    layers("Reshape to a row of whatever length", INPUT, "keras.layers.Reshape((-1,))", HIDDEN, OUTPUT),
    layers("no input shape: fit builds the model", FLATTEN, HIDDEN, OUTPUT),
    right(
        "no input shape: build is called",
        q5=chain(FLATTEN, HIDDEN, OUTPUT) + "\nmodel.build((None, 28, 28))\nmodel.summary()",
    ),
    layers(
        "names for the model and its layers",
        INPUT,
        "keras.layers.Flatten(name='pixels')",
        "keras.layers.Dense(128, activation='relu', name='hidden')",
        "keras.layers.Dense(10, activation='softmax', name='digits')",
    ),
    layers(
        "another start for the weights, and a regulariser",
        INPUT,
        FLATTEN,
        "keras.layers.Dense(128, 'relu', kernel_initializer='he_normal', bias_regularizer=keras.regularizers.l2(1e-6))",
        OUTPUT,
    ),
)

MODELS: tuple[Variant, ...] = (
    model(
        "layers added one by one",
        f"model = keras.Sequential()\nfor layer in [{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}]:\n    model.add(layer)",
    ),
    model(
        "the functional API",
        f"inputs = {INPUT}\nx = {FLATTEN}(inputs)\nx = {HIDDEN}(x)\n"
        f"model = keras.Model(inputs=inputs, outputs={OUTPUT}(x))",
    ),
    model(
        "the functional API, activations called as functions of a tensor's layer",
        f"inputs = {INPUT}\nx = keras.layers.ReLU()({LINEAR}({FLATTEN}(inputs)))\n"
        f"model = keras.Model(inputs, keras.layers.Softmax()({LINEAR_OUTPUT}(x)))",
    ),
    model(
        "the functional API around a Sequential model",
        f"inputs = {INPUT}\nmodel = keras.Model(inputs, keras.Sequential([{FLATTEN}, {HIDDEN}, {OUTPUT}])(inputs))",
    ),
    model(
        "a Sequential model inside another one",
        f"model = keras.Sequential([{INPUT}, keras.Sequential([{FLATTEN}, {HIDDEN}]), {OUTPUT}])",
    ),
    model(
        "a function that builds the model and returns it",
        f"def build():\n    return keras.models.Sequential([{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}])\nmodel = build()",
    ),
    model(
        "everything imported from tensorflow.keras",
        """
from tensorflow.keras import Input, Sequential
from tensorflow.keras.layers import Dense, Flatten
model = Sequential([Input(shape=(28, 28)), Flatten(), Dense(128, activation='relu'), Dense(10, activation='softmax')])
""",
    ),
    model(
        "tf.keras.models.Sequential",
        """
model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(28, 28)),
    tf.keras.layers.Dense(128, activation=tf.nn.relu),
    tf.keras.layers.Dense(10, activation=tf.nn.softmax),
])
""",
    ),
    right(
        "the model called, asked for predictions and evaluated before it is trained",
        q7=f"{SCALE}\nmodel(x_train[:3])\nmodel.predict(x_train[:3])\nmodel.evaluate(x_test[:9], y_test[:9])\n"
        + trained(scale=""),
    ),
)

LAYERS: tuple[Variant, ...] = (*ACTIVATIONS, *INPUTS, *MODELS)
