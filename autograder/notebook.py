"""Read a submitted notebook: is it one, is it this assignment's, where are its cells and written answers.

Pure: bytes in, frozen data out; nothing is executed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat

from autograder.errors import SubmissionError
from autograder.policy import Policy

__all__ = ["ANSWER_TAG", "PLACEHOLDER", "CodeCell", "Notebook", "cell_id", "read"]

PLACEHOLDER = "_Type your answer here, replacing this text._"
"""What Otter puts into the answer cell of a written question."""

CHECK = re.compile(r"""^[ \t]*grader\.check\(\s*['"](\w+)['"]\s*\)""", re.MULTILINE)
CELL_ID = re.compile(r"^([a-z][a-z0-9_]{0,26})-(prompt|answer|check|text|code)(?:-\d+)?$")
ANSWER_TAG = "otter_answer_cell"
HEADING = re.compile(r"(?>(?><!--.*?-->)\s*)*#+ *Question (\w+)", re.DOTALL)
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


def cell_id(question: str, role: str, number: int = 0) -> str:
    """The id that the build gives to a cell of a question; it survives most editors."""
    return f"{question}-{role}" + (f"-{number}" if number else "")


def read(data: bytes, policy: Policy) -> Notebook:
    """Raises SubmissionError, in words for the student, where the file cannot be graded."""
    notebook = _parse(data, int(policy.execution.notebook_mb * 2**20))
    notes = list(_check_assignment(notebook, policy))
    owners = _owners(notebook.cells, policy)
    cells = tuple(
        CodeCell(index, cell.source, owner)
        for index, (cell, owner) in enumerate(zip(notebook.cells, owners, strict=True))
        if cell.cell_type == "code" and cell.source.strip()
    )
    answers: dict[str, str | None] = {}
    for question in policy.written:
        answers[question], remark = _answer(question, notebook.cells, owners)
        if remark:
            notes.append(f"{question}: {remark}")
    present = {owner for owner in owners if owner}
    for question in policy.code:
        if question not in present:
            notes.append(f"{question}: no cell of this question was found; has it been deleted?")
    return Notebook(cells, answers, tuple(notes))


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
    """Nothing looks at outputs, and they can be large. Whatever is not as it should be stays, to be told later."""
    sheets = content.get("worksheets")
    for sheet in (content, *(sheets if isinstance(sheets, list) else ())):  # format 3 has its cells in worksheets
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict) and isinstance(cell.get("outputs"), list):
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
        return ("The notebook's own label was missing (some editors drop it); it was graded all the same.",)
    if name != policy.assignment.name:
        raise SubmissionError(
            f"This notebook belongs to another assignment ({str(name)[:60]!r}, not {policy.assignment.name!r}). "
            "Hand in the notebook of this assignment."
        )
    return ()


def _owners(cells: Sequence[nbformat.NotebookNode], policy: Policy) -> list[str | None]:
    """The question each cell belongs to: by its id; else it goes with what stands before it.

    A `grader.check("q")` cell ends its question; whatever has no id before it belongs to that question.
    """
    owners: list[str | None] = [_owner(cell, policy) for cell in cells]
    checked: str | None = None
    for index in range(len(cells) - 1, -1, -1):
        if owners[index] is not None:
            checked = owners[index] if CHECK.search(cells[index].source) else None
        elif checked is not None and cells[index].cell_type == "code":
            owners[index] = checked
    current: str | None = None
    for index, owner in enumerate(owners):
        current = current if owner is None else owner
        owners[index] = current or None
    return owners


def _owner(cell: nbformat.NotebookNode, policy: Policy) -> str | None:
    """The question a cell names; "" for a cell of ours between questions; None where nothing is said."""
    match = CELL_ID.match(str(cell.get("id", "")))
    if match:
        return match[1] if match[1] in policy.questions else ""
    check = CHECK.search(cell.source) if cell.cell_type == "code" else None
    if check and check[1] in policy.questions:
        return check[1]
    heading = HEADING.match(cell.source)
    name = f"q{heading[1]}" if heading else ""
    return name if cell.cell_type == "markdown" and name in policy.questions else None


def _answer(
    question: str, cells: Sequence[nbformat.NotebookNode], owners: Sequence[str | None]
) -> tuple[str | None, str]:
    """The answer to a written question and a remark on how it was found.

    The cells with the answer's id or Otter's tag, and whatever text the student put beside them.
    """
    mine = [cell for cell, owner in zip(cells, owners, strict=True) if owner == question]
    marked = [_text(cell) for cell in mine if _is_marked(cell, question)]
    either = [_text(cell) for cell in mine if _is_marked(cell, question) or _is_loose(cell)]
    texts = list(dict.fromkeys(text for text in either if text))
    if len(texts) > 1:
        return "\n\n".join(texts), "several cells hold an answer; they were put together"
    if texts:
        return texts[0], "" if any(marked) else "the answer was found by its place, not by its cell"
    if marked:
        return None, "no answer was written"
    return None, "the answer cell was not found; has it been deleted?"


def _is_marked(cell: nbformat.NotebookNode, question: str) -> bool:
    tags = cell.metadata.get("tags")
    return str(cell.get("id", "")).startswith(cell_id(question, "answer")) or (
        isinstance(tags, list) and ANSWER_TAG in tags
    )


def _is_loose(cell: nbformat.NotebookNode) -> bool:
    """Text that is not ours: the build locks its prompts, and Otter begins and ends questions with comments."""
    return (
        cell.cell_type in ("markdown", "raw")
        and CELL_ID.match(str(cell.get("id", ""))) is None
        and cell.metadata.get("editable") is not False
        and not cell.source.lstrip().startswith("<!--")
        and HEADING.match(cell.source) is None
    )


def _text(cell: nbformat.NotebookNode) -> str:
    return str(cell.source).replace(PLACEHOLDER, "").strip()
