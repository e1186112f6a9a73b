"""Hidden imports stay out, and grading does not need them."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from autograder.engine.slow_imports import UNUSED, hide
hide()
import nbformat, jsonschema
assert not any(sys.modules.get(name) for name in UNUSED), UNUSED
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
nbformat.validate(notebook)
notebook.cells[0].cell_type = "poem"
try:
    nbformat.validate(notebook)
except nbformat.ValidationError:
    print("rejected")
"""


def test_notebooks_are_validated_without_the_hidden_imports() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "rejected\n"
