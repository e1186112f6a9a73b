"""Keras for the tests of what looks at its models."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from autograder.tests.with_keras import quiet_keras


@pytest.fixture(scope="module")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit
