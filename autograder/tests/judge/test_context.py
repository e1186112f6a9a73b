"""What checks work on: the model is rebuilt and scored once, on pixels scaled as it was trained with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.data import dataset
from autograder.data.dataset import Labelled
from autograder.judge import rebuild
from autograder.judge.context import SLACK, CheckContext, CheckFailed, Fit, NotChecked, Score, _near, fit
from autograder.judge.evidence import MAX_WEIGHTS, Float32, live
from autograder.judge.rebuild import UNSCALED, scalings
from autograder.layout import HOME
from autograder.tests.journals import FLATTEN, RULES, Chain, bench, dense, of_model
from autograder.tests.journals import model as described
from autograder.tests.with_keras import chain, quiet_keras


@pytest.fixture(scope="module")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit


@pytest.fixture(scope="module")
def mnist() -> dataset.Dataset:
    return dataset.load(HOME.data("mnist"))


def test_students_words_cannot_add_lines_to_a_message() -> None:
    failed = CheckFailed("a\nb", "c\r\nd", "e\u2028f")
    assert str(failed) == "Found: a b\nExpected: c d\nTry: e f"
    assert str(NotChecked("a\nb")) == "Not checked: a b"


class Table:
    """Stands for a model that gives each image, known by its first pixel, a row of outputs."""

    input_shape = (None, 28, 28)

    def __init__(self, *rows: list[float]) -> None:
        self._rows = np.array(rows, np.float32)
        self.layers = [SimpleNamespace(output=np.zeros((1, self._rows.shape[1])))]

    def __call__(self, images: Float32, *, training: bool) -> Float32:
        assert not training
        rows: Float32 = self._rows[images[:, 0, 0].astype(int)]
        return rows


def numbered(*labels: int) -> Labelled:
    """Images whose first pixels are 0, 1, 2 ..., with these labels."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = range(len(labels))
    return Labelled(images, np.array(labels, np.uint8))


def same(images: Float32) -> Float32:
    assert images.dtype == np.float32
    return images


def test_a_model_fits_as_often_as_its_largest_output_is_the_label() -> None:
    found = fit(Table([0.7, 0.3], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]), same, numbered(0, 1, 1, 1))
    assert found.accuracy == 0.75
    assert found.loss == pytest.approx(-np.log([0.7, 0.8, 0.4, 0.9]).mean(), abs=1e-6)


@pytest.mark.parametrize(
    "rows",
    [
        ([2.0, 1.0], [0.0, 3.0], [1.0, 0.0]),
        ([-1.0, -2.0], [0.0, 3.0], [-7.0, -8.0]),
        ([1001.0, 1000.0], [97.0, 100.0], [0.0, -1.0]),
    ],
)
def test_outputs_that_are_no_probabilities_are_made_some(rows: tuple[list[float], ...]) -> None:
    found = fit(Table(*rows), same, numbered(0, 1, 0))
    chances = [1 / (1 + np.exp(-each)) for each in (1, 3, 1)]
    assert found.accuracy == 1.0
    assert found.loss == pytest.approx(-np.log(chances).mean(), abs=1e-5)


def test_outputs_that_sum_to_more_than_one_are_no_probabilities() -> None:
    assert fit(Table([0.75, 0.75]), same, numbered(0)).loss == pytest.approx(np.log(2), abs=1e-6)


def test_negative_outputs_that_sum_to_one_are_no_probabilities() -> None:
    found = fit(Table([2.0, -1.0]), same, numbered(1))
    assert found.loss == pytest.approx(float(np.log(1 + np.exp(3))), abs=1e-5)


def test_probabilities_that_sum_to_one_but_for_rounding_are_taken_as_they_are() -> None:
    assert fit(Table([0.5004, 0.5004]), same, numbered(0)).loss == pytest.approx(-np.log(0.5004), abs=1e-6)


def test_a_chance_of_nothing_costs_no_more_than_keras_says() -> None:
    assert fit(Table([1.0, 0.0]), same, numbered(1)).loss == pytest.approx(-np.log(1e-7), abs=1e-4)


def test_with_too_few_outputs_there_is_no_loss() -> None:
    assert fit(Table([0.9, 0.1], [0.2, 0.8]), same, numbered(0, 2)) == Fit(0.5, 0.0)


def near(**found: tuple[float, float]) -> tuple[str, ...]:
    return _near({name: Fit(*each) for name, each in found.items()})


def test_among_scalings_that_do_about_as_well_the_loss_decides() -> None:
    assert near(one=(0.97, 0.3), two=(0.96, 0.1), three=(0.9499, 0.01)) == ("two", "one")
    assert near(one=(0.97, 0.3), two=(0.95, 0.1)) == ("two", "one")
    assert near(one=(0.97, 0.1), two=(0.94, 0.001)) == ("one",)
    assert near(one=(0.5, 0.3), two=(0.5 - SLACK, 0.1), three=(0.5 - SLACK - 1e-9, 0.1)) == ("two", "one")


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


WEIGHTS = np.arange(4, dtype="<f4")
ODD = "it has a Lambda layer, which the grader cannot rebuild"


def with_weights(rebuilt: Any, monkeypatch: pytest.MonkeyPatch, *, scale: str = "as they are") -> CheckContext:
    """A bench whose model is rebuilt as `rebuilt`; pixels are tried in one way only."""

    def build(described: Any, weights: Float32) -> Any:
        assert described.structure == "sequential"
        assert weights.tolist() == [1.0, 2.0, 3.0]
        if isinstance(rebuilt, Exception):
            raise rebuilt
        return rebuilt

    monkeypatch.setattr(rebuild, "rebuild", build)
    monkeypatch.setattr(rebuild, "scalings", lambda _: ((scale, lambda images: images + np.float32(1)),))
    journal = of_model("q7", blob={"start": 1, "count": 3})
    public, private = numbered(1, 0, 0), numbered(0, 1, 1)
    return replace(bench(journal, blob=WEIGHTS.tobytes()), public=public, private=private)


def test_a_score_is_of_the_rebuilt_model_on_all_images_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Table([0.0, 0.0], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7])  # image i, scaled, is row i + 1
    found = with_weights(rows, monkeypatch, scale="mine").score("q7")
    assert found == Score(1 / 3, 2 / 3, (2 / 3, 0.5), "mine")


def test_the_scaling_is_looked_for_on_the_first_public_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.judge.context.PROBE", 2)
    world = with_weights(Table([0.0, 0.0], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7]), monkeypatch)
    asked: list[int] = []

    def scale(images: Float32) -> Float32:
        asked.append(len(images))
        return images + np.float32(1)

    monkeypatch.setattr(rebuild, "scalings", lambda _: (("mine", scale),))
    assert world.score("q7").scaling == "mine"
    assert asked == [2, 3, 3]


def test_a_model_that_cannot_be_rebuilt_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckFailed) as failed:
        with_weights(rebuild.CannotRebuild(ODD), monkeypatch).score("q7")
    assert str(failed.value) == (
        f"Found: a model that cannot be scored: {ODD}\nExpected: the layers that the assignment asks for"
    )


SIZES = {
    "just small enough": (
        [[MAX_WEIGHTS // 2, 2]],
        "Found: a model without parameters\nTry: train it with fit before this ",
    ),
    "one too many": (
        [[MAX_WEIGHTS // 2, 2], [1]],
        "Found: a model with 5,000,001 parameters\nExpected: at most 5,000,000\n",
    ),
}


@pytest.mark.parametrize("case", SIZES)
def test_without_weights_the_size_of_the_model_says_why(case: str) -> None:
    shapes, expected = SIZES[case]
    flatten, *others = described()["layers"]
    with pytest.raises(CheckFailed) as failed:
        bench(of_model("q7", layers=[{**flatten, "weights": shapes}, *others])).score("q7")
    assert str(failed.value).startswith(expected)


@pytest.mark.slow
def test_a_model_is_scored_on_private_public_and_all_images(k: Any) -> None:  # noqa: ARG001  # Keras
    good, bad = pixel(51, 255), pixel(255, 51)
    scored = score(0.5, good, Labelled(np.concatenate([bad.images, good.images]), np.concatenate([good.labels] * 2)))
    assert (scored.public, scored.accuracy) == (1.0, 0.5)
    assert scored.measurable[-1] == pytest.approx(8 / 12)


@pytest.mark.slow
def test_a_model_is_rebuilt_once(k: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  # Keras
    layers, weights = deciding(0.5)
    journal = of_model("q7", layers, blob={"start": 0, "count": len(weights)}, output_shape=[None, 2])
    world = replace(bench(journal, blob=weights.tobytes()), public=pixel(51, 255), private=pixel(51, 255))
    first = world.score("q7")
    monkeypatch.setattr("autograder.judge.rebuild.rebuild", lambda *_: pytest.fail("built again"))
    assert world.score("q7") is first


def trained(
    k: Any, data: dataset.Dataset, scale: Callable[[Float32], Float32], last: str | None = "softmax"
) -> CheckContext:
    """A model trained on half of the images, as evidence."""
    k.keras.utils.set_random_seed(3)
    model = chain(k.keras, k.flatten(), k.layers.Dense(64, activation="relu"), k.output(last))
    loss = k.keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
    model.compile("adam", loss, steps_per_execution=50)
    images = scale(data.train.images[:30000].astype(np.float32))
    model.fit(images, data.train.labels[:30000], epochs=1, batch_size=32, verbose=0)
    public, private = dataset.split(data.test, 20)
    return CheckContext(live(RULES, "q7", {"model": model}), RULES, public, private)


@pytest.mark.slow
@pytest.mark.parametrize("scaling", [name for name, _ in scalings("mnist")])
def test_the_scaling_that_a_model_was_trained_with_is_found(scaling: str, k: Any, mnist: dataset.Dataset) -> None:
    world = trained(k, mnist, dict(scalings("mnist"))[scaling])
    assert world.score("q7").scaling == scaling
    assert world.score("q7").accuracy > 0.7


def test_images_are_standardised_by_their_own_pixels_and_by_those_that_tutorials_name() -> None:
    ways = {name: dict(scalings(name)) for name in dataset.DATASETS}
    assert ways["fashion_mnist"].keys() - ways["mnist"].keys() == {"standardised as MNIST"}
    pixels = np.array([[[0.1307 * 255, 0.2860 * 255]]], np.float32)
    found = {id: ways[id]["standardised"](pixels).ravel() for id in ways}
    assert found["mnist"] == pytest.approx([0, (0.2860 - 0.1307) / 0.3081], abs=1e-6)
    assert found["fashion_mnist"] == pytest.approx([(0.1307 - 0.2860) / 0.3530, 0], abs=1e-6)
    assert (ways["fashion_mnist"]["standardised as MNIST"](pixels).ravel() == found["mnist"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("scaling", ["divided by 255", UNSCALED])
def test_it_is_found_for_a_model_without_softmax(scaling: str, k: Any, mnist: dataset.Dataset) -> None:
    assert trained(k, mnist, dict(scalings("mnist"))[scaling], None).score("q7").scaling == scaling


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
    found = CheckContext(live(RULES, "q7", {"model": model}), RULES, public, private).score("q7")
    assert 0 <= found.accuracy < 0.25
