"""Wrong answers to question 7, and notebooks in which a whole question is blank or too late."""

from __future__ import annotations

from autograder.classroom import NOTHING, PROSE
from autograder.tests.variants.right_training import put
from autograder.tests.variants.variant import (
    BUILT,
    FIT,
    MEASURE,
    NEVER_TRAINED,
    RIGHT_ANSWERS,
    SCALE,
    Variant,
    points,
    trained,
    wrong,
)

__all__ = ["TRAINING"]

NUMBER = "\nExpected: one number, the accuracy on the test images\nTry: "
BOTH = f"{NUMBER}evaluate returns the loss and the accuracy"
SEVERAL = f"{NUMBER}evaluate returns several numbers: keep one of them"
OF_MODEL = "\nExpected: the accuracy of this model on the test images\nTry: "
IS_LOSS = f"{OF_MODEL}evaluate returns the loss first and the accuracy second; is this the loss?"
TOO_HIGH = f"{OF_MODEL}is this the accuracy on the training images, or "
TOO_LOW = f"{OF_MODEL}were the test images scaled exactly once, in the way the training images were?"
UNSCALED = (
    "Found: the model was trained on pixels from 0 to 255\nExpected: small inputs, for training and test alike\n"
    "Try: scale both sets of images before fit; what is the largest value a pixel can have?"
)
SCRAMBLED = "\nTry: does each label still stand at the place of its image? does the loss fall while fit runs?"
NO_VALUE = "Found: `train_images_shape` has not been given a value"
NO_ANSWER = (
    "Found: `model` has not been given a value\nExpected: a Keras model\nTry: replace the ... in the answer cell"
)
NO_MODEL = "Not checked: question q5 has to be answered first: there is no model yet"


def few(steps: str) -> str:
    """What is said of an accuracy after few steps of training, the number of digits that were right left out."""
    return (
        f" of hidden images right, after {steps} of training (a step is one batch)\nExpected: at least 80%\n"
        "Try: are all training images given to fit, and for enough epochs?"
    )


def untrained(name: str, shows: str, code: str, says: str = NEVER_TRAINED, stops: str = "") -> Variant:
    """Nothing has been learned, so that nothing else is looked at."""
    stopped = {"q7": stops} if stops else None
    return wrong(name, shows, points(q7=0), {"q7": says}, "q7", q7=code, stops=stopped)


def reached(name: str, shows: str, earned: float, says: str, code: str, q6: str = BUILT["q6"]) -> Variant:
    """Something has been learned; where a level above 80 % is not reached, the next one is not checked."""
    return wrong(name, shows, points(q7=earned), {"q7": says}, *(("q7",) if earned < 6 else ()), q6=q6, q7=code)


def reported(name: str, shows: str, says: str, measure: str) -> Variant:
    """The model is trained as it should be, and its accuracy is not what is reported."""
    return reached(name, shows, 7, says, trained(measure=measure))


LEARNED: tuple[Variant, ...] = (
    untrained("never-trained", "scaled and measured, never trained", trained(fit="")),
    untrained("no-epochs", "trained for no epoch", trained(fit=FIT.replace("epochs=2", "epochs=0"))),
    untrained("fit-not-called", "fit without parentheses", trained(fit="history = model.fit")),
    untrained(
        "a-copy-trained",
        "a copy of the model trained in place of the model",
        trained(
            fit="copy = keras.models.clone_model(model)\ncopy.compile('adam', 'sparse_categorical_crossentropy')\n"
            "history = copy.fit(x_train[:640], y_train[:640])",
        ),
    ),
    untrained(
        "built-anew-after-training",
        "the model built and compiled anew after it was trained",
        trained() + f"\n{BUILT['q5']}\n{BUILT['q6']}",
    ),
    untrained(
        "labels-misspelled",
        "a name mistyped in fit: the cell stops",
        trained(fit=FIT.replace("y_train", "y_trian")),
        stops="stopped with NameError: name 'y_trian' is not defined",
    ),
    untrained(
        "test-labels-for-training",
        "the labels of the other images given to fit: the cell stops",
        trained(fit=FIT.replace("y_train", "y_test")),
        stops="stopped with ValueError",
    ),
    untrained(
        "hard-coded-and-untrained",
        "an accuracy that was typed, and no training",
        f"{SCALE}\nhistory = None\ntest_accuracy = 0.9781",
    ),
    untrained(
        "predictions-hard-coded",
        "a predict and an evaluate of one's own that know the labels",
        f"{SCALE}\nmodel.predict = lambda x, **_: np.eye(10)[y_test[:len(x)]]\n"
        "model.evaluate = lambda *_, **__: (0.0, 1.0)\ntest_loss, test_accuracy = model.evaluate(x_test, y_test)",
    ),
    untrained(
        "labels-shuffled",
        "labels that do not stand at the place of their images any more",
        trained(
            fit="y_train = np.random.default_rng(7).permutation(y_train)\n"
            "history = model.fit(x_train[:20000], y_train[:20000], batch_size=512)"
        ),
        f" of hidden images right, as guessing gives, after 40 steps of training\nExpected: at least 80%{SCRAMBLED}",
    ),
    untrained(
        "images-reversed",
        "images turned round, labels not",
        trained(
            scale=f"{SCALE}\nx_train = x_train[::-1]",
            fit="history = model.fit(x_train[:20000], y_train[:20000], batch_size=512)",
        ),
        f" of hidden images right, as guessing gives, after 40 steps of training\nExpected: at least 80%{SCRAMBLED}",
    ),
    wrong(
        "hardly-any-step",
        "a learning rate at which nothing moves",
        points(q7=0),
        {"q7": " of hidden images right, as guessing gives, after 4 steps of training"},
        "q7",
        q6=BUILT["q6"].replace("0.005", "1e-9"),
        q7=trained(fit="history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"),
    ),
    wrong(
        "diverged",
        "a learning rate at which the parameters run off to infinity",
        points(q7=0),
        {"q7": "Found: a model that cannot be scored: some of its parameters are not numbers (NaN or infinite)"},
        "q7",
        q6=BUILT["q6"].replace("0.005", "1e30"),
        q7=trained(fit="history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"),
    ),
    wrong(
        "far-too-large-steps",
        "a learning rate of a billion",
        points(q7=0),
        {"q7": " of hidden images right, as guessing gives, after 4 steps of training"},
        "q7",
        q6=BUILT["q6"].replace("0.005", "1e9"),
        q7=trained(fit="history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"),
    ),
    reached(
        "a-hundred-images",
        "trained on the first hundred images",
        2,
        few("40 steps"),
        trained(fit="history = model.fit(x_train[:100], y_train[:100], epochs=10)"),
    ),
    reached(
        "five-digits",
        "trained on the digits 0 to 4 only",
        2,
        " of hidden images right, after 60 steps of training",
        trained(fit="few = y_train < 5\nhistory = model.fit(x_train[few], y_train[few], batch_size=512)"),
    ),
    reached(
        "unscaled",
        "pixels left as they are",
        4,
        UNSCALED,
        trained(scale="", fit="history = model.fit(x_train[:10000], y_train[:10000])"),
        q6=BUILT["q6"].replace("0.005", "0.001"),
    ),
    reached(
        "trained-on-the-test-images",
        "trained on the images that are for testing",
        6,
        " of your test images right, but 9",
        trained(fit="history = model.fit(x_test, y_test, batch_size=128, epochs=4)"),
    ),
    wrong(
        "pairs-swapped-and-trained",
        "the test pair taken for the training pair from question 4 on",
        points(q4=0, q7=6),
        {"q4": "Found: `train_images_shape` is (10000, 28, 28)", "q7": OF_MODEL},
        q4=BUILT["q4"].replace("(x_train, y_train), (x_test, y_test)", "(x_test, y_test), (x_train, y_train)"),
        q7=trained(fit="history = model.fit(x_train, y_train, batch_size=128, epochs=4)"),
    ),
)

REPORTED: tuple[Variant, ...] = (
    reported(
        "the-loss", "loss and accuracy mixed up", IS_LOSS, "test_accuracy, test_loss = model.evaluate(x_test, y_test)"
    ),
    reported(
        "all-that-evaluate-returns",
        "evaluate's list as it is",
        "Found: `test_accuracy` is (0.",
        "test_accuracy = model.evaluate(x_test, y_test)",
    ),
    reported(
        "a-dictionary",
        "evaluate's dictionary as it is",
        f"Found: `test_accuracy` is a value of type dict{SEVERAL}",
        "test_accuracy = model.evaluate(x_test, y_test, return_dict=True)",
    ),
    reported(
        "typed-too-high",
        "a number that was typed",
        "Found: `test_accuracy` is 0.9999, but the model gets 96.",
        "test_accuracy = 0.9999",
    ),
    reached(
        "on-training-images",
        "measured on the training images",
        7,
        TOO_HIGH,
        trained(
            fit=FIT.replace("epochs=2", "epochs=3"),
            measure="test_loss, test_accuracy = model.evaluate(x_train, y_train, batch_size=1000)",
        ),
    ),
    reached(
        "from-history",
        "the training accuracy of the last epoch",
        7,
        TOO_HIGH,
        trained(
            fit="history = model.fit(x_train[:30000], y_train[:30000], batch_size=256, epochs=5, verbose=0)",
            measure="test_accuracy = history.history['accuracy'][-1]",
        ),
    ),
    reported(
        "one-minus-the-loss",
        "one minus the loss",
        TOO_LOW,
        "test_loss, _ = model.evaluate(x_test, y_test)\ntest_accuracy = 1 - test_loss",
    ),
    reported("share-of-errors", "the share of wrong answers", IS_LOSS, MEASURE + "\ntest_accuracy = 1 - test_accuracy"),
    reported(
        "scaled-twice",
        "the test images scaled twice",
        "Found: `test_accuracy` is 0.",
        f"x_test = x_test / 255\n{MEASURE}",
    ),
    reported(
        "other-labels",
        "predictions beside the labels of other images",
        "Found: `test_accuracy` is 0.",
        "test_accuracy = np.mean(model.predict(x_test).argmax(-1) == y_test[::-1])",
    ),
    reported("never-measured", "no accuracy stored", f"Found: `test_accuracy` has not been given a value{BOTH}", ""),
    reported(
        "dots-for-the-accuracy",
        "the dots left",
        f"Found: `test_accuracy` has not been given a value{BOTH}",
        "test_accuracy = ...",
    ),
    reported(
        "accuracy-misspelled",
        "the accuracy under another name",
        f"Found: `test_accuracy` has not been given a value{BOTH}",
        MEASURE.replace("test_accuracy", "test_acuracy"),
    ),
    reported(
        "none-for-the-accuracy",
        "what print returns",
        f"Found: `test_accuracy` has not been given a value{BOTH}",
        "test_accuracy = print(model.evaluate(x_test, y_test)[1])",
    ),
    reported(
        "accuracy-as-text",
        "a text with a percent sign",
        "Found: `test_accuracy` is the text '96",
        MEASURE + "\ntest_accuracy = f'{test_accuracy:.1%}'",
    ),
    reported(
        "accuracy-is-true",
        "a comparison in place of the accuracy",
        f"Found: `test_accuracy` is True{BOTH}",
        MEASURE + "\ntest_accuracy = test_accuracy > 0.9",
    ),
    reported(
        "accuracy-is-nan",
        "not a number",
        f"Found: `test_accuracy` is infinite, not a number, or far too large{BOTH}",
        "test_accuracy = float('nan')",
    ),
    reported(
        "predictions-for-the-accuracy",
        "all predictions",
        "Found: `test_accuracy` is a value of type array of shape (10000, 10)",
        "test_accuracy = model.predict(x_test)",
    ),
    reported(
        "evaluate-not-called",
        "evaluate without parentheses",
        "Found: `test_accuracy` is a value of type ",
        "test_accuracy = model.evaluate",
    ),
    reported(
        "thousand-percent",
        "percent of percent",
        "Found: `test_accuracy` is 96",
        MEASURE + "\ntest_accuracy = 10_000 * test_accuracy",
    ),
)


def commented(question: str) -> str:
    return "\n".join(f"# {line}" for line in RIGHT_ANSWERS[question].splitlines())


def replaced(name: str, shows: str, code: str, says: str) -> Variant:
    """The model is something else when question 7 is checked."""
    return wrong(name, shows, points(q7=0), {"q7": says}, "q7", q7=code)


NOT_A_MODEL: tuple[Variant, ...] = (
    replaced(
        "model-is-its-history",
        "what fit returns kept as the model",
        f"{SCALE}\nmodel = model.fit(x_train[:640], y_train[:640])",
        "Found: `model` is a History\nExpected: a Keras model\nTry: fit returns a History; keep it under another name",
    ),
    replaced(
        "model-is-its-evaluation",
        "what evaluate returns kept as the model",
        f"{SCALE}\nmodel.fit(x_train[:640], y_train[:640])\nmodel = model.evaluate(x_test, y_test)",
        "Found: `model` is a list\nExpected: a Keras model",
    ),
    replaced("model-deleted", "the model deleted", "del model", "Found: there is no variable called `model`"),
)

BLANK: tuple[Variant, ...] = (
    wrong(
        "q4-blank",
        "question 4 left as it was: there is nothing to train on",
        points(q4=0, q7=0),
        {"q4": NO_VALUE, "q7": NEVER_TRAINED},
        "q7",
        q4=None,
        q7=trained(),
        stops={"q7": "stopped with NameError: name 'x_train' is not defined"},
    ),
    wrong("q7-blank", "question 7 left as it was", points(q7=0), {"q7": NEVER_TRAINED}, "q7"),
    wrong(
        "all-blank",
        "the template as it was handed out",
        NOTHING,
        {"q4": NO_VALUE, "q5": NO_ANSWER, "q6": NO_MODEL, "q7": NO_MODEL},
        "q5",
        "q6",
        "q7",
        q4=None,
        q5=None,
        q6=None,
    ),
    Variant(
        "prose-only",
        "only the written questions answered",
        PROSE,
        NOTHING,
        {"q4": NO_VALUE, "q5": NO_ANSWER, "q6": NO_MODEL, "q7": NO_MODEL},
        unchecked=("q5", "q6", "q7"),
    ),
    wrong(
        "code-in-comments",
        "right answers, all of them commented out",
        NOTHING,
        {"q4": NO_VALUE, "q5": "Found: there is no variable called `model`", "q6": NO_MODEL, "q7": NO_MODEL},
        "q5",
        "q6",
        "q7",
        q4=commented("q4"),
        q5=commented("q5"),
        q6=commented("q6"),
        q7=commented("q7"),
    ),
    wrong(
        "stops-in-the-middle",
        "the notebook exits in question 6",
        points(q6=0, q7=0),
        {"q6": "Found: `model` was never compiled", "q7": NEVER_TRAINED},
        "q6",
        "q7",
        q6=f"raise SystemExit\n{BUILT['q6']}",
        stops={"q6": "stopped with SystemExit"},
    ),
    wrong(
        "indented-wrongly",
        "a cell that Python cannot read",
        points(q4=0, q7=0),
        {"q4": NO_VALUE, "q7": NEVER_TRAINED},
        "q7",
        q4="  " + BUILT["q4"],
        stops={"q4": "stopped with IndentationError"},
    ),
    wrong(
        "model-built-anew-in-an-added-cell",
        "a cell after the training that builds the model anew, before its check",
        points(q7=0),
        {"q7": NEVER_TRAINED},
        "q7",
        q7=trained(fit="history = model.fit(x_train[:640], y_train[:640])"),
        edit=put("q7-answer", BUILT["q5"]),
    ),
)

TRAINING: tuple[Variant, ...] = (*LEARNED, *REPORTED, *NOT_A_MODEL, *BLANK)
