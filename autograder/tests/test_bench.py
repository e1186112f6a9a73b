"""What checks work on: the model is rebuilt and scored once, on pixels scaled as it was trained with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder import dataset
from autograder.bench import Bench, CheckFailed, NotChecked, Score
from autograder.dataset import Labelled
from autograder.evidence import Float32, live
from autograder.layout import HOME
from autograder.rebuild import UNSCALED, scalings
from autograder.tests.journals import FLATTEN, RULES, Chain, bench, dense, of_model
from autograder.tests.with_keras import chain, quiet_keras


@pytest.fixture(scope="module")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit


@pytest.fixture(scope="module")
def mnist() -> dataset.Dataset:
    return dataset.load(HOME.data)


def test_students_words_cannot_add_lines_to_a_message() -> None:
    failed = CheckFailed("a\nb", "c\r\nd", "e\u2028f")
    assert str(failed) == "Found: a b\nExpected: c d\nTry: e f"
    assert str(NotChecked("a\nb")) == "Not checked: a b"


def pixel(dark: int, bright: int) -> Labelled:
    """Four images that differ in their first pixel; a bright one is a 1, a dark one a 0."""
    labels = np.array([0, 1, 1, 0], np.uint8)
    images = np.zeros((4, 28, 28), np.uint8)
    images[:, 0, 0] = np.where(labels, bright, dark)
    return Labelled(images, labels)


def deciding(threshold: float) -> tuple[Chain, Float32]:
    """A model that says 1 where the first pixel, as it is scaled, is above a threshold, and else 0."""
    weights = np.zeros((785, 2), np.float32)
    weights[0, 1], weights[-1, 0] = 1, threshold
    return [FLATTEN, dense(2, "keras:linear")], weights.ravel()


def score(threshold: float, public: Labelled, private: Labelled) -> Score:
    layers, weights = deciding(threshold)
    journal = of_model("q7", layers, blob={"start": 0, "count": len(weights)}, output_shape=[None, 2])
    return replace(bench(journal, blob=weights.tobytes()), public=public, private=private).score("q7")


@pytest.mark.slow
def test_a_model_is_scored_on_private_public_and_all_images(k: Any) -> None:  # noqa: ARG001  # Keras
    good, bad = pixel(51, 255), pixel(255, 51)
    scored = score(0.5, good, Labelled(np.concatenate([bad.images, good.images]), np.concatenate([good.labels] * 2)))
    assert (scored.public, scored.accuracy) == (1.0, 0.5)
    assert scored.official == pytest.approx(8 / 12)


@pytest.mark.slow
def test_a_model_is_rebuilt_once(k: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # Keras
    layers, weights = deciding(0.5)
    journal = of_model("q7", layers, blob={"start": 0, "count": len(weights)}, output_shape=[None, 2])
    world = replace(bench(journal, blob=weights.tobytes()), public=pixel(51, 255), private=pixel(51, 255))
    first = world.score("q7")
    monkeypatch.setattr("autograder.rebuild.rebuild", lambda *_: pytest.fail("built again"))
    assert world.score("q7") is first


def trained(k: Any, data: dataset.Dataset, scale: Callable[[Float32], Float32], last: str | None = "softmax") -> Bench:
    """A model trained on half of the images, as evidence."""
    k.keras.utils.set_random_seed(3)
    model = chain(k.keras, k.flatten(), k.layers.Dense(64, activation="relu"), k.output(last))
    loss = k.keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
    model.compile("adam", loss, steps_per_execution=50)
    images = scale(data.train.images[:30000].astype(np.float32))
    model.fit(images, data.train.labels[:30000], epochs=1, batch_size=32, verbose=0)
    public, private = dataset.split(data.test, 20)
    return Bench(live(RULES, "q7", {"model": model}), RULES, public, private)


@pytest.mark.slow
@pytest.mark.parametrize("scaling", [name for name, _ in scalings()])
def test_the_scaling_that_a_model_was_trained_with_is_found(scaling: str, k: Any, mnist: dataset.Dataset) -> None:
    world = trained(k, mnist, dict(scalings())[scaling])
    assert world.score("q7").scaling == scaling
    assert world.score("q7").accuracy > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("scaling", ["divided by 255", UNSCALED])
def test_it_is_found_for_a_model_without_softmax(scaling: str, k: Any, mnist: dataset.Dataset) -> None:
    assert trained(k, mnist, dict(scalings())[scaling], None).score("q7").scaling == scaling


OWN: dict[str, Callable[[Float32], Float32]] = {
    "by 100": lambda x: x / np.float32(100),
    "by 1000": lambda x: x / np.float32(1000),
    "roots": lambda x: np.sqrt(x / np.float32(255)),
    "black and white": lambda x: (x > 127).astype(np.float32),
    "each image by itself": lambda x: (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", OWN)
def test_a_scaling_of_ones_own_is_not_taken_for_none(way: str, k: Any, mnist: dataset.Dataset) -> None:
    found = trained(k, mnist, OWN[way]).score("q7")
    assert found.scaling != UNSCALED
    assert found.accuracy > 0.85


@pytest.mark.slow
def test_a_model_with_too_few_outputs_is_scored_by_what_it_gets_right(k: Any, mnist: dataset.Dataset) -> None:
    public, private = dataset.split(mnist.test, 20)
    model = chain(k.keras, k.flatten(), k.layers.Dense(2))
    found = Bench(live(RULES, "q7", {"model": model}), RULES, public, private).score("q7")
    assert 0 <= found.accuracy < 0.25
