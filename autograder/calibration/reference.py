"""The calibration, accuracies of many trainings of the solution, whose median is the reference of the grading rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Annotated, Literal, Self

import nbformat
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from autograder.data.dataset import remedy
from autograder.errors import BuildError, CalibrationError, DatasetError
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.policy.schema import StrictModel
from autograder.submissions.cells import FIRST_CELL
from autograder.version import installed, kit_version

__all__ = ["Calibration", "Origin", "TrainingRun", "load", "rules"]

REMEDY = "Calibrate again: mnist-kit calibrate"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]  # the range that NumPy takes, and with it keras.utils.set_random_seed


class TrainingRun(StrictModel):
    """One training of the solution. `accuracy` is a fraction of the private images, `earned` the automatic points.

    `lost` holds the ids of the questions that did not get all their points.
    """

    seed: Seed
    accuracy: Annotated[float, Field(ge=0, le=1)]
    earned: Annotated[float, Field(ge=0)]
    lost: tuple[Words, ...] = ()


class Origin(StrictModel):
    """The origin of the accuracies.

    `solution` is the SHA-256 of the solution's code cells, without its prose; `data` that of the file of images;
    `split_seed` decides which images are private. The versions of kit, TensorFlow and Keras are kept for the record.
    """

    solution: Sha256
    data: Sha256
    split_seed: Seed
    kit: Words
    tensorflow: Words
    keras: Words

    @classmethod
    def of(cls, layout: Layout, dataset: str, split_seed: int) -> Self:
        """Return the origin that a calibration made now would have.

        Raises BuildError if the solution, and DatasetError if the images, cannot be read.
        """
        versions = {"tensorflow": "not installed", "keras": "not installed"} | installed("tensorflow", "keras")
        versions["tensorflow"] = installed("tensorflow-cpu").get("tensorflow-cpu", versions["tensorflow"])
        solution, data = _code_digest(layout.solution), _file_digest(layout.data(dataset))
        return cls(solution=solution, data=data, split_seed=split_seed, kit=kit_version(), **versions)


class Calibration(StrictModel):
    """The content of calibration.json: the runs, by rising seed, and their origin.

    `form` goes up with every change to the file's format.
    """

    form: Literal[1]
    origin: Origin
    runs: Annotated[tuple[TrainingRun, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_run_a_seed(self) -> Self:
        seeds = [run.seed for run in self.runs]
        if seeds != sorted(set(seeds)):
            raise PydanticCustomError("seeds", "expected one run per seed, by rising seed")
        return self

    @classmethod
    def of(cls, origin: Origin, runs: Iterable[TrainingRun]) -> Self:
        """Make a calibration of runs in any order, each with its own seed."""
        return cls(form=1, origin=origin, runs=tuple(sorted(runs, key=lambda run: run.seed)))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse what `to_json` writes. Raises CalibrationError for any other text."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            mistake = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
            raise CalibrationError(f"not a valid calibration: {mistake}") from None

    def to_json(self) -> str:
        """Write one value per line, so that a version control system shows what changed."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The fractions of the private images, by rising seed."""
        return tuple(run.accuracy for run in self.runs)

    @property
    def reference(self) -> float:
        """The accuracy that a correct submission can be expected to reach: the median, a fraction."""
        return median(self.accuracies)

    @property
    def short_of_full(self) -> tuple[TrainingRun, ...]:
        """The runs that did not get every automatic point, because bands or checks ask too much."""
        return tuple(run for run in self.runs if run.lost)

    def is_current(self, now: Origin) -> bool:
        """Return whether solution, images and split are those of `now`; the versions do not matter."""
        then = self.origin
        return (then.solution, then.data, then.split_seed) == (now.solution, now.data, now.split_seed)


def load(layout: Layout) -> Calibration:
    """Read the stored calibration. Raises CalibrationError if it is missing or not valid."""
    try:
        return Calibration.from_json(layout.calibration.read_bytes())
    except FileNotFoundError:
        raise CalibrationError(f"{layout.calibration} is missing. {REMEDY}") from None
    except OSError as error:
        raise CalibrationError(f"{layout.calibration} cannot be read ({error.strerror}). {REMEDY}") from error
    except CalibrationError as error:
        raise CalibrationError(f"{layout.calibration}: {error}. {REMEDY}") from None


def rules(layout: Layout, policy: Policy | None = None) -> Policy:
    """Return grading.yml, with the median accuracy of the stored calibration as `reference` if the file gives none.

    A calibration of another solution, other images or another split is not used. An unpacked autograder zip holds no
    solution to compare it with; the build compared it. Raises PolicyError, and CalibrationError if a band is relative
    to the reference and the reference is unknown, or leaves no room for the bands below.
    `policy` is grading.yml, if it is loaded already.
    """
    policy = policy or grading_file.load(layout.policy)
    about, stored, problem = policy.assignment, None, "is missing. Make it"
    if layout.calibration.exists():
        stored = load(layout)
        if not layout.unpacked and not stored.is_current(Origin.of(layout, about.dataset, about.split_seed)):
            stored, problem = None, "is of another solution, data or split_seed. Make it again"
    if stored is not None:
        try:
            return policy.at_reference(stored.reference)
        except ValidationError as error:
            raise CalibrationError(
                f"grading.yml: with the hidden solution's {stored.reference:.2%}, `reference_margin` leaves no room "
                f"for the bands ({error.errors()[0]['msg']}). Lower the margin or the bands"
            ) from None
    if any(question.accuracy and question.accuracy.full_accuracy is None for question in policy.code.values()):
        raise CalibrationError(
            "grading.yml asks for an accuracy relative to the hidden solution's: "
            f"{layout.calibration} {problem}: mnist-kit calibrate"
        )
    return policy


def _code_digest(path: Path) -> str:
    """Hash the code cells of a notebook, each framed by its own digest, without the kit's own, which train nothing."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except FileNotFoundError:
        raise BuildError(f"{path} is missing: run `mnist-kit build`") from None
    except Exception as error:  # nbformat raises many kinds of errors on a damaged file
        raise BuildError(f"{path} cannot be read ({error}): run `mnist-kit build`") from error
    digest = hashlib.sha256()
    for cell in cells:
        ours = cell.get("id") == FIRST_CELL or cell.source.startswith("grader.")
        if cell.cell_type == "code" and not ours:
            digest.update(hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): {remedy(path.stem)}") from error
