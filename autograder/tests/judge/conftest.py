"""Keras and the images, loaded once for the tests that need them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from autograder.data import dataset
from autograder.layout import HOME
from autograder.tests.with_keras import quiet_keras


@pytest.fixture(scope="package")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit


@pytest.fixture(scope="package")
def mnist() -> dataset.Dataset:
    return dataset.load(HOME.data("mnist"))
