"""Reading a submission: a notebook, or an explanation for the student; whatever its bytes, nothing else comes of it."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from autograder.errors import SubmissionError
from autograder.submissions import notebook
from autograder.submissions.cells import NO_ANSWER
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
    edited,
    several,
    taken,
)


def code(book: Notebook) -> dict[str | None, str]:
    """The filled-in code cells by their questions."""
    return {cell.question: cell.source for cell in book.cells if cell.source in CODE.values()}


def test_the_template_has_no_answers_and_says_so() -> None:
    book = taken(TEMPLATE)
    assert book.answers == dict.fromkeys(PROSE)
    assert book.notes == (f"q1, q2, q3: {NO_ANSWER}",)


def test_a_filled_in_notebook_gives_its_answers_and_code_with_nothing_to_note() -> None:
    book = taken(FILLED)
    assert (book.answers, book.notes) == (PROSE, ())
    assert code(book) == CODE
    assert [cell.index for cell in book.cells if cell.source == CODE["q4"]] == [at(FILLED, "q4-answer")]


def test_code_cells_without_text_are_left_out() -> None:
    assert set(code(taken(edited(change("q4-answer", source=" \n"))))) == {"q5", "q6", "q7"}


def test_a_question_without_any_cell_is_noted() -> None:
    book = taken(edited(delete("q5-prompt", "q5-answer", "q5-check")))
    assert book.notes == ("q5: no cell of this question was found; has it been deleted?",)


def test_half_a_character_cannot_upset_what_comes_later() -> None:
    book = taken(edited(several(change("q1-answer", source="a\ud800b"), change("q4-answer", source="A\udfff"))))
    assert book.answers["q1"] == "a?b"
    assert [cell.question for cell in book.cells if cell.source == "A?"] == ["q4"]


@pytest.mark.parametrize("label", [None, [], {}, {"tests": {}}], ids=["nothing", "a list", "empty", "no name"])
def test_a_missing_label_is_noted_and_graded_all_the_same(label: object) -> None:
    book = taken(edited(lambda book: book.metadata.update(otter=label)))
    assert (book.answers, book.notes) == (PROSE, (NO_LABEL,))


def test_format_3_is_read_as_well() -> None:
    old = nbformat.convert(copy.deepcopy(FILLED), 3)
    assert old["nbformat"] == 3
    book = taken(old)
    assert book.answers == PROSE
    assert code(book) == CODE


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


AGAIN = "Open it in Jupyter; if it opens, save it and hand it in again."
CUT = "The file is not a notebook, or was cut short while it was saved or uploaded"
MALFORMED = f"The file is not a valid notebook: its cells are malformed. {AGAIN}"
FILE = json.dumps(FILLED, indent=1).encode()
OLD_FILE = json.dumps(nbformat.convert(copy.deepcopy(FILLED), 3)).encode()
BYTES = {
    "empty": (b"", "The file is empty. Save the notebook, then hand it in again."),
    "UTF-16": (FILE.decode().encode("utf-16"), "The file is not a notebook: it is not UTF-8 text."),
    "plain text": (b"my homework\n", f"{CUT} (the problem begins at line 1). {AGAIN}"),
    "cut short": (FILE[: FILE.index(b'"q4-prompt"')], f"{CUT} (the problem begins at line "),
    "a number without end": (b"9" * 5000, f"{CUT}. {AGAIN}"),
    "other JSON": (b'{"a": 1}', "The file is JSON, but not a notebook. Hand in the .ipynb file itself."),
    "nested without end": (b"[" * 100_000, "The file is not a notebook: it is nested too deeply."),
    "nested deeply": (
        b'{"nbformat": 4, "metadata": {}, "cells": ' + b"[" * 800 + b"]" * 800 + b"}",
        "The file is not a valid notebook (",
    ),
}  # fmt: skip
CONTENT: dict[str, tuple[Edit, str]] = {
    "format in words": (alter(lambda book: book.update(nbformat="4")), "The file is JSON, but not a notebook. Hand in"),
    "another assignment": (
        alter(lambda book: book.metadata.otter.update(assignment_name="second-steps")),
        f"This notebook belongs to another assignment ('second-steps', not '{RULES.assignment.name}'). "
        "Hand in the notebook of this assignment.",
    ),
    "another assignment, oddly named": (
        alter(lambda book: book.metadata.otter.update(assignment_name=["x" * 100])),
        "This notebook belongs to another assignment (",
    ),
    "format 2": (
        alter(lambda book: book.update(nbformat=2)),
        "The notebook has format 2; formats 3 and 4 can be read.",
    ),
    "format 5": (
        alter(lambda book: book.update(nbformat=5)),
        "The notebook has format 5; formats 3 and 4 can be read.",
    ),
    "cells that are no list": (alter(lambda book: book.update(cells={})), MALFORMED),
    "no cells": (alter(lambda book: book.pop("cells")), "The file is not a valid notebook ("),
    "cells of text": (alter(lambda book: book.update(cells=["a"])), "The file is not a valid notebook ("),
    "a cell without text": (alter(lambda book: book.cells[3].pop("source")), MALFORMED),
    "a cell with a number for text": (change("q1-answer", source=5), MALFORMED),
    "a cell without a type": (change("q1-answer", cell_type=None), MALFORMED),
    "no metadata": (alter(lambda book: book.update(metadata=None)), "The file is not a valid notebook ("),
    "outputs that are no list": (change("q4-answer", outputs=5), "The file is not a valid notebook ("),
}
REJECTED = {**BYTES, **{name: (json.dumps(edited(edit)).encode(), text) for name, (edit, text) in CONTENT.items()}}


@pytest.mark.parametrize(("data", "text"), REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_graded_is_explained_to_the_student(data: bytes, text: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        notebook.read(data, RULES)
    message = str(caught.value)
    assert message.startswith(text)
    assert len(message) < 300


def test_a_file_over_the_limit_is_turned_away_with_the_remedy() -> None:
    limits = RULES.execution.model_copy(update={"notebook_mb": 0.5})
    rules = RULES.model_copy(update={"execution": limits})
    with pytest.raises(SubmissionError, match=r"larger than the 0\.5 MB that are accepted\. Clear the outputs"):
        notebook.read(FILE.ljust(2**19 + 1), rules)
    assert notebook.read(FILE.ljust(2**19), rules).answers == PROSE


VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, 5, True, "x", "", [], {}, ["x"], {"a": 1}, "\ud800", [[]], {"otter": 5}]
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@given(
    spots=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), VALUES), min_size=1, max_size=3),
    start=st.sampled_from([FILE, OLD_FILE]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_notebook_with_wrong_values_anywhere_is_read_or_explained(
    spots: list[tuple[float, Any]], start: bytes
) -> None:
    content = json.loads(start)
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
