"""Notebooks for the tests: the template filled in, and what editors and students do to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.authoring.bundled_class import fill
from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.submissions import notebook
from autograder.submissions.notebook import Notebook

RULES = grading_file.load(HOME.policy)
TEMPLATE = nbformat.read(HOME.template, as_version=4)
PROSE = {"q1": "One.", "q2": "# Two\n\nof it.", "q3": "Three."}
CODE = {"q4": "four = 4", "q5": "five = 5", "q6": "six = 6", "q7": "seven = 7"}
FILLED = fill(TEMPLATE, {**PROSE, **CODE})

Edit = Callable[[NotebookNode], None]


def taken(content: object) -> Notebook:
    return notebook.read(json.dumps(content).encode(), RULES)


def edited(edit: Edit, start: NotebookNode = FILLED) -> NotebookNode:
    made = copy.deepcopy(start)
    edit(made)
    return made


def at(book: NotebookNode, id: str) -> int:
    return next(index for index, cell in enumerate(book.cells) if cell.get("id") == id)


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


def several(*edits: Edit) -> Edit:
    def edit(book: NotebookNode) -> None:
        for one in edits:
            one(book)

    return edit


def alter(alteration: Callable[[NotebookNode], object]) -> Edit:
    """Do something to the notebook."""

    def edit(book: NotebookNode) -> None:
        alteration(book)

    return edit


def drop_ids(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.pop("id", None)


def drop_metadata(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.metadata = NotebookNode()


def move_to_end(id: str) -> Edit:
    return alter(lambda book: book.cells.append(book.cells.pop(at(book, id))))
