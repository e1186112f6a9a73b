"""Right answers in notebooks of an unusual structure."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.authoring.bundled_class import Edit, fill
from autograder.tests.variants.variant import (
    BUILT,
    COMPILE,
    FIT,
    MEASURE,
    RIGHT_ANSWERS,
    SCALE,
    Variant,
    right,
    trained,
)

CHECKS = ("q4-check", "q5-check", "q6-check", "q7-check")


def put(at: str, *sources: str, after: bool = True) -> Edit:
    """Put new code cells with meaningless ids after (or before) the cell with the id `at`."""

    def edit(notebook: NotebookNode) -> NotebookNode:
        place = index_of(notebook, at) + after
        notebook.cells[place:place] = [
            new_code_cell(source, id=f"f00d{number:04}") for number, source in enumerate(sources)
        ]
        return notebook

    return edit


def without(*ids: str) -> Edit:
    def edit(notebook: NotebookNode) -> NotebookNode:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in ids]
        return notebook

    return edit


def index_of(notebook: NotebookNode, id: str) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if cell.id == id)


def in_turn(*edits: Edit) -> Edit:
    def edit(notebook: NotebookNode) -> NotebookNode:
        for each in edits:
            changed = each(notebook)
            assert not isinstance(changed, bytes)  # these edits return notebooks
            notebook = changed
        return notebook

    return edit


def renumbered(notebook: NotebookNode) -> NotebookNode:
    """Give every cell a new id, as some editors do."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{number:08x}"
    return notebook


def swapped(notebook: NotebookNode) -> NotebookNode:
    """Move question 5 in front of question 4: prompt, answer and check."""
    ids = ("q5-prompt", "q5-answer", "q5-check")
    moved = [cell for cell in notebook.cells if cell.id in ids]
    notebook.cells = [cell for cell in notebook.cells if cell.id not in ids]
    place = index_of(notebook, "q4-prompt")
    notebook.cells[place:place] = moved
    return notebook


def with_carriage_returns(notebook: NotebookNode) -> NotebookNode:
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    return notebook


def as_text(id: str) -> Edit:
    """Turn the cell `id` into Markdown, as a wrong key does."""

    def edit(notebook: NotebookNode) -> NotebookNode:
        cell = notebook.cells[index_of(notebook, id)]
        notebook.cells[index_of(notebook, id)] = new_markdown_cell(cell.source, id=id, metadata=cell.metadata)
        return notebook

    return edit


def filled(**answers: str) -> Edit:
    return lambda notebook: fill(notebook, answers)


def only_answers(notebook: NotebookNode) -> NotebookNode:
    keep = ("intro-code-2", *(f"{id}-answer" for id in RIGHT_ANSWERS))
    notebook.cells = [cell for cell in notebook.cells if cell.id in keep]
    return notebook


NOTEBOOKS: tuple[Variant, ...] = (
    right(
        "questions 4 and 7 go on in a cell of their own",
        edit=in_turn(
            filled(q4=BUILT["q4"].splitlines()[0], q7=SCALE),
            put("q4-answer", "\n".join(BUILT["q4"].splitlines()[1:])),
            put("q7-answer", FIT, MEASURE),
        ),
    ),
    right(
        "answer cells left as they are, answers in cells after them",
        blank=True,
        edit=in_turn(*(put(f"{id}-answer", code) for id, code in RIGHT_ANSWERS.items())),
    ),
    right(
        "answer cells left as they are, answers in cells below each check",
        blank=True,
        edit=in_turn(*(put(f"{id}-check", code) for id, code in RIGHT_ANSWERS.items())),
    ),
    right("the cells with the checks deleted", edit=without(*CHECKS)),
    right("nothing but the answers left of the notebook", edit=only_answers),
    right("every cell with an id of the editor's own", edit=renumbered),
    right("line ends as on Windows in every cell", edit=with_carriage_returns),
    right("the answer to question 5 turned into text", edit=as_text("q5-answer")),
    right(
        "a drive mounted and a file asked for, in the cell that loads the data",
        q4="from google.colab import drive, files\ndrive.mount('/content/drive')\nfiles.upload()\n" + BUILT["q4"],
    ),
    right("question 5 in front of question 4", edit=swapped),
    right(
        "one cell with all the code, the answer cells emptied",
        blank=True,
        edit=in_turn(
            filled(
                q4="\n".join([BUILT["q4"], BUILT["q5"], COMPILE, trained()]), q5="# see above", q6="", q7="# see above"
            )
        ),
    ),
    right(
        "all the code in one cell at the end, the checks called again below it",
        blank=True,
        edit=put(
            "after_q7-code",
            "\n".join([BUILT["q4"], BUILT["q5"], COMPILE, trained()]),
            "\n".join(f"grader.check('{id}')" for id in RIGHT_ANSWERS),
        ),
    ),
    right(
        "cells that look at the data before and after the answers",
        edit=in_turn(
            put("q4-answer", "x_train[0], set(y_train), np.bincount(y_test)\nplt.hist(y_train)"),
            put("q5-answer", "model.summary()\n[layer.name for layer in model.layers]"),
            put("q7-check", "wrong = model.predict(x_test, verbose=0).argmax(-1) != y_test\nwrong.sum(), no_such_name"),
        ),
    ),
    right(
        "another model under another name, before and after",
        edit=in_turn(
            put("q5-answer", "small = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])", after=False),
            put("q7-check", "small = keras.Sequential([keras.layers.Dense(3)])\nsmall.compile('sgd', 'mse')"),
        ),
    ),
    right(
        "trained on a handful of images after everything was checked",
        edit=put("q7-check", "model.compile('sgd', 'mse')\nmodel.fit(x_train[:32], y_train[:32])"),
    ),
    right(
        "every name that was asked for used for something else at the end",
        edit=put("after_q7-text-2", "model = history = test_accuracy = train_images_shape = None", after=False),
    ),
    right(
        "checks called twice, first too early",
        edit=in_turn(*(put(f"{id}-answer", f"grader.check('{id}')", after=False) for id in RIGHT_ANSWERS)),
    ),
    right("an error after the last answer, in its cell", q7=trained() + "\nprint(no_such_name)"),
)
