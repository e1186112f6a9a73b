"""A submitted notebook as frozen data: its code cells and its written answers.

Pure: bytes in, data out; nothing is executed. A file that cannot be graded is explained to the student.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nbformat

from autograder.errors import SubmissionError
from autograder.policy.policy import Policy
from autograder.submissions.cells import code_in_text_cells, owners, split_merged, written_answer

__all__ = ["CodeCell", "Notebook", "read"]

TURNED = "the answer cell was turned into text; it was run as code"
NO_CELL = "no cell of this question was found; has it been deleted?"
NO_LABEL = "The notebook's label was missing (some editors remove it); it was graded anyway."
AGAIN = "Open it in Jupyter; if it opens, save it and hand it in again."

MOST_VALUES = 200_000
"""Lists, mappings and values in a notebook without its outputs; an honest one has some hundreds. Converting millions
would hold up all other notebooks."""


@dataclass(frozen=True)
class CodeCell:
    """A code cell: its position among all cells (from 0), its text, and its question."""

    index: int
    source: str
    question: str | None

    def describe(self) -> str:
        """Describe the cell so that a student finds it: Jupyter gives no number to a cell that has not run."""
        first = self.source.strip().partition("\n")[0]
        return f"the cell that begins `{first[:40]}{'…' if len(first) > 40 else ''}`"


@dataclass(frozen=True)
class Notebook:
    """A submission that can be graded. `answers` holds a text, or None where no answer was found."""

    cells: tuple[CodeCell, ...]
    answers: Mapping[str, str | None]
    notes: tuple[str, ...] = ()

    def cell(self, index: int | None) -> CodeCell | None:
        """Return the code cell at `index` among all cells."""
        return next((cell for cell in self.cells if cell.index == index), None)


def read(data: bytes, policy: Policy) -> Notebook:
    """Read a notebook file. Raises SubmissionError, in words for the student, if it cannot be graded."""
    notebook = _parse(data, int(policy.execution.notebook_mb * 2**20))
    notes = _check_assignment(notebook, policy)
    cells = split_merged(notebook.cells)
    questions = owners(cells, policy)
    answers: dict[str, str | None] = {}
    remarks: defaultdict[str, list[str]] = defaultdict(list)
    for question in policy.written:
        answers[question], remark = written_answer(question, cells, questions)
        remarks[remark].append(question)
    turned = code_in_text_cells(cells, questions, policy)
    remarks[TURNED] += turned.values()
    remarks[NO_CELL] += [question for question in policy.code if question not in questions]
    notes += [f"{', '.join(group)}: {remark}" for remark, group in remarks.items() if remark and group]
    code = tuple(
        CodeCell(index, cell.source, question)
        for index, (cell, question) in enumerate(zip(cells, questions, strict=True))
        if (cell.cell_type == "code" or index in turned) and cell.source.strip()
    )
    return Notebook(code, answers, tuple(notes))


def _parse(data: bytes, limit: int) -> nbformat.NotebookNode:
    content = _content(data, limit)
    try:
        # Not nbformat.reads, whose validation is slow on a large notebook and gives repeated cells other ids.
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
    except Exception as error:  # nbformat's readers raise many kinds on malformed content
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        raise SubmissionError(f"The file is not a valid notebook ({reason}). {AGAIN}") from None
    if not isinstance(notebook.get("cells"), list) or not all(_well_formed(cell) for cell in notebook.cells):
        raise SubmissionError(f"The file is not a valid notebook: its cells are malformed. {AGAIN}")
    for cell in notebook.cells:
        cell.source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    return notebook


def _content(data: bytes, limit: int) -> dict[str, Any]:
    """Return the JSON of a notebook without outputs, of a size that can be converted. Raises SubmissionError."""
    if not data.strip():
        raise SubmissionError("The file is empty. Save the notebook, then hand it in again.")
    if len(data) > limit:
        raise SubmissionError(
            f"The file is larger than the {round(limit / 2**20, 2):g} MB that are accepted. "
            "Clear the outputs (Edit > Clear All Outputs), save, and hand it in again."
        )
    try:
        content = json.loads(data.decode("utf-8-sig"), object_hook=_trimmed)
    except UnicodeDecodeError:
        raise SubmissionError("The file is not a notebook: it is not UTF-8 text.") from None
    except RecursionError:
        raise SubmissionError("The file is not a notebook: it is nested too deeply.") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        at = f" (the problem begins at line {line})" if line else ""
        raise SubmissionError(
            f"The file is not a notebook, or was cut short while it was saved or uploaded{at}. {AGAIN}"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise SubmissionError("The file is JSON, but not a notebook. Hand in the .ipynb file itself.")
    if content["nbformat"] not in (3, 4):
        raise SubmissionError(
            f"The notebook has format {content['nbformat']}; formats 3 and 4 can be read. "
            "Open it in a current Jupyter, save it, and hand it in again."
        )
    content.setdefault("metadata", {})
    if _has_more_values(content, MOST_VALUES):
        raise SubmissionError(
            "The file holds far more cells, or data outside the cells, than a notebook that can be graded."
        )
    return content


def _trimmed(node: dict[str, Any]) -> dict[str, Any]:
    """Remove widgets and a cell's outputs, which nothing looks at and which can be large, and add missing metadata.

    Some editors leave out empty metadata. What is malformed stays, to be reported later.
    """
    node.pop("widgets", None)
    if "cell_type" in node:
        node.setdefault("metadata", {})
        if isinstance(node.get("outputs"), list):
            node["outputs"] = []
    return node


def _has_more_values(content: object, most: int) -> bool:
    waiting, count = [content], 0
    while waiting:
        node = waiting.pop()
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        count += len(inner)
        if count > most:
            return True
        waiting.extend(inner)
    return False


def _well_formed(cell: object) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("source"), str)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("metadata", {}), dict)
    )


def _check_assignment(notebook: nbformat.NotebookNode, policy: Policy) -> list[str]:
    otter = notebook.metadata.get("otter", {})
    name = otter.get("assignment_name") if isinstance(otter, dict) else None
    if name is None:
        return [NO_LABEL]
    if name != policy.assignment.name:
        raise SubmissionError(
            f"This notebook belongs to another assignment ({str(name)[:60]!r}, not {policy.assignment.name!r}). "
            "Hand in the notebook of this assignment."
        )
    return []
