"""Wrong answers to question 7: nothing learned, too little, not what was asked, or not the accuracy of the model."""

from __future__ import annotations

from autograder.authoring.bundled_class import COMPILE as ADAM
from autograder.tests.variants.variant import BUILT, FIT, MEASURE, NEVER_TRAINED, SCALE, Variant, points, trained, wrong

UNSCALED = (
    "Found: the model was trained on pixels from 0 to 255\nExpected: small inputs, for training and test alike\n"
    "Try: scale both sets of images before fit; what is the largest value a pixel can have?"
)

SHORT = "history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"
GUESSED = ", no better than guessing"
SCRAMBLED = "\nTry: does each label still belong to its image? does the loss fall while fit runs?"

OF_MODEL = "\nExpected: the accuracy of this model on the test images\nTry: "


def few(steps: str) -> str:
    """The message about the accuracy after few steps of training, without the accuracy itself."""
    return (
        f" of hidden images right, after {steps} of training (a step is one batch)\nExpected: at least 80%\n"
        "Try: are all training images given to fit, and for enough epochs?"
    )


def untrained(name: str, code: str, says: str = NEVER_TRAINED, stops: str = "") -> Variant:
    """A model that has learned nothing; nothing else is checked."""
    stopped = {"q7": stops} if stops else None
    return wrong(name, points(q7=0), {"q7": says}, ("q7",), q7=code, stops=stopped)


def reached(name: str, earned: float, says: str, code: str, q6: str = BUILT["q6"]) -> Variant:
    """A model that has learned something; if it misses a level above 80 %, the next one is not checked."""
    unchecked = ("q7",) if earned < 6 else ()
    return wrong(name, points(q7=earned), {"q7": says}, unchecked, q6=q6, q7=code)


def useless(name: str, fit: str, says: str, rate: str = "0.005") -> Variant:
    """A model that learns nothing from its training, with this learning rate."""
    code = trained(fit=fit)
    return wrong(name, points(q7=0), {"q7": says}, ("q7",), q6=BUILT["q6"].replace("0.005", rate), q7=code)


LEARNED: tuple[Variant, ...] = (
    untrained("scaled and measured, never trained", trained(fit="")),
    untrained("trained for no epoch", trained(fit=FIT.replace("epochs=2", "epochs=0"))),
    untrained("fit without parentheses", trained(fit="history = model.fit")),
    untrained(
        "a copy of the model trained in place of the model",
        trained(
            fit="copy = keras.models.clone_model(model)\ncopy.compile('adam', 'sparse_categorical_crossentropy')\n"
            "history = copy.fit(x_train[:640], y_train[:640])"
        ),
    ),
    untrained("the model built and compiled anew after it was trained", trained() + f"\n{BUILT['q5']}\n{BUILT['q6']}"),
    untrained(
        "a name mistyped in fit: the cell stops",
        trained(fit=FIT.replace("y_train", "y_trian")),
        stops="stopped with NameError: name 'y_trian' is not defined",
    ),
    untrained(
        "the labels of the other images given to fit: the cell stops",
        trained(fit=FIT.replace("y_train", "y_test")),
        stops="stopped with ValueError",
    ),
    untrained("an accuracy that was typed, and no training", f"{SCALE}\nhistory = None\ntest_accuracy = 0.9781"),
    untrained(
        "a predict and an evaluate of one's own that know the labels",
        f"{SCALE}\nmodel.predict = lambda x, **_: np.eye(10)[y_test[:len(x)]]\n"
        "model.evaluate = lambda *_, **__: (0.0, 1.0)\ntest_loss, test_accuracy = model.evaluate(x_test, y_test)",
    ),
    useless(
        "labels that no longer belong to their images",
        "y_train = np.random.default_rng(7).permutation(y_train)\n"
        "history = model.fit(x_train[:20000], y_train[:20000], batch_size=512)",
        f" of hidden images right{GUESSED}, after 40 steps of training\nExpected: at least 80%{SCRAMBLED}",
    ),
    useless(
        "a learning rate at which nothing moves",
        SHORT,
        f" of hidden images right{GUESSED}, after 4 steps of training",
        "1e-9",
    ),
    useless(
        "a learning rate at which the parameters run off to infinity",
        SHORT,
        "Found: a model that cannot be scored: some of its parameters are not numbers (NaN or infinite)",
        "1e30",
    ),
    reached(
        "trained on the first hundred images",
        2,
        few("40 steps"),
        trained(fit="history = model.fit(x_train[:100], y_train[:100], epochs=10)"),
        q6=ADAM,
    ),
    reached(
        "trained on the digits 0 to 4 only",
        2,
        " of hidden images right, after 60 steps of training",
        trained(fit="few = y_train < 5\nhistory = model.fit(x_train[few], y_train[few], batch_size=512)"),
    ),
    reached(
        "pixels left as they are",
        6,
        UNSCALED,
        trained(scale="", fit="history = model.fit(x_train, y_train, batch_size=128, epochs=2)"),
        q6=ADAM,
    ),
    reached(
        "pixels left as they are, and few of the images; after 313 steps nobody can tell the first from the model",
        5,
        "after 313 steps of training (a step is one batch)",
        trained(scale="", fit="history = model.fit(x_train[:10000], y_train[:10000])"),
        q6=ADAM,
    ),
    reached(
        "trained on the images that are for testing",
        6,
        " of your test images right, but 9",
        trained(fit="history = model.fit(x_test, y_test, batch_size=128, epochs=4)"),
    ),
    wrong(
        "the test pair taken for the training pair from question 4 on",
        points(q4=0, q7=6),
        {"q4": "Found: `train_images_shape` is (10000, 28, 28)", "q7": OF_MODEL},
        q4=BUILT["q4"].replace("(x_train, y_train), (x_test, y_test)", "(x_test, y_test), (x_train, y_train)"),
        q7=trained(fit="history = model.fit(x_train, y_train, batch_size=128, epochs=4)"),
    ),
)

NUMBER = "\nExpected: one number, the accuracy on the test images\nTry: "
BOTH = f"{NUMBER}evaluate returns the loss and the accuracy"
SEVERAL = f"{NUMBER}evaluate returns several numbers: keep one of them"
IS_LOSS = f"{OF_MODEL}is this the loss, which evaluate returns first? or were the test images scaled twice?"
TOO_HIGH = f"{OF_MODEL}is this the accuracy on the training images, or "
TOO_LOW = f"{OF_MODEL}were the test images scaled exactly once, in the way the training images were?"


def reported(name: str, says: str, measure: str, fit: str = FIT) -> Variant:
    """The model is trained, and its accuracy is not what is reported."""
    return reached(name, 7, says, trained(measure=measure, fit=fit))


def unfit(name: str, found: str, measure: str) -> Variant:
    """The report is not even a number."""
    return reported(name, f"Found: `test_accuracy` {found}", measure)


REPORTED: tuple[Variant, ...] = (
    reported("loss and accuracy mixed up", IS_LOSS, "test_accuracy, test_loss = model.evaluate(x_test, y_test)"),
    unfit("evaluate's list as it is", "is (0.", "test_accuracy = model.evaluate(x_test, y_test)"),
    unfit(
        "evaluate's dictionary as it is",
        f"is a value of type dict{SEVERAL}",
        "test_accuracy = model.evaluate(x_test, y_test, return_dict=True)",
    ),
    unfit("a number that was typed", "is 0.9999, but the model gets 96.", "test_accuracy = 0.9999"),
    reported(
        "measured on the training images",
        TOO_HIGH,
        "test_loss, test_accuracy = model.evaluate(x_train, y_train, batch_size=1000)",
        FIT.replace("epochs=2", "epochs=3"),
    ),
    reported(
        "the training accuracy of the last epoch",
        TOO_HIGH,
        "test_accuracy = history.history['accuracy'][-1]",
        "history = model.fit(x_train[:30000], y_train[:30000], batch_size=256, epochs=5, verbose=0)",
    ),
    reported(
        "one minus the loss", TOO_LOW, "test_loss, _ = model.evaluate(x_test, y_test)\ntest_accuracy = 1 - test_loss"
    ),
    reported("the share of wrong answers", IS_LOSS, MEASURE + "\ntest_accuracy = 1 - test_accuracy"),
    unfit("the test images scaled twice", "is 0.", f"x_test = x_test / 255\n{MEASURE}"),
    unfit(
        "predictions beside the labels of other images",
        "is 0.",
        "test_accuracy = np.mean(model.predict(x_test).argmax(-1) == y_test[::-1])",
    ),
    unfit("no accuracy stored", f"has not been given a value{BOTH}", ""),
    unfit("the dots left", f"has not been given a value{BOTH}", "test_accuracy = ..."),
    unfit(
        "what print returns",
        f"has not been given a value{BOTH}",
        "test_accuracy = print(model.evaluate(x_test, y_test)[1])",
    ),
    unfit("a text with a percent sign", "is the text '96", MEASURE + "\ntest_accuracy = f'{test_accuracy:.1%}'"),
    unfit("a comparison instead", f"is True{BOTH}", MEASURE + "\ntest_accuracy = test_accuracy > 0.9"),
    unfit("not a number", f"is infinite, not a number, or far too large{BOTH}", "test_accuracy = float('nan')"),
    unfit("all predictions", "is a value of type array of shape (10000, 10)", "test_accuracy = model.predict(x_test)"),
    unfit("evaluate without parentheses", "is a value of type ", "test_accuracy = model.evaluate"),
)
