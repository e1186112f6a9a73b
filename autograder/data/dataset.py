"""The images, verified against the published files and split into a public and a private half.

MNIST and datasets of its shape are published as IDX files; `provide` makes the kit's file of images from them.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder import atomic
from autograder.errors import DatasetError
from autograder.layout import Layout

__all__ = [
    "ARRAYS",
    "DATASETS",
    "FACTS",
    "FILES",
    "Dataset",
    "Labelled",
    "PublishedDataset",
    "fingerprint",
    "known_folders",
    "load",
    "provide",
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
    # `tests/data/test_dataset.py` compares with these.
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

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The published files by the array in them; compressed, their names end in .gz."""

EXPECTED = f"Expected are the four files {', '.join(FILES.values())}, each with or without .gz at its end"

LARGEST = 64 * 2**20  # bytes of one file that are read, uncompressed; the training images have 47 million


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


def provide(layout: Layout, name: str, folder: Path | None = None) -> bool:
    """Make a dataset's file of images from the IDX files in `folder`, or in the first known folder that has them.

    Returns False, and writes nothing, if the file is there already and is what was published. The same bytes come out
    on every machine, so that what was graded and calibrated with them stays valid. Raises DatasetError if there is no
    such dataset, if the IDX files are missing, damaged or something else, or if nothing can be written.
    """
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise DatasetError(f"The kit has no dataset {name!r}{hint} It has: {', '.join(DATASETS)}")
    target = layout.data(name)
    try:
        load(target)
    except DatasetError:
        pass
    else:
        return False
    if folder is None and DATASETS[name].bundled:
        raise DatasetError(f"{target} is missing or damaged: {remedy(name)}")
    folder = folder or _find(name)
    arrays = {array: _array(folder, name, array) for array in FILES}
    try:
        atomic.write(target, _npz(arrays))
    except OSError as error:
        raise DatasetError(f"{target} cannot be written ({error.strerror})") from error
    return True


def known_folders(name: str) -> tuple[Path, ...]:
    """Return where the IDX files of a dataset may be on this machine: Debian's package, and Keras's own cache."""
    dashed = name.replace("_", "-")
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return Path("/usr/share/datasets") / dashed, keras / "datasets" / dashed


def _array(folder: Path, name: str, array: str) -> Bytes:
    """Read an array from its IDX file, compressed or not, and compare it with the published one."""
    packed, plain = folder / f"{FILES[array]}.gz", folder / FILES[array]
    path = packed if packed.exists() or not plain.exists() else plain
    try:
        with gzip.open(packed) if path is packed else plain.open("rb") as file:
            content = file.read(LARGEST)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing. {EXPECTED}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read ({error}). {EXPECTED}") from error
    published = DATASETS[name]
    if hashlib.sha256(content).hexdigest() != published.sha256[array]:
        raise DatasetError(
            f"{path} is not the published {published.title}: uncompressed, it should have sha256 "
            f"{published.sha256[array]}"
        )
    axes = content[3]  # the hash guarantees the form: two zeros, the type, the number of axes, their lengths
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _find(name: str) -> Path:
    for folder in known_folders(name):
        if any((folder / f"{file}{suffix}").exists() for file in FILES.values() for suffix in ("", ".gz")):
            return folder
    raise DatasetError(
        f"{DATASETS[name].title} is not in {' or in '.join(map(str, known_folders(name)))}.\n"
        f"On Debian or Ubuntu: sudo apt install dataset-{name.replace('_', '-')}\n"
        f"With a network: python -c 'import keras; keras.datasets.{name}.load_data()'\n"
        f"Or name its folder: mnist-kit data {name} --from FOLDER\n{EXPECTED}"
    )


def _npz(arrays: Mapping[str, Bytes]) -> bytes:
    """Return what `np.savez` writes, but without zip64: its headers differ between versions of Python 3.11."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return file.getvalue()
