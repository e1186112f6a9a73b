"""The images, verified against the published files and split into a public and a private half."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder.errors import DatasetError

__all__ = [
    "ARRAYS",
    "DATASETS",
    "FACTS",
    "Dataset",
    "Labelled",
    "PublishedDataset",
    "fingerprint",
    "load",
    "public_view",
    "remedy",
    "split",
]

Bytes = npt.NDArray[np.uint8]

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
"""The arrays' names, in the order Keras returns them."""


@dataclass(frozen=True)
class PublishedDataset:
    """A dataset as it was published; `title` is its name in messages.

    `sha256` is of the uncompressed IDX file of each array. `mean` and `sd` are those of the training pixels divided
    by 255. `bundled` is true if the kit includes the images.
    """

    title: str
    sha256: Mapping[str, str]
    mean: float
    sd: float
    bundled: bool = False


DATASETS: Mapping[str, PublishedDataset] = {
    # By Y. LeCun and C. Cortes.
    "mnist": PublishedDataset(
        "MNIST",
        {
            "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        mean=0.1307,
        sd=0.3081,
        bundled=True,
    ),
    # By H. Xiao, K. Rasul and R. Vollgraf, Zalando Research. Its README gives MD5 sums of the compressed files, which
    # `tests/data/test_idx_files.py` compares with these.
    "fashion_mnist": PublishedDataset(
        "Fashion MNIST",
        {
            "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        mean=0.2860,
        sd=0.3530,
    ),
}
"""The datasets by the module of `keras.datasets` that loads them. Each has 60,000 and 10,000 images of ten classes."""

FACTS: dict[str, int | tuple[int, ...]] = {
    "train_images_shape": (60000, 28, 28),
    "train_labels_shape": (60000,),
    "train_labels_length": 60000,
    "test_images_shape": (10000, 28, 28),
    "test_labels_shape": (10000,),
    "test_labels_length": 10000,
}
"""The facts that students can be asked to report, with the right answers."""


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [n, 28, 28] (0 is background) and their labels uint8 [n] (0 to 9)."""

    images: Bytes
    labels: Bytes


@dataclass(frozen=True)
class Dataset:
    """60,000 training and 10,000 test images."""

    train: Labelled
    test: Labelled


def fingerprint(array: Bytes) -> str:
    """Return the SHA-256 of an array written as an IDX file (magic 0x08 = uint8, then big-endian sizes)."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def remedy(name: str) -> str:
    """Return what to do if the file of a dataset is missing or wrong."""
    return "restore it from the repository" if DATASETS[name].bundled else f"make it with `mnist-kit data {name}`"


def load(path: Path) -> Dataset:
    """Read and verify the data. `path` is NAME.npz, NAME being one of DATASETS.

    Raises DatasetError if the file is missing, unreadable, or not the published data.
    """
    published, next_step = DATASETS[path.stem], remedy(path.stem)
    arrays: dict[str, Bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:  # an npz file; np.load would accept other files too
            for name in ARRAYS:
                with archive.open(f"{name}.npy") as file:
                    arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: {next_step}") from None
    except Exception as error:  # zipfile and numpy raise many kinds of errors on a damaged file
        raise DatasetError(f"{path} cannot be read ({error}): {next_step}") from error
    for name, expected in published.sha256.items():
        if fingerprint(arrays[name]) != expected:
            raise DatasetError(
                f"{path}: {name} is not the published {published.title} (as an IDX file it should have sha256 "
                f"{expected}): {next_step}"
            )
    return Dataset(Labelled(arrays["x_train"], arrays["y_train"]), Labelled(arrays["x_test"], arrays["y_test"]))


def split(test: Labelled, seed: int) -> tuple[Labelled, Labelled]:
    """Split the test images into (public, private), 5,000 each, with the same number of each class to within one.

    The images are sorted by class, and at random within a class, and go to the halves in turn.
    """
    random = np.random.default_rng(seed).permutation(len(test.labels))
    order = random[np.argsort(test.labels[random], kind="stable")]
    halves = (np.sort(order[0::2]), np.sort(order[1::2]))
    public, private = (Labelled(test.images[half], test.labels[half]) for half in halves)
    return public, private


def public_view(data: Dataset, seed: int) -> Dataset:
    """Return what a student process may see: all training images, and the public half of the test images twice.

    Twice, to have the documented shapes; an accuracy measured on them is still unbiased.
    """
    public, _ = split(data.test, seed)
    twice = Labelled(np.concatenate([public.images] * 2), np.concatenate([public.labels] * 2))
    return Dataset(data.train, twice)
