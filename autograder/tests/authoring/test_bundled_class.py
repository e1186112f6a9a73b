"""The bundled class, graded on real MNIST by the real engine: the points and messages of every question."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import MEMBERS, Member, fill, write
from autograder.engine.engine import Engine
from autograder.judge.grade_report import GradeReport, Outcome, Status
from autograder.layout import Layout
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission

FILES_AT_FAULT = {"other-assignment", "cut-short", "empty", "not-json", "future-format"}

# A notebook, a question ("" for the notes on the notebook), and a fragment of its message.
WORDS = (
    ("blank", "q4", "`train_images_shape` has not been given a value"),
    ("blank", "q5", "replace the ... in the answer cell"),
    ("swapped-activations", "q5", "layer 2 has the activation softmax"),
    ("swapped-activations", "q7", "the model was never trained"),
    ("last-layer-missing", "q5", "Found: 2 layers: Flatten → Dense(128, relu)"),
    ("optimizer-left-out", "q6", "compile uses rmsprop when no optimizer is named"),
    ("pairs-mixed-up", "q4", "`train_images_shape` is (10000, 28, 28)"),
    ("pairs-mixed-up", "q4", "`train_labels_length` is (10000,)"),
    ("stops-with-an-error", "q6", "begins `modell.compile('adam', 'sparse_categoric…` stopped with NameError"),
    ("never-ends", "", "The time limit of 60 s was reached in the cell that begins `while True:` (question q7)"),
    ("model-cell-deleted", "q5", "there is no variable called `model`"),
    ("model-cell-deleted", "q5", "has the answer cell been renamed or deleted?"),
    ("model-cell-deleted", "q7", "Not checked: question q5 has to be answered first: there is no model yet"),
    ("right-on-colab", "", "The command `%pip install -q tensorflow` was skipped"),
    ("right-on-colab", "", "The command `nvidia-smi` was skipped"),
    ("right-on-colab", "", "q1: several cells hold an answer; they were joined"),
)


@pytest.fixture(scope="module")
def reports(engine: Engine, layout: Layout, template: NotebookNode) -> dict[str, GradeReport]:
    """The whole class, graded once, as many at a time as there are cores."""
    members = [Submission(each.name, f"{each.name}.ipynb", each.make(template)) for each in MEMBERS]
    members.append(Submission("solution", "solution.ipynb", layout.solution.read_bytes()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {report.name: report for report in pool.map(engine.grade, members)}


def words(report: GradeReport, question: str) -> str:
    if not question:
        return "\n".join(report.notes)
    graded = next(each for each in report.questions if each.id == question)
    return "\n".join([graded.message, *(check.message for check in graded.checks)])


def test_filling_in_answers_leaves_the_template_alone(template: NotebookNode) -> None:
    before = nbformat.writes(template)
    filled = fill(template, {"q5": "model = 'mine'"})
    assert nbformat.writes(template) == before
    assert [cell.source for cell in filled.cells if cell.id == "q5-answer"] == ["model = 'mine'"]


def test_the_class_of_another_assignment_loads_its_dataset(layout: Layout, tmp_path: Path) -> None:
    copy = Layout(tmp_path / "kit")
    copy.solution.parent.mkdir(parents=True)
    for built, target in ((layout.template, copy.template), (layout.solution, copy.solution)):
        shutil.copy(built, target)
    text = layout.policy.read_text(encoding="utf-8")
    copy.policy.write_text(text.replace("dataset: mnist", "dataset: fashion_mnist"), encoding="utf-8")
    for path in write(copy, tmp_path / "class")[1:]:
        loaded = re.findall(r"tf\.keras\.datasets\.(\w+)\.load_data", path.read_text(encoding="utf-8"))
        assert set(loaded) <= {"fashion_mnist"}, path.name
    assert "fashion_mnist" in (tmp_path / "class" / "right-added.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_every_question_gets_the_points_it_should(member: Member, reports: Mapping[str, GradeReport]) -> None:
    report = reports[member.name]
    earned = {question.id: question.earned for question in report.questions if not question.written}
    assert earned == dict(member.points), words(report, "")
    assert report.status is (Status.REJECTED if member.name in FILES_AT_FAULT else Status.GRADED)


@pytest.mark.slow
def test_the_solution_gets_full_marks(reports: Mapping[str, GradeReport], rules: Policy) -> None:
    report = reports["solution"]
    assert report.earned == report.automatic_points == 26
    assert sum(question.points for question in report.questions) == rules.points == 40
    assert report.accuracy is not None
    assert report.accuracy > 0.96
    assert not report.notes


@pytest.mark.slow
@pytest.mark.parametrize(("name", "question", "message"), WORDS)
def test_a_mistake_has_its_message(name: str, question: str, message: str, reports: Mapping[str, GradeReport]) -> None:
    assert message in words(reports[name], question)


@pytest.mark.slow
def test_right_answers_get_no_message(reports: Mapping[str, GradeReport]) -> None:
    for name in ("solution", "right-functional", "right-added", "right-then-experiments", "right-on-colab"):
        assert all(not words(reports[name], question.id).strip() for question in reports[name].questions), name


@pytest.mark.slow
def test_written_answers_wait_for_a_reviewer(reports: Mapping[str, GradeReport]) -> None:
    for name, answered in (("prose-only", True), ("blank", False)):
        written = [question for question in reports[name].questions if question.written]
        assert len(written) == 3
        assert all(question.outcome is Outcome.AWAITING and bool(question.answer) is answered for question in written)


@pytest.mark.slow
def test_a_copied_answer_cell_keeps_both_texts(reports: Mapping[str, GradeReport]) -> None:
    first = reports["right-on-colab"].questions[0]
    assert first.answer is not None
    assert first.answer.startswith("The parameters are fitted")
    assert first.answer.endswith("And without it, overfitting would go unnoticed.")
