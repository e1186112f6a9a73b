"""Right answers: the data, the layers and the compile call in many spellings, all of them worth full marks."""

from __future__ import annotations

from autograder.tests.variants.right_training import MEASURED, NOTEBOOKS, SCALED, TRAINED
from autograder.tests.variants.variant import (
    FLATTEN,
    HIDDEN,
    INPUT,
    MEASURE,
    ORDINARY_FIT,
    OUTPUT,
    SCALE,
    SEED,
    Variant,
    chain,
    right,
    trained,
)

__all__ = ["RIGHT"]

LOADED = "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
LINEAR = "keras.layers.Dense(128)"
LINEAR_OUTPUT = "keras.layers.Dense(10)"
WITHOUT_METRICS = "test_accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=-1) == y_test)"


def data(name: str, shows: str, train: str, length: str, test: str, load: str = LOADED) -> Variant:
    """The three reports, each given by an expression."""
    return right(
        name,
        shows,
        q4=f"{load}train_images_shape = {train}\ntrain_labels_length = {length}\ntest_images_shape = {test}",
    )


def layers(name: str, shows: str, *listed: str) -> Variant:
    return right(name, shows, q5=chain(*listed))


def hidden(name: str, shows: str, *listed: str) -> Variant:
    return layers(name, shows, INPUT, FLATTEN, *listed, OUTPUT)


def output(name: str, shows: str, *listed: str) -> Variant:
    return layers(name, shows, INPUT, FLATTEN, HIDDEN, *listed)


def model(name: str, shows: str, code: str) -> Variant:
    return right(name, shows, q5=SEED + code.strip())


def compiled(name: str, shows: str, how: str, measure: str = MEASURE) -> Variant:
    return right(name, shows, q6=how, q7=trained(fit=ORDINARY_FIT, measure=measure))


DATA = (
    data(
        "shapes-as-lists",
        "shapes as lists, the length by shape[0]",
        "list(x_train.shape)",
        "y_train.shape[0]",
        "[*x_test.shape]",
    ),
    data(
        "shapes-as-arrays",
        "shapes as NumPy arrays, the length as a NumPy integer",
        "np.array(x_train.shape)",
        "np.int64(len(y_train))",
        "np.asarray(np.shape(x_test), dtype=np.int32)",
    ),
    data(
        "shapes-as-tensors",
        "what tf.shape and tf.size return",
        "tf.shape(x_train)",
        "tf.size(y_train)",
        "tf.constant(x_test.shape)",
    ),
    data(
        "tensor-shapes",
        "the shape of a tensor, the length by size",
        "tf.convert_to_tensor(x_train).shape",
        "y_train.size",
        "tf.TensorShape(x_test.shape)",
    ),
    data(
        "length-of-the-images",
        "as many labels as images, counted on the images",
        "np.shape(x_train)",
        "len(x_train)",
        "x_test.shape",
    ),
    data(
        "counted-one-by-one",
        "a tuple put together, a length counted in a loop",
        "(len(x_train), len(x_train[0]), len(x_train[0][0]))",
        "sum(1 for _ in y_train)",
        "tuple(x_test.shape)",
    ),
    data(
        "length-as-a-whole-float",
        "the length as 60000.0, as a division gives it",
        "x_train.shape",
        "x_train.size / 784",
        "x_test.shape",
    ),
    data(
        "mnist-imported",
        "the module mnist imported by itself",
        "x_train.shape",
        "len(y_train)",
        "x_test.shape",
        "from tensorflow.keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()\n",
    ),
    data(
        "pairs-taken-apart-later",
        "what load_data returns kept whole at first",
        "x_train.shape",
        "len(y_train)",
        "x_test.shape",
        "train, test = keras.datasets.mnist.load_data()\nx_train, y_train = train\nx_test, y_test = test\n",
    ),
    right(
        "images-and-labels-renamed",
        "images and labels under other names; those of the three reports are as asked",
        q4="(train_images, train_labels), (X_test, Y_test) = keras.datasets.mnist.load_data()\n"
        "train_images_shape = train_images.shape\ntrain_labels_length = len(train_labels)\n"
        "test_images_shape = X_test.shape",
        q7="history = model.fit(train_images / 255, train_labels, batch_size=128, epochs=3, verbose=0)\n"
        "test_accuracy = model.evaluate(X_test / 255, Y_test, verbose=0)[1]",
    ),
)

ACTIVATIONS = (
    hidden("relu-positional", "the activation as second argument", "keras.layers.Dense(128, 'relu')"),
    hidden("relu-tf-nn", "tf.nn.relu", "keras.layers.Dense(units=128, activation=tf.nn.relu)"),
    hidden("relu-function", "keras.activations.relu", "keras.layers.Dense(128, activation=keras.activations.relu)"),
    hidden(
        "relu-function-by-tf",
        "tf.keras.activations.relu",
        "keras.layers.Dense(128, activation=tf.keras.activations.relu)",
    ),
    hidden("relu-layer", "a ReLU layer after a Dense without activation", LINEAR, "keras.layers.ReLU()"),
    hidden(
        "relu-layer-after-linear",
        "a ReLU layer after a Dense that says it is linear",
        "keras.layers.Dense(128, activation='linear')",
        "tf.keras.layers.ReLU()",
    ),
    hidden("relu-activation-layer", "an Activation layer", LINEAR, "keras.layers.Activation('relu')"),
    hidden(
        "relu-activation-layer-tf", "an Activation layer of tf.nn.relu", LINEAR, "keras.layers.Activation(tf.nn.relu)"
    ),
    hidden("relu-object", "a ReLU layer as activation", "keras.layers.Dense(128, activation=keras.layers.ReLU())"),
    hidden(
        "relu-twice", "relu in the layer and once more after it, which changes nothing", HIDDEN, "keras.layers.ReLU()"
    ),
    output("softmax-tf-nn", "tf.nn.softmax, which calls itself softmax_v2", "keras.layers.Dense(10, tf.nn.softmax)"),
    output(
        "softmax-function", "keras.activations.softmax", "keras.layers.Dense(10, activation=keras.activations.softmax)"
    ),
    output("softmax-layer", "a Softmax layer", LINEAR_OUTPUT, "keras.layers.Softmax()"),
    output(
        "softmax-layer-axis",
        "a Softmax layer over the last axis, as by default",
        LINEAR_OUTPUT,
        "keras.layers.Softmax(axis=-1)",
    ),
    output("softmax-activation-layer", "an Activation layer", LINEAR_OUTPUT, "keras.layers.Activation('softmax')"),
    output("ten-counted", "the number of digits counted", "keras.layers.Dense(len(np.unique(y_train)), 'softmax')"),
)

INPUTS = (
    layers(
        "flatten-input-shape", "input_shape in Flatten", "keras.layers.Flatten(input_shape=(28, 28))", HIDDEN, OUTPUT
    ),
    layers(
        "flatten-input-shape-of-an-image",
        "the shape of the first image",
        "keras.layers.Flatten(input_shape=x_train[0].shape)",
        HIDDEN,
        OUTPUT,
    ),
    layers(
        "input-shape-of-the-images",
        "the shape without its first number",
        "keras.Input(x_train.shape[1:])",
        FLATTEN,
        HIDDEN,
        OUTPUT,
    ),
    layers("input-layer", "an InputLayer", "keras.layers.InputLayer(shape=(28, 28))", FLATTEN, HIDDEN, OUTPUT),
    layers(
        "input-layer-old",
        "an InputLayer by its former setting",
        "keras.layers.InputLayer(input_shape=(28, 28))",
        FLATTEN,
        HIDDEN,
        OUTPUT,
    ),
    layers("reshape-784", "Reshape to a row", INPUT, "keras.layers.Reshape((784,))", HIDDEN, OUTPUT),
    layers("reshape-open", "Reshape to a row of whatever length", INPUT, "keras.layers.Reshape((-1,))", HIDDEN, OUTPUT),
    layers("built-by-fit", "no input shape: fit builds the model", FLATTEN, HIDDEN, OUTPUT),
    right(
        "built-by-a-call",
        "no input shape: build is called",
        q5=chain(FLATTEN, HIDDEN, OUTPUT) + "\nmodel.build((None, 28, 28))\nmodel.summary()",
    ),
    layers(
        "named-layers",
        "names for the model and its layers",
        INPUT,
        "keras.layers.Flatten(name='pixels')",
        "keras.layers.Dense(128, activation='relu', name='hidden')",
        "keras.layers.Dense(10, activation='softmax', name='digits')",
    ),
    layers(
        "other-initial-weights",
        "another start for the weights, and a regulariser",
        INPUT,
        FLATTEN,
        "keras.layers.Dense(128, 'relu', kernel_initializer='he_normal', bias_regularizer=keras.regularizers.l2(1e-6))",
        OUTPUT,
    ),
)

MODELS = (
    model(
        "layers-added",
        "layers added one by one",
        f"model = keras.Sequential()\nfor layer in [{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}]:\n    model.add(layer)",
    ),
    model(
        "functional",
        "the functional API",
        f"inputs = {INPUT}\nx = {FLATTEN}(inputs)\nx = {HIDDEN}(x)\n"
        f"model = keras.Model(inputs=inputs, outputs={OUTPUT}(x))",
    ),
    model(
        "functional-activations",
        "the functional API, activations called as functions of a tensor's layer",
        f"inputs = {INPUT}\nx = keras.layers.ReLU()({LINEAR}({FLATTEN}(inputs)))\n"
        f"model = keras.Model(inputs, keras.layers.Softmax()({LINEAR_OUTPUT}(x)))",
    ),
    model(
        "functional-around-a-chain",
        "the functional API around a Sequential model",
        f"inputs = {INPUT}\nmodel = keras.Model(inputs, keras.Sequential([{FLATTEN}, {HIDDEN}, {OUTPUT}])(inputs))",
    ),
    model(
        "nested",
        "a Sequential model inside another one",
        f"model = keras.Sequential([{INPUT}, keras.Sequential([{FLATTEN}, {HIDDEN}]), {OUTPUT}])",
    ),
    model(
        "from-a-function",
        "a function that builds the model and returns it",
        f"def build():\n    return keras.models.Sequential([{INPUT}, {FLATTEN}, {HIDDEN}, {OUTPUT}])\nmodel = build()",
    ),
    model(
        "imported-from-tensorflow",
        "everything imported from tensorflow.keras",
        """
from tensorflow.keras import Input, Sequential
from tensorflow.keras.layers import Dense, Flatten
model = Sequential([Input(shape=(28, 28)), Flatten(), Dense(128, activation='relu'), Dense(10, activation='softmax')])
""",
    ),
    model(
        "tf-keras-models",
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
        "used-before-training",
        "the model called, asked for predictions and evaluated before it is trained",
        q7=f"{SCALE}\nmodel(x_train[:3])\nmodel.predict(x_train[:3])\nmodel.evaluate(x_test[:9], y_test[:9])\n"
        + trained(scale=""),
    ),
)

OPTIMIZERS = (
    compiled(
        "adam-in-capitals", "'Adam'", "model.compile('Adam', 'sparse_categorical_crossentropy', None, ['accuracy'])"
    ),
    compiled(
        "adam-object",
        "Adam()",
        "model.compile(keras.optimizers.Adam(), loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "adam-with-a-rate",
        "Adam with its own learning rate spelled out",
        "model.compile(keras.optimizers.Adam(1e-3), loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "adam-by-tf",
        "tf.keras.optimizers.Adam, at twice the learning rate",
        "model.compile(tf.keras.optimizers.Adam(learning_rate=0.002), loss='sparse_categorical_crossentropy',\n"
        "              metrics=['accuracy'])",
    ),
    compiled(
        "adam-imported",
        "Adam imported from tensorflow.keras.optimizers",
        "from tensorflow.keras.optimizers import Adam\n"
        "model.compile(optimizer=Adam(), loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "adam-on-a-schedule",
        "a learning rate that falls",
        "rate = keras.optimizers.schedules.ExponentialDecay(0.002, decay_steps=1000, decay_rate=0.8)\n"
        "model.compile(keras.optimizers.Adam(rate), 'sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
)

LOSSES = (
    compiled(
        "loss-object",
        "the loss as an object",
        "model.compile('adam', keras.losses.SparseCategoricalCrossentropy(), metrics=['accuracy'])",
    ),
    compiled(
        "loss-object-no-logits",
        "from_logits=False spelled out",
        "model.compile('adam', tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False), metrics=['accuracy'])",
    ),
    compiled(
        "loss-function",
        "the loss as a function",
        "model.compile('adam', keras.losses.sparse_categorical_crossentropy, metrics=['accuracy'])",
    ),
    compiled(
        "loss-by-its-class-name",
        "the name of the class as text",
        "model.compile('adam', 'SparseCategoricalCrossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "loss-in-a-list",
        "a list of one loss",
        "model.compile('adam', ['sparse_categorical_crossentropy'], metrics=['accuracy'])",
    ),
    compiled(
        "compiled-twice",
        "another optimizer tried first",
        "model.compile('sgd', 'mse')\nmodel.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
)

METRICS = (
    compiled("metric-acc", "'acc'", "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])"),
    compiled(
        "metric-object",
        "the metric as an object",
        "model.compile('adam', 'sparse_categorical_crossentropy',\n"
        "              metrics=[keras.metrics.SparseCategoricalAccuracy()])",
    ),
    compiled(
        "metric-by-its-long-name",
        "'sparse_categorical_accuracy'",
        "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['sparse_categorical_accuracy'])",
    ),
    compiled(
        "two-metrics",
        "a second metric, so that evaluate returns three numbers",
        "model.compile('adam', 'sparse_categorical_crossentropy',\n"
        "              metrics=['accuracy', keras.metrics.SparseTopKCategoricalAccuracy(3)])",
        "test_accuracy = model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    compiled(
        "no-metrics",
        "no metrics; the accuracy is computed from the predictions",
        "model.compile('adam', 'sparse_categorical_crossentropy')",
        WITHOUT_METRICS,
    ),
)

RIGHT: tuple[Variant, ...] = (
    right("plain", "the answers that all others differ from"),
    *DATA,
    *ACTIVATIONS,
    *INPUTS,
    *MODELS,
    *OPTIMIZERS,
    *LOSSES,
    *METRICS,
    *SCALED,
    *TRAINED,
    *MEASURED,
    *NOTEBOOKS,
)
