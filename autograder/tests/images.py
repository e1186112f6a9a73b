"""Images for the tests: Fashion MNIST from Debian's package, and the mark of tests that need it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.data.dataset import Bytes

FASHION = Path("/usr/share/datasets/fashion-mnist")

needs_fashion = pytest.mark.skipif(
    not FASHION.is_dir(), reason=f"Fashion MNIST is not in {FASHION}: sudo apt install dataset-fashion-mnist"
)


def spread(images: Bytes) -> tuple[float, float]:
    """Return mean and standard deviation of the pixels / 255, to four digits; by counts, as there are 47 million."""
    counts, values = np.bincount(images.ravel(), minlength=256), np.arange(256) / 255
    mean = float(np.average(values, weights=counts))
    return round(mean, 4), round(float(np.average((values - mean) ** 2, weights=counts)) ** 0.5, 4)
