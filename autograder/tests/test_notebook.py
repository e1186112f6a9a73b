"""Reading a submission: answers and cells are found however an editor left them; what cannot be read is explained."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder import notebook, policy
from autograder.classroom import MEMBERS, fill
from autograder.errors import SubmissionError
from autograder.layout import HOME
from autograder.notebook import PLACEHOLDER, Notebook, cell_id

RULES = policy.load(HOME.policy)
NAME = RULES.assignment.name
TEMPLATE = nbformat.read(HOME.template, as_version=4)
PROSE = {"q1": "One.", "q2": "# Two\n\nof it.", "q3": "Three."}
CODE = {"q4": "four = 4", "q5": "five = 5", "q6": "six = 6", "q7": "seven = 7"}
FILLED = fill(TEMPLATE, {**PROSE, **CODE})
BY_PLACE = "the answer was found by its place, not by its cell"
TOGETHER = "several cells hold an answer; they were put together"
NO_ANSWER = "no answer was written"
NO_CELL = "the answer cell was not found; has it been deleted?"
NO_LABEL = "The notebook's own label was missing (some editors drop it); it was graded all the same."
AGAIN = "Open it in Jupyter; if it opens, save it and hand it in again."

Edit = Callable[[NotebookNode], None]


def taken(content: object) -> Notebook:
    return notebook.read(json.dumps(content).encode(), RULES)


def edited(edit: Edit, start: NotebookNode = FILLED) -> NotebookNode:
    made = copy.deepcopy(start)
    edit(made)
    return made


def at(book: NotebookNode, id: str) -> int:
    return next(index for index, cell in enumerate(book.cells) if cell.get("id") == id)


def owners(book: Notebook) -> dict[str, str | None]:
    """The question of each of the filled-in code cells, and of those whose text is their name in capitals."""
    return {cell.source: cell.question for cell in book.cells if cell.source in CODE.values() or cell.source.isupper()}


def renew_ids(book: NotebookNode) -> None:
    for number, cell in enumerate(book.cells):
        cell.id = f"{number:08x}"


def drop_ids(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.pop("id", None)


def drop_metadata(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.metadata = NotebookNode()


def delete(*ids: str) -> Edit:
    def edit(book: NotebookNode) -> None:
        book.cells = [cell for cell in book.cells if cell.get("id") not in ids]

    return edit


def insert(id: str, *cells: NotebookNode) -> Edit:
    """Put cells before the cell `id`."""

    def edit(book: NotebookNode) -> None:
        book.cells[at(book, id) : at(book, id)] = copy.deepcopy(cells)

    return edit


def change(id: str, **keys: Any) -> Edit:
    """Change keys of the cell `id`."""

    def edit(book: NotebookNode) -> None:
        book.cells[at(book, id)].update(keys)

    return edit


def retype(book: NotebookNode) -> None:
    """The answer cells deleted, and their text typed into cells that an editor made."""
    for question, text in PROSE.items():
        book.cells[at(book, cell_id(question, "answer"))] = new_markdown_cell(text, id=f"new-{question}")


def several(*edits: Edit) -> Edit:
    def edit(book: NotebookNode) -> None:
        for one in edits:
            one(book)

    return edit


def move_to_end(book: NotebookNode) -> None:
    book.cells.append(book.cells.pop(at(book, "q1-answer")))


def test_the_template_has_no_answers_and_says_so() -> None:
    book = taken(TEMPLATE)
    assert book.answers == dict.fromkeys(PROSE)
    assert book.notes == tuple(f"{question}: {NO_ANSWER}" for question in PROSE)


def test_a_filled_in_notebook_gives_its_answers_and_code_with_nothing_to_note() -> None:
    book = taken(FILLED)
    assert (book.answers, book.notes) == (PROSE, ())
    assert owners(book) == {source: question for question, source in CODE.items()}
    assert [cell.index for cell in book.cells if cell.source == CODE["q4"]] == [at(FILLED, "q4-answer")]


def test_text_beside_the_placeholder_is_the_answer() -> None:
    assert taken(edited(change("q1-answer", source=f"{PLACEHOLDER}\n\nOne."))).answers["q1"] == "One."


def test_code_cells_without_text_are_left_out() -> None:
    assert CODE["q4"] not in owners(taken(edited(change("q4-answer", source=" \n"))))


FOUND: dict[str, tuple[Edit, str]] = {
    "ids renewed": (renew_ids, ""),
    "ids dropped": (drop_ids, ""),
    "ids of a wrong type": (lambda book: [cell.update(id=[1]) for cell in book.cells] and None, ""),
    "the same id everywhere": (lambda book: [cell.update(id="q9") for cell in book.cells] and None, ""),
    "metadata dropped": (drop_metadata, ""),
    "an answer moved elsewhere": (move_to_end, ""),
    "an answer turned into code": (change("q2-answer", cell_type="code", outputs=[]), ""),
    "tags that are no list": (change("q2-answer", metadata={"tags": 5}), ""),
    "retyped": (retype, BY_PLACE),
    "retyped, and all ids renewed": (several(retype, renew_ids), BY_PLACE),
    "retyped, and everything else dropped": (several(retype, drop_ids, drop_metadata), BY_PLACE),
}


@pytest.mark.parametrize(("edit", "remark"), FOUND.values(), ids=FOUND)
def test_answers_are_found_whatever_an_editor_did(edit: Edit, remark: str) -> None:
    book = taken(edited(edit))
    assert book.answers == PROSE
    assert book.notes == tuple(f"{question}: {remark}" for question in PROSE if remark)


MORE = new_markdown_cell("More.", id="more")
TWICE: dict[str, tuple[Edit, str | None, str]] = {
    "copied with its id": (lambda book: insert("q1-answer", book.cells[at(book, "q1-answer")])(book), "One.", ""),
    "copied with its id, then changed": (insert("q2-prompt", MORE | {"id": "q1-answer"}), "One.\n\nMore.", TOGETHER),
    "copied with its tag, then changed": (
        insert("q2-prompt", MORE | {"metadata": {"tags": ["otter_answer_cell"]}}), "One.\n\nMore.", TOGETHER,
    ),
    "continued below": (insert("q2-prompt", MORE), "One.\n\nMore.", TOGETHER),
    "begun above, as raw text": (insert("q1-answer", new_raw_cell("More.", id="more")), "More.\n\nOne.", TOGETHER),
    "written beside an empty cell": (several(change("q1-answer", source=""), insert("q2-prompt", MORE)), "More.", BY_PLACE),
    "emptied": (change("q1-answer", source=" "), None, NO_ANSWER),
    "deleted": (delete("q1-answer"), None, NO_CELL),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "answer", "remark"), TWICE.values(), ids=TWICE)
def test_no_part_of_an_answer_is_lost(edit: Edit, answer: str | None, remark: str) -> None:
    book = taken(edited(edit))
    assert book.answers == {**PROSE, "q1": answer}
    assert book.notes == ((f"q1: {remark}",) if remark else ())


NEW, OLD = new_code_cell("NEW", id="new"), {source: question for question, source in CODE.items()}
CHECKS = delete("q4-check", "q5-check", "q6-check", "q7-check")
OWNED: dict[str, tuple[Edit, dict[str, str | None]]] = {
    "ids renewed": (renew_ids, {}),
    "ids dropped": (drop_ids, {}),
    "check cells deleted": (CHECKS, {}),
    "check cells deleted and ids renewed": (several(CHECKS, renew_ids), {}),
    "prompts deleted and ids renewed": (several(delete("q4-prompt", "q5-prompt"), renew_ids), {}),
    "a cell before the answer": (insert("q5-answer", NEW), {"NEW": "q5"}),
    "a cell before the answer, ids renewed": (several(insert("q5-answer", NEW), renew_ids), {"NEW": "q5"}),
    "a cell before the check": (insert("q5-check", NEW), {"NEW": "q5"}),
    "a cell in place of the answer": (several(insert("q5-check", NEW), delete("q5-answer")), {"NEW": "q5", CODE["q5"]: ""}),
    "a cell at the very top": (insert("intro-code", NEW), {"NEW": None}),
    "a cell between questions": (insert("after_q7-code", NEW), {"NEW": None}),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), OWNED.values(), ids=OWNED)
def test_a_code_cell_belongs_to_the_question_it_stands_in(edit: Edit, expected: dict[str, str | None]) -> None:
    wanted = {source: question for source, question in {**OLD, **expected}.items() if question != ""}
    assert owners(taken(edited(edit))) == wanted


def test_a_question_without_any_cell_is_noted() -> None:
    book = taken(edited(delete("q5-prompt", "q5-answer", "q5-check")))
    assert book.notes == ("q5: no cell of this question was found; has it been deleted?",)


def test_half_a_character_cannot_upset_what_comes_later() -> None:
    book = taken(edited(several(change("q1-answer", source="a\ud800b"), change("q4-answer", source="A\udfff"))))
    assert book.answers["q1"] == "a?b"
    assert owners(book)["A?"] == "q4"


@pytest.mark.parametrize("label", [None, [], {}, {"tests": {}}], ids=["nothing", "a list", "empty", "no name"])
def test_a_missing_label_is_noted_and_graded_all_the_same(label: object) -> None:
    book = taken(edited(lambda book: book.metadata.update(otter=label)))
    assert (book.answers, book.notes) == (PROSE, (NO_LABEL,))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["\n" * 200_000, "<!---->" * 5000, "<!-- " * 50_000], ids=["lines", "comments", "open"]
)
def test_a_text_made_to_be_slow_is_read_at_once(text: str) -> None:
    slow = insert("q1-answer", new_code_cell(text, id="slow-1"), new_markdown_cell(text, id="slow-2"))
    assert taken(edited(slow)).answers == PROSE


def test_format_3_is_read_as_well() -> None:
    old = nbformat.convert(copy.deepcopy(FILLED), 3)
    assert old["nbformat"] == 3
    book = taken(old)
    assert book.answers == PROSE
    assert owners(book) == OLD


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert notebook.read(b"\xef\xbb\xbf" + json.dumps(FILLED).encode(), RULES).answers == PROSE


def test_text_as_a_list_of_lines_is_joined() -> None:
    assert taken(edited(change("q2-answer", source=["# Two\n", "\n", "of it."]))).answers == PROSE


CUT = "The file is not a notebook, or was cut short while it was saved or uploaded"
UNSAVED = "Open it in a current Jupyter, save it, and hand it in again."
MALFORMED = f"The file is not a valid notebook: its cells are malformed. {AGAIN}"
FILE = json.dumps(FILLED, indent=1).encode()
BYTES = {
    "empty": (b"", "The file is empty. Save the notebook, then hand it in again."),
    "white space": (b" \r\n\t", "The file is empty. Save the notebook, then hand it in again."),
    "UTF-16": (FILE.decode().encode("utf-16"), "The file is not a notebook: it is not UTF-8 text."),
    "plain text": (b"my homework\n", f"{CUT} (the trouble begins at line 1). {AGAIN}"),
    "cut short": (FILE[: FILE.index(b'"q4-prompt"')], f"{CUT} (the trouble begins at line "),
    "a number without end": (b"9" * 5000, f"{CUT}. {AGAIN}"),
    "a JSON list": (b"[]", "The file is JSON, but not a notebook. Hand in the .ipynb file itself."),
    "other JSON": (b'{"a": 1}', "The file is JSON, but not a notebook. Hand in the .ipynb file itself."),
    "nested without end": (b"[" * 100_000, "The file is not a notebook: it is nested too deeply."),
    "nested deeply": (
        b'{"nbformat": 4, "metadata": {}, "cells": ' + b"[" * 800 + b"]" * 800 + b"}", "The file is not a valid notebook (",
    ),
    "oversized": (
        b" " * (50 * 2**20) + FILE,
        "The file is larger than the 50 MB that are taken. "
        "Clear the outputs (Edit > Clear All Outputs), save, and hand it in again.",
    ),
}  # fmt: skip
CONTENT: dict[str, tuple[Edit, str]] = {
    **{
        f"format {number}": (
            lambda book, number=number: book.update(nbformat=number),
            f"The notebook has format {number}; formats 3 and 4 can be read. {UNSAVED}",
        )
        for number in (2, 5, 9)
    },
    "format in words": (lambda book: book.update(nbformat="4"), "The file is JSON, but not a notebook. Hand in"),
    "another assignment": (
        lambda book: book.metadata.otter.update(assignment_name="second-steps"),
        f"This notebook belongs to another assignment ('second-steps', not '{NAME}'). "
        "Hand in the notebook of this assignment.",
    ),
    "another assignment, oddly named": (
        lambda book: book.metadata.otter.update(assignment_name=["x" * 100]),
        "This notebook belongs to another assignment (",
    ),
    "cells that are no list": (lambda book: book.update(cells={}), MALFORMED),
    "no cells": (lambda book: book.pop("cells"), "The file is not a valid notebook ("),
    "cells of text": (lambda book: book.update(cells=["a"]), "The file is not a valid notebook ("),
    "a cell without text": (lambda book: book.cells[3].pop("source"), MALFORMED),
    "a cell with a number for text": (change("q1-answer", source=5), MALFORMED),
    "a cell with numbers for lines": (change("q1-answer", source=[1]), "The file is not a valid notebook ("),
    "a cell without a type": (change("q1-answer", cell_type=None), MALFORMED),
    "no metadata": (lambda book: book.update(metadata=None), "The file is not a valid notebook ("),
    "a cell without metadata": (change("q1-answer", metadata=None), "The file is not a valid notebook ("),
    "outputs that are no list": (change("q4-answer", outputs=5), "The file is not a valid notebook ("),
}
REJECTED = {**BYTES, **{name: (json.dumps(edited(edit)).encode(), text) for name, (edit, text) in CONTENT.items()}}


@pytest.mark.parametrize(("data", "text"), REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_graded_is_explained_to_the_student(data: bytes, text: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        notebook.read(data, RULES)
    message = str(caught.value)
    assert message == text if text.endswith(".") else message.startswith(text)
    assert len(message) < 300


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_the_bundled_class_is_read_or_rejected_as_its_points_say(member: Any) -> None:
    data = member.make(TEMPLATE)
    rejected = member.name in {"other-assignment", "cut-short", "empty", "not-json", "future-format"}
    if rejected:
        with pytest.raises(SubmissionError, match=r"\.$"):
            notebook.read(data, RULES)
    else:
        assert set(notebook.read(data, RULES).answers) == set(RULES.written)


VALUES = st.sampled_from([None, 5, True, "x", "", [], {}, ["x"], {"a": 1}, "\ud800", [[]], {"otter": 5}])


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@given(
    spots=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), VALUES), min_size=1, max_size=3),
    version=st.sampled_from([3, 4]),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_notebook_with_wrong_values_anywhere_is_read_or_explained(
    spots: list[tuple[float, Any]], version: int
) -> None:
    content = json.loads(json.dumps(nbformat.convert(copy.deepcopy(FILLED), version)))
    for spot, value in spots:
        everywhere = places(content)
        container, key = everywhere[int(spot * len(everywhere))]
        container[key] = copy.deepcopy(value)
    read_or_explained(json.dumps(content).encode())


@given(changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 40)), max_size=4))
@example(changes=[(0.5, b"\xff", 0)])
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_notebook_with_random_bytes_changed_is_read_or_explained(changes: list[tuple[float, bytes, int]]) -> None:
    data = FILE
    for place, new, removed in changes:
        start = int(place * len(data))
        data = data[:start] + new + data[start + removed :]
    read_or_explained(data)


def read_or_explained(data: bytes) -> None:
    try:
        outcome: Notebook | str = notebook.read(data, RULES)
    except SubmissionError as error:
        outcome = str(error)
    assert outcome.endswith(".") if isinstance(outcome, str) else set(outcome.answers) == set(RULES.written)
