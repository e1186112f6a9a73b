"""The autograder zip: its contents, and when it is stale."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from autograder.authoring import autograder_zip, build
from autograder.errors import BuildError
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.tests.authoring.copies import replace


def kit_files(archive: zipfile.ZipFile) -> set[str]:
    return {name.removeprefix("files/") for name in archive.namelist() if name.startswith("files/autograder/")}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package to build from, below folders whose names are left out of the zip."""
    copy = tmp_path / "docs" / "tests" / "autograder"
    shutil.copytree(autograder_zip.PACKAGE, copy, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    monkeypatch.setattr(autograder_zip, "PACKAGE", copy)
    return copy


def is_stale(layout: Layout) -> bool:
    return autograder_zip.is_stale(layout, grading_file.load(layout.policy))


@pytest.mark.usefixtures("package")
def test_the_zip_holds_all_that_grades_and_nothing_else_of_the_kit(layout: Layout) -> None:
    with zipfile.ZipFile(layout.zip) as archive:
        files = kit_files(archive)
    folders = {name.split("/")[1] for name in files}
    assert {"sandbox", "gradescope", "engine", "judge", "report", "atomic.py"} <= folders
    assert not {"tests", "tools", "docs", "__pycache__"} & folders
    with zipfile.ZipFile(io.BytesIO(build.build(layout).zip)) as archive:
        assert kit_files(archive) == files, "wherever the package is"


def test_the_zip_holds_no_answers(layout: Layout) -> None:
    """Neither the master nor a notebook; of the solution only the accuracies that it reaches, if they are known."""
    with zipfile.ZipFile(layout.zip) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.endswith((".ipynb", layout.master.name))]
    assert {name for name in names if "solutions/" in name} <= {"files/solutions/calibration.json"}


@pytest.mark.parametrize(
    "name", ["__init__.py", "report/results_json.py", "gradescope/setup.sh", "review/static/review.css", "new.py"]
)
def test_a_change_of_any_shipped_file_makes_the_zip_stale(layout: Layout, package: Path, name: str) -> None:
    assert not is_stale(layout)
    with (package / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert is_stale(layout)


def test_the_manifest_names_every_file_of_the_zip_and_all_it_is_made_from(layout: Layout) -> None:
    with zipfile.ZipFile(layout.zip) as archive:
        names = set(archive.namelist()) - {"files/kit.json"}
        manifest = json.loads(archive.read("files/kit.json"))
    shipped = {name.removeprefix("files/") for name in names if name.startswith("files/")}
    assert manifest["entries"].keys() == names
    assert manifest["sources"].keys() == shipped | {"master", "first cell"}


@pytest.mark.parametrize("file", ["policy", "master", "first_cell"])
def test_a_change_of_an_authored_file_makes_the_zip_stale(copy: Layout, file: str) -> None:
    assert not is_stale(copy)
    path: Path = getattr(copy, file)
    with path.open("a", encoding="utf-8") as opened:
        opened.write("\n")
    assert is_stale(copy)


def test_a_missing_dataset_or_a_missing_or_broken_zip_is_stale(copy: Layout) -> None:
    replace(copy.policy, "dataset: mnist", "dataset: fashion_mnist")
    assert is_stale(copy)
    copy.zip.write_bytes(b"not a zip")
    assert is_stale(copy)
    copy.zip.unlink()
    assert is_stale(copy)


def test_a_stale_zip_is_built_once(copy: Layout) -> None:
    copy.zip.unlink()
    policy = grading_file.load(copy.policy)
    assert build.ensure_built(copy, policy)
    assert copy.zip.exists()
    assert not build.ensure_built(copy, policy)


@pytest.mark.parametrize(("content", "message"), [(None, "no tests in it: run `mnist-kit build`"), (b"", "be read")])
def test_a_zip_without_tests_is_rejected(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "empty.zip"
    if content is None:
        zipfile.ZipFile(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(BuildError, match=message):
        autograder_zip.read_tests(path)
