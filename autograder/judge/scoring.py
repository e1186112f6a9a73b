"""The accuracy of a rebuilt model on images that the notebook has not seen, under the scaling it was trained with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograder.data.dataset import DATASETS, Labelled
from autograder.judge import rebuild
from autograder.judge.evidence import Evidence, Float32, Model
from autograder.judge.failure import CheckFailed
from autograder.sandbox.variables import MAX_WEIGHTS

__all__ = ["UNSCALED", "Fit", "Score", "fit", "scalings", "score"]

UNSCALED = "as they are"
"""The name of the scaling that changes nothing."""

PROBE = 1000  # the number of public images on which the scaling of the pixels is inferred

SLACK = 0.02
"""The most accuracy that another scaling may lose against the best one and still be taken for the student's."""


@dataclass(frozen=True)
class Score:
    """The performance of a rebuilt model.

    `accuracy` and `public` are the fractions of the private and the public images that it gets right; `measurable` are
    the values that a notebook may truly have measured, on the public or on all official images, under every scaling
    that is plausible; `scaling` is the most likely scaling of the pixels that it was trained on.
    """

    accuracy: float
    public: float
    measurable: tuple[float, ...]
    scaling: str


@dataclass(frozen=True)
class Fit:
    """The fraction of images that a model gets right, and its mean cross-entropy."""

    accuracy: float
    loss: float


def score(model: Model, evidence: Evidence, dataset: str, public: Labelled, private: Labelled) -> Score:
    """Rebuild a model with its recorded weights and score it. Raises CheckFailed if that cannot be done."""
    weights = evidence.weights(model)
    size = sum(math.prod(shape) for layer in model.layers for shape in layer.weights)
    if weights is None and size > MAX_WEIGHTS:
        raise CheckFailed(f"a model with {size:,} parameters", f"at most {MAX_WEIGHTS:,}", "make its layers smaller")
    if weights is None:
        raise CheckFailed("a model without parameters", hint="train it with fit before this question is checked")
    try:
        rebuilt = rebuild.rebuild(model, weights)
    except rebuild.CannotRebuild as error:
        found = f"a model that cannot be scored: {error}"
        raise CheckFailed(found, "the layers that the assignment asks for") from None
    probe = Labelled(public.images[:PROBE], public.labels[:PROBE])
    scales = scalings(dataset)
    plausible = _plausible({name: fit(rebuilt, scale, probe) for name, scale in scales.items()})
    hidden = fit(rebuilt, scales[plausible[0]], private).accuracy
    seen = [fit(rebuilt, scales[name], public).accuracy for name in plausible]
    sizes = len(public.labels), len(private.labels)
    official = (seen[0] * sizes[0] + hidden * sizes[1]) / sum(sizes)
    return Score(hidden, seen[0], (*seen, official), plausible[0])


def fit(model: Any, scale: Callable[[Float32], Float32], images: Labelled) -> Fit:
    """Measure a rebuilt model (keras.Sequential) on images scaled in one way."""
    outputs = rebuild.outputs(model, scale(images.images.astype(np.float32)))
    accuracy = float(np.mean(outputs.argmax(axis=-1) == images.labels))
    if outputs.shape[1] <= int(images.labels.max()):
        return Fit(accuracy, 0.0)  # too few outputs for a loss, so the scaling is chosen without one
    if outputs.min() < 0 or np.abs(outputs.sum(axis=1) - 1).max() > 1e-3:  # not probabilities yet
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    chances = outputs[np.arange(len(outputs)), images.labels]
    return Fit(accuracy, float(-np.log(np.maximum(chances, 1e-7)).mean()))


def _plausible(fits: Mapping[str, Fit]) -> tuple[str, ...]:
    """Return the scalings that a model may have been trained with, the most likely first.

    Many do about equally well, because the brightness of the images matters little to a network of relu. Among them the
    loss decides: on pixels that are too large a model is far too sure of its mistakes, on small ones unsure of
    everything.
    """
    best = max(found.accuracy for found in fits.values())
    losses = {name: found.loss for name, found in fits.items() if found.accuracy >= best - SLACK}
    return tuple(sorted(losses, key=losses.__getitem__))


def scalings(dataset: str) -> dict[str, Callable[[Float32], Float32]]:
    """Return the honest ways to scale a dataset's pixels before training, by name; each takes float32 [n, 28, 28].

    `keras.utils.normalize`, which tutorials use, makes every column, or every row, of an image a vector of length 1.
    MNIST's mean and standard deviation are in so many tutorials that students use them for other images, too.
    """
    borrowed = {} if dataset == "mnist" else {"standardised as MNIST": partial(_standardised, dataset="mnist")}
    return {
        "divided by 255": lambda x: x / np.float32(255),
        UNSCALED: lambda x: x,
        "from -1 to 1": lambda x: x / np.float32(127.5) - np.float32(1),
        "from -0.5 to 0.5": lambda x: x / np.float32(255) - np.float32(0.5),
        "from 1 to 0": lambda x: np.float32(1) - x / np.float32(255),
        "standardised": partial(_standardised, dataset=dataset),
        **borrowed,
        "divided by 255 twice": lambda x: x / np.float32(255 * 255),
        "columns of length 1": partial(_normalised, axis=1),
        "rows of length 1": partial(_normalised, axis=2),
    }


def _standardised(images: Float32, *, dataset: str) -> Float32:
    published = DATASETS[dataset]
    return (images / np.float32(255) - np.float32(published.mean)) / np.float32(published.sd)


def _normalised(images: Float32, *, axis: int) -> Float32:
    length: Float32 = np.maximum(np.linalg.norm(images, axis=axis, keepdims=True), np.float32(1))
    return images / length  # pixels are whole numbers: a length below 1 is 0
