"""The bundled class: the template filled in with right and wrong answers, and the points that each notebook must get.

The notebooks are generated, so a reworded prompt does not make them outdated. `make demo` grades them, and the tests
hold the kit to these points.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder import atomic
from autograder.errors import BuildError, unreadable
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.submissions.cells import cell_id

__all__ = ["MEMBERS", "Member", "fill", "write"]

LOAD = """
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
train_images_shape = x_train.shape
train_labels_length = len(y_train)
test_images_shape = x_test.shape
"""
MODEL = """
tf.keras.utils.set_random_seed(7)
model = keras.Sequential([
    keras.Input((28, 28)), keras.layers.Flatten(),
    keras.layers.Dense(128, activation='relu'), keras.layers.Dense(10, activation='softmax'),
])
"""
COMPILE = "model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])"
TRAIN = """
x_train, x_test = x_train / 255.0, x_test / 255.0
history = model.fit(x_train, y_train, epochs=3, verbose=2)
test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
"""
PROSE = {
    "q1": "The parameters are fitted to the training images. The test images show how good the model is on new ones.",
    "q2": "relu turns negative numbers into 0. softmax makes ten probabilities that sum to 1. One neuron a class.",
    "q3": "The loss says how wrong the predictions are; the optimizer follows its gradient to better parameters.",
}
ANSWERS: Mapping[str, str] = {**PROSE, "q4": LOAD, "q5": MODEL, "q6": COMPILE, "q7": TRAIN}
FULL: Mapping[str, float] = {"q4": 6, "q5": 8, "q6": 4, "q7": 8}
NOTHING: Mapping[str, float] = dict.fromkeys(FULL, 0)

Edit = Callable[[NotebookNode], NotebookNode | bytes]


@dataclass(frozen=True)
class Member:
    """One notebook of the class: its answers, its points by code question, and the case that it shows."""

    name: str
    shows: str
    points: Mapping[str, float]
    answers: Mapping[str, str] = field(default_factory=dict)
    edit: Edit | None = None

    def make(self, template: NotebookNode, dataset: str = "mnist") -> bytes:
        """Return the notebook file; it loads `dataset` wherever the answers load MNIST."""
        mine = f"keras.datasets.{dataset}"
        filled = fill(template, {id: text.replace("keras.datasets.mnist", mine) for id, text in self.answers.items()})
        made = self.edit(filled) if self.edit else filled
        return made if isinstance(made, bytes) else _text(made)


def fill(template: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return a copy of the template with `answers`, by question, in its answer cells."""
    filled = copy.deepcopy(template)
    for cell in filled.cells:
        question = cell.id.partition("-")[0]
        if cell.id == cell_id(question, "answer") and question in answers:
            cell.source = answers[question].strip()
    return filled


def write(layout: Layout, folder: Path) -> tuple[Path, ...]:
    """Write the whole class into `folder`; return the files. Raises BuildError if a file cannot be read or written."""
    try:
        template, solution = nbformat.read(layout.template, as_version=4), layout.solution.read_bytes()
    except OSError as error:
        raise BuildError(f"{error.filename}: {unreadable(error)}. Make it with `mnist-kit build`.") from error
    dataset = grading_file.load(layout.policy).assignment.dataset
    class_ = {"solution": solution} | {member.name: member.make(template, dataset) for member in MEMBERS}
    paths = {folder / f"{name}.ipynb": content for name, content in class_.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in paths.items():
            atomic.write(path, content)
    except OSError as error:
        raise BuildError(f"{folder}: it cannot be written to ({error.strerror}); name another folder") from error
    return tuple(paths)


def _text(notebook: Mapping[str, object]) -> bytes:
    """Return the notebook as JSON, without nbformat's repairs: some members are broken on purpose."""
    return json.dumps(notebook, indent=1).encode()


def _index(notebook: NotebookNode, id: str) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if cell.id == id)


def _experiments(notebook: NotebookNode) -> NotebookNode:
    source = "model = keras.Sequential([keras.layers.Dense(3)])\ntrain_images_shape = None"
    notebook.cells.insert(_index(notebook, "after_q7-text-2"), new_code_cell(source, id="inserted"))
    return notebook


def _on_colab(notebook: NotebookNode) -> NotebookNode:
    """Add commands of Colab; copy two answer cells with their ids, as an editor does, one of them with other text."""
    place = _index(notebook, "q1-answer") + 1
    notebook.cells.insert(place, new_markdown_cell("And without it, overfitting would go unnoticed.", id="q1-answer"))
    place = _index(notebook, "q5-answer")
    notebook.cells.insert(place + 1, copy.deepcopy(notebook.cells[place]))
    commands = "%pip install -q tensorflow\n!nvidia-smi\n%matplotlib inline"
    notebook.cells.insert(_index(notebook, "q4-answer"), new_code_cell(commands, id="inserted"))
    return notebook


def _model_cell_deleted(notebook: NotebookNode) -> NotebookNode:
    del notebook.cells[_index(notebook, "q5-answer")]
    return notebook


def _other_assignment(notebook: NotebookNode) -> NotebookNode:
    notebook.metadata.otter.assignment_name = "second-steps"
    return notebook


MEMBERS: tuple[Member, ...] = (
    Member(
        "right-functional",
        "the functional API, tf.nn functions, objects for optimizer and loss",
        FULL,
        {
            **ANSWERS,
            "q4": LOAD.replace("len(y_train)", "y_train.shape[0]").replace("x_test.shape", "np.shape(x_test)"),
            "q5": """
tf.keras.utils.set_random_seed(8)
inputs = keras.Input(shape=(28, 28))
hidden = keras.layers.Dense(128, activation=tf.nn.relu)(keras.layers.Flatten()(inputs))
model = keras.Model(inputs, keras.layers.Dense(10, activation=tf.nn.softmax)(hidden))
""",
            "q6": "model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy())",
            "q7": TRAIN.replace("/ 255.0", "/ 255").replace(
                "test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)",
                "test_accuracy = np.mean(model.predict(x_test, verbose=0).argmax(axis=-1) == y_test)",
            ),
        },
    ),
    Member(
        "right-added",
        "layers added one by one, activations as layers, the loss as a function, pixels from -1 to 1",
        FULL,
        {
            **ANSWERS,
            "q5": """
tf.keras.utils.set_random_seed(9)
model = tf.keras.models.Sequential()
model.add(tf.keras.layers.Reshape((784,), input_shape=(28, 28)))
model.add(tf.keras.layers.Dense(128))
model.add(tf.keras.layers.ReLU())
model.add(tf.keras.layers.Dense(10))
model.add(tf.keras.layers.Activation('softmax'))
""",
            "q6": "model.compile(loss=keras.losses.sparse_categorical_crossentropy, optimizer='Adam', metrics=['acc'])",
            "q7": TRAIN.replace("/ 255.0", "/ 127.5 - 1").replace("epochs=3", "epochs=5"),
        },
    ),
    Member(
        "right-then-experiments",
        "every question right when it was checked, and the model replaced afterwards",
        FULL,
        ANSWERS,
        _experiments,
    ),
    Member(
        "right-on-colab",
        "lines that only make sense on Colab, and cells copied by an editor",
        FULL,
        ANSWERS,
        _on_colab,
    ),
    Member("blank", "the template as it was handed out", NOTHING),
    Member("prose-only", "only the written questions answered", NOTHING, PROSE),
    Member(
        "swapped-activations",
        "softmax inside, relu at the end; not trained",
        {**FULL, "q5": 2, "q7": 0},
        {
            **ANSWERS,
            "q5": MODEL.replace("'relu'", "'x'").replace("'softmax'", "'relu'").replace("'x'", "'softmax'"),
            "q7": "history = ...",
        },
    ),
    Member(
        "last-layer-missing",
        "two layers instead of three; never trained",
        {**FULL, "q5": 5, "q7": 0},
        {**ANSWERS, "q5": MODEL.replace(" keras.layers.Dense(10, activation='softmax'),", ""), "q7": "history = ..."},
    ),
    Member(
        "optimizer-left-out",
        "compile without an optimizer, which means rmsprop; nine of ten outputs would be too few, so ten",
        {**FULL, "q6": 2},
        {**ANSWERS, "q6": "model.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'])"},
    ),
    Member(
        "pairs-mixed-up",
        "the test pair taken for the training pair, a shape for a length; never compiled",
        {"q4": 0, "q5": 8, "q6": 0, "q7": 0},
        {
            **ANSWERS,
            "q4": LOAD.replace("(x_train, y_train), (x_test, y_test)", "(x_test, y_test), (x_train, y_train)").replace(
                "len(y_train)", "y_train.shape"
            ),
            "q6": "...",
            "q7": "history = ...",
        },
    ),
    Member(
        "stops-with-an-error",
        "a name mistyped in question 6, so the model is not compiled and not trained",
        {**FULL, "q6": 0, "q7": 0},
        {**ANSWERS, "q6": COMPILE.replace("model.", "modell.")},
    ),
    Member(
        "never-ends",
        "an endless loop in question 7; what was answered before it counts",
        {**FULL, "q7": 0},
        {**ANSWERS, "q7": "while True:\n    pass"},
    ),
    Member(
        "model-cell-deleted",
        "the answer cell of question 5 deleted",
        {"q4": 6, "q5": 0, "q6": 0, "q7": 0},
        ANSWERS,
        _model_cell_deleted,
    ),
    Member("other-assignment", "the notebook of another assignment", NOTHING, ANSWERS, _other_assignment),
    Member("cut-short", "an upload that broke off", NOTHING, ANSWERS, lambda notebook: _text(notebook)[:4000]),
    Member("empty", "a file without content", NOTHING, {}, lambda _: b""),
    Member("not-json", "a text file with the wrong ending", NOTHING, {}, lambda _: b"my homework\n"),
    Member(
        "future-format",
        "an unknown notebook format",
        NOTHING,
        ANSWERS,
        lambda notebook: _text(notebook | {"nbformat": 9}),
    ),
)
