"""A class with written answers, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.gradebook.stores import ReviewStores


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """The location of an empty gradebook."""
    if request.param == "sqlite":
        return tmp_path / "gradebook.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def stores(location: Path | str) -> Iterator[ReviewStores]:
    with ReviewStores(location) as opened:
        yield opened
