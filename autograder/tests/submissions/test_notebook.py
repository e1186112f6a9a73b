"""Reading a submission: answers and cells are found however an editor left them."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.submissions import notebook
from autograder.submissions.cells import BY_PLACE, BY_TAG, JOINED, NO_ANSWER, NO_CELL, PLACEHOLDER, cell_id
from autograder.submissions.notebook import NO_LABEL, Notebook
from autograder.tests.notebooks import (
    CODE,
    FILLED,
    PROSE,
    RULES,
    TEMPLATE,
    Edit,
    alter,
    at,
    change,
    delete,
    drop_ids,
    drop_metadata,
    edited,
    insert,
    move_to_end,
    several,
    taken,
)


def owners(book: Notebook) -> dict[str, str | None]:
    """The question of each of the filled-in code cells, and of those whose text is their name in capitals."""
    return {cell.source: cell.question for cell in book.cells if cell.source in CODE.values() or cell.source.isupper()}


def renew_ids(book: NotebookNode) -> None:
    for number, cell in enumerate(book.cells):
        cell.id = f"{number:08x}"


def ids_as_in_colab(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.metadata = NotebookNode(id=cell.id)


def tag_with_numbers(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.metadata = NotebookNode(tags=5)


def retype(book: NotebookNode) -> None:
    """The answer cells deleted, and their text typed into cells that an editor made."""
    for question, text in PROSE.items():
        book.cells[at(book, cell_id(question, "answer"))] = new_markdown_cell(text, id=f"new-{question}")


def test_the_template_has_no_answers_and_says_so() -> None:
    book = taken(TEMPLATE)
    assert book.answers == dict.fromkeys(PROSE)
    assert book.notes == (f"q1, q2, q3: {NO_ANSWER}",)


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
    "ids renewed": (renew_ids, BY_TAG),
    "ids dropped": (drop_ids, BY_TAG),
    "ids of a wrong type": (alter(lambda book: [cell.update(id=[1]) for cell in book.cells]), BY_TAG),
    "the same id everywhere": (alter(lambda book: [cell.update(id="q9") for cell in book.cells]), BY_TAG),
    "ids where Colab keeps them": (several(ids_as_in_colab, drop_ids), ""),
    "ids and metadata dropped": (several(drop_ids, drop_metadata), BY_PLACE),
    "metadata dropped": (drop_metadata, ""),
    "metadata not even empty": (alter(lambda book: [cell.pop("metadata") for cell in book.cells]), ""),
    "an answer moved elsewhere": (move_to_end("q1-answer"), ""),
    "an answer turned into code": (change("q2-answer", cell_type="code", outputs=[]), ""),
    "tags that are no list": (several(tag_with_numbers, renew_ids), BY_PLACE),
    "retyped": (retype, BY_PLACE),
    "retyped, and all ids renewed": (several(retype, renew_ids), BY_PLACE),
    "retyped, and everything else dropped": (several(retype, drop_ids, drop_metadata), BY_PLACE),
}


@pytest.mark.parametrize(("edit", "remark"), FOUND.values(), ids=FOUND)
def test_answers_are_found_whatever_an_editor_did(edit: Edit, remark: str) -> None:
    book = taken(edited(edit))
    assert book.answers == PROSE
    assert book.notes == ((f"q1, q2, q3: {remark}",) if remark else ())


MORE = new_markdown_cell("More.", id="more")
LOCKED = new_markdown_cell("Read this.", id="locked", metadata={"editable": False})
TWICE: dict[str, tuple[Edit, str | None, str]] = {
    "copied with its id": (lambda book: insert("q1-answer", book.cells[at(book, "q1-answer")])(book), "One.", ""),
    "copied with its id, then changed": (insert("q2-prompt", MORE | {"id": "q1-answer"}), "One.\n\nMore.", JOINED),
    "copied with its tag, then changed": (
        insert("q2-prompt", MORE | {"metadata": {"tags": ["otter_answer_cell"]}}), "One.\n\nMore.", JOINED,
    ),
    "continued below": (insert("q2-prompt", MORE), "One.\n\nMore.", JOINED),
    "begun above, as raw text": (insert("q1-answer", new_raw_cell("More.", id="more")), "More.\n\nOne.", JOINED),
    "written beside an empty cell": (
        several(change("q1-answer", source=""), insert("q2-prompt", MORE)), "More.", BY_PLACE,
    ),
    "beside a locked cell": (insert("q1-answer", LOCKED), "One.", ""),
    "beside a prompt that was reworded": (change("q1-prompt", source="Why?", metadata={}), "One.", ""),
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
    "a cell in place of the answer": (
        several(insert("q5-check", NEW), delete("q5-answer")), {"NEW": "q5", CODE["q5"]: ""},
    ),
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


def test_format_3_is_read_as_well() -> None:
    old = nbformat.convert(copy.deepcopy(FILLED), 3)
    assert old["nbformat"] == 3
    book = taken(old)
    assert book.answers == PROSE
    assert owners(book) == OLD


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert notebook.read(b"\xef\xbb\xbf" + json.dumps(FILLED).encode(), RULES).answers == PROSE


def carriage_returns(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.source = cell.source.replace("\n", "\r\n")


def outputs_and_widgets(book: NotebookNode) -> None:
    book.metadata.kernelspec = {"name": "conda-env-ml-py", "display_name": "ml"}
    book.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": dict.fromkeys(range(250_000), 0)}}
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * 2**20}]


@pytest.mark.parametrize(
    "edit",
    [carriage_returns, outputs_and_widgets, change("q2-answer", source=["# Two\n", "\n", "of it."])],
    ids=["carriage returns", "outputs, widgets and another kernel", "text as a list of lines"],
)
def test_what_editors_add_changes_nothing(edit: Edit) -> None:
    assert taken(edited(edit)) == taken(FILLED)
