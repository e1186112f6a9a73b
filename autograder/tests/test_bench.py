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
from autograder.rebuild import scalings
from autograder.tests.journals import FLATTEN, NO_IMAGES, RULES, Chain, bench, dense, of_model
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
    scored = score(0.5, good, Labelled(np.concatenate([bad.images, good.images]), np.concatenate([bad.labels] * 2)))
    assert (scored.public, scored.accuracy) == (1.0, 0.5)
    assert scored.official == pytest.approx(8 / 12)
    assert score(0.5, good, NO_IMAGES).official == 1.0


@pytest.mark.slow
def test_a_model_is_rebuilt_once(k: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # Keras
    layers, weights = deciding(0.5)
    journal = of_model("q7", layers, blob={"start": 0, "count": len(weights)}, output_shape=[None, 2])
    world = replace(bench(journal, blob=weights.tobytes()), public=pixel(51, 255), private=pixel(51, 255))
    first = world.score("q7")
    monkeypatch.setattr("autograder.rebuild.rebuild", lambda *_: pytest.fail("built again"))
    assert world.score("q7") is first


def trained(k: Any, data: dataset.Dataset, scale: Callable[[Float32], Float32], last: str | None) -> Bench:
    """A model trained on 4,000 images, as evidence."""
    k.keras.utils.set_random_seed(3)
    model = chain(k.keras, k.flatten(), k.layers.Dense(32, activation="relu"), k.output(last))
    loss = k.keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
    model.compile("adam", loss)
    images = scale(data.train.images[:4000].astype(np.float32))
    model.fit(images, data.train.labels[:4000], epochs=2, batch_size=32, verbose=0)
    public, private = dataset.split(data.test, 20)
    return Bench(live(RULES, "q7", {"model": model}), RULES, public, private)


@pytest.mark.slow
@pytest.mark.parametrize("last", ["softmax", None], ids=["softmax", "logits"])
@pytest.mark.parametrize("scaling", [name for name, _ in scalings()])
def test_the_scaling_that_a_model_was_trained_with_is_found(
    scaling: str, last: str | None, k: Any, mnist: dataset.Dataset
) -> None:
    world = trained(k, mnist, dict(scalings())[scaling], last)
    assert world.score("q7").scaling == scaling
    assert world.score("q7").accuracy > 0.75


@pytest.mark.slow
def test_a_scaling_of_ones_own_is_not_taken_for_none(k: Any, mnist: dataset.Dataset) -> None:
    for scale in (lambda x: x / np.float32(100), lambda x: np.sqrt(x / np.float32(255)), lambda x: (x > 127) * 1.0):
        assert trained(k, mnist, scale, "softmax").score("q7").scaling != "as they are"


@pytest.mark.slow
def test_a_model_with_too_few_outputs_is_scored_by_what_it_gets_right(k: Any, mnist: dataset.Dataset) -> None:
    public, private = dataset.split(mnist.test, 20)
    layers, weights = deciding(0.5)
    journal = of_model("q7", layers, blob={"start": 0, "count": len(weights)}, output_shape=[None, 2])
    found = replace(bench(journal, blob=weights.tobytes()), public=public, private=private).score("q7")
    assert found.accuracy == pytest.approx(float(np.mean(private.labels == 0)))
    del k
