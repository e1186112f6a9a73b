"""The ways in which a notebook may have scaled its pixels before training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from autograder.data.dataset import DATASETS
from autograder.judge.evidence import Float32

__all__ = ["UNSCALED", "scalings"]

UNSCALED = "as they are"
"""The name of the scaling that changes nothing."""


def scalings(dataset: str) -> tuple[tuple[str, Callable[[Float32], Float32]], ...]:
    """Return the honest ways to scale a dataset's pixels before training, by name; each takes float32 [n, 28, 28].

    `keras.utils.normalize`, which tutorials use, makes every column, or every row, of an image a vector of length 1.
    MNIST's mean and standard deviation are in so many tutorials that students use them for other images, too.
    """
    borrowed = () if dataset == "mnist" else (("standardised as MNIST", partial(_standardised, dataset="mnist")),)
    return (
        ("divided by 255", lambda x: x / np.float32(255)),
        (UNSCALED, lambda x: x),
        ("from -1 to 1", lambda x: x / np.float32(127.5) - np.float32(1)),
        ("from -0.5 to 0.5", lambda x: x / np.float32(255) - np.float32(0.5)),
        ("from 1 to 0", lambda x: np.float32(1) - x / np.float32(255)),
        ("standardised", partial(_standardised, dataset=dataset)),
        *borrowed,
        ("divided by 255 twice", lambda x: x / np.float32(255 * 255)),
        ("columns of length 1", partial(_normalised, axis=1)),
        ("rows of length 1", partial(_normalised, axis=2)),
    )


def _standardised(images: Float32, *, dataset: str) -> Float32:
    published = DATASETS[dataset]
    return np.asarray((images / np.float32(255) - np.float32(published.mean)) / np.float32(published.sd), np.float32)


def _normalised(images: Float32, *, axis: int) -> Float32:
    length = np.linalg.norm(images, axis=axis, keepdims=True)
    return np.asarray(images / np.where(length == 0, 1, length), np.float32)
