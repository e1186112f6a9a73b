"""Right answers to questions 4 to 6, in many spellings."""

from __future__ import annotations

from autograder.tests.variants.variant import (
    FIT,
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

PLAIN = right("the answers that all others differ from")

LOADED = "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
SHAPE, LENGTH, TEST = "x_train.shape", "len(y_train)", "x_test.shape"


def data(name: str, train: str = SHAPE, length: str = LENGTH, test: str = TEST, load: str = LOADED) -> Variant:
    """The three reports, each given by an expression."""
    reports = f"train_images_shape = {train}\ntrain_labels_length = {length}\ntest_images_shape = {test}"
    return right(name, q4=load + reports)


DATA: tuple[Variant, ...] = (
    data("shapes as lists, the length by shape[0]", "list(x_train.shape)", "y_train.shape[0]", "[*x_test.shape]"),
    data(
        "shapes as NumPy arrays, the length as a NumPy integer",
        "np.array(x_train.shape)",
        "np.int64(len(y_train))",
        "np.asarray(np.shape(x_test), dtype=np.int32)",
    ),
    data("what tf.shape and tf.size return", "tf.shape(x_train)", "tf.size(y_train)", "tf.constant(x_test.shape)"),
    data(
        "the shape of a tensor, the length by size",
        "tf.convert_to_tensor(x_train).shape",
        "y_train.size",
        "tf.TensorShape(x_test.shape)",
    ),
    data("as many labels as images, counted on the images", "np.shape(x_train)", "len(x_train)"),
    data(
        "a tuple put together, a length counted in a loop",
        "(len(x_train), len(x_train[0]), len(x_train[0][0]))",
        "sum(1 for _ in y_train)",
        "tuple(x_test.shape)",
    ),
    data("the length as 60000.0, as a division gives it", length="x_train.size / 784"),
    data(
        "the module mnist imported by itself",
        load="from tensorflow.keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()\n",
    ),
    data(
        "what load_data returns kept whole at first",
        load="train, test = keras.datasets.mnist.load_data()\nx_train, y_train = train\nx_test, y_test = test\n",
    ),
    right(
        "images and labels under other names; those of the three reports are as asked",
        q4="(train_images, train_labels), (X_test, Y_test) = keras.datasets.mnist.load_data()\n"
        "train_images_shape = train_images.shape\ntrain_labels_length = len(train_labels)\n"
        "test_images_shape = X_test.shape",
        q7="history = model.fit(train_images / 255, train_labels, batch_size=128, epochs=3, verbose=0)\n"
        "test_accuracy = model.evaluate(X_test / 255, Y_test, verbose=0)[1]",
    ),
)

LINEAR = "keras.layers.Dense(128)"
LINEAR_OUTPUT = "keras.layers.Dense(10)"


def given(name: str, *first: str) -> Variant:
    """The input and Flatten in some spelling."""
    return right(name, q5=chain(*first, HIDDEN, OUTPUT))


def hidden(name: str, *listed: str) -> Variant:
    return right(name, q5=chain(INPUT, FLATTEN, *listed, OUTPUT))


def output(name: str, *listed: str) -> Variant:
    return right(name, q5=chain(INPUT, FLATTEN, HIDDEN, *listed))


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
    given("input_shape in Flatten", "keras.layers.Flatten(input_shape=(28, 28))"),
    given("input_shape is the shape of the first image", "keras.layers.Flatten(input_shape=x_train[0].shape)"),
    given("the shape without its first number", "keras.Input(x_train.shape[1:])", FLATTEN),
    given("an InputLayer", "keras.layers.InputLayer(shape=(28, 28))", FLATTEN),
    given("an InputLayer by its former setting", "keras.layers.InputLayer(input_shape=(28, 28))", FLATTEN),
    given("Reshape to a row", INPUT, "keras.layers.Reshape((784,))"),
    given("Reshape to a row of whatever length", INPUT, "keras.layers.Reshape((-1,))"),
    given("no input shape: fit builds the model", FLATTEN),
    right(
        "no input shape: build is called",
        q5=chain(FLATTEN, HIDDEN, OUTPUT) + "\nmodel.build((None, 28, 28))\nmodel.summary()",
    ),
    right(
        "names for the model and its layers",
        q5=chain(
            INPUT,
            "keras.layers.Flatten(name='pixels')",
            "keras.layers.Dense(128, activation='relu', name='hidden')",
            "keras.layers.Dense(10, activation='softmax', name='digits')",
        ),
    ),
    hidden(
        "another start for the weights, and a regulariser",
        "keras.layers.Dense(128, 'relu', kernel_initializer='he_normal', bias_regularizer=keras.regularizers.l2(1e-6))",
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

WITHOUT_METRICS = "test_accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=-1) == y_test)"
SPARSE = "'sparse_categorical_crossentropy'"


def compiled(name: str, arguments: str, before: str = "", measure: str = MEASURE, fit: str = ORDINARY_FIT) -> Variant:
    """compile with these arguments, after the code `before`."""
    return right(name, q6=f"{before}model.compile({arguments})", q7=trained(fit=fit, measure=measure))


def optimizer(name: str, argument: str, before: str = "", fit: str = ORDINARY_FIT) -> Variant:
    return compiled(name, f"{argument}, loss={SPARSE}, metrics=['accuracy']", before, fit=fit)


def loss(name: str, argument: str) -> Variant:
    return compiled(name, f"'adam', {argument}, metrics=['accuracy']")


def metrics(name: str, argument: str, measure: str = MEASURE) -> Variant:
    return compiled(name, f"'adam', {SPARSE}{argument}", measure=measure)


COMPILED: tuple[Variant, ...] = (
    compiled("'Adam'", f"'Adam', {SPARSE}, None, ['accuracy']"),
    optimizer("Adam()", "keras.optimizers.Adam()"),
    optimizer("Adam with its own learning rate spelled out", "keras.optimizers.Adam(1e-3)"),
    optimizer("tf.keras.optimizers.Adam, at twice the rate", "tf.keras.optimizers.Adam(learning_rate=0.002)"),
    optimizer("Adam imported", "optimizer=Adam()", "from tensorflow.keras.optimizers import Adam\n"),
    optimizer(
        "a learning rate that falls",
        "keras.optimizers.Adam(rate)",
        "rate = keras.optimizers.schedules.ExponentialDecay(0.005, decay_steps=1000, decay_rate=0.8)\n",
        FIT,
    ),
    loss("the loss as an object", "keras.losses.SparseCategoricalCrossentropy()"),
    loss("from_logits=False spelled out", "tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False)"),
    loss("the loss as a function", "keras.losses.sparse_categorical_crossentropy"),
    loss("the name of the class as text", "'SparseCategoricalCrossentropy'"),
    loss("a list of one loss", f"[{SPARSE}]"),
    compiled(
        "another optimizer tried first", f"'adam', {SPARSE}, metrics=['accuracy']", "model.compile('sgd', 'mse')\n"
    ),
    metrics("'acc'", ", metrics=['acc']"),
    metrics("the metric as an object", ", metrics=[keras.metrics.SparseCategoricalAccuracy()]"),
    metrics("'sparse_categorical_accuracy'", ", metrics=['sparse_categorical_accuracy']"),
    metrics(
        "a second metric, so that evaluate returns three numbers",
        ", metrics=['accuracy', keras.metrics.SparseTopKCategoricalAccuracy(3)]",
        "test_accuracy = model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    metrics("no metrics; the accuracy is computed from the predictions", "", WITHOUT_METRICS),
)

SPELLINGS: tuple[Variant, ...] = (PLAIN, *DATA, *ACTIVATIONS, *INPUTS, *MODELS, *COMPILED)
