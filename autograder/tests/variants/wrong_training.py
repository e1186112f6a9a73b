"""Wrong answers to question 7: nothing learned, too little, or not what was asked."""

from __future__ import annotations

from autograder.authoring.bundled_class import COMPILE as ADAM
from autograder.tests.variants.variant import BUILT, FIT, NEVER_TRAINED, SCALE, Variant, points, trained, wrong

UNSCALED = (
    "Found: the model was trained on pixels from 0 to 255\nExpected: small inputs, for training and test alike\n"
    "Try: scale both sets of images before fit; what is the largest value a pixel can have?"
)

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
    untrained(
        "labels that no longer belong to their images",
        trained(
            fit="y_train = np.random.default_rng(7).permutation(y_train)\n"
            "history = model.fit(x_train[:20000], y_train[:20000], batch_size=512)"
        ),
        f" of hidden images right{GUESSED}, after 40 steps of training\nExpected: at least 80%{SCRAMBLED}",
    ),
    wrong(
        "a learning rate at which nothing moves",
        points(q7=0),
        {"q7": " of hidden images right, no better than guessing, after 4 steps of training"},
        ("q7",),
        q6=BUILT["q6"].replace("0.005", "1e-9"),
        q7=trained(fit="history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"),
    ),
    wrong(
        "a learning rate at which the parameters run off to infinity",
        points(q7=0),
        {"q7": "Found: a model that cannot be scored: some of its parameters are not numbers (NaN or infinite)"},
        ("q7",),
        q6=BUILT["q6"].replace("0.005", "1e30"),
        q7=trained(fit="history = model.fit(x_train[:2000], y_train[:2000], batch_size=512)"),
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
