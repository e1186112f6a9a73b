"""Right answers to question 4, in many spellings."""

from __future__ import annotations

from autograder.tests.variants.variant import Variant, right

LOADED = "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\n"


def data(name: str, train: str, length: str, test: str, load: str = LOADED) -> Variant:
    """The three reports, each given by an expression."""
    return right(
        name, q4=f"{load}train_images_shape = {train}\ntrain_labels_length = {length}\ntest_images_shape = {test}"
    )


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
    data("as many labels as images, counted on the images", "np.shape(x_train)", "len(x_train)", "x_test.shape"),
    data(
        "a tuple put together, a length counted in a loop",
        "(len(x_train), len(x_train[0]), len(x_train[0][0]))",
        "sum(1 for _ in y_train)",
        "tuple(x_test.shape)",
    ),
    data("the length as 60000.0, as a division gives it", "x_train.shape", "x_train.size / 784", "x_test.shape"),
    data(
        "the module mnist imported by itself",
        "x_train.shape",
        "len(y_train)",
        "x_test.shape",
        "from tensorflow.keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()\n",
    ),
    data(
        "what load_data returns kept whole at first",
        "x_train.shape",
        "len(y_train)",
        "x_test.shape",
        "train, test = keras.datasets.mnist.load_data()\nx_train, y_train = train\nx_test, y_test = test\n",
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
