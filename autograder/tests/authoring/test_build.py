"""The build: what it makes, from what, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode
from otter.test_files.exception_test import ExceptionTestFile

from autograder.authoring import build
from autograder.errors import BuildError, DatasetError, PolicyError
from autograder.layout import HOME, Layout
from autograder.policy.policy import Policy
from autograder.submissions.cells import PLACEHOLDER


@pytest.fixture
def copy(layout: Layout, tmp_path: Path) -> Layout:
    """A built copy that a test may spoil."""
    shutil.copytree(layout.root, tmp_path / "kit")
    return Layout(tmp_path / "kit")


@pytest.fixture(scope="module")
def tests(layout: Layout) -> dict[str, str]:
    return build.read_tests(layout.zip)


def test_the_committed_files_are_what_the_master_makes(layout: Layout) -> None:
    for mine, committed in ((layout.template, HOME.template), (layout.solution, HOME.solution)):
        assert mine.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8"), "run `mnist-kit build`"


def test_the_same_input_makes_the_same_bytes(layout: Layout) -> None:
    again = build.build(layout)
    assert again.zip == layout.zip.read_bytes()
    assert build.stale(again, layout) == ()


def test_a_changed_file_is_noticed_as_stale(copy: Layout) -> None:
    copy.template.write_text("{}", encoding="utf-8")
    copy.solution.unlink()
    assert build.stale(build.build(copy), copy) == (copy.template, copy.solution)


@pytest.mark.parametrize("what", ["policy", "master", "first_cell"])
def test_a_zip_older_than_what_it_was_made_from_is_stale(copy: Layout, what: str) -> None:
    assert not build.is_stale(copy)
    path: Path = getattr(copy, what)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert build.is_stale(copy)


def test_the_kit_is_packed_whole_wherever_it_stands(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of the package are left out by name; one of that name above it changes nothing."""
    here = {name for name in zipfile.ZipFile(layout.zip).namelist() if name.startswith("files/autograder/")}
    assert not {name for name in here if re.search("/(tests|docs|benchmarks)/", name)}
    elsewhere = tmp_path / "docs" / "tests" / "autograder"
    shutil.copytree(build.PACKAGE, elsewhere, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    monkeypatch.setattr(build, "PACKAGE", elsewhere)
    with zipfile.ZipFile(io.BytesIO(build.build(layout).zip)) as archive:
        assert {name for name in archive.namelist() if name.startswith("files/autograder/")} == here


def test_a_missing_or_broken_zip_is_stale(copy: Layout) -> None:
    copy.zip.write_bytes(b"not a zip")
    assert build.is_stale(copy)
    copy.zip.unlink()
    assert build.is_stale(copy)


def test_every_code_question_has_a_test_file_worth_its_points(tests: dict[str, str], rules: Policy) -> None:
    assert tests.keys() == rules.code.keys()
    for id, text in tests.items():
        test = ExceptionTestFile.from_string(text, path=f"{id}.py")
        assert test.possible == rules.code[id].points
        public = [case.points for case in test.test_cases if not case.hidden]
        assert public
        assert not any(public)


def test_the_template_holds_no_hidden_test_no_answer_and_no_output(template: NotebookNode) -> None:
    text = json.dumps(template)
    assert "autograder" not in text
    assert "hidden=True" not in text
    assert "SOLUTION" not in text
    assert not re.search(r"units|sparse_categorical_crossentropy'|Dense\(128", text)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in template.cells)


def test_the_template_says_the_points_of_grading_yml(template: NotebookNode, rules: Policy) -> None:
    for id, question in rules.questions.items():
        (prompt,) = [cell for cell in template.cells if cell.id == f"{id}-prompt"]
        assert f"_Points:_ {question.points:g}" in prompt.source
        assert question.title in prompt.source


def test_every_question_has_a_prompt_an_answer_and_where_code_is_asked_a_check(
    template: NotebookNode, rules: Policy
) -> None:
    ids = [cell.id for cell in template.cells]
    assert len(ids) == len(set(ids))
    for id in rules.questions:
        assert {f"{id}-prompt", f"{id}-answer"} <= set(ids)
        assert (f"{id}-check" in ids) == (id in rules.code)
    assert [cell.source for cell in template.cells if PLACEHOLDER in cell.source] == [PLACEHOLDER] * 3


def test_the_solution_answers_everything_and_shows_no_authoring_marks(layout: Layout, rules: Policy) -> None:
    solution = nbformat.read(layout.solution, as_version=4)
    answers = {cell.id.partition("-")[0]: cell.source for cell in solution.cells if cell.id.endswith("-answer")}
    assert answers.keys() == rules.questions.keys()
    assert all(len(answer) > 40 for answer in answers.values())
    code = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    assert not [source for source in code if re.search("SOLUTION|PROMPT|= \\.\\.\\.", source)]


def test_the_master_opens_in_jupyter_as_a_notebook() -> None:
    notebook = jupytext.read(HOME.master)
    nbformat.validate(notebook)
    assert sum(cell.source.startswith("# BEGIN QUESTION") for cell in notebook.cells) == 7


def test_points_are_shared_out_as_grading_yml_says(rules: Policy) -> None:
    changed = rules.code["q5"].model_copy(
        update={"layers": tuple(each.model_copy(update={"points": None}) for each in rules.code["q5"].layers or ())}
    )
    points = [re.search(r"points: ([\d.]+)", cell) for cell in build.hidden_tests("q5", changed)]
    assert [float(found[1]) for found in points if found] == [2.66, 2.66, 2.68]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_number_changed_in_grading_yml_changes_everywhere(copy: Layout) -> None:
    replace(copy.policy, "points: 4\n    title: Compile", "points: 5\n    title: Compile")
    built = build.build(copy)
    assert "_Points:_ 5" in built.template
    assert built.tests["q6"].count("points=2.5") == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: q4", "name: q9", "question q9 is not in grading.yml"),
        ("name: q1\nmanual: true", "name: q1", "q1 is written in one of the two files and code in the other"),
        ("name: q4", "name: q5", "each question once, please; missing: q4"),
        ("# BEGIN TESTS", "# BEGIN TEZTS", "otter assign refuses the master"),
        ("runs_on: default", "runs_on: default\ncolour: red", "otter assign refuses the master"),
    ],
    ids=["unknown question", "wrong kind", "twice", "broken block", "unknown key"],
)
def test_a_master_that_does_not_fit_is_refused_with_the_reason(copy: Layout, old: str, new: str, said: str) -> None:
    replace(copy.master, old, new)
    with pytest.raises(BuildError, match=re.escape(said)):
        build.build(copy)


@pytest.mark.parametrize("what", ["master", "first_cell"])
def test_a_missing_file_is_named(copy: Layout, what: str) -> None:
    path: Path = getattr(copy, what)
    path.unlink()
    with pytest.raises(BuildError, match=rf"{re.escape(path.name)} is missing"):
        build.build(copy)


def test_data_that_is_not_mnist_stops_the_build(copy: Layout) -> None:
    copy.data("mnist").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"mnist\.npz"):
        build.build(copy)


def test_a_dataset_that_is_not_there_makes_the_zip_stale_and_stops_the_build_with_what_to_do(copy: Layout) -> None:
    replace(copy.policy, "dataset: mnist", "dataset: fashion_mnist")
    assert build.is_stale(copy)
    with pytest.raises(DatasetError, match=r"fashion_mnist\.npz is missing: .* `mnist-kit data fashion_mnist`"):
        build.build(copy)


def test_a_mistake_in_grading_yml_stops_the_build(copy: Layout) -> None:
    replace(copy.policy, "optimizer: adam", "optimizer: adm")
    with pytest.raises(PolicyError, match="did you mean: adam"):
        build.build(copy)


def test_a_zip_without_tests_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w"):
        pass
    path.write_bytes(content.getvalue())
    with pytest.raises(BuildError, match="holds no tests: run `mnist-kit build`"):
        build.read_tests(path)
    path.write_bytes(b"")
    with pytest.raises(BuildError, match="cannot be read"):
        build.read_tests(path)


def test_the_zip_holds_what_grades_and_nothing_else_of_the_kit(layout: Layout) -> None:
    with zipfile.ZipFile(layout.zip) as archive:
        folders = {name.split("/")[2] for name in archive.namelist() if name.startswith("files/autograder/")}
    assert {"sandbox", "gradescope", "engine.py"} <= folders
    assert not {"tests", "benchmarks", "docs", "__pycache__"} & folders


def test_what_students_get_is_put_together(layout: Layout) -> None:
    assert (layout.dist / "handout" / layout.template.name).read_bytes() == layout.template.read_bytes()
    handed_out = {path.stem: path.read_text(encoding="utf-8") for path in (layout.dist / "handout" / "tests").iterdir()}
    first = nbformat.read(layout.template, as_version=4).cells[0].source
    assert handed_out.keys() == {"q4", "q5", "q6", "q7"}
    assert all(text.strip() in first and "hidden=True" not in text for text in handed_out.values())
