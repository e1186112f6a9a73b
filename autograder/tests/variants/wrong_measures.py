"""Wrong answers to question 7: the model is trained, and something else is stored as its accuracy."""

from __future__ import annotations

from autograder.tests.variants.variant import FIT, MEASURE, Variant, trained
from autograder.tests.variants.wrong_training import OF_MODEL, reached

NUMBER = "\nExpected: one number, the accuracy on the test images\nTry: "
BOTH = f"{NUMBER}evaluate returns the loss and the accuracy"
SEVERAL = f"{NUMBER}evaluate returns several numbers: keep one of them"
IS_LOSS = f"{OF_MODEL}is this the loss, which evaluate returns first? or were the test images scaled twice?"
TOO_HIGH = f"{OF_MODEL}is this the accuracy on the training images, or "
TOO_LOW = f"{OF_MODEL}were the test images scaled exactly once, in the way the training images were?"


def reported(name: str, says: str, measure: str) -> Variant:
    """The model is trained as it should be, and its accuracy is not what is reported."""
    return reached(name, 7, says, trained(measure=measure))


REPORTED: tuple[Variant, ...] = (
    reported("loss and accuracy mixed up", IS_LOSS, "test_accuracy, test_loss = model.evaluate(x_test, y_test)"),
    reported(
        "evaluate's list as it is", "Found: `test_accuracy` is (0.", "test_accuracy = model.evaluate(x_test, y_test)"
    ),
    reported(
        "evaluate's dictionary as it is",
        f"Found: `test_accuracy` is a value of type dict{SEVERAL}",
        "test_accuracy = model.evaluate(x_test, y_test, return_dict=True)",
    ),
    reported(
        "a number that was typed", "Found: `test_accuracy` is 0.9999, but the model gets 96.", "test_accuracy = 0.9999"
    ),
    reached(
        "measured on the training images",
        7,
        TOO_HIGH,
        trained(
            fit=FIT.replace("epochs=2", "epochs=3"),
            measure="test_loss, test_accuracy = model.evaluate(x_train, y_train, batch_size=1000)",
        ),
    ),
    reached(
        "the training accuracy of the last epoch",
        7,
        TOO_HIGH,
        trained(
            fit="history = model.fit(x_train[:30000], y_train[:30000], batch_size=256, epochs=5, verbose=0)",
            measure="test_accuracy = history.history['accuracy'][-1]",
        ),
    ),
    reported(
        "one minus the loss", TOO_LOW, "test_loss, _ = model.evaluate(x_test, y_test)\ntest_accuracy = 1 - test_loss"
    ),
    reported("the share of wrong answers", IS_LOSS, MEASURE + "\ntest_accuracy = 1 - test_accuracy"),
    reported("the test images scaled twice", "Found: `test_accuracy` is 0.", f"x_test = x_test / 255\n{MEASURE}"),
    reported(
        "predictions beside the labels of other images",
        "Found: `test_accuracy` is 0.",
        "test_accuracy = np.mean(model.predict(x_test).argmax(-1) == y_test[::-1])",
    ),
    reported("no accuracy stored", f"Found: `test_accuracy` has not been given a value{BOTH}", ""),
    reported("the dots left", f"Found: `test_accuracy` has not been given a value{BOTH}", "test_accuracy = ..."),
    reported(
        "what print returns",
        f"Found: `test_accuracy` has not been given a value{BOTH}",
        "test_accuracy = print(model.evaluate(x_test, y_test)[1])",
    ),
    reported(
        "a text with a percent sign",
        "Found: `test_accuracy` is the text '96",
        MEASURE + "\ntest_accuracy = f'{test_accuracy:.1%}'",
    ),
    reported(
        "a comparison in place of the accuracy",
        f"Found: `test_accuracy` is True{BOTH}",
        MEASURE + "\ntest_accuracy = test_accuracy > 0.9",
    ),
    reported(
        "not a number",
        f"Found: `test_accuracy` is infinite, not a number, or far too large{BOTH}",
        "test_accuracy = float('nan')",
    ),
    reported(
        "all predictions",
        "Found: `test_accuracy` is a value of type array of shape (10000, 10)",
        "test_accuracy = model.predict(x_test)",
    ),
    reported(
        "evaluate without parentheses", "Found: `test_accuracy` is a value of type ", "test_accuracy = model.evaluate"
    ),
)
