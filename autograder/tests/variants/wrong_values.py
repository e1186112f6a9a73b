"""Wrong answers to question 4: other arrays, other forms, and unfinished attempts."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.tests.variants.variant import BUILT, NEVER_TRAINED, Variant, points, wrong

LOADED, *REPORTS = BUILT["q4"].splitlines()
HINT = "\nTry: read it off the array: .shape gives a shape, len() gives a length"
PAIR = "\nTry: load_data() returns two pairs; is this the right array of the right pair, before any reshaping?"
OTHER_SHAPE = f"\nExpected: (60000, 28, 28){PAIR}"
TUPLE = "\nExpected: a tuple of 3 whole numbers" + HINT
OTHER_ARRAY = "\nExpected: 60000\nTry: is this the right array of the right pair?"
NUMBER = "\nExpected: one whole number" + HINT


def values(name: str, earned: float, says: str, code: str, stops: Mapping[str, str] | None = None) -> Variant:
    """A wrong q4, on a model that is built and compiled, and never trained."""
    messages = {"q4": says, "q7": NEVER_TRAINED}
    return wrong(name, points(q4=earned, q7=0), messages, ("q7",), q4=code, stops=stops)


def one(name: str, variable: str, value: str, found: str, expected: str = "", before: str = "") -> Variant:
    """One report of the three is wrong: its value is the expression `value`, and a message reads `found`."""
    lines = [f"{variable} = {value}" if line.startswith(variable) else line for line in (LOADED, *REPORTS)]
    says = f"Found: `{variable}` {found}{expected or (NUMBER if variable.endswith('length') else TUPLE)}"
    return values(name, 4, says, before + "\n".join(lines))


def shape(name: str, value: str, found: str, expected: str = "", before: str = "") -> Variant:
    return one(name, "train_images_shape", value, found, expected, before)


def length(name: str, value: str, found: str, expected: str = "", before: str = "") -> Variant:
    return one(name, "train_labels_length", value, found, expected, before)


RAISES = """
class Stubborn:
    def __eq__(self, other): raise RuntimeError('no comparison')
    __hash__ = None
    def __getattr__(self, name): raise RuntimeError(f'no {name}')
    def __len__(self): raise RuntimeError('no length')
    def __repr__(self): raise RuntimeError('no text')
"""

WRONG_ARRAY: tuple[Variant, ...] = (
    values(
        "the test pair taken for the training pair",
        0,
        f"Found: `train_images_shape` is (10000, 28, 28)\nExpected: (60000, 28, 28){PAIR}",
        "\n".join(["(x_test, y_test), (x_train, y_train) = keras.datasets.mnist.load_data()", *REPORTS]),
    ),
    wrong(
        "the images of another dataset, which are of the same shape",
        points(q4=0, q7=0),
        {
            "q4": "Found: keras.datasets.fashion_mnist, the images of Fashion MNIST\nExpected: the images of MNIST",
            "q7": NEVER_TRAINED,
        },
        ("q4", "q7"),
        q4="\n".join([LOADED.replace("mnist", "fashion_mnist"), *REPORTS]),
    ),
    values(
        "the images laid out in rows before their shape was read",
        2,
        f"Found: `test_images_shape` is (10000, 784)\nExpected: (10000, 28, 28){PAIR}",
        "\n".join([LOADED, "x_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)", *REPORTS]),
    ),
    values(
        "an axis for the channel added before the shape was read",
        2,
        f"Found: `train_images_shape` is (60000, 28, 28, 1)\nExpected: (60000, 28, 28){PAIR}",
        "\n".join([LOADED, "x_train, x_test = x_train[..., None], x_test[..., None]", *REPORTS]),
    ),
    one(
        "the shape of the training images reported for the test images",
        "test_images_shape",
        "x_train.shape",
        "is (60000, 28, 28)",
        f"\nExpected: (10000, 28, 28){PAIR}",
    ),
    shape("the shape of the first image", "x_train[0].shape", "is (28, 28)", OTHER_SHAPE),
    shape("the shape of the labels", "y_train.shape", "is (60000,)", OTHER_SHAPE),
    shape("a shape with something that is no number", "(60000, 28, np.nan)", "is (60000, 28, None)", OTHER_SHAPE),
    length("the length of an image", "len(x_train[0])", "is 28", OTHER_ARRAY),
    length("the length of the test labels", "len(y_test)", "is 10000", OTHER_ARRAY),
    length("the first label", "y_train[0]", "is 5", OTHER_ARRAY),
)

WRONG_FORM: tuple[Variant, ...] = (
    shape("shape[0] where the shape is asked", "x_train.shape[0]", "is 60000"),
    length("the shape where the length is asked", "y_train.shape", "is (60000,)"),
    shape("the shape as text", "str(x_train.shape)", "is the text '(60000, 28, 28)'"),
    length("the length typed in quotes", "'60000'", "is the text '60000'"),
    shape("a tuple of texts", "('60000', '28', '28')", "is a value of type tuple of 3"),
    shape("the images themselves", "x_train", "is a value of type array of shape (60000, 28, 28)"),
    shape("both shapes in a list", "[x_train.shape, x_test.shape]", "is a value of type list of 2"),
    shape("the numbers of the shape in no order", "set(x_train.shape)", "is a value of type set"),
    length("a method, without the call", "y_train.__len__", "is a value of type method-wrapper"),
    length("a comparison in place of the length", "len(y_train) == 60000", "is True"),
    length("a complex number", "len(y_train) + 0j", "is a value of type complex"),
)

LEFT_OVER: tuple[Variant, ...] = (
    shape("None, as print returns", "print(x_train.shape)", "has not been given a value", HINT),
    length("the dots of one line left", "...", "has not been given a value", HINT),
    values(
        "two names misspelled",
        2,
        f"Found: `train_images_shape` has not been given a value{HINT}",
        BUILT["q4"].replace("train_images_shape", "train_image_shape").replace("test_images", "tests_images"),
    ),
    length("NaN", "float('nan')", "is infinite, not a number, or far too large", "\nExpected: 60000"),
    shape("an object that raises whatever one asks it", "Stubborn()", "is a value of type Stubborn", before=RAISES[1:]),
    shape(
        "a huge array that takes no memory yet",
        "np.zeros(2_000_000_000, 'uint8')",
        "is a value of type array of shape (2000000000,)",
    ),
    values(
        "an array that does not fit into the memory that a notebook may take",
        4,
        f"Found: `test_images_shape` has not been given a value{HINT}",
        "\n".join([LOADED, *REPORTS[:2], "test_images_shape = np.zeros(10 * 2**30, 'uint8')"]),
        {"q4": "stopped with MemoryError: Unable to allocate 10.0 GiB"},
    ),
    values(
        "the parentheses after load_data forgotten: the cell stops",
        0,
        f"Found: `train_labels_length` has not been given a value{HINT}",
        "\n".join([LOADED.replace("load_data()", "load_data"), *REPORTS]),
        {"q4": "stopped with TypeError: cannot unpack non-iterable function object"},
    ),
    values(
        "question 4 left as it was",
        0,
        f"Found: `test_images_shape` has not been given a value{HINT}",
        "# Load the data here.\ntrain_images_shape = ...\ntrain_labels_length = ...\ntest_images_shape = ...",
    ),
)

VALUES: tuple[Variant, ...] = (*WRONG_ARRAY, *WRONG_FORM, *LEFT_OVER)
