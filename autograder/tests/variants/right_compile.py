"""Right answers to question 6, in many spellings."""

from __future__ import annotations

from autograder.tests.variants.variant import FIT, MEASURE, ORDINARY_FIT, Variant, right, trained

WITHOUT_METRICS = "test_accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=-1) == y_test)"


def compiled(name: str, how: str, measure: str = MEASURE, fit: str = ORDINARY_FIT) -> Variant:
    return right(name, q6=how, q7=trained(fit=fit, measure=measure))


OPTIMIZERS: tuple[Variant, ...] = (
    compiled("'Adam'", "model.compile('Adam', 'sparse_categorical_crossentropy', None, ['accuracy'])"),
    compiled(
        "Adam()", "model.compile(keras.optimizers.Adam(), loss='sparse_categorical_crossentropy', metrics=['accuracy'])"
    ),
    compiled(
        "Adam with its own learning rate spelled out",
        "model.compile(keras.optimizers.Adam(1e-3), loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "tf.keras.optimizers.Adam, at twice the learning rate",
        "model.compile(tf.keras.optimizers.Adam(learning_rate=0.002), loss='sparse_categorical_crossentropy',\n"
        "              metrics=['accuracy'])",
    ),
    compiled(
        "Adam imported from tensorflow.keras.optimizers",
        "from tensorflow.keras.optimizers import Adam\n"
        "model.compile(optimizer=Adam(), loss='sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
    compiled(
        "a learning rate that falls",
        "rate = keras.optimizers.schedules.ExponentialDecay(0.005, decay_steps=1000, decay_rate=0.8)\n"
        "model.compile(keras.optimizers.Adam(rate), 'sparse_categorical_crossentropy', metrics=['accuracy'])",
        fit=FIT,
    ),
)

LOSSES: tuple[Variant, ...] = (
    compiled(
        "the loss as an object",
        "model.compile('adam', keras.losses.SparseCategoricalCrossentropy(), metrics=['accuracy'])",
    ),
    compiled(
        "from_logits=False spelled out",
        "model.compile('adam', tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False), metrics=['accuracy'])",
    ),
    compiled(
        "the loss as a function",
        "model.compile('adam', keras.losses.sparse_categorical_crossentropy, metrics=['accuracy'])",
    ),
    compiled(
        "the name of the class as text", "model.compile('adam', 'SparseCategoricalCrossentropy', metrics=['accuracy'])"
    ),
    compiled("a list of one loss", "model.compile('adam', ['sparse_categorical_crossentropy'], metrics=['accuracy'])"),
    compiled(
        "another optimizer tried first",
        "model.compile('sgd', 'mse')\nmodel.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])",
    ),
)

METRICS: tuple[Variant, ...] = (
    compiled("'acc'", "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])"),
    compiled(
        "the metric as an object",
        "model.compile('adam', 'sparse_categorical_crossentropy',\n"
        "              metrics=[keras.metrics.SparseCategoricalAccuracy()])",
    ),
    compiled(
        "'sparse_categorical_accuracy'",
        "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['sparse_categorical_accuracy'])",
    ),
    compiled(
        "a second metric, so that evaluate returns three numbers",
        "model.compile('adam', 'sparse_categorical_crossentropy',\n"
        "              metrics=['accuracy', keras.metrics.SparseTopKCategoricalAccuracy(3)])",
        "test_accuracy = model.evaluate(x_test, y_test, verbose=0)[1]",
    ),
    compiled(
        "no metrics; the accuracy is computed from the predictions",
        "model.compile('adam', 'sparse_categorical_crossentropy')",
        WITHOUT_METRICS,
    ),
)

COMPILED: tuple[Variant, ...] = (*OPTIMIZERS, *LOSSES, *METRICS)
