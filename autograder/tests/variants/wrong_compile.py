"""Wrong answers to question 6: another optimizer, another loss, no compile at all."""

from __future__ import annotations

from autograder.tests.variants.variant import (
    BUILT,
    FIT,
    FLATTEN,
    HIDDEN,
    INPUT,
    NEVER_TRAINED,
    SCALE,
    Variant,
    chain,
    points,
    trained,
    wrong,
)

TRAINED = trained()
ONE_HOT = f"{SCALE}\ny_train, y_test = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_test)"
LOGITS = chain(INPUT, FLATTEN, HIDDEN, "keras.layers.Dense(10)")

ADAM = "\nExpected: adam\nTry: see the question's text"
OMITTED = "Found: the optimizer rmsprop\nExpected: adam\nTry: compile uses rmsprop when no optimizer is named"
WHOLE = "the labels here are whole numbers, not rows of ten zeros and ones"
DISTANCE = "that loss is for measuring distances, not for choosing among classes"
NO_COMPILE = "Found: `model` was never compiled\nExpected: a compiled model\nTry: call its compile method before fit"
LINEAR = (
    "Found: layer 3 has the activation linear\nExpected: another activation\n"
    "Try: what should come out of this layer: any positive number, or a probability?"
)


def untrained(name: str, says: str, code: str, *, stops: bool = False) -> Variant:
    """Half of q6 is wrong, and nothing has been trained, or could be: fit stops with an error."""
    train, stopped = (TRAINED, {"q7": "stopped with ValueError"}) if stops else (None, {})
    messages = {"q6": says, "q7": NEVER_TRAINED}
    return wrong(name, points(q6=2, q7=0), messages, ("q7",), stops=stopped, q6=code, q7=train)


def taught(name: str, says: str, code: str, train: str = TRAINED, q7: float = 8, also: str = "") -> Variant:
    """Half of q6 is wrong, and the model was trained with it all the same."""
    messages = {"q6": says, "q7": also} if also else {"q6": says}
    return wrong(name, points(q6=2, q7=q7), messages, ("q7",) if q7 < 7 else (), q6=code, q7=train)


def never(name: str, code: str | None, **stops: str) -> Variant:
    messages, stopped = {"q6": NO_COMPILE, "q7": NEVER_TRAINED}, {"q7": "stopped with ValueError", **stops}
    return wrong(name, points(q6=0, q7=0), messages, ("q6", "q7"), q6=code, q7=TRAINED, stops=stopped)


def compiled(optimizer: str = "keras.optimizers.Adam(0.005)", loss: str = "'sparse_categorical_crossentropy'") -> str:
    return f"model.compile({optimizer}, {loss}, metrics=['accuracy'])"


def other(loss: str, hint: str = "which loss fits ten classes with whole-number labels?") -> str:
    return f"Found: the loss {loss}\nExpected: sparse_categorical_crossentropy\nTry: {hint}"


UNNAMED = "model.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'])"
MY_LOSS = (
    "def my_loss(labels, outputs):\n    return keras.losses.sparse_categorical_crossentropy(labels, outputs)\n"
    + compiled(loss="my_loss")
)
ROWS_OF_TEN = other("categorical_crossentropy", WHOLE)
SQUARES = other("mean_squared_error", DISTANCE)
FROM_LOGITS = compiled(loss="keras.losses.SparseCategoricalCrossentropy(from_logits=True)")

OPTIMIZERS: tuple[Variant, ...] = (
    taught(
        "plain gradient descent, which is slower",
        f"Found: the optimizer sgd{ADAM}",
        compiled("'sgd'"),
        trained(fit="history = model.fit(x_train[:20000], y_train[:20000], epochs=1, verbose=0)"),
        q7=5,
        also=" of hidden images right\nExpected: at least 90%\nTry: are the pixels scaled",
    ),
    taught("rmsprop by name", OMITTED, compiled("keras.optimizers.RMSprop(0.002)")),
    taught("a relative of adam", f"Found: the optimizer adamw{ADAM}", compiled("keras.optimizers.AdamW(0.005)")),
    untrained("an older one", f"Found: the optimizer adagrad{ADAM}", compiled("tf.keras.optimizers.Adagrad()")),
    untrained("no optimizer named", OMITTED, UNNAMED),
    untrained("compiled rightly, and then without an optimizer", OMITTED, f"{BUILT['q6']}\n{UNNAMED}"),
    untrained(
        "a class of one's own that behaves as Adam does",
        f"Found: the optimizer custom mine{ADAM}",
        f"class Mine(keras.optimizers.Adam):\n    pass\n{compiled('Mine()')}",
    ),
)

LOSSES: tuple[Variant, ...] = (
    taught(
        "labels as rows of ten, and the loss for those",
        ROWS_OF_TEN,
        compiled(loss="'categorical_crossentropy'"),
        trained(scale=ONE_HOT),
    ),
    untrained(
        "the loss for rows of ten, with labels that are whole numbers: fit stops with an error",
        ROWS_OF_TEN,
        compiled(loss="keras.losses.CategoricalCrossentropy()"),
        stops=True,
    ),
    taught("mse, on rows of ten", SQUARES, compiled(loss="'mse'"), trained(scale=ONE_HOT)),
    untrained("mse as an object, on whole numbers", SQUARES, compiled(loss="keras.losses.MeanSquaredError()")),
    untrained(
        "the loss for two classes, with labels that are whole numbers",
        other("binary_crossentropy"),
        compiled(loss="keras.losses.binary_crossentropy"),
    ),
    untrained("a distance by its name", other("mean_absolute_error"), compiled(loss="'mean_absolute_error'")),
    taught("a function of one's own that calls the right loss", other("custom my_loss"), MY_LOSS),
    untrained("a lambda", other("custom <lambda>"), compiled(loss="lambda labels, outputs: 0.0 * outputs")),
    untrained(
        "a letter wrong in the name of the loss: fit stops with an error",
        other("sparse_categorical_crosentropy"),
        compiled(loss="'sparse_categorical_crosentropy'"),
        stops=True,
    ),
    untrained(
        "no loss: fit stops with an error",
        "Found: no loss was given to compile\nExpected: a loss\nTry: without one, nothing tells fit what to improve",
        "model.compile(keras.optimizers.Adam(0.005), metrics=['accuracy'])",
        stops=True,
    ),
    untrained(
        "from_logits=True after a softmax",
        "Found: from_logits=True, on a model that ends in softmax\n"
        "Expected: a loss that expects probabilities\n"
        "Try: softmax already turns the outputs into probabilities; leave from_logits out",
        FROM_LOGITS,
    ),
    wrong(
        "no softmax, and a loss that is told so: the optimizer and the loss are right, and so is what is learned",
        points(q5=5),
        {"q5": LINEAR},
        q5=LOGITS,
        q6=FROM_LOGITS,
        q7=TRAINED,
    ),
    wrong("no softmax for the loss", points(q5=5, q7=0), {"q5": LINEAR, "q7": NEVER_TRAINED}, ("q7",), q5=LOGITS),
    wrong(
        "two mistakes in one call",
        points(q6=0, q7=0),
        {"q6": f"Found: the optimizer sgd{ADAM}", "q7": NEVER_TRAINED},
        ("q7",),
        q6="model.compile('sgd', 'mse')",
    ),
)

NEVER: tuple[Variant, ...] = (
    never("question 6 left as it was", None),
    never("compile without parentheses", "model.compile"),
    never("a name mistyped: the cell stops", BUILT["q6"].replace("model.", "modell."), q6="stopped with NameError"),
    never(
        "an optimizer that does not exist: the cell stops",
        "model.compile('adm', 'sparse_categorical_crossentropy')",
        q6="stopped with ValueError",
    ),
    never(
        "a copy compiled in place of the model",
        "copy = keras.models.clone_model(model)\n" + BUILT["q6"].replace("model.compile", "copy.compile"),
    ),
    wrong(
        "what compile returns kept as the model: nothing",
        points(q6=0, q7=0),
        {"q6": "Found: `model` is a NoneType\nExpected: a Keras model", "q7": "Found: `model` is a NoneType"},
        ("q6", "q7"),
        q6=f"model = {BUILT['q6']}",
        q7=f"{SCALE}\n{FIT}",
        stops={"q7": "stopped with AttributeError"},
    ),
)

COMPILED: tuple[Variant, ...] = (*OPTIMIZERS, *LOSSES, *NEVER)
