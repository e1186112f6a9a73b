"""A model comes back from its evidence exactly, or not at all, and nothing hostile costs memory or time."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.errors import GraderFault
from autograder.judge.evidence import Float32, Model, live
from autograder.judge.rebuild import ACTIVATIONS, CannotRebuild, _fill, outputs, rebuild
from autograder.tests.journals import CLASSIC, FLATTEN, RULES, Chain, Layer, dense, model
from autograder.tests.with_keras import chain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning"),  # of one number, in one case
]
RANDOM = np.random.default_rng(20)
IMAGES: Float32 = RANDOM.random((24, 28, 28), np.float32)
LABELS = RANDOM.integers(0, 10, 24)


def convolutional(k: Any) -> list[Any]:
    of = k.layers
    return [of.Reshape((28, 28, 1)), of.Conv2D(4, 3, activation="relu"), of.MaxPooling2D(), k.flatten(), k.output()]


LAYERS: dict[str, Callable[[Any], list[Any]]] = {
    "Dense": lambda k: [k.flatten(), k.hidden(), k.output()],
    "Dense without bias": lambda k: [k.flatten(), k.layers.Dense(9, use_bias=False), k.output()],
    "activations of TensorFlow": lambda k: [k.flatten(), k.hidden(k.tf.nn.relu), k.output(k.tf.nn.softmax)],
    "activations as layers": lambda k: [
        k.flatten(),
        k.hidden(None),
        k.layers.ReLU(),
        k.output(None),
        k.layers.Softmax(),
    ],
    "a bounded relu": lambda k: [k.flatten(), k.hidden(None), k.layers.ReLU(0.1, 0.2, 0.01), k.output()],
    "tanh and gelu": lambda k: [k.flatten(), k.hidden("tanh"), k.layers.Activation("gelu"), k.output("sigmoid")],
    "logits": lambda k: [k.flatten(), k.hidden(), k.output(None)],
    "Rescaling": lambda k: [k.layers.Rescaling(1 / 127.5, offset=-1), k.flatten(), k.output()],
    "Reshape to 784": lambda k: [k.layers.Reshape((784,)), k.output()],
    "Dropout": lambda k: [k.flatten(), k.hidden(), k.layers.Dropout(0.5), k.output()],
    "BatchNormalization": lambda k: [k.flatten(), k.hidden(), k.layers.BatchNormalization(), k.output()],
    "BatchNormalization bare": lambda k: [
        k.flatten(),
        k.layers.BatchNormalization(center=False, scale=False, epsilon=0.1),
        k.output(),
    ],
    "frozen": lambda k: [k.flatten(), k.layers.BatchNormalization(trainable=False), k.output()],
    "BatchNormalization of rows": lambda k: [k.layers.BatchNormalization(axis=1), k.flatten(), k.output()],
    "Conv2D": convolutional,
    "Conv2D with everything": lambda k: [
        k.layers.Reshape((28, 28, 1)),
        k.layers.Conv2D(4, (3, 5), strides=(2, 1), padding="same", use_bias=False),
        k.layers.BatchNormalization(),
        k.layers.Conv2D(6, 3, dilation_rate=2, groups=2, activation="relu"),
        k.layers.AveragePooling2D(3, strides=2, padding="same"),
        k.layers.GlobalAveragePooling2D(),
        k.output(),
    ],
    "Sequential inside": lambda k: [k.Sequential([k.flatten(), k.hidden()]), k.output()],
}


def classes(model: Any, images: Float32) -> Any:
    return outputs(model, images).argmax(axis=-1)


def evidence_of(original: Any) -> tuple[Model, Float32]:
    read = live(RULES, "q7", {"model": original})
    described = read.questions["q7"].model
    assert described is not None
    weights = read.weights(described)
    assert weights is not None
    return described, weights


@pytest.mark.parametrize("case", LAYERS)
def test_a_trained_model_comes_back_and_predicts_the_same(case: str, k: Any) -> None:
    original = chain(k.keras, *LAYERS[case](k))
    original.compile("adam", "sparse_categorical_crossentropy")
    original.fit(IMAGES, LABELS, epochs=2, verbose=0)
    described, weights = evidence_of(original)
    rebuilt = rebuild(described, weights)
    assert len(weights) == original.count_params() == rebuilt.count_params()
    expected = np.asarray(original(IMAGES, training=False))
    assert np.array_equal(np.asarray(rebuilt(IMAGES, training=False)), expected)
    assert np.array_equal(classes(rebuilt, IMAGES), expected.argmax(axis=-1))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_listed_activation_is_one_of_keras(name: str, k: Any) -> None:
    original = chain(k.keras, k.flatten(), k.output(name))
    expected = np.asarray(original(IMAGES))
    assert np.array_equal(np.asarray(rebuild(*evidence_of(original))(IMAGES)), expected)


ORIGINALS: dict[str, Callable[[Any], Any]] = {
    "images in rows": lambda k: k.Sequential([k.keras.Input((784,)), k.flatten(), k.output()]),
    "images with a channel": lambda k: k.Sequential([k.keras.Input((28, 28, 1)), k.flatten(), k.output()]),
    "functional": lambda k: k.Model(image := k.image(), k.output()(k.layers.Rescaling(0.5)(k.flatten()(image)))),
}


@pytest.mark.parametrize("case", ORIGINALS)
def test_images_are_given_in_the_shape_the_model_takes_and_keep_their_order(case: str, k: Any) -> None:
    original, many = ORIGINALS[case](k), np.concatenate([IMAGES] * 100)  # more than a batch
    expected = np.asarray(original(many.reshape((-1, *original.input_shape[1:])))).argmax(axis=-1)
    assert np.array_equal(classes(rebuild(*evidence_of(original)), many), expected)


def layer(name: str, **settings: Any) -> Layer:
    return (f"keras:{name}", settings)


GRID = layer("Reshape", target_shape=[28, 28, 1])
CONV = {"filters": 2, "kernel_size": [3, 3]}


def conv(**changes: Any) -> list[Layer]:
    return [GRID, layer("Conv2D", **{**CONV, **changes}), FLATTEN]


def pool(**changes: Any) -> list[Layer]:
    return [GRID, layer("MaxPooling2D", **changes), FLATTEN]


WORK = "one image costs it more than 500,000,000 multiplications"
REFUSED: dict[str, tuple[Chain, dict[str, Any], str]] = {
    "no layers": ([], {}, "it has no layers"),
    "only an input": ([layer("InputLayer")], {}, "it has no layers"),
    "not built": (CLASSIC, {"input_shape": None}, "it has not been built: it has never seen an image"),
    "small images": (CLASSIC, {"input_shape": [None, 8, 8]}, r"it takes inputs of shape \(None, 8, 8\), not images"),
    "no input": (CLASSIC, {"input_shape": []}, r"it takes inputs of shape \(\), not images of 28 by 28 pixels"),
    "branching": (CLASSIC, {"structure": "branching"}, "its layers do not form one plain chain"),
    "an unknown layer": ([layer("Lambda")], {}, "it has a Lambda layer, which the grader cannot rebuild"),
    "a layer of one's own": ([("custom:Dense", {"units": 10})], {}, "it has a Dense layer, which the grader cannot"),
    "an unknown activation": ([FLATTEN, dense(10, "keras:exec")], {}, "it uses the activation exec, which"),
    "an activation of one's own": (
        [FLATTEN, dense(10, "custom:relu")],
        {},
        "it uses the activation custom relu, which",
    ),
    "too few weights": (CLASSIC, {}, "its layers need 101,770 parameters, but 0 came with it"),
    "rows of numbers": ([dense(1)], {"count": 29}, r"for each image it gives an array of shape \(28, 1\), not one row"),
    "too many parameters": ([FLATTEN, dense(6370)], {}, "the model has more than 5,000,000 parameters"),
    "huge units": ([FLATTEN, dense(10**15)], {}, "its Dense layer has units=1000000000000000"),
    "no units": ([FLATTEN, layer("Dense")], {}, r"its Dense layer cannot be built with \{\}"),
    "units as text": ([FLATTEN, layer("Dense", units="9" * 99)], {}, "its Dense layer has units=9{40}$"),
    "true units": ([FLATTEN, layer("Dense", units=True)], {}, "its Dense layer has units=True"),
    "a bias that is no flag": ([FLATTEN, layer("Dense", units=1, use_bias=0)], {}, "its Dense layer has use_bias=0"),
    "wide activations": (conv(filters=3000, padding="same"), {}, "one of its layers is too wide for the grader"),
    "endless work": ([GRID, *[layer("Conv2D", filters=64, kernel_size=[9, 9], padding="same")] * 9, FLATTEN], {}, WORK),
    "endless pooling": (
        [*conv(filters=300)[:2], layer("MaxPooling2D", pool_size=[50, 50], strides=[1, 1], padding="same")],
        {},
        WORK,
    ),
    "a huge kernel": (conv(kernel_size=[785, 785]), {}, r"its Conv2D layer has kernel_size=\[785, 785\]"),
    "a large kernel": (conv(kernel_size=[57, 57], padding="same"), {}, "its Conv2D layer looks far beyond its inputs"),
    "a kernel larger than the image": (conv(kernel_size=[29, 29]), {}, "its Conv2D layer does not fit inputs of shape"),
    "a wide spread": (conv(kernel_size=[1, 1], dilation_rate=[784, 784]), {}, "its Conv2D layer looks far beyond"),
    "groups that do not divide": (conv(filters=3, groups=2), {}, "its Conv2D layer cannot be built with"),
    "groups without channels": (conv(groups=2), {"count": 2}, "its layers do not fit together"),
    "padding nonsense": (conv(padding="exec"), {}, "its Conv2D layer has padding=exec"),
    "zero strides": (pool(strides=[0, 0]), {}, r"its MaxPooling2D layer has strides=\[0, 0\]"),
    "convolution of a row": ([FLATTEN, layer("Conv2D", **CONV)], {}, r"its Conv2D layer does not fit .* \(784,\)"),
    "reshape to two unknowns": (
        [layer("Reshape", target_shape=[-1, -1])],
        {},
        "its Reshape layer cannot be built with",
    ),
    "reshape to a huge size": ([layer("Reshape", target_shape=[10**9] * 2)], {}, "its Reshape layer has target_shape"),
    "softmax over the batch": ([FLATTEN, layer("Softmax", axis=0)], {}, "its Softmax layer has axis=0, on inputs of"),
    "dropout of all": ([FLATTEN, layer("Dropout", rate=2)], {}, "its Dropout layer cannot be built with"),
    "rescaling beyond all": ([layer("Rescaling", scale=1e10)], {}, "its Rescaling layer has scale=10000000000.0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_that_cannot_be_rebuilt_is_refused_in_words(case: str, k: Any) -> None:  # noqa: ARG001  # Keras
    layers, changes, words = REFUSED[case]
    changes = dict(changes)
    weights = np.zeros(changes.pop("count", 0), np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CannotRebuild, match=words):
        rebuild(Model.model_validate(model(layers, **changes)), weights)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf], ids=str)
def test_weights_that_are_no_numbers_mean_that_the_training_diverged(poison: float, k: Any) -> None:  # noqa: ARG001
    weights = np.zeros(101_770, np.float32)
    weights[-1] = poison
    with pytest.raises(CannotRebuild, match=r"some of its parameters are not numbers .*: the training diverged"):
        rebuild(Model.model_validate(model()), weights)


def test_a_count_that_differs_from_keras_is_a_fault_of_ours(k: Any) -> None:
    built = chain(k.keras, k.flatten(), k.output())
    with pytest.raises(GraderFault, match="3 parameters were counted, but Keras made 7,850"):
        _fill(built.layers, np.zeros(3, np.float32))


def test_wide_layers_are_scored_a_few_images_at_a_time(k: Any) -> None:  # noqa: ARG001  # Keras
    layers = [*conv(filters=2000, kernel_size=[1, 1])[:2], layer("GlobalAveragePooling2D"), dense(10)]
    rebuilt = rebuild(Model.model_validate(model(layers)), np.zeros(4000 + 20_010, np.float32))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert classes(rebuilt, np.zeros((200, 28, 28), np.float32)).tolist() == [0] * 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 900_000  # kilobytes; all at once take more
