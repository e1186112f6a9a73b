"""A stored calibration, read as it was written and refused otherwise; and bands that are relative to its median."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.calibration.reference import Calibration, Origin, TrainingRun, load, rules
from autograder.errors import BuildError, CalibrationError, DatasetError
from autograder.layout import HOME, Layout
from autograder.policy.policy import AccuracyRule
from autograder.tests.calibrations import ORIGIN, calibration
from autograder.version import kit_version

SHORT = TrainingRun(seed=3, accuracy=0.94, earned=24.0, lost=("q7",))


@pytest.fixture
def home(tmp_path: Path) -> Layout:
    """The shipped grading.yml, solution and images, without a calibration."""
    copy = Layout(tmp_path)
    files = {HOME.policy: copy.policy, HOME.solution: copy.solution, HOME.data("mnist"): copy.data("mnist")}
    for source, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return copy


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


SHIPPED = "{full: 0.95, bands: [[0.80, 3], [0.90, 5]], scaled: 1, measured: {test_accuracy: 1}}"
RELATIVE = SHIPPED.replace("full: 0.95", "reference_margin: 0.02")


def relative(home: Layout, rule: str = RELATIVE) -> None:
    text = home.policy.read_text(encoding="utf-8")
    assert SHIPPED in text
    home.policy.write_text(text.replace(SHIPPED, rule), encoding="utf-8")


def calibrated(home: Layout, *accuracies: float, split_seed: int = 20) -> None:
    runs = [TrainingRun(seed=seed, accuracy=value, earned=26) for seed, value in enumerate(accuracies)]
    made = Calibration.of(Origin.of(home, "mnist", split_seed), runs)
    home.calibration.write_text(made.to_json(), encoding="utf-8")


def accuracy(home: Layout) -> AccuracyRule:
    rule = rules(home).code["q7"].accuracy
    assert rule is not None
    return rule


def test_the_band_of_full_points_is_the_median_less_the_margin(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.97, 0.99, 0.974)
    assert accuracy(home).levels == (0.8, 0.9, 0.954)


def test_a_band_that_is_a_number_stays_and_the_reference_is_known(home: Layout) -> None:
    assert accuracy(home).reference is None
    calibrated(home, 0.97)
    assert (accuracy(home).levels, accuracy(home).reference) == ((0.8, 0.9, 0.95), 0.97)


def test_a_reference_in_the_file_goes_before_the_stored_one(home: Layout) -> None:
    relative(home, RELATIVE.replace("{", "{reference: 0.96, ", 1))
    assert accuracy(home).levels[-1] == 0.94
    calibrated(home, 0.97)
    assert accuracy(home).levels[-1] == 0.94


def test_a_margin_without_a_calibration_says_how_to_make_one(home: Layout) -> None:
    relative(home)
    with pytest.raises(CalibrationError, match=r"relative to the hidden solution's: .*missing\. Make it: mnist-kit"):
        rules(home)


def test_a_calibration_of_another_split_is_not_used_and_refused_where_it_is_needed(home: Layout) -> None:
    calibrated(home, 0.97, split_seed=21)
    assert accuracy(home).reference is None
    relative(home)
    with pytest.raises(CalibrationError, match=r"is of another solution, data or split_seed\. Make it again"):
        rules(home)


def test_an_unpacked_zip_has_no_solution_to_compare_with(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.97, split_seed=21)
    home.solution.unlink()
    home.manifest.write_text("{}")
    assert accuracy(home).levels[-1] == 0.95


def test_a_margin_that_leaves_no_room_for_the_bands_is_refused(home: Layout) -> None:
    relative(home)
    calibrated(home, 0.91)
    with pytest.raises(CalibrationError, match=r"with the hidden solution's 91\.00%, .* leaves no room"):
        rules(home)


def test_the_shipped_calibration_is_of_the_shipped_solution() -> None:
    assert accuracy(HOME).reference is not None
