"""What the solution reached when it was trained many times, and what that came from; kept as calibration.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Annotated, Literal, Self

import nbformat
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from autograder.data.dataset import remedy
from autograder.errors import BuildError, CalibrationError, DatasetError
from autograder.layout import Layout
from autograder.submissions.cells import FIRST_CELL
from autograder.version import kit_version

__all__ = ["LIBRARIES", "Calibration", "Origin", "TrainingRun", "load"]

LIBRARIES = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "keras": ("keras",)}
"""What trains, and the names under which it may be installed."""

AGAIN = "Make it anew: mnist-kit calibrate"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What NumPy, and with it keras.utils.set_random_seed, takes."""


class _Strict(BaseModel):
    """Frozen; every key known, every value of its own type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class TrainingRun(_Strict):
    """One training of the solution. `accuracy` is a fraction of the private images, `earned` the automatic points.

    `lost` are the questions, by id, that did not get all their points.
    """

    seed: Seed
    accuracy: Annotated[float, Field(ge=0, le=1)]
    earned: Annotated[float, Field(ge=0)]
    lost: tuple[Words, ...] = ()


class Origin(_Strict):
    """What the accuracies come from.

    `solution` is the SHA-256 of the solution's code cells, whatever its prose says; `data` that of the file of images.
    `split_seed` says which images are private. The versions of the kit, TensorFlow and Keras are told for the record.
    """

    solution: Sha256
    data: Sha256
    split_seed: Seed
    kit: Words
    tensorflow: Words
    keras: Words

    @classmethod
    def of(cls, layout: Layout, dataset: str, split_seed: int) -> Self:
        """What a calibration made now would come from.

        Raises BuildError where there is no solution, DatasetError where there are no images.
        """
        libraries = {name: _installed(names) for name, names in LIBRARIES.items()}
        solution, data = _solution(layout.solution), _data(layout.data(dataset))
        return cls(solution=solution, data=data, split_seed=split_seed, kit=kit_version(), **libraries)


class Calibration(_Strict):
    """The runs, by rising seed, and what they come from. `form` goes up with every change of the file's form."""

    form: Literal[1]
    origin: Origin
    runs: Annotated[tuple[TrainingRun, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_run_a_seed(self) -> Self:
        seeds = [run.seed for run in self.runs]
        if seeds != sorted(set(seeds)):
            raise PydanticCustomError("seeds", "one run a seed is wanted, by rising seed")
        return self

    @classmethod
    def of(cls, origin: Origin, runs: Iterable[TrainingRun]) -> Self:
        """The runs in any order. Raises CalibrationError where there is none, or two have the same seed."""
        try:
            return cls(form=1, origin=origin, runs=tuple(sorted(runs, key=lambda run: run.seed)))
        except ValidationError as error:
            raise CalibrationError(f"these runs make no calibration: {_told(error)}") from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Raises CalibrationError where the text is not what `to_json` writes."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise CalibrationError(f"this is no calibration: {_told(error)}") from None

    def to_json(self) -> str:
        """Indented, one value a line, so that a version control system shows what changed."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Fractions of the private images, by rising seed."""
        return tuple(run.accuracy for run in self.runs)

    @property
    def reference(self) -> float:
        """What a correct submission can be expected to reach: the median accuracy, a fraction."""
        return median(self.accuracies)

    @property
    def short_of_full(self) -> tuple[TrainingRun, ...]:
        """The runs that did not get every automatic point: bands or checks ask more than the solution gives."""
        return tuple(run for run in self.runs if run.lost)

    def is_current(self, now: Origin) -> bool:
        """Whether it is about the same solution, images and split as `now`, whichever versions trained."""
        mine = self.origin
        return (mine.solution, mine.data, mine.split_seed) == (now.solution, now.data, now.split_seed)


def load(layout: Layout) -> Calibration:
    """The stored calibration. Raises CalibrationError where there is none, or none that can be read."""
    try:
        return Calibration.from_json(layout.calibration.read_bytes())
    except FileNotFoundError:
        raise CalibrationError(f"{layout.calibration} is missing. {AGAIN}") from None
    except OSError as error:
        raise CalibrationError(f"{layout.calibration} cannot be read ({error.strerror}). {AGAIN}") from error
    except CalibrationError as error:
        raise CalibrationError(f"{layout.calibration}: {error}. {AGAIN}") from None


def _solution(path: Path) -> str:
    """SHA-256 of the code cells' text, each framed by its own digest, without the kit's own: they train nothing."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except FileNotFoundError:
        raise BuildError(f"{path} is missing: run `mnist-kit build`") from None
    except Exception as error:  # nbformat raises many kinds on a damaged file
        raise BuildError(f"{path} cannot be read ({error}): run `mnist-kit build`") from error
    digest = hashlib.sha256()
    for cell in cells:
        ours = cell.get("id") == FIRST_CELL or cell.source.startswith("grader.")
        if cell.cell_type == "code" and not ours:
            digest.update(hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()


def _data(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): {remedy(path.stem)}") from error


def _installed(names: Iterable[str]) -> str:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"


def _told(error: ValidationError) -> str:
    """The first mistake, and its place."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
