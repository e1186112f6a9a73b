"""Stock Otter on what the kit builds: the same points for honest notebooks, and a template that runs in Jupyter.

The hostile corpus bites: full marks for one cell in a blank notebook where student code runs beside its tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import ANSWERS, FULL, MODEL, fill
from autograder.authoring.master import read_master
from autograder.layout import Layout
from autograder.policy.policy import Policy
from autograder.tests.homes import run, shown
from autograder.tests.hostile.integrity import FALLS

pytestmark = pytest.mark.slow

OTTER = Path(sys.executable).with_name("otter")


def otter(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{OTTER.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [OTTER, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )


def otter_run(notebook: NotebookNode, layout: Layout, folder: Path) -> dict[str, float]:
    """Points by question from `otter run` on the built zip."""
    nbformat.write(notebook, folder / "submission.ipynb")
    done = otter("run", "-a", layout.zip, "submission.ipynb", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {test["name"]: test["score"] for test in results["tests"] if "score" in test}


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run in a real Jupyter kernel, as a student's Run All does; an error stops it."""
    nbformat.write(notebook, folder / "student_template.ipynb")
    return run(notebook, folder)


def pictures(notebook: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))


def test_otter_run_gives_the_solution_full_marks(layout: Layout, tmp_path: Path) -> None:
    solution = nbformat.read(layout.solution, as_version=4)
    assert otter_run(solution, layout, tmp_path) == FULL


@pytest.mark.hostile
@pytest.mark.parametrize("name", FALLS)
def test_otter_run_gives_full_marks_to_a_blank_notebook_that_cheats(
    layout: Layout, template: NotebookNode, tmp_path: Path, name: str
) -> None:
    assert otter_run(fill(template, {"q4": FALLS[name]}), layout, tmp_path) == FULL


def test_otter_run_gives_a_half_right_notebook_the_points_the_kit_gives(
    layout: Layout, template: NotebookNode, tmp_path: Path
) -> None:
    answers: Mapping[str, str] = {
        **ANSWERS,
        "q4": ANSWERS["q4"].replace("len(y_train)", "len(y_test)"),
        "q5": MODEL.replace("'relu'", "tf.nn.sigmoid").replace("'softmax'", "tf.nn.softmax"),
        "q6": "model.compile(loss='sparse_categorical_crossentropy')",
        "q7": "history = ...",
    }
    assert otter_run(fill(template, answers), layout, tmp_path) == {"q4": 4, "q5": 5, "q6": 2, "q7": 0}


def test_the_unanswered_template_runs_from_top_to_bottom(template: NotebookNode, tmp_path: Path) -> None:
    executed = execute(fill(template, {}), tmp_path)
    assert "Found: `train_images_shape` is still ..." in shown(executed, "q4-check")
    assert "Try: replace the ... in the cell above, and run it." in shown(executed, "q4-check")
    assert "Found: `model` is still ..." in shown(executed, "q5-check")
    assert "answer question 5 first" in shown(executed, "q6-check")
    assert "run their cells again, in order" in shown(executed, "q7-check")
    assert pictures(executed) == 0
    assert len(list(tmp_path.glob("*.zip"))) == 1, "the last cell makes the file to hand in"


def test_the_answered_template_shows_digits_curves_and_satisfied_checks(template: NotebookNode, tmp_path: Path) -> None:
    executed = execute(fill(template, {**ANSWERS, "q7": ANSWERS["q7"].replace("epochs=3", "epochs=1")}), tmp_path)
    for question in ("q4", "q5", "q6", "q7"):
        assert f"{question}: the public checks pass." in shown(executed, f"{question}-check")
        assert "idden checks" in shown(executed, f"{question}-check"), "a public pass says that it is not the last word"
    assert pictures(executed) == 3


def test_otter_check_runs_the_public_checks_that_are_handed_out(
    layout: Layout, template: NotebookNode, tmp_path: Path
) -> None:
    nbformat.write(fill(template, {"q4": ANSWERS["q4"]}), tmp_path / "student_template.ipynb")
    tests = layout.dist / "handout" / "tests"
    done = otter("check", "student_template.ipynb", "-q", "q4", "-t", tests, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "q4 results: All test cases passed!" in done.stdout
    assert "q5 results:\n" in done.stdout


def test_otter_assign_takes_the_built_master(layout: Layout, rules: Policy, tmp_path: Path) -> None:
    nbformat.write(read_master(layout, rules), tmp_path / "master.ipynb")
    done = otter("assign", "master.ipynb", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "student" / "master.ipynb").exists()
    assert list((tmp_path / "made" / "autograder").glob("*.zip"))
