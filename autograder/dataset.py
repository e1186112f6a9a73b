"""MNIST: read, verified against the published files, and split into a public and a private half."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder.errors import DatasetError

__all__ = ["ARRAYS", "FACTS", "PUBLISHED_SHA256", "Dataset", "Labelled", "fingerprint", "load", "public_view", "split"]

Bytes = npt.NDArray[np.uint8]

# SHA-256 of the four uncompressed IDX files as published by Y. LeCun and C. Cortes.
PUBLISHED_SHA256 = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

ARRAYS = tuple(PUBLISHED_SHA256)
"""The arrays' names, in the order Keras returns them."""

# What a student can be asked to report, and the right answer.
FACTS: dict[str, int | tuple[int, ...]] = {
    "train_images_shape": (60000, 28, 28),
    "train_labels_shape": (60000,),
    "train_labels_length": 60000,
    "test_images_shape": (10000, 28, 28),
    "test_labels_shape": (10000,),
    "test_labels_length": 10000,
}


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [n, 28, 28] (0 is paper, 255 is ink) and their labels uint8 [n] (0 to 9)."""

    images: Bytes
    labels: Bytes


@dataclass(frozen=True)
class Dataset:
    """The whole of it: 60,000 training and 10,000 test images."""

    train: Labelled
    test: Labelled


def fingerprint(array: Bytes) -> str:
    """SHA-256 of `array` written as an IDX file (magic 0x08 = uint8, then big-endian sizes)."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def load(path: Path) -> Dataset:
    """Read and verify the data.

    Raises DatasetError where the file is missing, unreadable, or not the published data.
    """
    arrays: dict[str, Bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:  # what an npz is; np.load would take other files as well
            for name in ARRAYS:
                with archive.open(f"{name}.npy") as file:
                    arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: restore it from the repository") from None
    except Exception as error:  # zipfile and numpy raise many kinds on a damaged file
        raise DatasetError(f"{path} cannot be read ({error}): restore it from the repository") from error
    for name, expected in PUBLISHED_SHA256.items():
        if fingerprint(arrays[name]) != expected:
            raise DatasetError(
                f"{path}: {name} is not the published MNIST (its IDX form should have sha256 {expected}): "
                "restore it from the repository"
            )
    return Dataset(
        Labelled(arrays["x_train"], arrays["y_train"]),
        Labelled(arrays["x_test"], arrays["y_test"]),
    )


def split(test: Labelled, seed: int) -> tuple[Labelled, Labelled]:
    """Split the test images into (public, private), 5,000 each, every digit shared evenly.

    Sorting by digit and then at random, and dealing the images out in turn, gives both halves the
    same number of each digit to within one.
    """
    random = np.random.default_rng(seed).permutation(len(test.labels))
    order = random[np.argsort(test.labels[random], kind="stable")]
    halves = (np.sort(order[0::2]), np.sort(order[1::2]))
    public, private = (Labelled(test.images[half], test.labels[half]) for half in halves)
    return public, private


def public_view(data: Dataset, seed: int) -> Dataset:
    """What a student process may see: all training images, and the public half twice over.

    Twice, so that the shapes are the documented ones while an accuracy measured on it is unbiased.
    """
    public, _ = split(data.test, seed)
    twice = Labelled(np.concatenate([public.images] * 2), np.concatenate([public.labels] * 2))
    return Dataset(data.train, twice)
