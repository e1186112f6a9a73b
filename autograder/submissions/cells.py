"""The question of each cell and the answers in them, whatever an editor or a student did to the notebook.

A cell's question is found by its id; then by its tag; then by its place below the heading of a question. An answer gets
a remark if it was not in its own cell. Pure, and quick on any untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbformat import NotebookNode

from autograder.policy.policy import Policy

__all__ = [
    "ANSWER_TAG",
    "FIRST_CELL",
    "PLACEHOLDER",
    "cell_id",
    "code_in_text_cells",
    "owners",
    "split_merged",
    "written_answer",
]

PLACEHOLDER = "_Type your answer here, replacing this text._"
"""The text that Otter puts into the answer cell of a written question."""

ANSWER_TAG = "otter_answer_cell"

FIRST_CELL = "intro-code"
"""The id of the notebook's first cell, which is the kit's own."""

CHECK = re.compile(r"""^[ \t]*grader\.check\(\s*['"](\w+)['"]\s*\)""", re.MULTILINE)
CELL_ID = re.compile(r"^([a-z][a-z0-9_]{0,26})-(prompt|answer|check|text|code)(?:-\d+)?$")
COMMENTS = r"(?>(?><!--.*?-->)\s*)*"
HEADING = re.compile(rf"{COMMENTS}#+ *Question (\w+)|\W{{0,9}}Question {{0,3}}(\w+)\W{{0,9}}\Z", re.DOTALL)
END = "<!-- END QUESTION -->"
POINTS = re.compile(r"_Points:_ [\d.]+\s*")
LABEL = re.compile(r"\W{0,9}(?:answer(?: to)? {1,3})?(?:question|q) {0,3}(\w+)\b[\s.:)*-]{0,9}", re.IGNORECASE)

BY_TAG = "the editor changed the cell's id; the answer was found by its tag"
BY_PLACE = "the answer was found by its place, not by its cell"
BY_CODE = "the answer was in a code cell"
BY_LABEL = "the answer was found by the question number at its start"
JOINED = "several cells hold an answer; they were joined"
NO_ANSWER = "no answer was written"
NO_CELL = "the answer cell was not found; has it been deleted?"

MOST_PARTS = 20  # the parts into which one merged cell is split at most


def cell_id(question: str, role: str, number: int = 0) -> str:
    """Return the id that the build gives to a cell of a question; it survives most editors.

    That of an answer cell is also its tag, which survives if ids are renewed.
    """
    return f"{question}-{role}" + (f"-{number}" if number else "")


def split_merged(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Split cells that were merged, or in which an answer was typed below its prompt.

    A new part begins at the end of a question and after its line of points.
    """
    parts: list[NotebookNode] = []
    for cell in cells:
        groups: list[list[str]] = [[]]
        for line in cell.source.splitlines(keepends=True) if cell.cell_type == "markdown" else ():
            if line.strip() == END and len(groups) < MOST_PARTS and any(map(str.strip, groups[-1])):
                groups.append([])
            groups[-1].append(line)
            if POINTS.fullmatch(line) and len(groups) < MOST_PARTS:
                groups.append([])
        texts = [text for text in map("".join, groups) if text.strip()]
        parts += [_part(cell, text) for text in texts] if len(texts) > 1 else [cell]
    return parts


def owners(cells: Sequence[NotebookNode], policy: Policy) -> list[str | None]:
    """Return the question of each cell; None for a cell between questions."""
    found = [_own_question(cell, policy) for cell in cells]
    # A `grader.check("q")` cell ends its question: code before it that names no question belongs to it.
    checked: str | None = None
    for index in reversed(range(len(cells))):
        if found[index] is not None:
            checked = found[index] if CHECK.search(cells[index].source) else None
        elif checked is not None and cells[index].cell_type == "code":
            found[index] = checked
    # Any other cell goes with the one before it.
    current: str | None = None
    for index, owner in enumerate(found):
        current = current if owner is None else owner
        found[index] = current or None
    # A tagged answer that was moved away keeps its question; inside a question, its place says more.
    for index, cell in enumerate(cells):
        tagged = next((question for question in policy.written if cell_id(question, "answer") in _tags(cell)), None)
        if tagged and found[index] not in policy.written:
            found[index] = tagged
    return found


def written_answer(
    question: str, cells: Sequence[NotebookNode], owners: Sequence[str | None]
) -> tuple[str | None, str]:
    """Return the answer to a written question, or None, and a remark on how it was found.

    It is in the cells with the answer's id or tag, and in any text that the student put next to them; failing that, in
    a code cell, or in a text anywhere that begins with the question's number.
    """
    own = [cell for cell, owner in zip(cells, owners, strict=True) if owner == question]
    holders = [cell for cell in own if _text(cell) and (_is_answer_cell(cell, question) or _is_students_text(cell))]
    texts = list(dict.fromkeys(map(_text, holders)))
    if len(texts) > 1:
        return "\n\n".join(texts), JOINED
    if any(_parsed_id(cell) == (question, "answer") for cell in holders):
        return texts[0], ""
    if texts:
        return texts[0], BY_TAG if any(_is_answer_cell(cell, question) for cell in holders) else BY_PLACE
    if code := [_text(cell) for cell in own if cell.cell_type == "code" and _text(cell)]:
        return code[0], BY_CODE
    if labelled := _labelled_texts(question, cells, owners):
        return labelled[0], BY_LABEL
    return None, NO_ANSWER if any(_is_answer_cell(cell, question) for cell in own) else NO_CELL


def code_in_text_cells(cells: Sequence[NotebookNode], owners: Sequence[str | None], policy: Policy) -> dict[int, str]:
    """Return the code questions whose answer cell was turned into text, by its index, if they have no other code."""
    found: dict[int, str] = {}
    for question in policy.code:
        own = [index for index, owner in enumerate(owners) if owner == question and cells[index].source.strip()]
        if not any(cells[index].cell_type == "code" and not CHECK.search(cells[index].source) for index in own):
            texts = [index for index in own if cells[index].cell_type in ("markdown", "raw")]
            found |= {index: question for index in texts if _is_answer_cell(cells[index], question)}
    return found


def _part(cell: NotebookNode, text: str) -> NotebookNode:
    """Return a part of a merged cell, with the cell's id and tags if they are about this part."""
    name = _parsed_id(cell)
    is_ours = text.lstrip().startswith(END) or HEADING.match(text) is not None
    keeps_id = name is None or is_ours == (name[1] in ("prompt", "text"))
    kept_tags = [] if is_ours else sorted(_tags(cell))
    id = cell.get("id", "") if keeps_id else ""
    return NotebookNode(cell_type="markdown", id=id, metadata=NotebookNode(tags=kept_tags), source=text)


def _tags(cell: NotebookNode) -> set[str]:
    found = cell.metadata.get("tags")
    return {tag for tag in found if isinstance(tag, str)} if isinstance(found, list) else set()


def _parsed_id(cell: NotebookNode) -> tuple[str, str] | None:
    """Return the question and the role in the id that the build gave; Colab keeps it in the metadata."""
    found = CELL_ID.match(str(cell.get("id", ""))) or CELL_ID.match(str(cell.metadata.get("id", "")))
    return (found[1], found[2]) if found else None


def _is_answer_cell(cell: NotebookNode, question: str) -> bool:
    """True for a cell with the id of this question's answer, or with Otter's tag of any answer."""
    return _parsed_id(cell) == (question, "answer") or ANSWER_TAG in _tags(cell)


def _own_question(cell: NotebookNode, policy: Policy) -> str | None:
    """Return the question that a cell names; "" for a cell of the kit between questions, None if it names nothing."""
    name = _parsed_id(cell)
    if name:
        return name[0] if name[0] in policy.questions else ""
    question = None
    if check := CHECK.search(cell.source) if cell.cell_type == "code" else None:
        question = check[1]
    elif heading := HEADING.match(cell.source) if cell.cell_type == "markdown" else None:
        question = f"q{heading[1] or heading[2]}"
    return question if question in policy.questions else None


def _labelled_texts(question: str, cells: Sequence[NotebookNode], owners: Sequence[str | None]) -> list[str]:
    """Return the texts outside the question that begin with its number, without that."""
    texts = []
    for cell, owner in zip(cells, owners, strict=True):
        label = LABEL.match(cell.source)
        text = cell.source[label.end() :].strip() if label and f"q{label[1]}" == question != owner else ""
        if text and _is_students_text(cell):
            texts.append(text)
    return texts


def _is_students_text(cell: NotebookNode) -> bool:
    """True for text that is not ours: the build locks its prompts, and Otter puts comments around questions."""
    return (
        cell.cell_type in ("markdown", "raw")
        and _parsed_id(cell) is None
        and cell.metadata.get("editable") is not False
        and not cell.source.lstrip().startswith("<!--")
        and HEADING.match(cell.source) is None
    )


def _text(cell: NotebookNode) -> str:
    return str(cell.source).replace(PLACEHOLDER, "").strip()
