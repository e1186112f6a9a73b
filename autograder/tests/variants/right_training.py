"""Right answers to question 7: scaled, trained and measured in many ways."""

from __future__ import annotations

from autograder.authoring.bundled_class import COMPILE as ADAM
from autograder.tests.variants.variant import (
    BUILT,
    COMPILE,
    FIT,
    FLATTEN,
    HIDDEN,
    INPUT,
    MEASURE,
    OUTPUT,
    SCALE,
    Variant,
    chain,
    right,
    trained,
)

PATIENT = "history = model.fit(x_train, y_train, batch_size=64, epochs=4, verbose=0)"
"""For pixels on both sides of zero, at which large steps do harm."""

LONGER = FIT.replace("epochs=2", "epochs=3")


UNSEEDED = BUILT["q5"].partition("\n")[2]


def scaled(name: str, scale: str, q4: str = BUILT["q4"], q5: str = BUILT["q5"]) -> Variant:
    return right(name, q4=q4, q5=q5, q7=trained(scale=scale, fit=LONGER))


def shaped(name: str, change: str, image: str = "28, 28") -> Variant:
    """Images or labels in another form, made after scaling."""
    return scaled(name, f"{SCALE}\n{change}", q5=chain(f"keras.Input(({image}))", FLATTEN, HIDDEN, OUTPUT))


def fitted(name: str, fit: str, q6: str = BUILT["q6"]) -> Variant:
    return right(name, q6=q6, q7=trained(fit=fit.strip()))


def measured(name: str, measure: str) -> Variant:
    return right(name, q7=trained(measure=measure))


def rescaling(name: str, *layers: str) -> Variant:
    return right(name, q5=chain(*layers), q7=trained(scale=""))


SCALED: tuple[Variant, ...] = (
    scaled("/ 255", "x_train = x_train / 255\nx_test = x_test / 255"),
    scaled("/ 256", "x_train, x_test = x_train / 256, x_test / 256"),
    scaled("/ x.max()", "x_train, x_test = x_train / x_train.max(), x_test / x_test.max()"),
    scaled(
        "float32 first, then /=",
        "x_train, x_test = x_train.astype('float32'), x_test.astype('float32')\nx_train /= 255\nx_test /= 255",
    ),
    scaled("float16", "x_train, x_test = (x_train / 255).astype('float16'), (x_test / 255).astype('float16')"),
    scaled("tf.cast", "x_train, x_test = tf.cast(x_train, tf.float32) / 255.0, tf.cast(x_test, tf.float32) / 255.0"),
    scaled(
        "mean 0 and standard deviation 1, both from the training images",
        "mean, std = x_train.mean(), x_train.std()\nx_train, x_test = (x_train - mean) / std, (x_test - mean) / std",
    ),
    right(
        "from -1 to 1",
        q6=ADAM,
        q7=trained(scale="x_train, x_test = x_train / 127.5 - 1, x_test / 127.5 - 1", fit=PATIENT),
    ),
    scaled(
        "keras.utils.normalize over axis 1, as a well-known tutorial has it",
        "x_train, x_test = keras.utils.normalize(x_train, axis=1), keras.utils.normalize(x_test, axis=1)",
    ),
    shaped("labels as int32 tensors", "y_train, y_test = tf.cast(y_train, tf.int32), tf.cast(y_test, tf.int32)"),
    shaped("labels as whole float32", "y_train, y_test = y_train.astype('float32'), y_test.astype('float32')"),
    shaped("labels of shape (n, 1)", "y_train, y_test = y_train.reshape(-1, 1), y_test.reshape(-1, 1)"),
    shaped(
        "images with an axis for the one channel",
        "x_train, x_test = x_train[..., np.newaxis], np.expand_dims(x_test, -1)",
        "28, 28, 1",
    ),
    # The question asks for the three layers and the shape of the inputs, and both are told: Flatten has nothing to do
    # here, but it is there.
    shaped(
        "images laid out in a row by hand; the Flatten layer is there all the same",
        "x_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)",
        "784,",
    ),
    scaled("scaled in question 4, after the shapes were read", "", q4=BUILT["q4"] + "\n" + SCALE),
    rescaling("a Rescaling layer in front", INPUT, "keras.layers.Rescaling(1 / 255)", FLATTEN, HIDDEN, OUTPUT),
    rescaling("a Rescaling layer after Flatten", INPUT, FLATTEN, "keras.layers.Rescaling(1.0 / 255)", HIDDEN, OUTPUT),
    right(
        "a Rescaling layer to -1 to 1 that takes the input shape",
        q5=chain("keras.layers.Rescaling(1 / 127.5, offset=-1, input_shape=(28, 28))", FLATTEN, HIDDEN, OUTPUT),
        q6=ADAM,
        q7=trained(scale="", fit=PATIENT),
    ),
)

TRAINED: tuple[Variant, ...] = (
    fitted("one epoch in batches of 16", FIT.replace("512, epochs=2", "16, epochs=1"), q6=ADAM),
    fitted("two epochs in batches of the usual size", "history = model.fit(x_train, y_train, epochs=2)", q6=ADAM),
    fitted("two epochs in batches of 64", "history = model.fit(x_train, y_train, 64, 2, verbose=0)", q6=ADAM),
    fitted("fit called twice", "\n".join(["history = model.fit(x_train, y_train, batch_size=512, epochs=1)"] * 2)),
    fitted("validation_split", FIT.replace("epochs=2", "epochs=4, validation_split=0.1")),
    fitted("validation_data", FIT.replace("epochs=2", "epochs=2, validation_data=(x_test, y_test)")),
    fitted(
        "EarlyStopping",
        "stop = keras.callbacks.EarlyStopping(monitor='val_loss', patience=1, restore_best_weights=True)\n"
        + FIT.replace("epochs=2", "epochs=5, validation_split=0.05, callbacks=[stop]"),
    ),
    fitted(
        "a tf.data pipeline",
        "pairs = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(10_000).batch(128).prefetch(2)\n"
        "history = model.fit(pairs, epochs=2, verbose=0)",
    ),
    fitted(
        "train_on_batch in a loop; there is no history to keep",
        """
for epoch in range(2):
    order = np.random.permutation(len(x_train))
    for at in range(0, len(order), 512):
        model.train_on_batch(x_train[order[at:at + 512]], y_train[order[at:at + 512]])
history = None
""",
    ),
    fitted("what fit returns is not kept", FIT.removeprefix("history = ")),
    fitted("shuffle=False; the images come in no order anyway", FIT.replace("verbose=0", "verbose=0, shuffle=False")),
    fitted(
        "the model saved and loaded after training",
        FIT + "\nmodel.save('mine.keras')\nmodel = keras.models.load_model('mine.keras')",
    ),
    fitted("compiled once more after training", FIT + "\n" + COMPILE),
    fitted(
        "compiled once more after training, without an optimizer: question 6 was checked before",
        FIT + "\nmodel.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    right("no seed", q5=UNSEEDED),
    right("NumPy's and TensorFlow's seeds", q5=f"np.random.seed(1)\ntf.random.set_seed(1)\n{UNSEEDED}"),
)

MEASURED: tuple[Variant, ...] = (
    measured("evaluate's dictionary", "test_accuracy = model.evaluate(x_test, y_test, return_dict=True)['accuracy']"),
    measured("float() of the second number", "test_accuracy = float(model.evaluate(x_test, y_test, verbose=0)[1])"),
    measured(
        "predictions compared with the labels",
        "predictions = model.predict(x_test)\ntest_accuracy = np.mean(predictions.argmax(-1) == y_test)",
    ),
    measured(
        "a metric asked by hand, its result a tensor",
        "metric = keras.metrics.SparseCategoricalAccuracy()\nmetric.update_state(y_test, model(x_test))\n"
        "test_accuracy = metric.result()",
    ),
    measured("97.3 instead of 0.973", MEASURE + "\ntest_accuracy = round(100 * test_accuracy, 1)"),
    measured("97 instead of 0.973", MEASURE + "\ntest_accuracy = round(100 * test_accuracy)"),
    measured("rounded to two places", MEASURE + "\ntest_accuracy = round(test_accuracy, 2)"),
    measured("a NumPy number", MEASURE + "\ntest_accuracy = np.float32(test_accuracy)"),
    measured(
        "evaluate on a tf.data pipeline",
        "pairs = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(500)\n"
        "test_loss, test_accuracy = model.evaluate(pairs, verbose=0)",
    ),
)

TRAINING: tuple[Variant, ...] = (*SCALED, *TRAINED, *MEASURED)
