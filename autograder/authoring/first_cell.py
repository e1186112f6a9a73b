"""The first cell of the template: it installs what is missing and carries the public checks.

So the notebook is one file that works by itself, even on Colab, where it cannot read files next to it. The code is in
`assignment/first_cell.py`; this module puts the public checks into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.errors import BuildError

__all__ = ["METADATA", "first_cell"]

METADATA: Mapping[str, Any] = {
    "cellView": "form",  # Colab shows only the title
    "deletable": False,
    "editable": False,
    "jupyter": {"source_hidden": True},  # JupyterLab shows only the first line
}

PLACEHOLDER = "_Grader({})"


def first_cell(code: str, tests: Mapping[str, str]) -> str:
    """Return the source of the first cell: `code` with the public checks, Otter test files by question.

    Raises BuildError unless PLACEHOLDER occurs exactly once in `code` and every test can be quoted.
    """
    if code.count(PLACEHOLDER) != 1:
        raise BuildError(
            f"assignment/first_cell.py: expected `{PLACEHOLDER}` exactly once; the public checks are put there"
        )
    for question, text in tests.items():
        if "'''" in text or text.endswith(("'", "\\")):
            raise BuildError(
                f"the public checks of {question} cannot be quoted in the first cell: they must not contain ''', "
                "nor end in ' or \\"
            )
    quoted = "".join(f"    \"{question}\": r'''{text.strip()}\n''',\n" for question, text in tests.items())
    return code.replace(PLACEHOLDER, f"_Grader({{\n{quoted}}})").strip()
