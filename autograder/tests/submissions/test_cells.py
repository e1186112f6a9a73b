"""Cells however an editor left them: their questions, their answers, and the remarks on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.submissions import cells
from autograder.submissions.notebook import TURNED, Notebook
from autograder.tests.notebooks import (
    CODE,
    FILLED,
    PROSE,
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

bare = several(drop_ids, drop_metadata)  # leaves nothing but types and texts


def renew_ids(book: NotebookNode) -> None:
    for number, cell in enumerate(book.cells):
        cell.id = f"{number:08x}"


def with_metadata(make: Callable[[NotebookNode], dict[str, Any]]) -> Edit:
    """Give each cell other metadata."""
    return alter(lambda book: [cell.update(metadata=make(cell)) for cell in book.cells])


def retype(book: NotebookNode) -> None:
    """The answer cells deleted, and their text typed into cells that an editor made."""
    for question, text in PROSE.items():
        book.cells[at(book, cells.cell_id(question, "answer"))] = new_markdown_cell(text, id=f"new-{question}")


def merged(first: str, second: str, *, keep: str | None = None) -> Edit:
    """Two cells that stand beside each other made one, with the id and the metadata of `keep` (the first)."""

    def edit(book: NotebookNode) -> None:
        one, two = book.cells[at(book, first)], book.cells[at(book, second)]
        kept = two if keep == second else one
        kept.source = f"{one.source}\n\n{two.source}"
        book.cells.remove(one if keep == second else two)

    return edit


def typed_below_the_prompts(book: NotebookNode) -> None:
    """As in Colab, which locks no cell."""
    for question, text in PROSE.items():
        book.cells[at(book, f"{question}-prompt")].source += f"\n\n{text}"
        book.cells[at(book, f"{question}-answer")].source = cells.PLACEHOLDER


def prompts_reduced(book: NotebookNode) -> None:
    """Headings retyped without their marks."""
    for question in PROSE:
        book.cells[at(book, f"{question}-prompt")].source = f"**Question {question[1:]}.**"


def in_code_cells(book: NotebookNode) -> None:
    for question, text in PROSE.items():
        book.cells[at(book, f"{question}-answer")] = new_code_cell(text)


def only_labelled_texts(book: NotebookNode) -> None:
    """A notebook of the student's own, with nothing of the template's in it but code."""
    labels = ("Question 1: ", "**Answer to question 2.** ", "Q3) ")
    texts = [new_markdown_cell(label + PROSE[f"q{number}"]) for number, label in enumerate(labels, start=1)]
    book.cells = [*texts, *(cell for cell in book.cells if cell.cell_type == "code")]


ANSWERED: dict[str, tuple[Edit, str]] = {
    "ids renewed": (renew_ids, cells.BY_TAG),
    "ids dropped": (drop_ids, cells.BY_TAG),
    "ids of a wrong type": (alter(lambda book: [cell.update(id=[1]) for cell in book.cells]), cells.BY_TAG),
    "the same id everywhere": (alter(lambda book: [cell.update(id="q9") for cell in book.cells]), cells.BY_TAG),
    "ids where Colab keeps them": (several(with_metadata(lambda cell: {"id": cell.id}), drop_ids), ""),
    "ids and metadata dropped": (several(drop_ids, drop_metadata), cells.BY_PLACE),
    "metadata dropped": (drop_metadata, ""),
    "metadata not even empty": (alter(lambda book: [cell.pop("metadata") for cell in book.cells]), ""),
    "an answer moved elsewhere": (move_to_end("q1-answer"), ""),
    "an answer turned into code": (change("q2-answer", cell_type="code", outputs=[]), ""),
    "tags that are no list": (several(with_metadata(lambda _: {"tags": 5}), renew_ids), cells.BY_PLACE),
    "retyped": (retype, cells.BY_PLACE),
    "retyped, and all ids renewed": (several(retype, renew_ids), cells.BY_PLACE),
    "retyped, and everything else dropped": (several(retype, drop_ids, drop_metadata), cells.BY_PLACE),
    "a prompt merged into its answer": (merged("q1-prompt", "q1-answer", keep="q1-answer"), ""),
    "an answer merged with the next prompt": (merged("q1-answer", "q2-prompt"), ""),
    "merged, nothing else left": (several(merged("q1-answer", "q2-prompt"), bare), cells.BY_PLACE),
    "typed below the prompts": (typed_below_the_prompts, cells.BY_PLACE),
    "typed below the prompts, nothing else left": (several(typed_below_the_prompts, bare), cells.BY_PLACE),
    "headings retyped, nothing else left": (several(prompts_reduced, bare), cells.BY_PLACE),
    "moved to the end, ids lost": (several(move_to_end("q1-answer"), drop_ids), cells.BY_TAG),
    "in code cells": (several(in_code_cells, drop_ids), cells.BY_CODE),
    "labelled by number alone": (several(only_labelled_texts, bare), cells.BY_LABEL),
}


@pytest.mark.parametrize(("edit", "remark"), ANSWERED.values(), ids=ANSWERED)
def test_all_answers_are_found_with_a_remark_on_how(edit: Edit, remark: str) -> None:
    book = taken(edited(edit))
    assert book.answers == PROSE
    assert book.notes == ((f"q1, q2, q3: {remark}",) if remark else ())


MORE = new_markdown_cell("More.", id="more")
LOCKED = new_markdown_cell("Read this.", id="locked", metadata={"editable": False})
PROMPT = FILLED.cells[at(FILLED, "q1-prompt")].source
TWICE: dict[str, tuple[Edit, str | None, str]] = {
    "merged into its prompt": (merged("q1-prompt", "q1-answer"), "One.", cells.BY_PLACE),
    "merged into the next prompt": (merged("q1-answer", "q2-prompt", keep="q2-prompt"), "One.", cells.BY_PLACE),
    "copied with its id": (lambda book: insert("q1-answer", book.cells[at(book, "q1-answer")])(book), "One.", ""),
    "copied with its id and changed": (insert("q2-prompt", MORE | {"id": "q1-answer"}), "One.\n\nMore.", cells.JOINED),
    "copied with its tag and changed": (
        insert("q2-prompt", MORE | {"metadata": {"tags": ["otter_answer_cell"]}}), "One.\n\nMore.", cells.JOINED,
    ),
    "begun below its prompt": (change("q1-prompt", source=f"{PROMPT}\nMore."), "More.\n\nOne.", cells.JOINED),
    "continued below": (insert("q2-prompt", MORE), "One.\n\nMore.", cells.JOINED),
    "begun above, as raw text": (insert("q1-answer", new_raw_cell("More.", id="more")), "More.\n\nOne.", cells.JOINED),
    "written beside an empty cell": (
        several(change("q1-answer", source=""), insert("q2-prompt", MORE)), "More.", cells.BY_PLACE,
    ),
    "beside a locked cell": (insert("q1-answer", LOCKED), "One.", ""),
    "beside a prompt that was reworded": (change("q1-prompt", source="Why?", metadata={}), "One.", ""),
    "below the placeholder": (change("q1-answer", source=f"{cells.PLACEHOLDER}\n\nOne."), "One.", ""),
    "emptied": (change("q1-answer", source=" "), None, cells.NO_ANSWER),
    "deleted": (delete("q1-answer"), None, cells.NO_CELL),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "answer", "remark"), TWICE.values(), ids=TWICE)
def test_no_part_of_an_answer_is_lost(edit: Edit, answer: str | None, remark: str) -> None:
    book = taken(edited(edit))
    assert book.answers == {**PROSE, "q1": answer}
    assert book.notes == ((f"q1: {remark}",) if remark else ())


def owners(book: Notebook) -> dict[str, str | None]:
    """The question of each of the filled-in code cells, and of those whose text is their name in capitals."""
    return {cell.source: cell.question for cell in book.cells if cell.source in CODE.values() or cell.source.isupper()}


NEW, OLD = new_code_cell("NEW", id="new"), {source: question for question, source in CODE.items()}
CHECKS = delete("q4-check", "q5-check", "q6-check", "q7-check")
OWNED: dict[str, tuple[Edit, dict[str, str | None]]] = {
    "nothing changed": (several(), {}),
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


def test_an_answer_that_speaks_of_another_question_answers_its_own() -> None:
    book = taken(edited(several(change("q1-answer", source=""), change("q2-answer", source="Question 1 said it all."))))
    assert (book.answers["q1"], book.answers["q2"]) == (None, "Question 1 said it all.")


def test_the_template_is_not_taken_apart() -> None:
    assert cells.split_merged(TEMPLATE.cells) == TEMPLATE.cells


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("lost", [several(), drop_ids], ids=["with its id", "with its tag"])
def test_code_that_was_turned_into_text_is_run(kind: str, lost: Edit) -> None:
    book = taken(edited(several(change("q5-answer", cell_type=kind), lost)))
    assert [cell.source for cell in book.cells if cell.question == "q5"] == [CODE["q5"], 'grader.check("q5")']
    assert f"q5: {TURNED}" in book.notes


def test_text_beside_code_stays_text() -> None:
    text = change("q5-answer", cell_type="markdown", source="old = 5")
    book = taken(edited(several(text, insert("q5-check", new_code_cell("five = 5", id="new")))))
    assert "old = 5" not in [cell.source for cell in book.cells]
    assert book.notes == ()


@pytest.mark.parametrize("line", ["_Points:_ 1\n", "x\n<!-- END QUESTION -->\n"])
def test_a_cell_is_taken_into_few_parts_and_nothing_is_lost(line: str) -> None:
    parts = cells.split_merged([new_markdown_cell(line * 100)])
    assert len(parts) == cells.MOST_PARTS
    assert "".join(part.source for part in parts) == line * 100


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("piece", "count"),
    [
        ("_Points:_ 1\n", 20_000),
        ("<!-- END QUESTION -->\n", 20_000),
        ("!", 4_000_000),
        ("Question 1 ", 400_000),
        ("\n", 200_000),
        ("<!---->", 5000),
        ("<!-- ", 50_000),
    ],
)
def test_a_text_made_to_be_slow_is_read_at_once(piece: str, count: int) -> None:
    text = piece * count
    slow = several(change("q1-answer", source=text), insert("q2-answer", new_code_cell(text), new_markdown_cell(text)))
    taken(edited(slow))
    taken(edited(several(slow, bare)))
