"""The hostile corpus bites: one cell in a blank notebook gets full marks where student code runs beside its tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import FULL, fill
from autograder.layout import Layout
from autograder.tests.hostile.integrity import FALLS
from autograder.tests.hostile.test_stock_otter import otter_run

pytestmark = [pytest.mark.slow, pytest.mark.hostile]


@pytest.mark.parametrize("name", FALLS)
def test_stock_otter_gives_full_marks_to_a_blank_notebook(
    layout: Layout, template: NotebookNode, tmp_path: Path, name: str
) -> None:
    assert otter_run(fill(template, {"q4": FALLS[name]}), layout, tmp_path) == FULL
