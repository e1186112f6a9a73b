"""Read a submitted notebook: is it one, is it this assignment's, where are its cells and written answers.

Pure: bytes in, frozen data out; nothing is executed.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nbformat

from autograder.errors import SubmissionError
from autograder.policy import Policy

__all__ = ["ANSWER_TAG", "PLACEHOLDER", "CodeCell", "Notebook", "cell_id", "read"]

PLACEHOLDER = "_Type your answer here, replacing this text._"
"""What Otter puts into the answer cell of a written question."""

CHECK = re.compile(r"""^\s*grader\.check\(\s*['"](\w+)['"]\s*\)""", re.MULTILINE)
CELL_ID = re.compile(r"^([a-z][a-z0-9_]{0,26})-(prompt|answer|check|text|code)(?:-\d+)?$")
ANSWER_TAG = "otter_answer_cell"
BEGIN = re.compile(r"<!--\s*BEGIN QUESTION\s*-->")


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
    if not data.strip():
        raise SubmissionError("The file is empty. Save the notebook, then hand it in again.")
    if len(data) > limit:
        raise SubmissionError(
            f"The file has {len(data) / 2**20:.0f} MB; at most {limit / 2**20:.0f} MB are taken. "
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
            f"The file is not a notebook, or was cut short while it was saved or uploaded{at}. "
            "Open it in Jupyter; if it opens, save it and hand it in again."
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise SubmissionError("The file is JSON, but not a notebook. Hand in the .ipynb file itself.")
    if content["nbformat"] not in (3, 4):
        raise SubmissionError(
            f"The notebook has format {content['nbformat']}; formats 3 and 4 can be read. "
            "Open it in a current Jupyter, save it, and hand it in again."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing or repeated cell ids are dealt with below
            notebook = nbformat.reads(json.dumps(content), as_version=4)
    except Exception as error:  # nbformat's readers raise many kinds on malformed content
        reason = str(error).partition("\n")[0][:120]
        raise SubmissionError(f"The file is not a valid notebook ({reason}).") from None
    if not isinstance(notebook.get("cells"), list) or not all(_well_formed(cell) for cell in notebook.cells):
        raise SubmissionError("The file is not a valid notebook: its cells are malformed.")
    return notebook


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
    heading = re.match(r"(?:<!--.*?-->\s*)*#+ *Question (\w+)", cell.source, re.DOTALL)
    name = f"q{heading[1]}" if heading else ""
    return name if cell.cell_type == "markdown" and name in policy.questions else None


def _answer(
    question: str, cells: Sequence[nbformat.NotebookNode], owners: Sequence[str | None]
) -> tuple[str | None, str]:
    """The answer to a written question and a remark on how it was found.

    By cell id; else by Otter's tag within the question; else whatever text the student put in the question.
    """
    mine = [cell for cell, owner in zip(cells, owners, strict=True) if owner == question]
    by_id = [cell for cell in mine if str(cell.get("id", "")).startswith(cell_id(question, "answer"))]
    by_tag = [cell for cell in mine if ANSWER_TAG in (cell.get("metadata", {}).get("tags") or ())]
    loose = [
        cell
        for cell in mine
        if cell.cell_type in ("markdown", "raw")
        and not BEGIN.search(cell.source)
        and CELL_ID.match(str(cell.get("id", ""))) is None
        and not cell.source.strip().startswith(("<!--", "#"))
    ]
    for found, remark in ((by_id, ""), (by_tag, ""), (loose, "the answer was found by its place, not by its cell")):
        texts = list(dict.fromkeys(text for cell in found if (text := _text(cell))))
        if len(texts) > 1:
            return "\n\n".join(texts), "several cells hold an answer; they were put together"
        if texts:
            return texts[0], remark
    if by_id or by_tag:
        return None, "no answer was written"
    return None, "the answer cell was not found; has it been deleted?"


def _text(cell: nbformat.NotebookNode) -> str:
    return str(cell.source).replace(PLACEHOLDER, "").strip()
