"""Cells merged, moved, retyped and relabelled: their questions, their answers, and the remarks on them."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from autograder.submissions.cells import (
    BY_CODE,
    BY_LABEL,
    BY_PLACE,
    BY_TAG,
    JOINED,
    MOST_PARTS,
    PLACEHOLDER,
    split_merged,
)
from autograder.submissions.notebook import TURNED
from autograder.tests.notebooks import (
    CODE,
    FILLED,
    PROSE,
    TEMPLATE,
    Edit,
    at,
    change,
    drop_ids,
    drop_metadata,
    edited,
    insert,
    move_to_end,
    several,
    taken,
)

bare = several(drop_ids, drop_metadata)
"""Leaves nothing but types and texts."""


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
        book.cells[at(book, f"{question}-answer")].source = PLACEHOLDER


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


ALL = "q1, q2, q3"
ANSWERED: dict[str, tuple[Edit, str]] = {
    "an answer merged into its prompt": (merged("q1-prompt", "q1-answer"), f"q1: {BY_PLACE}"),
    "a prompt merged into its answer": (merged("q1-prompt", "q1-answer", keep="q1-answer"), ""),
    "an answer merged with the next prompt": (merged("q1-answer", "q2-prompt"), ""),
    "the next prompt merged with an answer": (merged("q1-answer", "q2-prompt", keep="q2-prompt"), f"q1: {BY_PLACE}"),
    "merged, nothing else left": (several(merged("q1-answer", "q2-prompt"), bare), f"{ALL}: {BY_PLACE}"),
    "typed below the prompts": (typed_below_the_prompts, f"{ALL}: {BY_PLACE}"),
    "typed below the prompts, nothing else left": (several(typed_below_the_prompts, bare), f"{ALL}: {BY_PLACE}"),
    "headings retyped, nothing else left": (several(prompts_reduced, bare), f"{ALL}: {BY_PLACE}"),
    "moved to the end, ids lost": (several(move_to_end("q1-answer"), drop_ids), f"{ALL}: {BY_TAG}"),
    "in code cells": (several(in_code_cells, drop_ids), f"{ALL}: {BY_CODE}"),
    "labelled by number alone": (several(only_labelled_texts, bare), f"{ALL}: {BY_LABEL}"),
}


@pytest.mark.parametrize(("edit", "note"), ANSWERED.values(), ids=ANSWERED)
def test_an_answer_is_found_with_a_remark_on_how(edit: Edit, note: str) -> None:
    book = taken(edited(edit))
    assert book.answers == PROSE
    assert book.notes == ((note,) if note else ())


def test_what_is_typed_below_a_prompt_goes_with_what_stands_in_its_cell() -> None:
    prompt = FILLED.cells[at(FILLED, "q1-prompt")].source
    book = taken(edited(change("q1-prompt", source=f"{prompt}\n\nBefore.")))
    assert book.answers["q1"] == "Before.\n\nOne."
    assert book.notes == (f"q1: {JOINED}",)


def test_an_answer_that_speaks_of_another_question_answers_its_own() -> None:
    book = taken(edited(several(change("q1-answer", source=""), change("q2-answer", source="Question 1 said it all."))))
    assert (book.answers["q1"], book.answers["q2"]) == (None, "Question 1 said it all.")


def test_the_template_is_not_taken_apart() -> None:
    assert split_merged(TEMPLATE.cells) == TEMPLATE.cells


@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell])
@pytest.mark.parametrize("lost", [None, drop_ids], ids=["with its id", "with its tag"])
def test_code_that_was_turned_into_text_is_run(make: type, lost: Edit | None) -> None:
    def edit(book: NotebookNode) -> None:
        cell = book.cells[at(book, "q5-answer")]
        book.cells[at(book, "q5-answer")] = make(cell.source, id=cell.id, metadata=cell.metadata)

    book = taken(edited(several(edit, *([lost] if lost else []))))
    assert [cell.source for cell in book.cells if cell.question == "q5"] == [CODE["q5"], 'grader.check("q5")']
    assert f"q5: {TURNED}" in book.notes


def test_text_beside_code_stays_text() -> None:
    def edit(book: NotebookNode) -> None:
        place = at(book, "q5-answer")
        cell = book.cells[place]
        book.cells[place] = new_markdown_cell("old = 5", id=cell.id, metadata=cell.metadata)
        book.cells.insert(place + 1, new_code_cell("five = 5", id="new"))

    book = taken(edited(edit))
    assert "old = 5" not in [cell.source for cell in book.cells]
    assert book.notes == ()


@pytest.mark.parametrize("line", ["_Points:_ 1\n", "x\n<!-- END QUESTION -->\n"])
def test_a_cell_is_taken_into_few_parts_and_nothing_is_lost(line: str) -> None:
    parts = split_merged([new_markdown_cell(line * 100)])
    assert len(parts) == MOST_PARTS
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
