"""One class graded by this kit and by its peers.

Every peer is used at its best: `otter run` with the built zip, `nbgrader autograde` with an assignment of the same
cells and tests of the same facts, all of them with images that need no download.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.layout import HOME
from autograder.tools.meter import CORES, Cost, measure

__all__ = ["PEERS", "kit", "nbgrader", "otter_run", "write_class"]

BIN = Path(sys.executable).parent
QUIET = {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",  # nbgrader looks for its other commands there
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "NO_COLOR": "1",
}

NBGRADER_TESTS = """
assert train_images_shape == (60000, 28, 28) and train_labels_length == 60000
assert test_images_shape == (10000, 28, 28) and test_labels_length == 10000
assert [type(layer).__name__ for layer in model.layers] == ["Flatten", "Dense", "Dense"]
assert model.optimizer.name == "adam" and model.loss == "sparse_categorical_crossentropy"
assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.95
"""


def write_class(folder: Path, notebook: NotebookNode, size: int) -> list[Path]:
    """Write `size` copies of a notebook, no two with the same bytes. Return their paths."""
    folder.mkdir(parents=True)
    paths = []
    for number in range(size):
        copied = copy.deepcopy(notebook)
        copied.cells.append(nbformat.v4.new_markdown_cell(f"Submission {number}.", id=f"number-{number}"))
        paths.append(folder / f"student{number}.ipynb")
        nbformat.write(copied, paths[-1])
    return paths


def kit(notebooks: Sequence[Path], folder: Path, workers: int) -> Cost:
    command: list[str | Path] = [BIN / "mnist-kit", "grade", *notebooks, "-o", folder / "out", "-n", str(workers)]
    return measure([command], folder=folder, environment=QUIET)


def otter_run(notebooks: Sequence[Path], folder: Path, at_once: int) -> Cost:
    commands: list[list[str | Path]] = []
    for path in notebooks:
        output = folder / path.stem
        output.mkdir()
        commands.append([BIN / "otter", "run", path, "-a", HOME.zip, "-o", output, "--no-logo"])
    return measure(commands, at_once=at_once, folder=folder, environment=QUIET)


def nbgrader(notebooks: Sequence[Path], folder: Path) -> Cost:
    """Measure `nbgrader autograde` alone, without making the assignment."""
    course = folder / "course"
    source = course / "source" / "mnist" / "mnist.ipynb"
    source.parent.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.ExecutePreprocessor.timeout = 600\n",
        encoding="utf-8",
    )
    nbformat.write(_for_nbgrader(nbformat.read(HOME.solution, as_version=4)), source)
    environment = {**QUIET, "JUPYTER_PREFER_ENV_PATH": "1"}
    measure([[BIN / "nbgrader", "generate_assignment", "mnist", "--create"]], folder=course, environment=environment)
    for path in notebooks:
        place = course / "submitted" / path.stem / "mnist" / "mnist.ipynb"
        place.parent.mkdir(parents=True)
        nbformat.write(_for_nbgrader(nbformat.read(path, as_version=4)), place)
    cost = measure([[BIN / "nbgrader", "autograde", "mnist", "--create"]], folder=course, environment=environment)
    graded = list((course / "autograded").glob("*/mnist/mnist.ipynb"))
    if len(graded) != len(notebooks):
        raise RuntimeError(f"nbgrader graded {len(graded)} of {len(notebooks)}")
    return cost


def _for_nbgrader(notebook: NotebookNode) -> NotebookNode:
    """Replace Otter's cells by one cell of tests in nbgrader's format."""
    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if "otter" not in cell.source and "grader." not in cell.source]
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
    form = {"schema_version": 3, "grade_id": "tests", "points": 26}
    kind = {"grade": True, "locked": True, "solution": False, "task": False}
    made.cells.append(nbformat.v4.new_code_cell(NBGRADER_TESTS, id="tests", metadata={"nbgrader": {**form, **kind}}))
    return made


PEERS: dict[str, Callable[[Sequence[Path], Path], Cost]] = {
    "mnist-kit grade": partial(kit, workers=CORES),
    "otter run, one at a time": partial(otter_run, at_once=1),
    "otter run, as many at once as cores": partial(otter_run, at_once=CORES),
    "nbgrader autograde": nbgrader,
}
"""Functions that grade notebooks and leave their files in a folder."""
