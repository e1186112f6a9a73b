"""Read a submitted notebook: is it one, is it this assignment's, where are its cells and written answers.

Pure: bytes in, frozen data out; nothing is executed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat

from autograder.errors import SubmissionError
from autograder.policy.policy import Policy
from autograder.submissions import cells

__all__ = ["CodeCell", "Notebook", "read"]

TURNED = "the answer cell had been turned into text; it was run as code"
NO_CELL = "no cell of this question was found; has it been deleted?"
NO_LABEL = "The notebook's own label was missing (some editors drop it); it was graded all the same."
AGAIN = "Open it in Jupyter; if it opens, save it and hand it in again."

MOST_PARTS = 200_000
"""Lists, mappings and values in a notebook, its outputs left out; an honest one has some hundreds. Converting millions
of them would hold up everybody else's notebook."""


@dataclass(frozen=True)
class CodeCell:
    """A code cell: its position among all cells (from 0), its text, and the question it belongs to."""

    index: int
    source: str
    question: str | None

    def describe(self) -> str:
        """The cell in words a student can find it by: Jupyter numbers no cell that has not run."""
        first = self.source.strip().partition("\n")[0]
        return f"the cell that begins `{first[:40]}{'…' if len(first) > 40 else ''}`"


@dataclass(frozen=True)
class Notebook:
    """A submission that can be graded. `answers` holds a text, or None where no answer was found."""

    cells: tuple[CodeCell, ...]
    answers: Mapping[str, str | None]
    notes: tuple[str, ...] = ()

    def cell(self, index: int | None) -> CodeCell | None:
        """The code cell at `index` among all cells."""
        return next((cell for cell in self.cells if cell.index == index), None)


def read(data: bytes, policy: Policy) -> Notebook:
    """Raises SubmissionError, in words for the student, where the file cannot be graded."""
    notebook = _parse(data, int(policy.execution.notebook_mb * 2**20))
    notes = list(_check_assignment(notebook, policy))
    parted = cells.parted(notebook.cells)
    owned = cells.owners(parted, policy)
    answers: dict[str, str | None] = {}
    remarks: defaultdict[str, list[str]] = defaultdict(list)
    for question in policy.written:
        answers[question], remark = cells.answer(question, parted, owned)
        remarks[remark].append(question)
    turned = cells.turned_into_text(parted, owned, policy)
    for question in turned.values():
        remarks[TURNED].append(question)
    for question in policy.code:
        if question not in owned:
            remarks[NO_CELL].append(question)
    notes += [f"{', '.join(questions)}: {remark}" for remark, questions in remarks.items() if remark]
    code = tuple(
        CodeCell(index, cell.source, owner)
        for index, (cell, owner) in enumerate(zip(parted, owned, strict=True))
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
    """The JSON of a file that calls itself a notebook, without outputs, and of a size that can be converted."""
    if not data.strip():
        raise SubmissionError("The file is empty. Save the notebook, then hand it in again.")
    if len(data) > limit:
        raise SubmissionError(
            f"The file is larger than the {round(limit / 2**20, 2):g} MB that are taken. "
            "Clear the outputs (Edit > Clear All Outputs), save, and hand it in again."
        )
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionError("The file is not a notebook: it is not UTF-8 text.") from None
    except RecursionError:
        raise SubmissionError("The file is not a notebook: it is nested too deeply.") from None
    except ValueError as error:
        where = getattr(error, "lineno", None)
        at = f" (the trouble begins at line {where})" if where else ""
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
    _drop_outputs(content)
    if _has_more_parts(content, MOST_PARTS):
        raise SubmissionError(
            "The file holds far more cells, or data beside the cells, than a notebook that can be graded."
        )
    return content


def _drop_outputs(content: dict[str, Any]) -> None:
    """Nothing looks at outputs and widgets, and they can be large. What is malformed stays, to be told later; metadata
    that are not there at all are empty ones, as some editors mean it."""
    metadata = content.setdefault("metadata", {})
    if isinstance(metadata, dict):
        metadata.pop("widgets", None)
    sheets = content.get("worksheets")
    for sheet in (content, *(sheets if isinstance(sheets, list) else ())):  # format 3 has its cells in worksheets
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict):
                cell.setdefault("metadata", {})
                if isinstance(cell.get("outputs"), list):
                    cell["outputs"] = []


def _has_more_parts(content: object, most: int) -> bool:
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


def _check_assignment(notebook: nbformat.NotebookNode, policy: Policy) -> Sequence[str]:
    otter = notebook.metadata.get("otter", {})
    name = otter.get("assignment_name") if isinstance(otter, dict) else None
    if name is None:
        return (NO_LABEL,)
    if name != policy.assignment.name:
        raise SubmissionError(
            f"This notebook belongs to another assignment ({str(name)[:60]!r}, not {policy.assignment.name!r}). "
            "Hand in the notebook of this assignment."
        )
    return ()
