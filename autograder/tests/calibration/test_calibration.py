"""A stored calibration: read as it was written, refused if it is anything else, current or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.calibration.reference import Calibration, Origin, TrainingRun, load
from autograder.errors import BuildError, CalibrationError, DatasetError
from autograder.layout import Layout
from autograder.tests.calibrations import ORIGIN, calibration
from autograder.version import kit_version

SHORT = TrainingRun(seed=3, accuracy=0.94, earned=24.0, lost=("q7",))


def change(layout: Layout, id: str) -> None:
    """Add a word to a cell of the solution."""
    notebook = nbformat.read(layout.solution, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == id)
    cell.source += "\n# more"
    nbformat.write(notebook, layout.solution)


def test_a_calibration_is_read_as_it_was_written() -> None:
    for found in (calibration(), calibration(SHORT)):
        assert Calibration.from_json(found.to_json()) == found
        assert Calibration.from_json(found.to_json().encode()) == found


def test_the_file_is_the_same_for_the_same_runs_in_any_order() -> None:
    found = calibration()
    assert Calibration.of(ORIGIN, reversed(found.runs)).to_json() == found.to_json()
    assert found.to_json().endswith("}\n")
    assert [run["seed"] for run in json.loads(found.to_json())["runs"]] == list(range(1, 31))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda it: it.pop("form"), "form: Field required"),
        (lambda it: it.update(form=2), "form"),
        (lambda it: it["origin"].update(solution="A" * 64), r"origin\.solution"),
        (lambda it: it["origin"].update(split_seed="20"), r"origin\.split_seed"),
        (lambda it: it.update(runs=[]), "runs"),
        (lambda it: it["runs"][0].update(accuracy=1.1), r"runs\.0\.accuracy"),
        (lambda it: it["runs"][1].update(accuracy=float("nan")), r"runs\.1\.accuracy"),
        (lambda it: it["runs"][0].update(points=3), r"runs\.0\.points: Extra inputs"),
        (lambda it: it["runs"][0].update(seed=-1), r"runs\.0\.seed"),
        (lambda it: it["runs"].reverse(), "expected one run per seed, by rising seed"),
        (lambda it: it["runs"][1].update(seed=1), "expected one run per seed"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_refused(edit: Callable[[dict[str, Any]], object], said: str) -> None:
    content = json.loads(calibration().to_json())
    edit(content)
    with pytest.raises(CalibrationError, match=f"not a valid calibration: .*{said}"):
        Calibration.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", b"\xff"])
def test_a_file_that_is_something_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(CalibrationError, match="not a valid calibration"):
        Calibration.from_json(text)


def test_the_reference_is_the_median_so_that_one_run_cannot_move_it() -> None:
    some = [TrainingRun(seed=seed, accuracy=accuracy, earned=26.0) for seed, accuracy in enumerate((0.97, 0.1, 0.98))]
    assert calibration(*some).reference == 0.97
    assert calibration(*some[::2]).reference == pytest.approx(0.975)


def test_runs_without_full_marks_are_kept_apart() -> None:
    assert calibration().short_of_full == ()
    assert calibration(TrainingRun(seed=4, accuracy=0.97, earned=26.0), SHORT).short_of_full == (SHORT,)


def test_an_origin_names_the_solution_the_images_the_split_and_what_trained(home: Layout) -> None:
    origin = Origin.of(home, "mnist", 20)
    assert origin == Origin.of(home, "mnist", 20)
    assert (origin.split_seed, origin.kit, origin.keras) == (20, kit_version(), version("keras"))
    assert origin.tensorflow[0].isdigit()


@pytest.mark.parametrize("what", ["solution", "data", "split"])
def test_a_calibration_of_another_solution_images_or_split_is_not_current(home: Layout, what: str) -> None:
    found = Calibration.of(Origin.of(home, "mnist", 20), (SHORT,))
    assert found.is_current(Origin.of(home, "mnist", 20))
    if what == "solution":
        change(home, "q5-answer")
    elif what == "data":
        with home.data("mnist").open("ab") as file:
            file.write(b"\0")
    assert not found.is_current(Origin.of(home, "mnist", 21 if what == "split" else 20))


def test_prose_the_public_checks_and_versions_make_no_calibration_old(home: Layout) -> None:
    found = Calibration.of(Origin.of(home, "mnist", 20), (SHORT,))
    change(home, "intro-text")
    change(home, "intro-code")
    change(home, "q7-check")
    now = Origin.of(home, "mnist", 20).model_copy(update={"kit": "9", "tensorflow": "9", "keras": "9"})
    assert found.is_current(now)


def test_without_a_solution_or_images_there_is_no_origin(home: Layout) -> None:
    home.data("mnist").unlink()
    with pytest.raises(DatasetError, match=r"mnist\.npz cannot be read \(No such file"):
        Origin.of(home, "mnist", 20)
    home.solution.write_text("{", encoding="utf-8")
    with pytest.raises(BuildError, match=r"solution\.ipynb cannot be read .* run `mnist-kit build`"):
        Origin.of(home, "mnist", 20)
    home.solution.unlink()
    with pytest.raises(BuildError, match=r"solution\.ipynb is missing: run `mnist-kit build`"):
        Origin.of(home, "mnist", 20)


def test_the_stored_calibration_is_found_or_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(CalibrationError, match=r"calibration\.json is missing\. Calibrate again: mnist-kit calibrate"):
        load(layout)
    layout.calibration.parent.mkdir()
    layout.calibration.write_text(calibration().to_json(), encoding="utf-8")
    assert load(layout) == calibration()
    layout.calibration.write_text("{}", encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"calibration\.json: not a valid calibration: .* mnist-kit calibrate"):
        load(layout)
    layout.calibration.unlink()
    layout.calibration.mkdir()
    with pytest.raises(CalibrationError, match=r"calibration\.json cannot be read \(Is a directory\)"):
        load(layout)
