"""A model is rebuilt and scored once, on pixels scaled as it was trained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.data import dataset
from autograder.data.dataset import Labelled
from autograder.judge import rebuild, scoring
from autograder.judge.context import CheckContext
from autograder.judge.evidence import Float32, live
from autograder.judge.scoring import SLACK, UNSCALED, Fit, Score, _plausible, fit, scalings
from autograder.sandbox.variables import MAX_WEIGHTS
from autograder.tests.journals import RULES, context, failed, message, of_model
from autograder.tests.journals import model as described
from autograder.tests.with_keras import chain


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


def test_a_fit_is_the_share_of_labels_that_have_the_largest_output() -> None:
    found = fit(Table([0.7, 0.3], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]), same, numbered(0, 1, 1, 1))
    assert found.accuracy == 0.75
    assert found.loss == pytest.approx(-np.log([0.7, 0.8, 0.4, 0.9]).mean(), abs=1e-6)


LOGISTIC = float(-np.log([1 / (1 + np.exp(-logit)) for logit in (1, 3, 1)]).mean())
"""The mean cross-entropy where the right output is above the other by 1, 3 and 1."""
LOSSES: dict[str, tuple[list[list[float]], tuple[int, ...], float]] = {
    "logits": ([[2, 1], [0, 3], [1, 0]], (0, 1, 0), LOGISTIC),
    "negative logits": ([[-1, -2], [0, 3], [-7, -8]], (0, 1, 0), LOGISTIC),
    "large logits": ([[1001, 1000], [97, 100], [0, -1]], (0, 1, 0), LOGISTIC),
    "a sum above one": ([[0.75, 0.75]], (0,), np.log(2)),
    "negative outputs that sum to one": ([[2, -1]], (1,), np.log(1 + np.exp(3))),
    "probabilities but for rounding": ([[0.5004, 0.5004]], (0,), -np.log(0.5004)),
    "a chance of nothing": ([[1, 0]], (1,), -np.log(1e-7)),
}


@pytest.mark.parametrize("case", LOSSES)
def test_the_loss_is_the_cross_entropy_of_probabilities_or_of_logits(case: str) -> None:
    rows, labels, loss = LOSSES[case]
    assert fit(Table(*rows), same, numbered(*labels)).loss == pytest.approx(loss, abs=1e-5)


def test_with_too_few_outputs_there_is_no_loss() -> None:
    assert fit(Table([0.9, 0.1], [0.2, 0.8]), same, numbered(0, 2)) == Fit(0.5, 0.0)


def plausible(**found: tuple[float, float]) -> tuple[str, ...]:
    return _plausible({name: Fit(*each) for name, each in found.items()})


def test_among_scalings_that_do_about_as_well_the_loss_decides() -> None:
    assert plausible(one=(0.97, 0.3), two=(0.96, 0.1), three=(0.9499, 0.01)) == ("two", "one")
    assert plausible(one=(0.97, 0.3), two=(0.95, 0.1)) == ("two", "one")
    assert plausible(one=(0.97, 0.1), two=(0.94, 0.001)) == ("one",)
    assert plausible(one=(0.5, 0.3), two=(0.5 - SLACK, 0.1), three=(0.5 - SLACK - 1e-9, 0.1)) == ("two", "one")


WEIGHTS = np.arange(4, dtype="<f4")
ODD = "it has a Lambda layer, which the grader cannot rebuild"


def with_weights(rebuilt: Any, monkeypatch: pytest.MonkeyPatch, *, scale: str = "as they are") -> CheckContext:
    """A context whose model is rebuilt as `rebuilt`; pixels are tried in one way only."""

    def build(described: Any, weights: Float32) -> Any:
        assert described.structure == "sequential"
        assert weights.tolist() == [1.0, 2.0, 3.0]
        if isinstance(rebuilt, Exception):
            raise rebuilt
        return rebuilt

    monkeypatch.setattr(rebuild, "rebuild", build)
    ways = {"mnist": {scale: lambda images: images + np.float32(1)}}
    monkeypatch.setattr(scoring, "scalings", ways.__getitem__)
    journal = of_model("q7", blob={"start": 1, "count": 3})
    public, private = numbered(1, 0, 0), numbered(0, 0)
    return replace(context(journal, blob=WEIGHTS.tobytes()), public=public, private=private)


def test_a_score_is_of_the_rebuilt_model_on_all_images_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Table([0.0, 0.0], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7])  # image i, scaled, is row i + 1
    found = with_weights(rows, monkeypatch, scale="mine").score("q7")
    assert found == Score(0.5, 2 / 3, (2 / 3, 0.6), "mine")


def test_the_scaling_is_looked_for_on_the_first_public_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.judge.scoring.PROBE", 2)
    world = with_weights(Table([0.0, 0.0], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7]), monkeypatch)
    sizes: list[int] = []

    def scale(images: Float32) -> Float32:
        sizes.append(len(images))
        return images + np.float32(1)

    monkeypatch.setattr(scoring, "scalings", lambda _: {"mine": scale})
    assert world.score("q7").scaling == "mine"
    assert sizes == [2, 2, 3]


def test_a_model_is_rebuilt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = with_weights(Table([0.0, 0.0], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7]), monkeypatch)
    first = world.score("q7")
    monkeypatch.setattr(rebuild, "rebuild", lambda *_: pytest.fail("built again"))
    assert world.score("q7") is first


def test_a_model_that_cannot_be_rebuilt_is_reported_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = failed(f"a model that cannot be scored: {ODD}", "the layers that the assignment asks for")
    assert message(with_weights(rebuild.CannotRebuild(ODD), monkeypatch).score, "q7") == expected


TOO_LARGE = failed("a model with 5,000,001 parameters", "at most 5,000,000", "make its layers smaller")
UNTRAINED = failed("a model without parameters", hint="train it with fit before this question is checked")


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [([[MAX_WEIGHTS // 2, 2]], UNTRAINED), ([[MAX_WEIGHTS // 2, 2], [1]], TOO_LARGE)],
    ids=["just small enough", "one too many"],
)
def test_without_weights_the_size_of_the_model_says_why(shapes: list[list[int]], expected: str) -> None:
    flatten, *others = described()["layers"]
    world = context(of_model("q7", layers=[{**flatten, "weights": shapes}, *others]))
    assert message(world.score, "q7") == expected


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
@pytest.mark.parametrize(
    ("scaling", "last"), [*((scaling, "softmax") for scaling in scalings("mnist")), (UNSCALED, None)], ids=str
)
def test_the_scaling_that_a_model_was_trained_with_is_found(
    scaling: str, last: str | None, k: Any, mnist: dataset.Dataset
) -> None:
    found = trained(k, mnist, scalings("mnist")[scaling], last).score("q7")
    assert found.scaling == scaling
    assert found.accuracy > 0.7


PIXELS = np.array([[[0, 3, 0, 0], [255, 4, 1, 0]]], np.float32)
FRACTIONS = PIXELS / 255
SCALED: dict[str, Any] = {
    "divided by 255": FRACTIONS,
    UNSCALED: PIXELS,
    "from -1 to 1": 2 * FRACTIONS - 1,
    "from -0.5 to 0.5": FRACTIONS - 0.5,
    "from 1 to 0": 1 - FRACTIONS,
    "standardised": (FRACTIONS - 0.1307) / 0.3081,
    "divided by 255 twice": FRACTIONS / 255,
    "columns of length 1": [[[0, 0.6, 0, 0], [1, 0.8, 1, 0]]],
    "rows of length 1": [[[0, 1, 0, 0], np.array([255, 4, 1, 0]) / np.sqrt(255**2 + 4**2 + 1)]],
}


def test_each_scaling_does_what_its_name_says() -> None:
    found = {name: scale(PIXELS) for name, scale in scalings("mnist").items()}
    assert {name: pytest.approx(np.array(pixels), abs=1e-6) for name, pixels in SCALED.items()} == found
    assert {pixels.dtype.name for pixels in found.values()} == {"float32"}


def test_images_are_standardised_by_their_own_pixels_and_by_those_that_tutorials_name() -> None:
    ways = {name: scalings(name) for name in dataset.DATASETS}
    assert ways["fashion_mnist"].keys() - ways["mnist"].keys() == {"standardised as MNIST"}
    pixels = np.array([[[0.1307 * 255, 0.2860 * 255]]], np.float32)
    found = {id: ways[id]["standardised"](pixels).ravel() for id in ways}
    assert found["mnist"] == pytest.approx([0, (0.2860 - 0.1307) / 0.3081], abs=1e-6)
    assert found["fashion_mnist"] == pytest.approx([(0.1307 - 0.2860) / 0.3530, 0], abs=1e-6)
    assert (ways["fashion_mnist"]["standardised as MNIST"](pixels).ravel() == found["mnist"]).all()


OWN: dict[str, Callable[[Float32], Float32]] = {
    "by 100": lambda x: x / np.float32(100),
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
