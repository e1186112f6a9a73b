"""The first cell of the template: it installs what is missing, and carries the public checks.

So the notebook is one file that works by itself, also where no notebook file can be read (Colab) and where it goes by
another name. The cell's code is `assignment/first_cell.py`; here the public checks are put into it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.errors import BuildError

__all__ = ["METADATA", "opening"]

METADATA: Mapping[str, Any] = {
    "cellView": "form",  # Colab shows the title only
    "deletable": False,
    "editable": False,
    "jupyter": {"source_hidden": True},  # JupyterLab shows the first line only
}

MARK = "_Grader({})"


def opening(code: str, tests: Mapping[str, str]) -> str:
    """The first cell's source: `code` with the public checks, Otter test files by question, in the place of its mark.

    Raises BuildError where the mark is not there once, or a test cannot be quoted.
    """
    if code.count(MARK) != 1:
        raise BuildError(
            f"assignment/first_cell.py: `{MARK}` has to stand there once; the public checks are put in there"
        )
    for question, text in tests.items():
        if "'''" in text or text.endswith(("'", "\\")):
            raise BuildError(f"the public checks of {question} have ''' in them, which the first cell quotes them with")
    quoted = "".join(f"    \"{question}\": r'''{text.strip()}\n''',\n" for question, text in tests.items())
    return code.replace(MARK, f"_Grader({{\n{quoted}}})").strip()
