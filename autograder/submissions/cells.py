"""Whose a cell is, and where a written answer stands, whatever an editor or a student did to the notebook.

Found by the cell's id; then by its tag; then by its place below the heading of its question; then by what stands in it.
What was not found by its id comes with a remark. Pure, and quick on any stranger's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

from autograder.policy.policy import Policy

__all__ = [
    "ANSWER_TAG",
    "FIRST_CELL",
    "PLACEHOLDER",
    "answer",
    "answer_tag",
    "cell_id",
    "owners",
    "parted",
    "turned_into_text",
]

PLACEHOLDER = "_Type your answer here, replacing this text._"
"""What Otter puts into the answer cell of a written question."""

ANSWER_TAG = "otter_answer_cell"

FIRST_CELL = "intro-code"
"""The id of the notebook's first cell, which is the kit's own."""

CHECK = re.compile(r"""^[ \t]*grader\.check\(\s*['"](\w+)['"]\s*\)""", re.MULTILINE)
CELL_ID = re.compile(r"^([a-z][a-z0-9_]{0,26})-(prompt|answer|check|text|code)(?:-\d+)?$")
COMMENTS = r"(?>(?><!--.*?-->)\s*)*"
HEADING = re.compile(rf"{COMMENTS}#+ *Question (\w+)|\W{{0,9}}Question {{0,3}}(\w+)\W{{0,9}}\Z", re.DOTALL)
LABEL = re.compile(r"\W{0,9}(?:answer(?: to)? {1,3})?(?:question|q) {0,3}(\w+)\b[\s.:)*-]{0,9}", re.IGNORECASE)
END = "<!-- END QUESTION -->"
POINTS = re.compile(r"_Points:_ [\d.]+\s*")
MOST_PARTS = 20
"""Cells that one merged cell is taken apart into."""

BY_TAG = "the editor had changed the cell's id; the answer was found by its tag"
BY_PLACE = "the answer was found by its place, not by its cell"
BY_CODE = "the answer stood in a code cell"
BY_LABEL = "the answer was found by the number of the question that it begins with"
TOGETHER = "several cells hold an answer; they were put together"
NO_ANSWER = "no answer was written"
NO_CELL = "the answer cell was not found; has it been deleted?"


def cell_id(question: str, role: str, number: int = 0) -> str:
    """The id that the build gives to a cell of a question; it survives most editors."""
    return f"{question}-{role}" + (f"-{number}" if number else "")


def answer_tag(question: str) -> str:
    """The tag that the build gives to the answer cell of a question; it survives where ids are renewed."""
    return cell_id(question, "answer")


def parted(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The cells, with those taken apart that were merged, or in which an answer was typed below its prompt."""
    return [part for cell in cells for part in _parts(cell)]


def owners(cells: Sequence[NotebookNode], policy: Policy) -> list[str | None]:
    """The question each cell belongs to: by its id; else it goes with what stands before it.

    A `grader.check("q")` cell ends its question; whatever has no id before it belongs to that question.
    """
    found: list[str | None] = [_owner(cell, policy) for cell in cells]
    checked: str | None = None
    for index in range(len(cells) - 1, -1, -1):
        if found[index] is not None:
            checked = found[index] if CHECK.search(cells[index].source) else None
        elif checked is not None and cells[index].cell_type == "code":
            found[index] = checked
    current: str | None = None
    for index, owner in enumerate(found):
        current = current if owner is None else owner
        found[index] = current or None
    for index, cell in enumerate(cells):
        tagged = next((question for question in policy.written if answer_tag(question) in _tags(cell)), None)
        if tagged and found[index] not in policy.written:  # moved away; inside a question its place says more
            found[index] = tagged
    return found


def answer(question: str, cells: Sequence[NotebookNode], owned: Sequence[str | None]) -> tuple[str | None, str]:
    """The answer to a written question and a remark on how it was found.

    The cells with the answer's id or tag, and whatever text the student put beside them.
    """
    mine = [cell for cell, owner in zip(cells, owned, strict=True) if owner == question]
    holders = [cell for cell in mine if _text(cell) and (_is_marked(cell, question) or _is_loose(cell))]
    texts = list(dict.fromkeys(map(_text, holders)))
    if len(texts) > 1:
        return "\n\n".join(texts), TOGETHER
    if any(_has_id(cell, question) for cell in holders):
        return texts[0], ""
    if texts:
        return texts[0], BY_TAG if any(_is_marked(cell, question) for cell in holders) else BY_PLACE
    for text, remark in _by_content(question, cells, owned):
        return text, remark
    return None, NO_ANSWER if any(_is_marked(cell, question) for cell in mine) else NO_CELL


def turned_into_text(cells: Sequence[NotebookNode], owned: Sequence[str | None], policy: Policy) -> dict[int, str]:
    """Answer cells of code questions that are no code cells any more, where the question has no other code.

    Returns the question of each, by its index.
    """
    found: dict[int, str] = {}
    for question in policy.code:
        mine = [index for index, owner in enumerate(owned) if owner == question and cells[index].source.strip()]
        code = [index for index in mine if cells[index].cell_type == "code" and not CHECK.search(cells[index].source)]
        if not code:
            found |= {index: question for index in mine if _is_marked(cells[index], question)}
    return {index: question for index, question in found.items() if cells[index].cell_type in ("markdown", "raw")}


def _parts(cell: NotebookNode) -> list[NotebookNode]:
    if cell.cell_type != "markdown":
        return [cell]
    texts = [""]
    for line in cell.source.splitlines(keepends=True):
        if line.strip() == END and texts[-1].strip() and len(texts) < MOST_PARTS:
            texts.append("")
        texts[-1] += line
        if POINTS.fullmatch(line) and len(texts) < MOST_PARTS:
            texts.append("")
    texts = [text for text in texts if text.strip()]
    return [_part(cell, text) for text in texts] if len(texts) > 1 else [cell]


def _part(cell: NotebookNode, text: str) -> NotebookNode:
    """A part of a merged cell, with the cell's id and tag where they are about this part."""
    name = _name(cell)
    is_ours = text.lstrip().startswith(END) or HEADING.match(text) is not None
    keeps = is_ours == (name is not None and name[2] in ("prompt", "text"))
    tags = [] if is_ours else sorted(_tags(cell))
    id = cell.get("id", "") if name is None or keeps else ""
    return NotebookNode(cell_type="markdown", id=id, metadata=NotebookNode(tags=tags), source=text)


def _owner(cell: NotebookNode, policy: Policy) -> str | None:
    """The question a cell names; "" for a cell of ours between questions; None where nothing is said."""
    name = _name(cell)
    if name:
        return name[1] if name[1] in policy.questions else ""
    check = CHECK.search(cell.source) if cell.cell_type == "code" else None
    if check and check[1] in policy.questions:
        return check[1]
    heading = HEADING.match(cell.source)
    question = f"q{heading[1] or heading[2]}" if heading else ""
    return question if cell.cell_type == "markdown" and question in policy.questions else None


def _name(cell: NotebookNode) -> re.Match[str] | None:
    """The id that the build gave, where the cell still has it: as its id, or where Colab keeps one."""
    return CELL_ID.match(str(cell.get("id", ""))) or CELL_ID.match(str(cell.metadata.get("id", "")))


def _by_content(question: str, cells: Sequence[NotebookNode], owned: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    """Answers told by what stands in a cell: code among prose, or a text that begins with its question's number."""
    for cell, owner in zip(cells, owned, strict=True):
        if owner == question and cell.cell_type == "code" and _text(cell):
            yield _text(cell), BY_CODE
    for cell, owner in zip(cells, owned, strict=True):
        label = LABEL.match(cell.source)
        if label and f"q{label[1]}" == question and _is_loose(cell) and owner != question:
            text = cell.source[label.end() :].strip()
            if text:
                yield text, BY_LABEL


def _has_id(cell: NotebookNode, question: str) -> bool:
    name = _name(cell)
    return name is not None and (name[1], name[2]) == (question, "answer")


def _is_marked(cell: NotebookNode, question: str) -> bool:
    return _has_id(cell, question) or ANSWER_TAG in _tags(cell)


def _tags(cell: NotebookNode) -> set[str]:
    tags = cell.metadata.get("tags")
    return {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _is_loose(cell: NotebookNode) -> bool:
    """Text that is not ours: the build locks its prompts, and Otter begins and ends questions with comments."""
    return (
        cell.cell_type in ("markdown", "raw")
        and _name(cell) is None
        and cell.metadata.get("editable") is not False
        and not cell.source.lstrip().startswith("<!--")
        and HEADING.match(cell.source) is None
    )


def _text(cell: NotebookNode) -> str:
    return str(cell.source).replace(PLACEHOLDER, "").strip()
