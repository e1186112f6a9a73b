"""The answers in a notebook, with a remark on each that was not in its own cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbformat import NotebookNode

from autograder.policy.policy import Policy
from autograder.submissions.cells import CHECK, HEADING, PLACEHOLDER, is_answer_cell, parsed_id

__all__ = ["code_in_text_cells", "written_answer"]

LABEL = re.compile(r"\W{0,9}(?:answer(?: to)? {1,3})?(?:question|q) {0,3}(\w+)\b[\s.:)*-]{0,9}", re.IGNORECASE)

BY_TAG = "the editor changed the cell's id; the answer was found by its tag"
BY_PLACE = "the answer was found by its place, not by its cell"
BY_CODE = "the answer was in a code cell"
BY_LABEL = "the answer was found by the question number at its start"
JOINED = "several cells hold an answer; they were joined"
NO_ANSWER = "no answer was written"
NO_CELL = "the answer cell was not found; has it been deleted?"


def written_answer(
    question: str, cells: Sequence[NotebookNode], owners: Sequence[str | None]
) -> tuple[str | None, str]:
    """Return the answer to a written question, or None, and a remark on how it was found.

    It is in the cells with the answer's id or tag, and in any text that the student put next to them; failing that, in
    a code cell, or in a text anywhere that begins with the question's number.
    """
    own = [cell for cell, owner in zip(cells, owners, strict=True) if owner == question]
    holders = [cell for cell in own if _text(cell) and (is_answer_cell(cell, question) or _is_students_text(cell))]
    texts = list(dict.fromkeys(map(_text, holders)))
    if len(texts) > 1:
        return "\n\n".join(texts), JOINED
    if any(parsed_id(cell) == (question, "answer") for cell in holders):
        return texts[0], ""
    if texts:
        return texts[0], BY_TAG if any(is_answer_cell(cell, question) for cell in holders) else BY_PLACE
    if code := [_text(cell) for cell in own if cell.cell_type == "code" and _text(cell)]:
        return code[0], BY_CODE
    if labelled := _labelled_texts(question, cells, owners):
        return labelled[0], BY_LABEL
    return None, NO_ANSWER if any(is_answer_cell(cell, question) for cell in own) else NO_CELL


def code_in_text_cells(cells: Sequence[NotebookNode], owners: Sequence[str | None], policy: Policy) -> dict[int, str]:
    """Return the code questions whose answer cell was turned into text, by its index, if they have no other code."""
    found: dict[int, str] = {}
    for question in policy.code:
        own = [index for index, owner in enumerate(owners) if owner == question and cells[index].source.strip()]
        if not any(cells[index].cell_type == "code" and not CHECK.search(cells[index].source) for index in own):
            found |= {index: question for index in own if is_answer_cell(cells[index], question)}
    return {index: question for index, question in found.items() if cells[index].cell_type in ("markdown", "raw")}


def _labelled_texts(question: str, cells: Sequence[NotebookNode], owners: Sequence[str | None]) -> list[str]:
    """Return the texts outside the question that begin with its number, without that."""
    texts = []
    for cell, owner in zip(cells, owners, strict=True):
        label = LABEL.match(cell.source)
        if label and f"q{label[1]}" == question != owner and _is_students_text(cell):
            texts.append(cell.source[label.end() :].strip())
    return list(filter(None, texts))


def _is_students_text(cell: NotebookNode) -> bool:
    """True for text that is not ours: the build locks its prompts, and Otter puts comments around questions."""
    return (
        cell.cell_type in ("markdown", "raw")
        and parsed_id(cell) is None
        and cell.metadata.get("editable") is not False
        and not cell.source.lstrip().startswith("<!--")
        and HEADING.match(cell.source) is None
    )


def _text(cell: NotebookNode) -> str:
    return str(cell.source).replace(PLACEHOLDER, "").strip()
